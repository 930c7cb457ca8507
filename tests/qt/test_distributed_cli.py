"""`mpirun -n N qt train --distributed mpi`: the run of one process, whoever dies on the way."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import train_and_fail
from ranks import mpirun, run_ranks

import qt

TEXT = "the cat sat on the mat and the dog sat on the log. a bird saw them both!\n" * 30
FLAGS = (
    "--tokenizer char --n-layer 1 --n-head 2 --d-model 16 --block-size 16 --batch-size 5 "
    "--grad-accum 2 --steps 40 --save-every 4 --eval-every 16 --warmup 5 --lr 0.01 --seed 5 "
    "--schedule constant --quiet"
)
SETTINGS = FLAGS.split()


def train(ranks: int, *flags: object, fault: str = "none", rank: int = 0, step: int = 0):
    """`qt train` on so many ranks, with a fault on the way."""
    program = train_and_fail.__file__
    return run_ranks(ranks, program, fault, rank, step, "--distributed", "mpi", *flags)


def qt_train(*flags: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """`qt train` without mpirun."""
    return subprocess.run(
        [sys.executable, "-m", "qt.cli", "train", *map(str, flags)], env=os.environ | environment,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def reference(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two ranks that nobody disturbed."""
    run = tmp_path_factory.mktemp("two") / "run"
    done = train(2, "--data", text, "--out", run, *SETTINGS)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1, "rank 0 alone speaks"
    return run


@pytest.fixture(scope="module")
def one(text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same by one process, which knows nothing of MPI."""
    run = tmp_path_factory.mktemp("one") / "run"
    done = qt_train("--data", text, "--out", run, *SETTINGS)
    assert done.returncode == 0, done.stderr
    return run


def weights(run: Path) -> dict[str, np.ndarray]:
    return qt.load_checkpoint(run).model.state_dict()


def assert_close(run: Path, other: Path) -> None:
    """The same run up to rounding in float32: weights of about 1, which moved by up to 0.3."""
    ours, theirs = weights(run), weights(other)
    assert max(np.abs(ours[name] - theirs[name]).max() for name in theirs) < 1e-4
    lines = [(each / "metrics.jsonl").read_text().splitlines() for each in (run, other)]
    for one, two in zip(*([json.loads(line) for line in each] for each in lines), strict=True):
        assert one["step"] == two["step"]
        for name in {"train_loss", "val_loss"} & one.keys():
            assert one[name] == pytest.approx(two[name], abs=1e-4)


def test_a_run_of_two_ranks_is_that_of_one_process(reference: Path, one: Path) -> None:
    assert_close(one, reference)
    names = [{str(path.relative_to(run)) for path in run.rglob("*")} for run in (one, reference)]
    assert names[0] == names[1]
    records = [json.loads((run / "training.json").read_bytes()) for run in (one, reference)]
    assert [record.pop("ranks") for record in records] == [1, 2]
    assert records[0] == records[1]


def test_without_mpirun_it_is_a_run_of_one_process(text: Path, one: Path, tmp_path: Path) -> None:
    """The same bits; and it says what to do for more."""
    mpirun()
    loud = [flag for flag in SETTINGS if flag != "--quiet"]
    done = qt_train("--data", text, "--out", tmp_path / "r", *loud, "--distributed", "mpi")
    assert done.returncode == 0, done.stderr
    assert "one process; mpirun -n 2 qt train --distributed mpi … starts two" in done.stdout
    ours, theirs = weights(tmp_path / "r"), weights(one)
    assert all((ours[name] == theirs[name]).all() for name in theirs)


# Each fault: the exit code, what is said, and the step that is saved when it comes at step 23.
FAULTS: dict[str, tuple[int, str, int]] = {
    "killed": (9, "Killed (signal 9)", 20),
    "memory": (1, "error: rank 1: MemoryError\n", 20),
    "bug": (1, "KeyError: 'of the program itself'", 20),
    "ctrl-c": (130, "interrupted: step 23 is saved; go on with qt train --resume", 23),
    "ctrl-c at mpirun": (130, "interrupted: step 23 is saved; go on with qt train --resume", 23),
    "second ctrl-c": (130, "", 20),
}


@pytest.mark.parametrize("fault", ["killed", "memory", "ctrl-c at mpirun"])
def test_a_rank_that_fails_stops_all_and_the_run_goes_on(
    text: Path, reference: Path, tmp_path: Path, fault: str
) -> None:
    """The last checkpoint is whole, and with as many ranks all bits are as if nothing had been."""
    run = tmp_path / "run"
    done = train(2, "--data", text, "--out", run, *SETTINGS, fault=fault, rank=1, step=23)
    code, said, saved = FAULTS[fault]
    both = done.stdout + done.stderr  # mpirun tells of a killed rank on standard output
    assert (done.returncode, both.count(said)) == (code, 1), both
    assert "Abort" not in both or "ctrl-c" not in fault, "all stopped after the same step"
    assert qt.load_checkpoint(run).step == saved
    done = train(2, "--resume", run, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(run) == contents(reference)


@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("fault", list(FAULTS))
def test_any_rank_may_fail(
    text: Path, reference: Path, tmp_path: Path, fault: str, rank: int
) -> None:
    """Any of three; and one process goes on with the run."""
    run = tmp_path / "run"
    done = train(3, "--data", text, "--out", run, *SETTINGS, fault=fault, rank=rank, step=23)
    code, said, saved = FAULTS[fault]
    both = done.stdout + done.stderr
    if fault == "killed":  # another rank may notice before mpirun does
        assert done.returncode
    else:
        said = said.replace("rank 1: ", f"rank {rank}: " if rank else "")
        assert (done.returncode, said in both) == (code, True), both
    assert ("is saved" in both) == (saved == 23), "what was not saved is not claimed to be"
    assert qt.load_checkpoint(run).step == saved
    done = qt_train("--resume", run, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert_close(run, reference)


def contents(run: Path) -> dict[str, Any]:
    """Everything in a run's folder by name, without what the clock says."""

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: timeless(v) for key, v in value.items() if "second" not in key}
        return [timeless(v) for v in value] if isinstance(value, list) else value

    found: dict[str, Any] = {}
    for path in (path for path in run.rglob("*") if path.is_file()):
        name, content = str(path.relative_to(run)), path.read_bytes()
        if path.suffix in (".json", ".jsonl"):
            lines = content.splitlines() if path.suffix == ".jsonl" else [content]
            found[name] = [timeless(json.loads(line)) for line in lines]
        else:
            found[name] = content
    return found


