"""Every differentiable operation, with inputs on which its gradients can be checked."""

from collections.abc import Callable

import numpy as np

import qt.functional as F
from qt.tensor import Tensor

Y = np.array([3, 0, 4, 1, 3])
MASK = np.array([[True, False, True], [True, True, False]])


def turns(dtype: np.dtype) -> np.ndarray:
    """(T, (H + H_kv)·D/2) for 3 tokens, 4 heads that share 2 key heads, and D = 2."""
    return np.exp(1j * np.arange(18.0)).reshape(3, 6).astype(np.result_type(dtype, np.complex64))


Inputs = list[tuple[int, ...]]

# name: (function, shapes of its inputs, lowest input, highest input)
OPERATIONS: dict[str, tuple[Callable[..., Tensor], Inputs, float, float]] = {
    "add": (lambda a, b: a + b, [(2, 3), (3,)], -2, 2),
    "add number": (lambda a: 1.5 + a, [(2, 3)], -2, 2),
    "sub": (lambda a, b: a - b, [(2, 1, 3), (4, 1)], -2, 2),
    "rsub": (lambda a: 3 - a, [(4,)], -2, 2),
    "mul": (lambda a, b: a * b, [(2, 3), (2, 1)], -2, 2),
    "neg": (lambda a: -a, [(3,)], -2, 2),
    "div": (lambda a, b: a / b, [(2, 3), (1, 3)], 0.5, 2),
    "rdiv": (lambda a: 2 / a, [(2, 3)], 0.5, 2),
    "pow": (lambda a, b: a**b, [(2, 3), (3,)], 0.5, 2),
    "square": (lambda a: a**2, [(2, 3)], -2, 2),
    "rpow": (lambda a: 2**a, [(2, 3)], -2, 2),
    "used twice": (lambda a: a * a + a, [(3,)], -2, 2),
    "matmul": (lambda a, b: a @ b, [(2, 3), (3, 4)], -2, 2),
    "matmul batched": (lambda a, b: a @ b, [(2, 1, 3, 4), (5, 4, 2)], -2, 2),
    "matmul vector matrix": (lambda a, b: a @ b, [(3,), (2, 3, 4)], -2, 2),
    "matmul matrix vector": (lambda a, b: a @ b, [(2, 4, 3), (3,)], -2, 2),
    "matmul dot": (lambda a, b: a @ b, [(3,), (3,)], -2, 2),
    "exp": (lambda a: a.exp(), [(2, 3)], -2, 2),
    "log": (lambda a: a.log(), [(2, 3)], 0.5, 2),
    "sqrt": (lambda a: a.sqrt(), [(2, 3)], 0.5, 2),
    "tanh": (lambda a: a.tanh(), [(2, 3)], -2, 2),
    "sum": (lambda a: a.sum(), [(2, 3)], -2, 2),
    "sum axis": (lambda a: a.sum(axis=1), [(2, 3, 2)], -2, 2),
    "sum axes": (lambda a: a.sum(axis=(0, -1), keepdims=True), [(2, 3, 2)], -2, 2),
    "mean": (lambda a: a.mean(), [(2, 3)], -2, 2),
    "mean axis": (lambda a: a.mean(axis=-1, keepdims=True), [(2, 3)], -2, 2),
    "max": (lambda a: a.max(), [(2, 3)], -2, 2),
    "max axis": (lambda a: a.max(axis=0), [(4, 3)], -2, 2),
    "reshape": (lambda a: a.reshape(3, -1), [(2, 3)], -2, 2),
    "transpose two": (lambda a: a.transpose(0, 2), [(2, 3, 4)], -2, 2),
    "transpose permutation": (lambda a: a.transpose(0, 2, -2), [(2, 3, 4)], -2, 2),
    "T": (lambda a: a.T, [(2, 3)], -2, 2),
    "slice": (lambda a: a[1::2, ..., ::-1], [(4, 3)], -2, 2),
    "slice new axis": (lambda a: a[:, None, 1], [(4, 3)], -2, 2),
    "repeated index": (lambda a: a[[0, 2, 0, 0]], [(3, 2)], -2, 2),
    "two index arrays": (lambda a: a[[0, 1, 0], [1, 1, 1]], [(3, 2)], -2, 2),
    "boolean index": (lambda a: a[MASK], [(2, 3)], -2, 2),
    "relu": (F.relu, [(2, 5)], -2, 2),
    "gelu": (F.gelu, [(2, 5)], -3, 3),
    "gelu tanh": (lambda a: F.gelu(a, approximate="tanh"), [(2, 5)], -3, 3),
    "silu": (F.silu, [(2, 5)], -3, 3),
    "sigmoid": (F.sigmoid, [(2, 5)], -3, 3),
    "F.tanh": (F.tanh, [(2, 5)], -3, 3),
    "swiglu": (F.swiglu, [(2, 5), (2, 5)], -2, 2),
    "softmax": (F.softmax, [(2, 5)], -3, 3),
    "softmax dim": (lambda a: F.softmax(a, dim=0), [(3, 2)], -3, 3),
    "log_softmax": (F.log_softmax, [(2, 5)], -3, 3),
    "cross_entropy": (lambda a: F.cross_entropy(a, Y), [(5, 6)], -3, 3),
    "cross_entropy sum": (lambda a: F.cross_entropy(a, Y, reduction="sum"), [(5, 6)], -3, 3),
    "cross_entropy none": (lambda a: F.cross_entropy(a, Y, reduction="none"), [(5, 6)], -3, 3),
    "cross_entropy ignore": (lambda a: F.cross_entropy(a, Y, ignore_index=3), [(5, 6)], -3, 3),
    "cross_entropy smooth": (
        lambda a: F.cross_entropy(a, Y, ignore_index=0, label_smoothing=0.1), [(5, 6)], -3, 3),
    "linear": (F.linear, [(2, 3, 4), (5, 4), (5,)], -2, 2),
    "linear no bias": (F.linear, [(3, 4), (5, 4)], -2, 2),
    "embedding": (lambda w: F.embedding([[1, 0], [1, 3]], w), [(4, 3)], -2, 2),
    "rms_norm": (F.rms_norm, [(2, 3, 4), (4,)], -2, 2),
    "layer_norm": (F.layer_norm, [(2, 3, 4), (4,), (4,)], -2, 2),
    "layer_norm no bias": (F.layer_norm, [(3, 4), (4,)], -2, 2),
    "concatenate": (lambda a, b: F.concatenate([a, b, a], axis=-1), [(2, 3), (2, 1)], -2, 2),
    "regroup": (lambda a: F.regroup(a, 1, 2, 3), [(2, 12, 2)], -2, 2),
    "dropout": (
        lambda a: F.dropout(a, 0.5, generator=np.random.default_rng(1)), [(4, 5)], -2, 2),
    "apply_rope": (lambda a: F.apply_rope(a, [3, 5, 9]), [(1, 2, 3, 4)], -2, 2),
    "apply_rope pairs": (
        lambda a: F.apply_rope(a, [0, 1, 2], interleaved=True), [(1, 2, 3, 4)], -2, 2),
    "attention": (F.scaled_dot_product_attention, [(2, 2, 3, 4)] * 3, -1, 1),
    "attention causal": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        [(1, 2, 3, 4)] * 3, -1, 1),
    "attention grouped": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        [(2, 4, 2, 4), (2, 2, 3, 4), (2, 2, 3, 4)], -1, 1),
    "attention masked": (
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, attn_mask=MASK),
        [(1, 2, 2, 4), (1, 1, 3, 4), (1, 1, 3, 4)], -1, 1),
    "attention of large scores": (
        lambda q, k, v: F.scaled_dot_product_attention(q * 20, k * 20, v * 0.1, attn_mask=MASK),
        [(1, 1, 2, 4), (1, 1, 3, 4), (1, 1, 3, 4)], -1, 1),
    "packed attention": (
        lambda x: F.packed_attention(x, 4, 2, turns(x.dtype), is_causal=True),
        [(2, 3, 16)], -1, 1),
}  # fmt: skip
