"""Real architectures of the library transformers, from whose weights ours are taken."""

import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["HF_HUB_OFFLINE"] = "1"

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from reference_gpt import frequencies
from transformers.generation import logits_process as warp
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

import qt
from qt import functional as F

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

V, BLOCK, WIDTH, LAYERS, HEADS, HIDDEN = 37, 24, 32, 2, 4, 48
LLAMA_3 = {
    "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}  # fmt: skip
OURS = {"n_layer": LAYERS, "n_head": HEADS, "d_model": WIDTH, "d_ff": HIDDEN}
THEIRS = {
    "vocab_size": V, "hidden_size": WIDTH, "intermediate_size": HIDDEN, "rms_norm_eps": 1e-5,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "max_position_embeddings": BLOCK,
    "rope_theta": 10000.0, "attn_implementation": "sdpa",
    "bos_token_id": None, "eos_token_id": None, "pad_token_id": None,
}  # fmt: skip


def llama(**settings: Any) -> Any:
    return hf.LlamaForCausalLM(hf.LlamaConfig(**THEIRS, **settings))


def gpt2() -> Any:
    return hf.GPT2LMHeadModel(
        hf.GPT2Config(
            vocab_size=V, n_positions=BLOCK, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS,
            n_inner=HIDDEN, attn_implementation="sdpa", resid_pdrop=0, embd_pdrop=0, attn_pdrop=0,
            bos_token_id=None, eos_token_id=None,
        )
    )  # fmt: skip


SCALED = {"rope_type": "llama3", **LLAMA_3}
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "Llama": (
        lambda: llama(tie_word_embeddings=False, num_key_value_heads=HEADS),
        {"tie_embeddings": False},
    ),
    "Llama 3": (
        lambda: llama(tie_word_embeddings=True, num_key_value_heads=2, rope_scaling=SCALED),
        {"n_kv_head": 2, "rope_scaling": LLAMA_3},
    ),
    "Llama with biases": (
        lambda: llama(num_key_value_heads=1, attention_bias=True, mlp_bias=True),
        {"n_kv_head": 1, "bias": True, "tie_embeddings": False},
    ),
    "Qwen 2": (
        lambda: hf.Qwen2ForCausalLM(
            hf.Qwen2Config(**THEIRS, num_key_value_heads=2, tie_word_embeddings=True)
        ),
        {"n_kv_head": 2, "qkv_bias": True},
    ),
    "Qwen 3": (
        lambda: hf.Qwen3ForCausalLM(
            hf.Qwen3Config(
                **THEIRS, num_key_value_heads=2, head_dim=WIDTH // HEADS, tie_word_embeddings=True
            )
        ),
        {"n_kv_head": 2, "qk_norm": True},
    ),
    "GPT-2": (gpt2, {"position": "learned", "norm": "layernorm", "ffn": "gelu_tanh", "bias": True}),
}
FROM_GPT2 = {
    "wte": "embed_tokens", "wpe": "embed_positions", "h": "layers", "ln_1": "input_layernorm",
    "ln_2": "post_attention_layernorm", "c_fc": "up_proj", "ln_f": "norm",
}  # fmt: skip


