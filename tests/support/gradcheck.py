"""Check an operation's gradients against central differences, in every memory layout."""

from collections.abc import Callable, Sequence

import numpy as np

from qt.tensor import Tensor


def numeric_gradient(f: Callable[[], float], x: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    """df/dx by central differences; `x` is changed in place and put back."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        before = x[index]
        x[index] = before + eps
        above = f()
        x[index] = before - eps
        below = f()
        x[index] = before
        gradient[index] = (above - below) / (2 * eps)
    return gradient


def relative_error(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference, measured against the largest value (at least 1e-3)."""
    scale = max(np.abs(a).max(initial=0), np.abs(b).max(initial=0), 1e-3)
    return float(np.abs(a - b).max(initial=0) / scale)


def check_op(
    fn: Callable[..., Tensor],
    shapes: Sequence[tuple[int, ...]],
    low: float = -2.0,
    high: float = 2.0,
    seed: int = 0,
    tolerance: float = 1e-6,
) -> float:
    """Assert that fn's gradients are right in float64 and that float32 stays float32.

    Inputs are drawn from [low, high], once contiguous and once as strided views. Returns the worst
    relative error.
    """
    rng = np.random.default_rng(seed)
    worst = 0.0
    for strided in (False, True):
        arrays = [rng.uniform(low, high, shape) for shape in shapes]
        if strided:
            arrays = [np.repeat(a[..., None], 2, axis=-1)[..., 0] for a in arrays]
        inputs = [Tensor(a, requires_grad=True) for a in arrays]
        out = fn(*inputs)
        upstream = rng.uniform(-1, 1, out.shape)
        out.backward(upstream)

        def loss() -> float:
            return float((fn(*(Tensor(a) for a in arrays)).data * upstream).sum())  # noqa: B023

        for x, a in zip(inputs, arrays, strict=True):
            assert x.grad is not None
            assert x.grad.shape == x.shape
            assert x.grad.dtype == np.float64
            error = relative_error(x.grad, numeric_gradient(loss, a))
            assert error <= tolerance, f"gradient is off by {error:.1e} (strided: {strided})"
            worst = max(worst, error)
    small = [
        Tensor(rng.uniform(low, high, s).astype(np.float32), requires_grad=True) for s in shapes
    ]
    out = fn(*small)
    assert out.dtype == np.float32, f"float32 in, {out.dtype} out"
    out.backward(np.ones(out.shape))
    for x in small:
        assert x.grad is not None
        assert x.grad.dtype == np.float32, f"float32 in, gradient {x.grad.dtype}"
    return worst
