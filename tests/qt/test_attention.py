"""Masks, padding, the cache that slides, normalised queries: what attention may look at."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qt
import qt.functional as F
from qt.attention import MultiHeadAttention, causal_mask
from qt.tensor import Tensor

SMALL = {"vocab_size": 17, "block_size": 16, "n_layer": 2, "n_head": 4, "d_model": 16}
PARTS = [
    {"position": "rope", "n_kv_head": 2, "qk_norm": True},
    {"position": "rope", "rope_interleaved": True, "qkv_bias": True},
    {"position": "sinusoidal", "norm": "layernorm", "ffn": "relu", "bias": True},
    {"position": "learned", "norm": "layernorm", "ffn": "gelu_tanh", "bias": True, "n_kv_head": 1},
]


def make(**changes) -> qt.GPT:
    model = qt.GPT(qt.GPTConfig(**{**SMALL, **changes})).astype(np.float64)
    for p in model.parameters():  # far from zero, so that no term is lost
        p.data *= 8 if p.ndim > 1 else 1
    return model


def ids(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 17, shape)


def test_causal_mask_with_more_keys_and_a_window() -> None:
    assert causal_mask(2, 4).astype(int).tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert causal_mask(3, window=2).astype(int).tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert causal_mask(2, 4, 1).astype(int).tolist() == [[0, 0, 1, 0], [0, 0, 0, 1]]


@settings(max_examples=30)
@given(
    st.sampled_from(PARTS), st.lists(st.integers(1, 6), min_size=2, max_size=4),
    st.booleans(), st.integers(0, 99),
)  # fmt: skip
def test_padded_rows_are_the_rows_alone(parts: dict, lengths: list, left: bool, seed: int) -> None:
    """Padding on either side changes nothing for the tokens that are real."""
    model, longest = make(**parts), max(lengths)
    rows = [ids(1, n, seed=seed + i) for i, n in enumerate(lengths)]
    batch = ids(len(rows), longest, seed=seed + 50)  # padding is any id
    mask = np.zeros(batch.shape, dtype=int)
    for i, row in enumerate(rows):
        where = np.s_[longest - row.size :] if left else np.s_[: row.size]
        batch[i, where], mask[i, where] = row[0], 1
    together = model(batch, attention_mask=mask).data
    for i, row in enumerate(rows):
        np.testing.assert_allclose(together[i, mask[i] == 1], model(row).data[0], atol=1e-10)


@pytest.mark.parametrize("parts", PARTS)
def test_a_padded_batch_through_the_cache(parts: dict) -> None:
    model, x = make(**parts), ids(2, 9)
    mask = np.ones((2, 9), dtype=bool)
    mask[0, :3] = False
    whole = model(x, attention_mask=mask).data
    for cuts in ([4], [2, 3, 7], range(1, 9)):
        cache, out = model.new_cache(2), []
        edges = [0, *cuts, 9]
        for a, b in itertools.pairwise(edges):
            real = mask[:, a:b] if a < 3 else None  # later tokens need no mask: all are real
            out.append(model(x[:, a:b], cache=cache, attention_mask=real).data)
        np.testing.assert_allclose(np.concatenate(out, axis=1)[mask], whole[mask], atol=1e-10)


def test_padding_gets_no_gradient_and_sends_none() -> None:
    model, x = make(), ids(1, 5)
    mask = np.array([[0, 0, 1, 1, 1]])
    seen = np.array([[-100, -100, 1, 2, 3]])
    F.cross_entropy(model(x, attention_mask=mask), seen).backward()
    padded = [p.grad.copy() for p in model.parameters()]
    model.zero_grad()
    F.cross_entropy(model(x[:, 2:]), seen[:, 2:]).backward()
    for p, g in zip(model.parameters(), padded):
        np.testing.assert_allclose(p.grad, g, atol=1e-10)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((1, 4)), r"not float64 \(1, 4\)"),
        (np.ones((1, 3), int), r"of shape \(1, 4\), like the ids, not int64 \(1, 3\)"),
    ],
)
def test_bad_attention_mask(mask: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()(ids(1, 4), attention_mask=mask)


def banded_logits(model: qt.GPT, x: np.ndarray, window: int) -> np.ndarray:
    """The whole model by hand, with the band as an explicit mask: the oracle of sliding."""
    stream = model.embed_tokens(x)
    for block in model.layers:
        attention = block.self_attn
        h = block.input_layernorm(stream)
        heads = [
            proj(h).reshape(1, x.shape[1], n, attention.head_dim).transpose(1, 2)
            for proj, n in (
                (attention.q_proj, attention.n_head),
                (attention.k_proj, attention.n_kv_head),
                (attention.v_proj, attention.n_kv_head),
            )
        ]
        q, k = (F.apply_rope(head, np.arange(x.shape[1])) for head in heads[:2])
        t = np.arange(x.shape[1])
        band = (t[None] <= t[:, None]) & (t[None] > t[:, None] - window)
        out = F.scaled_dot_product_attention(q, k, heads[2], band)
        stream = stream + attention.o_proj(out.transpose(1, 2).reshape(*h.shape))
        stream = stream + block.mlp(block.post_attention_layernorm(stream))
    return F.linear(model.norm(stream), model.embed_tokens.weight).data


@settings(max_examples=20)
@given(st.integers(1, 8), st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_a_sliding_cache_sees_the_last_tokens(window: int, chunks: list[int]) -> None:
    """Any chunks, also longer than the cache and past the block, equal a banded mask."""
    model, x = make(n_kv_head=2), ids(1, sum(chunks))
    cache, out, start = model.new_cache(max_len=window, sliding=True), [], 0
    for n in chunks:
        out.append(model(x[:, start : start + n], cache=cache).data)
        start += n
        assert cache.length == min(start, window)
    np.testing.assert_allclose(
        np.concatenate(out, axis=1), banded_logits(model, x, window), atol=1e-9
    )


def test_only_rotary_positions_slide_past_the_block() -> None:
    model = make(position="learned")
    cache = model.new_cache(max_len=4, sliding=True)
    model(ids(1, 16), cache=cache)
    with pytest.raises(ValueError, match="17 tokens do not fit this model"):
        model(ids(1, 1), cache=cache)


def test_a_cache_of_another_model_is_refused() -> None:
    with pytest.raises(ValueError, match=r"this model needs model.new_cache\(batch_size=1\)"):
        make()(ids(1, 2), cache=make(n_layer=3).new_cache())


def test_query_and_key_norms() -> None:
    """With `qk_norm` the size of queries and keys is forgotten, except for the norm's weight."""
    rng = np.random.default_rng(0)
    layer = MultiHeadAttention(16, 4, 2, qk_norm=True, norm_eps=0.0, rng=rng).astype(np.float64)
    x = Tensor(rng.normal(size=(1, 5, 16)))
    before = layer(x).data
    layer.q_proj.weight.data *= 7
    layer.k_proj.weight.data *= 0.1
    np.testing.assert_allclose(layer(x).data, before, atol=1e-12)
    layer.q_norm.weight.data *= 2
    assert np.abs(layer(x).data - before).max() > 1e-3


def test_biases_of_queries_keys_and_values_alone() -> None:
    names = [n for n, _ in make(qkv_bias=True).named_parameters() if n.endswith("bias")]
    assert sorted({n.split(".")[3] for n in names}) == ["k_proj", "q_proj", "v_proj"]
    none = [n for n, _ in make(bias=True, qkv_bias=False).named_parameters() if "q_proj.bias" in n]
    assert none == []


def test_weights_are_kept_only_when_asked_for() -> None:
    model, seen = make(), []
    handle = model.layers[1].self_attn.attn_weights.register_forward_hook(
        lambda module, args, output: seen.append(output)
    )
    logits, attention = model(ids(1, 4), return_attention=True)
    handle.remove()
    np.testing.assert_array_equal(seen[0], attention[1])
    np.testing.assert_array_equal(model(ids(1, 4)).data, logits.data)
    assert len(seen) == 1
