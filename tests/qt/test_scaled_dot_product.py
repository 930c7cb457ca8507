"""The tiled attention is the plain one, whatever the tiles, and its memory is linear."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_attention import plain_attention

import qt
from qt import functional as F
from qt import scaled_dot_product as module
from qt.tensor import Tensor

LIMITS = ("TILE", "QUERIES", "KEPT")


@pytest.fixture
def limits() -> Any:
    """Sets the sizes of tiles for a test; afterwards they are as before."""
    before = {name: getattr(module, name) for name in LIMITS}
    yield lambda *sizes: vars(module).update(zip(LIMITS, sizes))
    vars(module).update(before)


def inputs(B: int, H: int, H_kv: int, T: int, S: int, scale: float = 1.0) -> list[Tensor]:
    rng = np.random.default_rng(T + S)
    shapes = (B, H, T, 4), (B, H_kv, S, 4), (B, H_kv, S, 6)
    return [Tensor(rng.normal(0, scale, shape), requires_grad=True) for shape in shapes]


def outcome(out: Tensor, leaves: list[Tensor]) -> list[np.ndarray]:
    """The result, and the gradients of an uneven sum of it."""
    for leaf in leaves:
        leaf.grad = None
    out.backward(np.cos(np.arange(out.size)).reshape(out.shape))
    return [out.data, *(leaf.grad for leaf in leaves if leaf.grad is not None)]


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 3), st.sampled_from([(1, 1), (4, 4), (4, 2), (3, 1)]), st.integers(1, 9),
    st.integers(0, 5), st.sampled_from(["all", "causal", "mask", "floats"]),
    st.tuples(st.sampled_from([1, 20, 1000]), st.integers(1, 4), st.sampled_from([0, 100])),
    st.sampled_from([1.0, 30.0]),
)  # fmt: skip
def test_tiles_change_nothing(
    B: int, heads: tuple[int, int], T: int, more: int, kind: str, sizes: tuple[int, int, int],
    scale: float,
) -> None:  # fmt: skip
    S = T + more
    leaves = inputs(B, *heads, T, S, scale)
    seen = np.ones((T, S), bool)
    if kind != "all":
        seen = np.tri(T, S, S - T, dtype=bool)
    if kind in ("mask", "floats"):
        seen = seen & (np.random.default_rng(S).random((B, 1, T, S)) < 0.6)
        seen[..., 0] = True
    floats = np.where(seen, 0.0, -np.inf)
    masks: dict[str, Any] = {
        "all": {}, "causal": {"is_causal": True}, "mask": {"attn_mask": seen},
        "floats": {"attn_mask": floats},
    }  # fmt: skip
    before = {name: getattr(module, name) for name in LIMITS}
    try:
        vars(module).update(zip(LIMITS, sizes))
        out = F.scaled_dot_product_attention(*leaves, **masks[kind])
        ours = outcome(out, leaves)
    finally:
        vars(module).update(before)
    theirs = outcome(plain_attention(*leaves, seen), leaves)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("is_causal", [False, True])
def test_weights_made_anew_are_those_that_were_kept(limits: Any, is_causal: bool) -> None:
    leaves = inputs(2, 4, 2, 50, 50)
    results = []
    for kept in (100, 0):
        limits(400, 8, kept)
        out = F.scaled_dot_product_attention(*leaves, is_causal=is_causal)
        results.append(outcome(out, leaves))
    # 8 queries a tile with 100, more with 0: other sums, so not the same bits
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_the_weights_on_request_are_those_of_all_tiles(limits: Any) -> None:
    limits(30, 2, 0)
    q, k, v = inputs(2, 4, 2, 7, 9)
    weights: list[np.ndarray] = []
    out = F.scaled_dot_product_attention(q, k, v, is_causal=True, weights=weights)
    np.testing.assert_allclose(weights[0].sum(-1), 1)
    assert (weights[0][..., ~np.tri(7, 9, 2, dtype=bool)] == 0).all()
    np.testing.assert_allclose(weights[0] @ v.data[:, [0, 0, 1, 1]], out.data)


def test_no_queries_at_all() -> None:
    q, k, v = inputs(2, 2, 2, 0, 3)
    out, *gradients = outcome(F.scaled_dot_product_attention(q, k, v), [q, k, v])
    assert out.shape == (2, 2, 0, 6)
    assert [g.shape for g in gradients] == [q.shape, k.shape, v.shape]
    assert all((g == 0).all() for g in gradients)
    packed = Tensor(np.zeros((2, 0, 16)), requires_grad=True)
    F.packed_attention(packed, 2, 1, is_causal=True).sum().backward()
    assert packed.grad is not None
    assert packed.grad.shape == packed.shape


def test_a_mask_with_too_many_axes_is_refused() -> None:
    mask = np.ones((1, 1, 1, 3, 3), bool)
    with pytest.raises(ValueError, match=r"attn_mask \(1, 1, 1, 3, 3\) does not broadcast to"):
        F.scaled_dot_product_attention(*inputs(1, 1, 1, 3, 3), attn_mask=mask)


def peak(T: int) -> int:
    """Bytes that attention over T tokens, forward and backward, adds at its peak."""
    leaves = [Tensor(x.data.astype(np.float32), requires_grad=True) for x in inputs(1, 2, 2, T, T)]
    tracemalloc.start()
    F.scaled_dot_product_attention(*leaves, is_causal=True).sum().backward()
    bytes_ = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return bytes_


def test_memory_is_linear_in_the_length() -> None:
    small, large = peak(1024), peak(4096)
    assert large < 4.5 * small
    assert large < 4096 * 4096  # a quarter of one head's weights


def test_a_later_token_changes_nothing_earlier() -> None:
    """Not even where its scores are so large that the whole tile is shifted."""
    for scale in (1.0, 30.0):
        q, k, v = inputs(1, 2, 2, 40, 40, scale)
        before = F.scaled_dot_product_attention(q, k, v, is_causal=True).data.copy()
        for x in (q, k, v):
            x.data[:, :, 30:] *= -1.1
        after = F.scaled_dot_product_attention(q, k, v, is_causal=True).data
        np.testing.assert_allclose(after[:, :, :30], before[:, :, :30], rtol=1e-12)


@pytest.mark.parametrize("parts", [{}, {"n_kv_head": 2}, {"qkv_bias": True}, {"qk_norm": True}])
def test_hooks_see_projections_in_the_order_of_the_weights(parts: dict[str, Any]) -> None:
    """And change nothing: rotary positions turn pairs that are side by side, in either case."""
    config = qt.GPTConfig(vocab_size=9, block_size=8, n_layer=1, n_head=4, d_model=16, **parts)
    model, ids = qt.GPT(config).astype(np.float64), np.arange(8)[None]
    attention: Any = model.layers[0].self_attn
    plain, seen = model(ids).data, {}
    for name in ("q_proj", "k_proj", "v_proj", "q_norm"):
        part = getattr(attention, name)
        part.register_forward_hook(lambda _, args, out, name=name: seen.update({name: (args, out)}))
    np.testing.assert_allclose(model(ids).data, plain, atol=1e-12)
    for name in ("q_proj", "k_proj", "v_proj"):
        (x,), out = seen[name]
        linear = getattr(attention, name)
        bias = 0 if linear.bias is None else linear.bias.data
        np.testing.assert_allclose(out.data, x.data @ linear.weight.data.T + bias, atol=1e-12)
    assert seen["q_norm"][1].shape == (1, 8, 4, 4)
