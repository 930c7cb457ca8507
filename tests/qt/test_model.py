"""The whole model: shapes, names, gradients, bad configs. What it promises: see test_trust.py."""

import math

import numpy as np
import pytest
from gradcheck import numeric_gradient, relative_error

import qt
import qt.functional as F

SMALL = {"vocab_size": 17, "block_size": 8, "n_layer": 2, "n_head": 4, "d_model": 16}
PARTS = [
    {"position": p, "norm": n, "ffn": f, "bias": b, "tie_embeddings": t, "n_kv_head": kv}
    for p, n, f, b, t, kv in [
        ("rope", "rmsnorm", "swiglu", False, True, None),
        ("sinusoidal", "layernorm", "relu", True, False, 2),
        ("learned", "layernorm", "gelu", True, True, 1),
        ("rope", "rmsnorm", "gelu", True, False, 2),
    ]
]


def make(seed: int = 0, **changes) -> qt.GPT:
    return qt.GPT(qt.GPTConfig(**{**SMALL, **changes}), seed=seed)


def ids(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 17, shape)


def test_causal_mask() -> None:
    assert qt.attention.causal_mask(3).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_parameter_names_and_shapes_are_llamas() -> None:
    model = make(n_kv_head=2, tie_embeddings=False)
    shapes = {name: p.shape for name, p in model.named_parameters()}
    layer = {
        "input_layernorm.weight": (16,),
        "self_attn.q_proj.weight": (16, 16),
        "self_attn.k_proj.weight": (8, 16),
        "self_attn.v_proj.weight": (8, 16),
        "self_attn.o_proj.weight": (16, 16),
        "post_attention_layernorm.weight": (16,),
        "mlp.gate_proj.weight": (48, 16),
        "mlp.up_proj.weight": (48, 16),
        "mlp.down_proj.weight": (16, 48),
    }
    expected = {f"layers.{i}.{name}": shape for i in (0, 1) for name, shape in layer.items()}
    expected |= {"embed_tokens.weight": (17, 16), "norm.weight": (16,), "lm_head.weight": (17, 16)}
    assert shapes == expected
    assert all(p.name == name for name, p in model.named_parameters())
    assert "lm_head.weight" not in make().state_dict()
    classic = make(position="learned", norm="layernorm", ffn="relu", bias=True).state_dict()
    assert classic["embed_positions.weight"].shape == (8, 16)
    for name in ("self_attn.q_proj", "mlp.up_proj", "mlp.down_proj", "input_layernorm"):
        assert f"layers.1.{name}.bias" in classic
    assert "layers.0.mlp.gate_proj.weight" not in classic


def test_default_sizes() -> None:
    config = qt.GPTConfig(vocab_size=65)
    assert (config.d_ff, config.n_kv_head, config.head_dim) == (344, 4, 32)
    assert config.replace(ffn="relu").d_ff == 512
    assert config.replace(n_head=8).n_kv_head == 8
    assert config.replace(d_ff=100).replace(ffn="relu").d_ff == 100
    assert qt.GPT(config).num_parameters() == 800_000
    assert qt.GPTConfig.from_dict(config.to_dict()) == config


def test_initial_weights() -> None:
    state = qt.GPT(qt.GPTConfig(vocab_size=500, d_model=256, n_layer=3)).state_dict()
    assert state["embed_tokens.weight"].std() == pytest.approx(0.02, rel=0.02)
    assert state["layers.0.mlp.up_proj.weight"].std() == pytest.approx(0.02, rel=0.02)
    for name in ("self_attn.o_proj", "mlp.down_proj"):
        std = state[f"layers.2.{name}.weight"].std()
        assert std == pytest.approx(0.02 / math.sqrt(6), rel=0.02)
    assert (state["norm.weight"] == 1).all()


@pytest.mark.parametrize("parts", PARTS)
def test_forward_and_attention(parts: dict) -> None:
    model = make(**parts)
    logits, attention = model(ids(2, 5), return_attention=True)
    assert logits.shape == (2, 5, 17)
    assert logits.dtype == np.float32
    assert [a.shape for a in attention] == [(2, 4, 5, 5)] * 2
    for a in attention:
        np.testing.assert_allclose(a.sum(-1), 1, rtol=1e-5)
        assert (a[..., ~qt.attention.causal_mask(5)] == 0).all()


