"""Trust test: training takes no more memory after 2,000 steps than at its beginning, and what a
step has made is freed by reference counting alone: no cycle waits for the garbage collector.
"""

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import qt
from qt.tensor import Tensor

CONFIG = qt.GPTConfig(vocab_size=32, block_size=16, n_layer=1, n_head=2, d_model=16)
IDS = np.random.default_rng(0).integers(0, 32, size=2000)


def trainer(steps: int) -> qt.Trainer:
    training = qt.TrainingConfig(steps=steps, batch_size=4, eval_every=500, eval_batches=2)
    return qt.Trainer(qt.GPT(CONFIG), IDS, IDS[:200], training)


def resident() -> int:
    """The pages of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


def print_growth() -> None:
    """Train 2,200 steps, and print how much the process grew over the last 2,000, in percent."""
    sizes: dict[int, int] = {}
    ours = trainer(steps=2200)
    ours.on_log = lambda line: sizes.setdefault(line["step"], resident())
    ours.run()
    print(100 * (sizes[2200] / sizes[200] - 1))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size is read from Linux")
def test_2000_steps_grow_the_process_by_less_than_5_percent() -> None:
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 5


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Collect now, then no more: whatever is freed in the test, its reference count has freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def live_tensors() -> int:
    # by type(): other packages have objects that import more when asked for their class
    return sum(issubclass(type(thing), Tensor) for thing in gc.get_objects())


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_a_tape_dies_with_its_loss(dropout: float) -> None:
    model = qt.GPT(qt.GPTConfig(**{**CONFIG.to_dict(), "dropout": dropout}))
    x = IDS[:32].reshape(2, 16)
    for backward in (True, False):
        logits = model(x)
        loss = qt.functional.cross_entropy(logits, x)
        between = [weakref.ref(parent) for parent in (*loss._parents, *logits._parents)]
        watched = [weakref.ref(logits), weakref.ref(loss), *between]
        parameters = {id(p) for p in model.parameters()}
        watched = [ref for ref in watched if id(ref()) not in parameters]
        assert len(watched) >= 3
        if backward:
            loss.backward()
        del logits, loss
        assert [ref() for ref in watched] == [None] * len(watched)


@pytest.mark.usefixtures("no_collector")
def test_steps_leave_no_tensor_behind() -> None:
    ours = trainer(steps=12)
    before = live_tensors()
    ours.run()
    assert live_tensors() == before


@pytest.mark.usefixtures("no_collector")
def test_generation_and_evaluation_leave_no_tensor_behind() -> None:
    model = qt.GPT(CONFIG)
    before = live_tensors()
    qt.generate(model, IDS[None, :4], max_new_tokens=8)
    qt.evaluate(model, qt.data.windows(IDS[:100], 4, 16))
    assert live_tensors() == before


@pytest.mark.usefixtures("no_collector")
def test_the_collector_finds_no_tensor_in_a_cycle() -> None:
    ours = trainer(steps=12)
    gc.set_debug(gc.DEBUG_SAVEALL)  # what a collection would free is put into gc.garbage
    try:
        ours.run()
        gc.collect()
        found = [thing for thing in gc.garbage if issubclass(type(thing), Tensor | np.ndarray)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert found == []


def test_the_tests_can_fail() -> None:
    """A backward that refers to its own result is a cycle, and is seen as one."""
    gc.collect()
    gc.disable()
    try:
        before = live_tensors()
        x = Tensor(np.ones(3), requires_grad=True)
        out = x * 2.0
        out._backward = lambda gradient, out=out: (gradient, None)
        del out, x
        assert live_tensors() > before
    finally:
        gc.enable()
        gc.collect()


if __name__ == "__main__":
    print_growth()
