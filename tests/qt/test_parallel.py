"""One BLAS thread after `import qt`, whatever was imported first; memory that is kept."""

import os
import platform
import subprocess
import sys
import threading
import time

import pytest

import qt
from qt.parallel import BLAS_VARIABLES, side_by_side

COUNT = """
import threadpoolctl
print(max([pool["num_threads"] for pool in threadpoolctl.threadpool_info()], default=1))
"""


def run(program: str, **variables: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k not in BLAS_VARIABLES} | variables
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("first", ["import qt", "import numpy, qt"])
def test_one_thread(first: str) -> None:
    pytest.importorskip("threadpoolctl")
    assert run(f"{first}\n{COUNT}").stdout == "1\n"


def test_the_choice_of_the_user_stays() -> None:
    if not pytest.importorskip("threadpoolctl").threadpool_info():
        pytest.skip("this NumPy's matrix library has no threads that can be counted")
    assert run(f"import qt\n{COUNT}", OPENBLAS_NUM_THREADS="2").stdout == "2\n"


def test_without_threadpoolctl_it_says_how() -> None:
    hide = "import sys; sys.modules['threadpoolctl'] = None; import numpy, qt"
    assert "import qt first, or set OPENBLAS_NUM_THREADS=1" in run(hide).stderr


def test_pieces_come_back_in_order() -> None:
    assert side_by_side(lambda n: n * n, [3, 1, 2]) == [9, 1, 4]
    qt.set_num_threads(3)
    assert qt.get_num_threads() == 3
    qt.set_num_threads(1)


def test_a_piece_that_fails_leaves_none_running() -> None:
    done: list[int] = []

    def work(n: int) -> int:
        if n < 2:
            raise ValueError(f"piece {n}")
        time.sleep(0.05)
        done.append(n)
        return n

    for pieces in ([0, 2, 3], [2, 1, 3]):
        done.clear()
        with pytest.raises(ValueError, match="piece"):
            side_by_side(work, pieces)
        assert sorted(done) == [n for n in pieces if n > 1]


def test_threads_stay_for_the_next_step() -> None:
    together = threading.Barrier(3)  # else one thread may be done in time for the next piece

    def thread(_: int) -> threading.Thread:
        together.wait(timeout=60)
        return threading.current_thread()

    names = [side_by_side(thread, range(3)) for _ in range(2)]
    assert names[0][0] is threading.current_thread()
    assert set(names[0]) >= set(names[1])


FORK = """
import os
from qt.parallel import side_by_side

side_by_side(abs, [-1, -2])
child = os.fork()
if not child:
    os._exit(sum(side_by_side(abs, [-1, -2])))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    assert run(FORK).stdout == "3\n"


def test_import_leaves_out_what_takes_long() -> None:
    heavy = {"numpy.random", "concurrent.futures", "logging", "hashlib"}
    code = f"import qt, sys; print(sorted({heavy} & sys.modules.keys()))"
    assert run(code).stdout == "[]\n"


FAULTS = """
import resource
import numpy as np
import qt

model = qt.GPT(qt.GPTConfig(vocab_size=65, block_size=64, n_layer=2))
ids = np.arange(768).reshape(12, 64) % 65
for step in range(8):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    qt.functional.cross_entropy(model(ids), ids).backward()
    model.zero_grad()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators are left alone")
def test_a_training_step_faults_no_memory_in_anew() -> None:
    """Without the setting it is several thousand pages a step, a fifth of its time."""
    done = run(FAULTS)
    assert int(done.stdout) < 200, done.stderr