@pytest.mark.parametrize("parts", PARTS)
def test_whole_model_gradients(parts: dict) -> None:
    """Every parameter of every kind of model against finite differences, in float64."""
    model = make(**{**SMALL, **parts, "n_layer": 1, "d_model": 8, "d_ff": 8}).astype(np.float64)
    x, y = ids(2, 4), ids(2, 4, seed=1)
    for p in model.parameters():  # larger weights, so that no gradient is lost in noise
        p.data *= 10 if p.ndim > 1 else 1
    F.cross_entropy(model(x), y).backward()
    for name, p in model.named_parameters():
        numeric = numeric_gradient(lambda: F.cross_entropy(model(x), y).item(), p.data)
        assert relative_error(p.grad, numeric) < 1e-6, name


def logits_by_formulas(c: qt.GPTConfig, w: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The whole model for one text (T,), head by head, in NumPy alone and nothing of `qt`."""

    def linear(name: str, h: np.ndarray) -> np.ndarray:
        return h @ w[f"{name}.weight"].T + w.get(f"{name}.bias", 0)

    def norm(name: str, h: np.ndarray) -> np.ndarray:
        h = h - h.mean(-1, keepdims=True) if c.norm == "layernorm" else h
        h = h / np.sqrt((h * h).mean(-1, keepdims=True) + c.norm_eps)
        return h * w[f"{name}.weight"] + w.get(f"{name}.bias", 0)

    T, D, half = len(x), c.head_dim, c.head_dim // 2
    turn = np.exp(1j * np.outer(np.arange(T), c.rope_theta ** (-np.arange(0, D, 2) / D)))

    def turned(h: np.ndarray) -> np.ndarray:
        if c.position != "rope":
            return h
        z = (h[:, :half] + 1j * h[:, half:]) * turn
        return np.concatenate([z.real, z.imag], axis=1)

    stream = w["embed_tokens.weight"][x]
    if c.position == "learned":
        stream = stream + w["embed_positions.weight"][:T]
    elif c.position == "sinusoidal":
        waves = np.exp(
            1j * np.outer(np.arange(T), 1e4 ** (-np.arange(0, c.d_model, 2) / c.d_model))
        )
        stream = stream + np.stack([waves.imag, waves.real], axis=-1).reshape(T, c.d_model)
    for i in range(c.n_layer):
        name = f"layers.{i}"
        h = norm(f"{name}.input_layernorm", stream)
        q, k, v = (linear(f"{name}.self_attn.{part}_proj", h) for part in "qkv")
        heads = []
        for head in range(c.n_head):
            own, shared = head * D, head // (c.n_head // c.n_kv_head) * D
            query, key, value = q[:, own : own + D], *(a[:, shared : shared + D] for a in (k, v))
            if c.qk_norm:
                query = norm(f"{name}.self_attn.q_norm", query)
                key = norm(f"{name}.self_attn.k_norm", key)
            scores = turned(query) @ turned(key).T
            e = np.exp(scores / math.sqrt(D)) * np.tri(T)
            heads.append(e / e.sum(-1, keepdims=True) @ value)
        stream = stream + linear(f"{name}.self_attn.o_proj", np.concatenate(heads, axis=1))
        h = norm(f"{name}.post_attention_layernorm", stream)
        up = linear(f"{name}.mlp.up_proj", h)
        if c.ffn == "swiglu":
            gate = linear(f"{name}.mlp.gate_proj", h)
            up = gate / (1 + np.exp(-gate)) * up
        elif c.ffn == "relu":
            up = np.maximum(up, 0)
        else:
            up = up * 0.5 * (1 + np.vectorize(math.erf)(up / math.sqrt(2)))
        stream = stream + linear(f"{name}.mlp.down_proj", up)
    return norm("norm", stream) @ w.get("lm_head.weight", w["embed_tokens.weight"]).T


@pytest.mark.parametrize("parts", [*PARTS, {"qk_norm": True, "qkv_bias": True, "n_kv_head": 2}])
def test_the_whole_model_by_its_formulas(parts: dict) -> None:
    """An independent reference, with weights that are far from their quiet beginning."""
    model, rng = make(**parts).astype(np.float64), np.random.default_rng(0)
    for p in model.parameters():
        p.data[...] = rng.normal(0.2, 0.3, p.shape)
    x = ids(2, 8)
    expected = [logits_by_formulas(model.config, model.state_dict(), row) for row in x]
    np.testing.assert_allclose(model(x).data, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_rotation_comes_in_the_dtype_of_the_model(dtype: type) -> None:
    """Not in float64, from which every layer would convert it again."""
    turns = qt.positions.rope_turns(np.arange(5), 4, 10000.0, None, dtype)
    assert turns.real.dtype == dtype


def test_same_seed_same_bits() -> None:
    a, b, c = make(seed=1).state_dict(), make(seed=1).state_dict(), make(seed=2).state_dict()
    assert all((a[name] == b[name]).all() for name in a)
    assert any((a[name] != c[name]).any() for name in a)


def test_layers_made_without_a_generator_differ() -> None:
    a, b = qt.nn.Linear(3, 3), qt.nn.Linear(3, 3)
    assert (a.weight.data != b.weight.data).any()


def test_dropout_only_while_training() -> None:
    model = make(dropout=0.5)
    x = ids(1, 8)
    assert (model(x).data != model(x).data).any()
    model.eval()
    assert (model(x).data == model(x).data).all()


# KV cache


def test_cache_refuses_what_does_not_fit() -> None:
    model = make()
    cache = model.new_cache(batch_size=1, max_len=4)
    model(ids(1, 3), cache=cache)
    with pytest.raises(ValueError, match="the cache holds 4 tokens, not 5"):
        model(ids(1, 2), cache=cache)
    assert cache.length == 3
    with pytest.raises(ValueError, match=r"this model needs model.new_cache\(batch_size=2\)"):
        model(ids(2, 1), cache=cache)
    big = model.new_cache(max_len=20)
    model(ids(1, 8), cache=big)
    with pytest.raises(ValueError, match="9 tokens do not fit this model"):
        model(ids(1, 1), cache=big)
    with pytest.raises(ValueError, match="max_len=0 must be at least 1"):
        model.new_cache(max_len=0)


# State and bad input


def test_load_state_dict() -> None:
    a, b = make(seed=1), make(seed=2)
    b.load_state_dict(a.state_dict())
    assert (a(ids(1, 4)).data == b(ids(1, 4)).data).all()
    state = dict(a.state_dict())
    weight = state.pop("norm.weight")
    with pytest.raises(ValueError, match=r"missing \['norm.weight'\]"):
        b.load_state_dict(state)
    with pytest.raises(ValueError, match=r"unknown \['extra'\]"):
        b.load_state_dict({**state, "norm.weight": weight, "extra": weight})
    with pytest.raises(ValueError, match=r"norm.weight has shape \(3,\)"):
        b.load_state_dict({**state, "norm.weight": weight[:3]})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"vocab_size": 0}, "vocab_size must be a whole number of at least 1, not 0"),
        ({"n_layer": 1.5}, "n_layer must be a whole number"),
        ({"d_model": "wide"}, "d_model must be a whole number of at least 1, not 'wide'"),
        ({"d_ff": 0}, "d_ff must be a whole number of at least 1, not 0"),
        ({"d_model": 18}, "d_model=18 is not a multiple of n_head=4"),
        ({"n_kv_head": 3}, "n_head=4 is not a multiple of n_kv_head=3"),
        ({"position": "alibi"}, "position must be rope or sinusoidal or learned, not 'alibi'"),
        ({"norm": "batch"}, "norm must be rmsnorm or layernorm"),
        ({"ffn": "mlp"}, "ffn must be swiglu or relu"),
        ({"d_model": 12}, "even head width, not d_model/n_head = 3"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"position": "sinusoidal", "d_model": 9, "n_head": 3}, "need an even d_model, not 9"),
        ({"rope_scaling": {"factor": 2}}, "rope_scaling lacks low_freq_factor, high_freq"),
    ],
)
def test_bad_config(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        qt.GPTConfig(**{**SMALL, **changes})
    with pytest.raises(ValueError, match="unknown model settings: heads"):
        qt.GPTConfig.from_dict({"vocab_size": 5, "heads": 2})
    with pytest.raises(ValueError, match="model settings lack vocab_size"):
        qt.GPTConfig.from_dict({"n_head": 2})
    with pytest.raises(ValueError, match="activation is relu, gelu, gelu_tanh, not 'elu'"):
        qt.feedforward.FeedForward(8, 16, "elu")


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ([0, 1], ValueError, r"shape \(B, T\) with T >= 1, not \(2,\)"),
        ([[0] * 9], ValueError, "9 tokens do not fit this model"),
        (np.zeros((1, 0), int), ValueError, r"with T >= 1, not \(1, 0\)"),
        ([[0, 17]], ValueError, "id 17 is outside the vocabulary, which runs from 0 to 16"),
        ([[0, -1]], ValueError, "id -1 is outside"),
        ([[0.0, 1.0]], TypeError, "ids must be integers"),
    ],
)
def test_bad_ids(bad, error, message: str) -> None:
    with pytest.raises(error, match=message):
        make()(bad)
