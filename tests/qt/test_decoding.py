"""`Decoder` computes what the model computes, for every model that it takes; others it refuses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qt
from qt.decoding import Decoder

SCALING = {
    "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
MODERN = st.fixed_dictionaries(
    {
        "n_layer": st.integers(1, 3), "n_head": st.just(4), "n_kv_head": st.sampled_from([1, 2, 4]),
        "d_model": st.sampled_from([8, 24]), "tie_embeddings": st.booleans(),
        "rope_interleaved": st.booleans(), "rope_scaling": st.sampled_from([None, SCALING]),
        "rope_theta": st.sampled_from([10.0, 1e6]), "norm_eps": st.sampled_from([1e-5, 0.1]),
    }
)  # fmt: skip


def make(spread: float = 0.3, dtype: Any = np.float64, **parts: Any) -> qt.GPT:
    """A model whose weights, those of norms too, are far from their quiet beginning."""
    config = {"vocab_size": 13, "block_size": 16, "n_layer": 2, "n_head": 2, "d_model": 8, **parts}
    model, rng = qt.GPT(qt.GPTConfig(**config)).astype(np.float64), np.random.default_rng(0)
    for p in model.parameters():
        p.data[...] = rng.normal(p.ndim == 1, spread, p.shape)
    return model.astype(dtype)


def both(
    model: qt.GPT, B: int, T: int, steps: int
) -> tuple[list[np.ndarray], list[np.ndarray], qt.KVCache, qt.KVCache]:
    """Logits of some steps, by the model and by a decoder, and their caches."""
    rng = np.random.default_rng(1)
    prompt, new = rng.integers(0, 13, (B, T)), rng.integers(0, 13, (steps, B))
    caches = model.new_cache(B, 12), model.new_cache(B, 12)
    for cache in caches:
        model(prompt, cache=cache)
    decoder = Decoder(model, caches[1])
    slow = [model(ids[:, None], cache=caches[0]).data[:, 0] for ids in new]
    fast = [decoder.step(ids).copy() for ids in new]
    return slow, fast, *caches


@settings(max_examples=60)
@given(MODERN, st.integers(1, 3), st.integers(1, 5))
def test_a_step_is_what_the_model_computes(parts: dict[str, Any], B: int, T: int) -> None:
    slow, fast, a, b = both(make(**parts), B, T, steps=4)
    np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-9)
    assert a.length == b.length == T + 4
    for ours, theirs in ((b.keys, a.keys), (b.values, a.values)):
        np.testing.assert_allclose(ours[..., : T + 4, :], theirs[..., : T + 4, :], atol=1e-9)


@pytest.mark.parametrize("B", [1, 3])
def test_float32_stays_float32(B: int) -> None:
    slow, fast, _, _ = both(make(dtype=np.float32), B, 3, steps=3)
    assert fast[0].dtype == np.float32
    assert fast[0].shape == (B, 13)
    np.testing.assert_allclose(fast, slow, rtol=1e-4, atol=1e-5)


def test_scores_of_some_hundreds_do_not_overflow() -> None:
    slow, fast, _, _ = both(make(spread=3.0, dtype=np.float32), 1, 3, steps=3)
    assert np.isfinite(slow).all()
    np.testing.assert_allclose(fast, slow, rtol=1e-3, atol=1e-2)


def test_the_model_goes_on_where_a_decoder_stopped() -> None:
    model = make()
    slow, _, a, b = both(model, 2, 3, steps=3)
    ids = np.array([[1, 2], [3, 4]])
    np.testing.assert_allclose(model(ids, cache=b).data, model(ids, cache=a).data, atol=1e-9)
    assert len(slow) == 3


@pytest.mark.parametrize(
    "parts",
    [
        {"position": "learned"}, {"position": "sinusoidal"}, {"norm": "layernorm"}, {"ffn": "gelu"},
        {"bias": True}, {"qkv_bias": True}, {"qk_norm": True},
    ],
)  # fmt: skip
def test_other_parts_are_left_to_the_model(parts: dict[str, Any]) -> None:
    model = make(**parts)
    assert not Decoder.fits(model)
    for use_cache in (True, False):
        out = qt.generate(model, [[1, 2]], 6, temperature=0, use_cache=use_cache)
        assert out.shape == (1, 8)


def places(model: qt.GPT) -> list[Any]:
    block: Any = model.layers[0]
    return [model, model.embed_tokens, block.self_attn, block.self_attn.q_proj, block.mlp.up_proj]


@pytest.mark.parametrize("place", range(5))
def test_a_hook_is_called_for_every_token(place: int) -> None:
    model = make()
    assert Decoder.fits(model)
    plain = qt.generate(model, [[1, 2]], 6, temperature=0)
    calls: list[Any] = []
    hook: Callable[..., None] = lambda module, args, out: calls.append(out)  # noqa: E731
    handle = places(model)[place].register_forward_hook(hook)
    assert not Decoder.fits(model)
    assert (qt.generate(model, [[1, 2]], 6, temperature=0) == plain).all()
    assert len(calls) == 6
    handle.remove()
    assert Decoder.fits(model)


def test_a_part_of_somebody_elses_is_not_passed_over() -> None:
    class Doubled(qt.nn.Linear):
        def forward(self, x: qt.Tensor) -> qt.Tensor:
            return super().forward(x) * 2.0

    for name in ("self_attn.v_proj", "mlp.up_proj"):
        model = make()
        block: Any = model.layers[0]
        parent, child = name.split(".")
        old = getattr(getattr(block, parent), child)
        new = Doubled(*old.weight.shape[::-1], bias=False)
        new.weight = old.weight
        setattr(getattr(block, parent), child, new)
        assert not Decoder.fits(model)
        expected = make()
        expected.state_dict()[f"layers.0.{name}.weight"][...] *= 2.0
        settings: dict[str, Any] = {"max_new_tokens": 8, "temperature": 0}
        ours, theirs = (qt.generate(m, [[1, 2]], **settings) for m in (model, expected))
        assert (ours == theirs).all()
        np.testing.assert_allclose(model([[1, 2, 3]]).data, expected([[1, 2, 3]]).data, atol=1e-9)


def test_weights_are_those_of_now() -> None:
    model = make()
    first = qt.generate(model, [[1, 2]], 10, temperature=0)
    for p in model.parameters():
        p.data[...] = p.data[::-1].copy()
    assert (qt.generate(model, [[1, 2]], 10, temperature=0) != first).any()
    uncached = qt.generate(model, [[1, 2]], 10, temperature=0, use_cache=False)
    assert (qt.generate(model, [[1, 2]], 10, temperature=0) == uncached).all()


@pytest.mark.parametrize("temperature", [0, 0.8])
@pytest.mark.parametrize("stop_ids", [(), (3,)])
def test_a_batch_is_written_as_its_rows_are(temperature: float, stop_ids: tuple[int, ...]) -> None:
    """Across a full block, too, where the older half is forgotten."""
    model, prompt = make(), np.array([[1, 2], [5, 4], [7, 7]])
    settings: dict[str, Any] = {"max_new_tokens": 30, "temperature": temperature}
    cached, uncached = (
        qt.generate(model, prompt, **settings, stop_ids=stop_ids, use_cache=use_cache)
        for use_cache in (True, False)
    )
    assert (cached == uncached).all()
    if temperature == 0 and not stop_ids:
        rows = [qt.generate(model, row[None], **settings)[0] for row in prompt]
        assert (cached == rows).all()


def test_damaged_weights_are_named_in_greedy_decoding_too() -> None:
    model = make()
    model.norm.weight.data[0] = np.nan
    with pytest.raises(ValueError, match="the logits hold NaN or infinity"):
        qt.generate(model, [[1, 2]], 5, temperature=0)
