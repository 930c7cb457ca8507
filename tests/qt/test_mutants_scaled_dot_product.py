"""What attention's tiles promise, and its edges; from mutants of `qt.scaled_dot_product`."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import qt.functional as F
from qt.scaled_dot_product import KEPT, QUERIES, TILE, _tiles
from qt.tensor import Tensor


def ones(*shape: int) -> Tensor:
    return Tensor(np.ones(shape), requires_grad=True)


# Tiles


@given(
    st.integers(1, 5), st.integers(1, 9), st.integers(1, 4), st.integers(1, 600),
    st.integers(1, 3000),
)  # fmt: skip
@example(1, 1, 3, 600, 3000)  # the queries do not fit in one tile
@example(1, 8, 1, 64, 256 * 64)  # a single head does not fit
@example(5, 1, 1, 64, 4096)  # a tile is exactly one head
def test_tiles_cover_all_queries_once_and_hold_no_more_weights_than_allowed(
    B: int, H_kv: int, G: int, T: int, S: int
) -> None:
    seen = np.zeros((B, H_kv, T), int)
    for b, h, t in _tiles(B, H_kv, G, T, S):
        seen[b, h, t] += 1
        n, heads, queries = seen[b, h, t].shape
        assert n * heads * G * queries * S <= TILE or (n == heads == 1 and queries <= QUERIES)
        assert S > KEPT or queries <= QUERIES
        assert t.stop == T or seen[b, h, t.stop :].all(), "the last queries come first"
    assert (seen == 1).all()


@pytest.mark.parametrize(
    ("shape", "tiles"),
    [
        ((1, 1, 1, QUERIES, 1), 1),
        ((1, 1, 1, 2 * QUERIES, KEPT), 2),
        ((1, 1, 1, 2 * QUERIES, KEPT + 1), 1),
        ((1, 1, 1, 2048, TILE // 512), 4),
        ((1, 16, 1, QUERIES, TILE // 16 // QUERIES), 1),
        ((3, 8, 2, QUERIES, TILE // 16 // QUERIES), 3),
        ((TILE, 1, 1, 1, 1), 1),
    ],
)
def test_tiles_are_as_large_as_they_may_be(shape: tuple[int, ...], tiles: int) -> None:
    assert len(list(_tiles(*shape))) == tiles


@pytest.mark.parametrize("S", [KEPT, KEPT + 1])
def test_weights_are_kept_for_the_way_back_of_a_short_text_alone(S: int) -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(1, 1, S, 2)), requires_grad=True)
    tracemalloc.start()
    out = F.scaled_dot_product_attention(x, x, x)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    weights = S * S * out.dtype.itemsize
    assert held > weights if S <= KEPT else held < weights / 4


# Edges


@pytest.mark.parametrize(
    "shapes",
    [
        ((1, 2, 3, 4), (1, 0, 3, 4), (1, 0, 3, 4)),  # no heads at all
        ((1, 0, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4)),
        ((1, 2, 3, 4), (1, 2, 3, 5), (1, 2, 3, 4)),  # a key of another width
        ((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 2, 4)),  # fewer values than keys
        ((1, 2, 3, 4), (1, 2, 3, 4), (2, 2, 3, 4)),  # values of more sequences
        ((2, 3, 4), (2, 3, 4), (2, 3, 4)),
    ],
)
def test_each_shape_that_does_not_fit_is_refused(shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ValueError, match=r"do not fit: expected \(B, H, T, D\)"):
        F.scaled_dot_product_attention(*(ones(*shape) for shape in shapes))


def test_without_keys_there_is_nothing_to_see_and_without_queries_nobody_looks() -> None:
    q, none = ones(1, 2, 3, 4), ones(1, 2, 0, 4)
    assert (F.scaled_dot_product_attention(q, none, none).data == np.zeros((1, 2, 3, 4))).all()
    assert F.scaled_dot_product_attention(none, q, q).shape == (1, 2, 0, 4)


def test_packed_attention_hides_nothing_unless_asked_to() -> None:
    x = Tensor(np.random.default_rng(0).normal(size=(2, 5, 16)))
    q, k, v = (x[..., part].reshape(2, 5, -1, 4).transpose(1, 2)
               for part in (slice(8), slice(8, 12), slice(12, 16)))  # fmt: skip
    for settings in ({}, {"is_causal": False}, {"is_causal": True}):
        whole = F.scaled_dot_product_attention(q, k, v, **settings).transpose(1, 2)
        packed = F.packed_attention(x, 2, 1, **settings)
        np.testing.assert_allclose(packed.data, whole.reshape(2, 5, 8).data, rtol=1e-10)


@pytest.mark.parametrize("shape", [(2,), (2, 3), (3, 1, 1), (3, 1, 1, 1)])
def test_a_mask_is_refused_whichever_of_its_axes_does_not_fit(shape: tuple[int, ...]) -> None:
    x = ones(2, 2, 3, 3)
    with pytest.raises(ValueError, match=r" does not broadcast to \(2, 2, 3, 3\)$"):
        F.scaled_dot_product_attention(x, x, x, attn_mask=np.ones(shape, bool))
