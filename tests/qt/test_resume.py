"""Trust test: a run that is killed with `kill -9`, anywhere and any number of times, and resumed
each time, ends with the same bytes as one that nobody touched.

Two ways to kill. From outside, `qt train` at random moments. From inside, at every single call
that makes a file or a folder, moves it, syncs it or deletes it: this file, run as a program,
trains in forked children that kill themselves just before their n-th such call.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qt

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 is for POSIX systems")

TEXT = "the cat sat on the mat and the dog sat on the log. a bird saw them both!\n" * 30
CALLS = ("replace", "rename", "fsync", "mkdir", "unlink", "rmdir")
KILLED = -signal.SIGKILL


def timeless(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if "second" not in key}


def outcome(run: Path) -> dict[str, Any]:
    """Everything in a run's folder by name, without what the clock says."""
    found: dict[str, Any] = {}
    for path in run.rglob("*"):
        if path.name == "metrics.jsonl":
            lines = path.read_text(encoding="utf-8").splitlines()
            found[path.name] = [timeless(json.loads(line)) for line in lines]
        elif path.name == "state.json":
            state = json.loads(path.read_text(encoding="utf-8"))
            extra = {key: value for key, value in state["extra"].items() if key != "seconds"}
            extra["metrics"] = [timeless(line) for line in extra["metrics"]]
            found[str(path.relative_to(run))] = {**state, "extra": extra}
        elif path.is_file() and path.suffix != ".tmp":  # of a file that was being replaced
            found[str(path.relative_to(run))] = path.read_bytes()
    return found


def assert_same(run: Path, reference: Path) -> None:
    one, other = outcome(run), outcome(reference)
    assert one.keys() == other.keys(), f"{run.name} has other files"
    for name, content in one.items():
        assert content == other[name], f"{run.name}: {name} differs"


# From outside: `qt train`, killed after a random time


