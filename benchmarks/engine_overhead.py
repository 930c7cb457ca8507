"""What the tape costs: a training step through `Tensor` against the same by hand."""

from __future__ import annotations

import numpy as np

import qt
from benchmarks.by_hand import loss_and_gradients
from benchmarks.claim import Claim, Samples, race, require_close
from benchmarks.shapes import TRAINING, batch
from benchmarks.tape import make_optimizer, make_step


def check(model: qt.GPT, x: np.ndarray, y: np.ndarray) -> None:
    """Both ways give the same loss and gradients, but for float32's rounding."""
    loss = qt.functional.cross_entropy(model(x), y)
    loss.backward()
    by_hand, gradients = loss_and_gradients(model.config, model.state_dict(), x, y)
    require_close("the loss", loss.item(), by_hand, 1e-5)
    for name, p in model.named_parameters():
        require_close(f"the gradient of {name}", p.grad, gradients[name], 1e-5)
        p.grad = None


def measure(c: qt.GPTConfig, B: int, repeats: int = 31) -> Samples:
    """Milliseconds a step. Clipping and AdamW are the same on both sides."""
    x, y = batch(c, B)
    ours, peer = qt.GPT(c), qt.GPT(c)
    check(ours, x, y)
    optimizer = make_optimizer(peer)
    parameters, weights = dict(peer.named_parameters()), peer.state_dict()

    def by_hand() -> None:
        _, gradients = loss_and_gradients(c, weights, x, y)
        for name, p in parameters.items():
            p.grad = gradients[name]
        qt.optim.clip_grad_norm_(parameters.values(), 1.0)
        optimizer.step()

    return race(make_step(ours, x, y), by_hand, repeats).times(1e3)


CLAIMS = [
    Claim(
        "engine_overhead", "by hand, no tape", "ms", 0.95, lambda: measure(*TRAINING["train_small"])
    )
]