def test_any_number_of_ranks_goes_on_with_a_checkpoint_of_any(
    text: Path, one: Path, tmp_path: Path
) -> None:
    """One process begins, four go on, two end it: that of one process, up to rounding."""
    run = tmp_path / "run"
    done = [
        qt_train("--data", text, "--out", run, *SETTINGS, "--steps", 16),
        train(4, "--resume", run, "--quiet", "--steps", 32),
        train(2, "--resume", run, "--steps", 40),
    ]
    assert [each.returncode for each in done] == [0, 0, 0], [each.stderr for each in done]
    assert_close(run, one)
    _, sharing, before, result = done[-1].stdout.splitlines()  # once, though two ranks know it
    assert sharing == "2 processes share each batch"
    assert before.startswith("processes before: 4, so this run is the same up to rounding")
    assert result.startswith("validation loss")
    assert [line.split()[:2] for line in done[-1].stderr.splitlines()] == [["step", "40"]]


REFUSED: list[tuple[str, int, str]] = [
    ("--data {text} --out {run}", 1, "{run} holds a run already: go on with --resume {run}"),
    ("--data {text} --out {new} --batch-size 1", 1, "a batch of 1 cannot be shared by 2 ranks"),
    ("--data {text} --out {new} --dropout 0.1", 1, "dropout draws in one fixed order: use one"),
]
SOME: list[tuple[str, int, str]] = [
    ("--out {new}", 2, "qt train needs --data and --out, or --resume"),
    (
        "--data {text} --out {new} --lr 1e25 --warmup 0 --optimizer sgd --clip 0", 1,
        "step 2 has loss",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [*SOME, *(pytest.param(*row, marks=pytest.mark.long) for row in REFUSED)],
)
def test_what_is_wrong_on_all_ranks_is_said_once(
    text: Path, reference: Path, tmp_path: Path, flags: str, code: int, message: str
) -> None:
    places = {"text": text, "run": reference, "new": tmp_path / "new"}
    done = train(2, *SETTINGS, *flags.format(**places).split())
    assert done.returncode == code
    assert done.stderr.startswith(f"error: {message.format(**places)}")
    assert done.stderr.count("error:") == 1
    assert done.stdout == ""


def test_two_ranks_that_nobody_told_of_each_other(text: Path, tmp_path: Path) -> None:
    """Both would write into one folder."""
    done = run_ranks(2, "-m", "qt.cli", "train", "--data", text, "--out", tmp_path / "r", *SETTINGS)
    assert done.returncode == 2
    assert done.stderr.startswith("error: mpirun started 2 processes, which would all train")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "r").exists()