def our_names(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """Their parameters, or gradients, by our names; GPT-2's are transposed and cut in three."""
    arrays = {}
    for name, tensor in state.items():
        array = tensor.detach().numpy().copy()
        name = name.removeprefix("model.")
        if name.startswith("transformer."):
            name = name.removeprefix("transformer.")
            if ".attn.c_" in name or ".mlp.c_" in name:
                array = array.T  # their layers are x W, ours x Wᵀ
            if ".c_attn." in name:
                layer, kind = name.split(".")[1], name.split(".")[-1]
                for part, piece in zip("qkv", np.split(array, 3)):
                    arrays[f"layers.{layer}.self_attn.{part}_proj.{kind}"] = piece
                continue
            name = name.replace("attn.c_proj", "self_attn.o_proj")
            name = name.replace("mlp.c_proj", "mlp.down_proj")
            name = ".".join(FROM_GPT2.get(part, part) for part in name.split("."))
        arrays[name] = array
    return arrays


def limit(name: str) -> float:
    """Of all these models only GPT-2 has nothing that is worked out in float32 whatever its dtype.

    The others' RMSNorm, and the angles of their rotary positions, are.
    """
    return 1e-9 if name == "GPT-2" else 1e-5


def twins(name: str) -> tuple[qt.GPT, Any]:
    """One of their models with random weights, in float64, and ours with the same weights."""
    make, settings = MODELS[name]
    theirs = make().double().eval()
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter += 0.2 * torch.randn(parameter.shape, generator=draw, dtype=torch.float64)
    ours = qt.GPT(qt.GPTConfig(V, BLOCK, **OURS, **settings)).astype(np.float64)
    ours.load_state_dict(our_names(dict(theirs.named_parameters())))
    return ours.eval(), theirs


@pytest.mark.parametrize("name", MODELS)
def test_logits_loss_and_gradients(name: str, parity: Any) -> None:
    ours, theirs = twins(name)
    ids = np.random.default_rng(1).integers(0, V, (3, BLOCK))
    y = np.concatenate([ids[:, 1:], np.full((3, 1), -100)], axis=1)
    expected = theirs(torch.tensor(ids)).logits
    expected_loss = torch.nn.functional.cross_entropy(
        expected.flatten(0, 1), torch.tensor(y).flatten()
    )
    expected_loss.backward()
    logits = ours(ids)
    loss = F.cross_entropy(logits, y)
    loss.backward()
    row = f"{name} (transformers)"
    parity.check(row, logits, expected, limit=limit(name))
    parity.check(row, loss, expected_loss, limit=limit(name))
    gradients = our_names({n: p.grad for n, p in theirs.named_parameters()})
    for key, parameter in ours.named_parameters():
        parity.check(row, parameter.grad, gradients[key], key, limit(name))


@pytest.mark.parametrize("name", MODELS)
def test_left_padding(name: str, parity: Any) -> None:
    ours, theirs = twins(name)
    ids = np.random.default_rng(2).integers(0, V, (3, 10))
    real = np.arange(10) >= np.array([[0], [3], [9]])
    mask = torch.tensor(real).long()
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.no_grad():
        out = theirs(torch.tensor(ids), attention_mask=mask, position_ids=positions)
    logits = ours(ids, attention_mask=real)
    expected = out.logits[torch.tensor(real)]
    parity.check(f"{name} (transformers)", logits.data[real], expected, "left padding", limit(name))


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_greedy_generation(name: str, use_cache: bool) -> None:
    """Equal prompts, and prompts of different lengths that are padded on the left."""
    ours, theirs = twins(name)
    settings = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": 0}
    ids = np.random.default_rng(3).integers(0, V, (3, 8))
    expected = theirs.generate(torch.tensor(ids), **settings).numpy()
    out = qt.generate(ours, ids, 12, temperature=0, use_cache=use_cache)
    assert out.tolist() == expected.tolist()
    prompts = [ids[0].tolist(), ids[1, 5:].tolist(), ids[2, 7:].tolist()]
    padded, mask = qt.generation.left_pad(prompts)
    expected = theirs.generate(
        torch.tensor(padded), attention_mask=torch.tensor(mask).long(), **settings
    ).numpy()
    out = qt.generate(ours, prompts, 12, temperature=0, use_cache=use_cache)
    assert out[:, -12:].tolist() == expected[:, -12:].tolist()


@pytest.mark.parametrize("penalty", [1.3, 0.8])
def test_repetition_penalty(penalty: float) -> None:
    ours, theirs = twins("Llama 3")
    ids = np.random.default_rng(4).integers(0, V, (2, 6))
    expected = theirs.generate(
        torch.tensor(ids), max_new_tokens=14, do_sample=False, pad_token_id=0,
        repetition_penalty=penalty,
    )  # fmt: skip
    out = qt.generate(ours, ids, 14, temperature=0, repetition_penalty=penalty)
    assert out.tolist() == expected.tolist()


@pytest.mark.parametrize("window", [1, 4, 7])
def test_sliding_window(window: int, parity: Any) -> None:
    """Mistral's sliding window is our sliding cache, one token after another."""
    settings = {**THEIRS, "num_key_value_heads": 2, "tie_word_embeddings": True}
    theirs = hf.MistralForCausalLM(hf.MistralConfig(**settings, sliding_window=window)).double()
    ours = qt.GPT(qt.GPTConfig(V, BLOCK, n_kv_head=2, **OURS)).astype(np.float64)
    ours.load_state_dict(our_names(dict(theirs.named_parameters())))
    ids = np.random.default_rng(5).integers(0, V, (2, BLOCK))
    with torch.no_grad():
        expected = theirs(torch.tensor(ids), use_cache=False).logits
    cache = ours.new_cache(2, window, sliding=True)
    logits = np.concatenate([ours(ids[:, [t]], cache=cache).data for t in range(BLOCK)], axis=1)
    parity.check("Mistral's sliding window (transformers)", logits, expected, limit=1e-5)


REAL_LLAMA = {  # of Llama 3.1 and 3.2
    8.0: {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0},
    32.0: {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0},
}


@pytest.mark.parametrize("width", [64, 128])
@pytest.mark.parametrize("factor", REAL_LLAMA)
def test_llama_3_frequencies(factor: float, width: int, parity: Any) -> None:
    """The frequencies of Llama 3, read off the angle by which position 1 is turned.

    Theirs are float32, so they agree to its digits; the reference of the other tests is float64.
    """
    scaling = {**REAL_LLAMA[factor], "original_max_position_embeddings": 8192}
    config = hf.LlamaConfig(
        hidden_size=4 * width, num_attention_heads=4, rope_theta=500000.0,
        rope_scaling={"rope_type": "llama3", **scaling}, max_position_embeddings=131072,
    )  # fmt: skip
    theirs, attention_factor = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    assert attention_factor == 1
    ones = np.concatenate([np.ones(width // 2), np.zeros(width // 2)]).reshape(1, 1, 1, width)
    turned = F.apply_rope(qt.Tensor(ones), [1], theta=500000.0, scaling=scaling).data[0, 0, 0]
    ours = np.arctan2(turned[width // 2 :], turned[: width // 2])
    parity.check("Llama 3 frequencies (transformers)", ours, theirs.double(), limit=1e-6)
    parity.check("Llama 3 frequencies", ours, frequencies(width, 500000.0, scaling))
    relative = np.abs(ours / theirs.double().numpy() - 1)
    assert relative.max() < 1e-5, "the slow frequencies, too, not only the large ones"


def test_filters_of_next_token_probabilities(parity: Any) -> None:
    """Penalty, temperature, top-k, top-p and min-p in transformers' order, 400 random settings."""
    rng = np.random.default_rng(6)
    for _ in range(400):
        n = int(rng.integers(2, 60))
        logits = rng.standard_normal(n) * rng.choice([0.1, 1, 5])
        temperature, penalty = float(rng.choice([0.3, 1, 1.7])), float(rng.choice([1, 1.2, 0.7]))
        top_k, top_p = rng.choice([None, 1, 3, 20, 100]), rng.choice([None, 0.1, 0.5, 0.9, 1.0])
        min_p = rng.choice([None, 0.0, 0.05, 0.5, 1.0])
        seen = rng.integers(0, n, 4)
        scores = torch.tensor(logits)[None]
        scores = warp.RepetitionPenaltyLogitsProcessor(penalty)(torch.tensor(seen)[None], scores)
        scores = warp.TemperatureLogitsWarper(temperature)(None, scores)
        if top_k is not None:
            scores = warp.TopKLogitsWarper(int(top_k))(None, scores)
        if top_p is not None and top_p < 1:
            scores = warp.TopPLogitsWarper(float(top_p))(None, scores)
        if min_p is not None:
            scores = warp.MinPLogitsWarper(float(min_p))(None, scores)
        ours = qt.generation.next_token_probabilities(
            logits, temperature, top_k, top_p, min_p, repetition_penalty=penalty, seen=seen
        )
        parity.check("next_token_probabilities", ours, scores.softmax(-1)[0])


@pytest.mark.parametrize("warmup", [0, 1, 10])
def test_schedules(warmup: int, parity: Any) -> None:
    """Theirs start from a rate of 0: our step s of w is their step s + 1 of w + 1, then step s."""
    total = 100
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    steps = range(total)

    def theirs(schedule: Any, w: int, **settings: Any) -> Any:
        return schedule(optimizer, num_warmup_steps=w, **settings).lr_lambdas[0]

    for name, schedule, settings in [
        ("constant", hf.get_constant_schedule_with_warmup, {}),
        ("linear", hf.get_linear_schedule_with_warmup, {"num_training_steps": total}),
        ("cosine", hf.get_cosine_schedule_with_warmup, {"num_training_steps": total}),
        ("inverse_sqrt", hf.get_inverse_sqrt_schedule, {"timescale": warmup + 1}),
    ]:
        rising, after = (
            theirs(schedule, warmup + 1, **settings),
            theirs(schedule, warmup, **settings),
        )
        expected = [rising(s + 1) if s < warmup else after(s) for s in steps]
        ours = [qt.optim.SCHEDULES[name](s, 1.0, 0.0, warmup, total) for s in steps]
        parity.check(f"schedule {name}", ours, expected, limit=1e-10)
