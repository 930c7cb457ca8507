"""A whole GPT, logits, loss and all gradients, against `reference_gpt.py` with the same weights."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from reference_gpt import ReferenceGPT
from torch.nn import functional as TF

import qt
from qt import functional as F

V, BLOCK = 13, 9
LLAMA_3 = {  # with a block of 9 tokens, all three kinds of frequency occur
    "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
COMMON = {
    "bias": (False, True),
    "tie_embeddings": (True, False),
    "n_kv_head": (4, 2, 1),
    "qkv_bias": (False, True),
    "qk_norm": (False, True),
}
ROTARY = {"rope_scaling": (None, LLAMA_3)}
PARTS = list(
    itertools.product(
        ("rope", "sinusoidal", "learned"),
        ("rmsnorm", "layernorm"),
        ("swiglu", "relu", "gelu", "gelu_tanh"),
    )
)


def combinations(choices: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


def small_model(dtype: Any = np.float64, seed: int = 0, **settings: Any) -> qt.GPT:
    """A model whose weights are all far from where they start: norms from 1, biases from 0."""
    sizes = {"n_layer": 2, "n_head": 4, "d_model": 16, "d_ff": 24, "rope_theta": 100.0}
    model = qt.GPT(qt.GPTConfig(V, BLOCK, **(sizes | settings))).astype(dtype)
    rng = np.random.default_rng(seed)
    for parameter in model.parameters():
        parameter.data += 0.3 * rng.standard_normal(parameter.shape).astype(dtype)
    return model


def torch_loss(logits: torch.Tensor, y: np.ndarray) -> torch.Tensor:
    return TF.cross_entropy(logits.flatten(0, 1), torch.tensor(y).flatten())


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize(("position", "norm", "ffn"), PARTS)
def test_every_combination(position: str, norm: str, ffn: str, dtype: Any, parity: Any) -> None:
    """In float64 all combinations, in float32 every fifth; of the rotary pairings either."""
    choices = combinations(COMMON | ROTARY if position == "rope" else COMMON)
    rng = np.random.default_rng(5)
    for settings in choices if dtype == np.float64 else choices[::5]:
        settings["rope_interleaved"] = bool(rng.integers(2))
        model = small_model(dtype, position=position, norm=norm, ffn=ffn, **settings)
        reference = ReferenceGPT.of(model)
        ids, y = rng.integers(0, V, (2, 2, BLOCK))
        y[0, 0] = -100
        logits, attention = model(ids, return_attention=True)
        loss = F.cross_entropy(logits, y)
        loss.backward()
        expected, expected_attention = reference(ids)
        expected_loss = torch_loss(expected, y)
        expected_loss.backward()
        parity.check("GPT logits", logits, expected, str(settings))
        parity.check("GPT loss", loss, expected_loss, str(settings))
        parity.check("GPT attention", np.stack(attention), torch.stack(expected_attention))
        gradients = {name: p.grad for name, p in reference.named_parameters()}
        # What is added to all keys alike, softmax does not see: nothing but rounding is left.
        blind = not (position == "rope" or settings["qk_norm"])
        for name, parameter in model.named_parameters():
            if blind and name.endswith("k_proj.bias"):
                assert np.abs(parameter.grad).max() < 1e-6
            else:
                parity.check("GPT gradients", parameter.grad, gradients[name], f"{name} {settings}")


MODERN: dict[str, Any] = {"n_kv_head": 2, "qk_norm": True, "rope_scaling": LLAMA_3}
RECIPES: dict[str, dict[str, Any]] = {
    "modern": MODERN,
    "interleaved": {"rope_interleaved": True, "n_kv_head": 1},
    "sinusoidal": {"position": "sinusoidal"},
    "classic": {"position": "learned", "norm": "layernorm", "ffn": "gelu_tanh", "bias": True},
}
LENGTHS = (9, 4, 1, 6)


def padded_batch(side: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids (B, T) of prompts of different lengths, and which of them are real."""
    ids = np.random.default_rng(7).integers(0, V, (len(LENGTHS), BLOCK))
    place = np.arange(BLOCK)
    n = np.array(LENGTHS)[:, None]
    return ids, place >= BLOCK - n if side == "left" else place < n


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_padded_batch_is_its_rows_alone(recipe: str, side: str, parity: Any) -> None:
    """Logits, loss and gradients of a padded batch: the reference's, and those of each row."""
    model = small_model(**RECIPES[recipe])
    reference = ReferenceGPT.of(model)
    ids, real = padded_batch(side)
    y = np.where(real, np.random.default_rng(8).integers(0, V, ids.shape), -100)
    logits = model(ids, attention_mask=real)
    loss = F.cross_entropy(logits, y, reduction="sum")
    loss.backward()
    expected = reference(ids, real)[0]
    TF.cross_entropy(expected.flatten(0, 1), torch.tensor(y).flatten(), reduction="sum").backward()
    row = f"GPT padded on the {side}"
    parity.check(row, logits.data[real], expected[torch.tensor(real)])
    gradients = {name: p.grad for name, p in reference.named_parameters()}
    together = {name: p.grad for name, p in model.named_parameters()}
    model.zero_grad()
    for i in range(len(LENGTHS)):
        alone = model(ids[i : i + 1, real[i]])
        parity.check(row, logits.data[i][real[i]], alone.data[0], f"row {i} alone")
        F.cross_entropy(alone, y[i : i + 1, real[i]], reduction="sum").backward()
    for name, parameter in model.named_parameters():
        parity.check(row, together[name], gradients[name], f"gradient of {name}")
        parity.check(row, together[name], parameter.grad, f"gradient of {name}, rows alone")


