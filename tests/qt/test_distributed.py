"""Data parallelism on real ranks: N with a share of the batch each are one with the whole batch."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest
import shared_training
from missing import missing
from ranks import mpirun, run_ranks

import qt.distributed as dist
from qt.distributed.launch import launch

# What a difference may be. Weights are about 1, and each moves by up to 0.2 in 20 steps.
FLOAT64, FLOAT32 = 1e-12, 1e-5
Found = list[dict[str, Any]]


@pytest.fixture(scope="module", params=[1, 2, pytest.param(3, marks=pytest.mark.long), 4])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """What each of so many ranks noted, in order."""
    folder = tmp_path_factory.mktemp("ranks")
    done = run_ranks(request.param, shared_training.__file__, folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = [folder / f"rank-{rank}.json" for rank in range(request.param)]
    lines = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    assert [(line["rank"], line["ranks"]) for line in lines] == [
        (rank, request.param) for rank in range(request.param)
    ]
    return lines


@pytest.mark.parametrize("name", [name for name in shared_training.RUNS if name != "float32"])
def test_ranks_with_a_share_each_equal_one_process_in_float64(found: Found, name: str) -> None:
    for run in (line["runs"][name] for line in found):
        assert run["moved"] > 0.01, "it trained"
        assert run["weights"] <= FLOAT64
        assert run["metrics"] <= FLOAT64
        assert run["steps"] == [0, 5, 10, 15, 20]


def test_in_float32_what_differs_is_rounding(found: Found) -> None:
    for run in (line["runs"]["float32"] for line in found):
        assert run["weights"] <= FLOAT32
        assert run["metrics"] <= 10 * FLOAT32


def test_all_ranks_end_with_the_same_bits(found: Found) -> None:
    for name in shared_training.RUNS:
        assert len({line["runs"][name]["digest"] for line in found}) == 1
    if len(found) == 1:  # the sum of one is itself
        assert all(run["same_bits"] for run in found[0]["runs"].values())


def test_all_reduce_gives_every_rank_the_result(found: Found) -> None:
    n = len(found)
    for line in found:
        assert line["reduced"] == {
            "sum": [[n * (n + 1) / 2, -n * (n - 1) / 2]],
            "max": [[n, 0.0]],
            "min": [[1.0, 1.0 - n]],
        }


MESSAGES = {
    "too few rows": "a batch of 1 cannot be shared by {n} ranks: use a larger --batch-size",
    "dropout": "dropout draws in one fixed order: use one rank, or no dropout",
    "twice": "there is a process group already",
    "no array": "takes a contiguous, writeable array",
    "a view": "takes a contiguous, writeable array",
    "op": "op must be sum or max or min, not 'mean'",
    "settings": "the ranks do not agree on the settings: start all with the same text",
    "weights": "the ranks do not agree on the weights after step 10: ",
}


def test_every_rank_is_told_what_is_wrong(found: Found) -> None:
    for line in found if len(found) > 1 else []:
        assert line["refusals"].keys() == MESSAGES.keys()
        for what, message in MESSAGES.items():
            assert message.format(n=len(found)) in line["refusals"][what]


def test_without_a_group() -> None:
    assert not dist.is_initialized()
    for call in (dist.get_rank, dist.get_world_size, dist.barrier, dist.destroy_process_group):
        with pytest.raises(RuntimeError, match="call init_process_group\\(\\) first"):
            call()
    with pytest.raises(RuntimeError, match="call init_process_group"):
        shared_training.make(dist.DataParallelTrainer)
    with pytest.raises(ValueError, match="backend must be 'mpi', not 'nccl'"):
        dist.init_process_group("nccl")


def python(source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", source], env=os.environ | environment, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip


INIT = "import qt.distributed as dist; dist.init_process_group(); "


def test_without_mpi4py_the_extra_is_named() -> None:
    done = python(f"import sys; sys.modules['mpi4py'] = None; {INIT}")
    assert 'pip install "quantatissu[mpi]" installs it, and mpirun with it' in done.stderr
    done = python("import sys, qt.distributed; print('mpi4py' in sys.modules)")
    assert done.stdout == "False\n", "it is loaded where it is needed"
    done = python("import sys, qt; print('qt.distributed' in sys.modules)")
    assert done.stdout == "False\n"


def test_an_mpirun_of_another_mpi_is_noticed() -> None:
    """Else each process takes itself for the only one, and all train the same."""
    if find_spec("mpi4py") is None:
        missing("mpi4py is missing: make setup installs it")
    done = python(INIT, OMPI_COMM_WORLD_SIZE="3", OMPI_COMM_WORLD_RANK="1")
    assert "mpirun started 3 processes, but belongs to another MPI" in done.stderr
    assert done.returncode == 1
    done = python(INIT, PMI_SIZE="2", PMI_RANK="1")
    assert "mpirun started 2 processes, but belongs to another MPI" in done.stderr


def test_a_program_that_leaves_the_group_early_ends_all() -> None:
    """One rank fails in its own code; the others would wait for it for ever."""
    done = run_ranks(2, "-c", f"{INIT} 1 / dist.get_rank(); dist.barrier()")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    done = run_ranks(2, "-c", f"{INIT} import sys; dist.get_rank() or sys.exit(0); dist.barrier()")
    assert done.returncode == 1, "destroy_process_group was not called"


def test_launch_from_a_notebook() -> None:
    mpirun()
    source = f"{INIT} dist.get_rank() or print(dist.get_world_size()); dist.destroy_process_group()"
    assert launch(2, "-c", source) == "2\n"
    with pytest.raises(RuntimeError, match=r"ended with code 1: .*no such thing"):
        launch(2, "-c", f"{INIT} raise SystemExit('no such thing')")
    with pytest.raises(RuntimeError, match=r"2 ranks took more than 0\.1 seconds"):
        launch(2, "-c", "import time; time.sleep(60)", timeout=0.1)


def test_measurements_for_the_cost_model() -> None:
    done = run_ranks(2, "-m", "qt.distributed.measure", "--sizes", "8,4096", "--repeats", 2,
                     "--batch-size", 2)  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout)
    assert measured["ranks"] == 2
    assert measured["all_reduce"]["bytes"] == [8, 4096]
    assert all(seconds > 0 for seconds in measured["all_reduce"]["seconds"])
    step = measured["step"]
    assert (step["parameters"], step["batch_size"], step["tokens"]) == (800_000, 2, 128)
    assert 0 < step["compute_seconds"] < step["seconds"] > step["all_reduce_seconds"] > 0