def qt_train(out: Path, text: Path) -> subprocess.Popen[str]:
    """Begin the run in `out`, or go on with it."""
    settings = (
        "--tokenizer char --n-layer 1 --n-head 2 --d-model 16 --block-size 16 --batch-size 4 "
        "--dropout 0.1 --grad-accum 2 --steps 60 --save-every 3 --eval-every 12 --warmup 5 "
        "--lr 0.01 --threads 1 --seed 5"
    )
    begin = ["--data", str(text), "--out", str(out), *settings.split()]
    arguments = ["--resume", str(out)] if (out / "latest").exists() else begin
    return subprocess.Popen(
        [sys.executable, "-m", "qt.cli", "train", "--quiet", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0 or "has 60 steps already" in errors, errors


def kill_at_random(tmp_path: Path, kills: int) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    start = time.perf_counter()
    finish(qt_train(tmp_path / "reference", text))
    duration = time.perf_counter() - start
    rng = np.random.default_rng(0)
    killed, runs = 0, 0
    while killed < kills:
        run, in_this_run = tmp_path / f"run-{runs}", 0
        while killed < kills and in_this_run < 12:
            start, process = time.perf_counter(), qt_train(run, text)
            try:
                process.wait(timeout=duration * rng.uniform(0.2, 1.1))
            except subprocess.TimeoutExpired:
                process.kill()
            _, errors = process.communicate()
            if process.returncode != KILLED:
                assert process.returncode == 0 or "has 60 steps already" in errors, errors
                if in_this_run == 0:  # the machine is less busy than it was
                    duration = min(duration, time.perf_counter() - start)
                break
            killed, in_this_run = killed + 1, in_this_run + 1
        finish(qt_train(run, text))
        assert_same(run, tmp_path / "reference")
        runs += 1


def test_killed_at_random_moments(tmp_path: Path) -> None:
    kill_at_random(tmp_path, kills=6)


@pytest.mark.long
def test_killed_at_hundreds_of_random_moments(tmp_path: Path) -> None:
    kill_at_random(tmp_path, kills=300)


# From inside: at every step of saving


def train(directory: Path) -> None:
    """A run that saves, measures, finds a best and stops early; begun, or gone on with."""
    tokenizer = qt.CharTokenizer.train(TEXT)
    ids = np.array(tokenizer.encode(TEXT))
    config = qt.GPTConfig(
        vocab_size=tokenizer.vocab_size, block_size=8, n_layer=1, n_head=2, d_model=8, dropout=0.1
    )
    training = qt.TrainingConfig(
        steps=40, batch_size=2, lr=0.5, warmup=0, save_every=3, eval_every=2, eval_batches=2,
        patience=1, log_every=1,
    )  # fmt: skip
    trainer = qt.Trainer(
        qt.GPT(config, seed=1), ids[:1800], ids[1800:2000], training, tokenizer=tokenizer,
        directory=directory,
    )  # fmt: skip
    if (directory / "latest").exists():
        trainer.resume(directory)
    trainer.run()
    assert trainer.stopped_early


def die_before(n: int) -> None:
    """Replace the calls of CALLS by ones that count, and kill this process before the n-th."""
    count = 0

    def counted(real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == n:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return call

    os.fsync = lambda _: None  # what a killed process has written stays, also if it is not synced
    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


def in_child(work: Callable[[], None], kill_before: int = 0) -> int:
    """Work in a forked process; its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            die_before(kill_before)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_runs(directory: Path, pairs: int) -> None:
    """Leave in `directory` a whole run, and those that were killed once, at each place in turn.

    Then `pairs` runs are killed twice, at random places.
    """
    assert in_child(lambda: train(directory / "reference")) == 0
    n = 1
    while True:
        run = directory / f"before-{n}"
        code = in_child(partial(train, run), kill_before=n)
        if code != KILLED:
            break
        assert in_child(partial(train, run)) == 0
        n += 1
    assert code == 0
    rng = np.random.default_rng(0)
    for first, second in rng.integers(1, n, size=(pairs, 2)):
        run = directory / f"before-{first}-and-{second}"
        in_child(partial(train, run), kill_before=first)
        in_child(partial(train, run), kill_before=second)
        assert in_child(partial(train, run)) == 0


def kill_second_saves(directory: Path) -> None:
    """Save the same step again, killed at each place in turn: one of the two is always there."""
    config = qt.GPTConfig(vocab_size=5, block_size=4, n_layer=1, n_head=1, d_model=8)
    one, other = qt.GPT(config, seed=1), qt.GPT(config, seed=2)
    n, code, found = 0, KILLED, []
    while code == KILLED:
        n += 1
        save = partial(qt.save_checkpoint, directory / f"{n}", step=7)
        save(model=one, best=True)
        code = in_child(partial(save, model=other), kill_before=n)
        weights = qt.load_checkpoint(directory / f"{n}").model.state_dict()
        same = [
            all((weights[k] == v).all() for k, v in m.state_dict().items()) for m in (one, other)
        ]
        assert sum(same) == 1
        found.append(same[1])
    assert code == 0
    assert found == sorted(found), "from some moment on it is the new one, and stays so"
    assert (found[0], found[-1]) == (False, True)
    assert n > 10


def as_program(*arguments: object) -> None:
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr


def compare_all(tmp_path: Path, pairs: int) -> None:
    as_program(tmp_path, pairs)
    runs = [run for run in tmp_path.iterdir() if run.name != "reference"]
    assert len(runs) > 50, "saving takes many calls, so there should be many runs"
    best, latest = ((tmp_path / "reference" / name).read_text() for name in ("best", "latest"))
    assert best != latest, "the run should keep two checkpoints"
    for run in runs:
        assert_same(run, tmp_path / "reference")


def test_killed_at_every_step_of_saving(tmp_path: Path) -> None:
    compare_all(tmp_path, pairs=0)


@pytest.mark.long
def test_killed_twice(tmp_path: Path) -> None:
    compare_all(tmp_path, pairs=300)


def test_a_step_that_is_saved_again_is_never_gone(tmp_path: Path) -> None:
    as_program(tmp_path)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        kill_runs(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        kill_second_saves(Path(sys.argv[1]))