@pytest.mark.parametrize("dtype", [np.bool_, np.int64, np.uint8])
def test_attention_mask_may_be_numbers(dtype: Any, parity: Any) -> None:
    model = small_model()
    ids, real = padded_batch("left")
    with qt.no_grad():
        expected = ReferenceGPT.of(model)(ids, real)[0][torch.tensor(real)]
        logits = model(ids, attention_mask=real.astype(dtype))
    parity.check("GPT padded on the left", logits.data[real], expected, dtype.__name__)


def in_chunks(
    model: qt.GPT, ids: np.ndarray, chunks: list[int], cache: Any, real: Any = None
) -> np.ndarray:
    """The logits (B, T, V) of tokens that go through a cache in pieces of these lengths."""
    parts = []
    for n, end in zip(chunks, np.cumsum(chunks)):
        new = np.s_[:, end - n : end]
        mask = None if real is None else real[new]
        parts.append(model(ids[new], cache=cache, attention_mask=mask).data)
    return np.concatenate(parts, axis=1)


CHUNKS = [[9], [1] * 9, [4, 5], [3, 1, 1, 4], [8, 1], [1, 8]]


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("recipe", RECIPES)
def test_key_value_cache(recipe: str, chunks: list[int], parity: Any) -> None:
    model = small_model(**RECIPES[recipe])
    ids = np.random.default_rng(9).integers(0, V, (2, BLOCK))
    expected = ReferenceGPT.of(model)(ids)[0]
    logits = in_chunks(model, ids, chunks, model.new_cache(2))
    parity.check("GPT with a cache", logits, expected)


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("recipe", RECIPES)
def test_padded_batch_through_a_cache(recipe: str, chunks: list[int], parity: Any) -> None:
    """Also where a chunk of a row is nothing but padding."""
    model = small_model(**RECIPES[recipe])
    ids, real = padded_batch("left")
    with torch.no_grad():
        expected = ReferenceGPT.of(model)(ids, real)[0][torch.tensor(real)]
    logits = in_chunks(model, ids, chunks, model.new_cache(len(ids)), real)
    parity.check("GPT padded, with a cache", logits[real], expected, str(chunks))


@pytest.mark.parametrize("chunks", CHUNKS, ids=str)
@pytest.mark.parametrize("window", [1, 3, 5, 8])
@pytest.mark.parametrize("recipe", RECIPES)
def test_sliding_cache_is_a_band(recipe: str, window: int, chunks: list[int], parity: Any) -> None:
    """Every token sees itself and the window - 1 before it, in every layer."""
    model = small_model(**RECIPES[recipe])
    ids = np.random.default_rng(10).integers(0, V, (2, BLOCK))
    expected = ReferenceGPT.of(model)(ids, window=window)[0]
    logits = in_chunks(model, ids, chunks, model.new_cache(2, window, sliding=True))
    parity.check("GPT with a sliding cache", logits, expected, f"{chunks} in {window}")


def reference_greedy(reference: ReferenceGPT, prompt: list[int], new: int) -> list[int]:
    ids = list(prompt)
    with torch.no_grad():
        for _ in range(new):
            ids.append(int(reference(np.array([ids]))[0][0, -1].argmax()))
    return ids[len(prompt) :]


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("recipe", RECIPES)
def test_greedy_generation_of_unequal_prompts(recipe: str, use_cache: bool) -> None:
    """A batch of prompts, padded on the left, continues as each would alone."""
    model = small_model(seed=3, **RECIPES[recipe])
    reference = ReferenceGPT.of(model)
    prompts = [[5, 1, 7], [2], [3, 3, 3, 12]]
    new = BLOCK - 4
    out = qt.generate(model, prompts, new, temperature=0, use_cache=use_cache)
    assert out[:, -new:].tolist() == [reference_greedy(reference, p, new) for p in prompts]


def test_log_probabilities_of_generated_tokens(parity: Any) -> None:
    model = small_model(seed=4)
    ids = np.array([[5, 1, 7], [2, 0, 11]])
    out, logprobs = qt.generate(model, ids, 6, seed=1, return_logprobs=True)
    with torch.no_grad():
        logits = ReferenceGPT.of(model)(out[:, :-1])[0][:, -6:]
    drawn = torch.tensor(out[:, -6:])[..., None]
    expected = TF.log_softmax(logits, dim=-1).gather(-1, drawn)[..., 0]
    parity.check("log-probabilities", np.asarray(logprobs, dtype=np.float64), expected)
