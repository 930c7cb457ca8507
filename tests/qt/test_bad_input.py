"""Wrong uses of the library, and for each the exact text that a person sees.

A good text names the value, says what was expected, and what to do. Wrong usage of the command line
has its own table, in test_bad_usage_cli.py.
"""

# ruff: noqa: E501  (each text stands on one line, as it is printed)

from collections.abc import Callable

import numpy as np
import pytest
from numpy.exceptions import AxisError

import qt
import qt.functional as F
from qt.nn import Parameter
from qt.tensor import Tensor

SHAPE = {"vocab_size": 17, "block_size": 8, "n_layer": 1, "n_head": 2, "d_model": 8}


def make(**changes) -> qt.GPT:
    return qt.GPT(qt.GPTConfig(**{**SHAPE, **changes}))


MODEL = make()


def ones(*shape: int) -> Tensor:
    return Tensor(np.ones(shape), requires_grad=True)


def config(**changes) -> Callable[[], qt.GPTConfig]:
    return lambda: qt.GPTConfig(**{**SHAPE, **changes})


def used_up() -> None:
    loss = ones(2).sum()
    loss.backward()
    loss.backward()


def full_cache() -> None:
    cache = MODEL.new_cache(max_len=2)
    MODEL([[1, 2]], cache=cache)
    MODEL([[1]], cache=cache)


def damaged_model() -> None:
    model = make()
    model.norm.weight.data[:] = np.nan
    qt.generate(model, [[1]], 1)


def clip_nan() -> None:
    p = Parameter(np.zeros(2), "layers.0.w")
    p.grad = np.array([1, np.nan])
    qt.optim.clip_grad_norm_([p], 1.0)


def state_of_another_kind() -> None:
    sgd = {"state": {0: {"momentum_buffer": np.zeros(2)}}, "param_groups": [{"params": [0]}]}
    qt.optim.Adam([Parameter(np.zeros(2))]).load_state_dict(sgd)


WRONG = [
    ("a tensor of text", lambda: Tensor("abc"), TypeError, "a Tensor holds real numbers, not <U3"),
    (
        "a tensor of complex numbers",
        lambda: Tensor(1j),
        TypeError,
        "a Tensor holds real numbers, not complex128",
    ),
    (
        "a gradient of integers",
        lambda: Tensor([1, 2], requires_grad=True),
        TypeError,
        "int64 has no gradients: use floats, as .astype('float32')",
    ),
    (
        "shapes that do not broadcast",
        lambda: ones(2, 3) + ones(4),
        ValueError,
        "operands could not be broadcast together with shapes (2,3) (4,) ",
    ),
    (
        "a product of shapes that do not fit",
        lambda: ones(2, 3) @ ones(2, 3),
        ValueError,
        "matmul of shapes (2, 3) and (2, 3): the last size of the first must equal the last but one of the second",
    ),
    (
        "a product with a number",
        lambda: ones(2, 3) @ 2.0,
        ValueError,
        "matmul of shapes (2, 3) and (): the last size of the first must equal the last but one of the second",
    ),
    (
        "backward of a vector",
        lambda: (ones(3) * 2).backward(),
        ValueError,
        "backward() needs a scalar, not shape (3,): reduce it with .sum() or .mean(), or pass gradient=",
    ),
    (
        "backward with a gradient of another shape",
        lambda: (ones(3) * 2).backward(np.ones(2)),
        ValueError,
        "gradient has shape (2,), but the tensor (3,)",
    ),
    (
        "backward of what needs no gradient",
        lambda: Tensor(1.0).backward(),
        RuntimeError,
        "nothing to differentiate: no tensor in this computation has requires_grad=True, or it ran under no_grad()",
    ),
    (
        "backward twice",
        used_up,
        RuntimeError,
        "this tape was used up by an earlier backward(): compute the value again, or keep the tape with backward(retain_graph=True)",
    ),
    (
        "reshape to another size",
        lambda: ones(2, 3).reshape(4),
        ValueError,
        "cannot reshape array of size 6 into shape (4,)",
    ),
    (
        "transpose of an axis that is not there",
        lambda: ones(2, 3).transpose(0, 5),
        AxisError,
        "axis2: axis 5 is out of bounds for array of dimension 2",
    ),
    (
        "an array where a tensor is due",
        lambda: F.silu(np.ones(2)),
        TypeError,
        "x of silu must be a Tensor, not ndarray",
    ),
    (
        "gelu of another kind",
        lambda: F.gelu(ones(2), approximate="erf"),
        ValueError,
        'approximate is "none" or "tanh", not \'erf\'',
    ),
    (
        "targets of another shape",
        lambda: F.cross_entropy(ones(2, 3), [0]),
        ValueError,
        "targets have shape (1,), not (2,) as the logits",
    ),
    (
        "targets that are floats",
        lambda: F.cross_entropy(ones(2, 3), [0.0, 1.0]),
        TypeError,
        "targets must be integers, not float64",
    ),
    (
        "a target outside",
        lambda: F.cross_entropy(ones(2, 3), [0, 3]),
        ValueError,
        "target 3 is outside the vocabulary, which runs from 0 to 2",
    ),
    (
        "a reduction that is none",
        lambda: F.cross_entropy(ones(2, 3), [0, 1], reduction="avg"),
        ValueError,
        'reduction is "mean", "sum" or "none", not \'avg\'',
    ),
    (
        "label smoothing above 1",
        lambda: F.cross_entropy(ones(2, 3), [0, 1], label_smoothing=2),
        ValueError,
        "label_smoothing must be in [0, 1], not 2",
    ),
    (
        "linear of another width",
        lambda: F.linear(ones(2, 3), ones(4, 5)),
        ValueError,
        "linear: x has width 3, the weight (4, 5) takes 5",
    ),
    (
        "linear with a wrong bias",
        lambda: F.linear(ones(2, 3), ones(4, 3), ones(3)),
        ValueError,
        "linear: weight and bias need shape (4,), not (3,)",
    ),
    (
        "an id outside",
        lambda: F.embedding([5], ones(4, 3)),
        ValueError,
        "id 5 is outside the vocabulary, which runs from 0 to 3",
    ),
    (
        "an id below 0",
        lambda: F.embedding([-1], ones(4, 3)),
        ValueError,
        "id -1 is outside the vocabulary, which runs from 0 to 3",
    ),
    (
        "ids that are floats",
        lambda: F.embedding([0.5], ones(4, 3)),
        TypeError,
        "ids must be integers, not float64",
    ),
    (
        "a norm of another width",
        lambda: F.rms_norm(ones(2, 3), ones(4)),
        ValueError,
        "rms_norm: weight and bias need shape (3,), not (4,)",
    ),
    (
        "dropout of everything",
        lambda: F.dropout(ones(2), 1.0),
        ValueError,
        "dropout probability must be in [0, 1), not 1.0",
    ),
    (
        "attention of 3 dimensions",
        lambda: F.scaled_dot_product_attention(ones(2, 3, 4), ones(2, 3, 4), ones(2, 3, 4)),
        ValueError,
        "query (2, 3, 4), key (2, 3, 4) and value (2, 3, 4) do not fit: expected (B, H, T, D), (B, H_kv, S, D), (B, H_kv, S, D) with H a multiple of H_kv",
    ),
    (
        "heads that do not share",
        lambda: F.scaled_dot_product_attention(
            ones(1, 3, 2, 4), ones(1, 2, 2, 4), ones(1, 2, 2, 4)
        ),
        ValueError,
        "query (1, 3, 2, 4), key (1, 2, 2, 4) and value (1, 2, 2, 4) do not fit: expected (B, H, T, D), (B, H_kv, S, D), (B, H_kv, S, D) with H a multiple of H_kv",
    ),
    (
        "two masks",
        lambda: F.scaled_dot_product_attention(
            ones(1, 1, 2, 4), ones(1, 1, 2, 4), ones(1, 1, 2, 4), np.ones((2, 2), bool), True
        ),
        ValueError,
        "give attn_mask or is_causal=True, not both: combine the masks first",
    ),
    (
        "a mask of integers",
        lambda: F.scaled_dot_product_attention(
            ones(1, 1, 2, 4), ones(1, 1, 2, 4), ones(1, 1, 2, 4), np.ones((2, 2), int)
        ),
        TypeError,
        "attn_mask must hold booleans or floats, not int64",
    ),
    (
        "a mask of another shape",
        lambda: F.scaled_dot_product_attention(
            ones(1, 1, 2, 4), ones(1, 1, 2, 4), ones(1, 1, 2, 4), np.ones((3, 3), bool)
        ),
        ValueError,
        "attn_mask (3, 3) does not broadcast to (1, 1, 2, 2)",
    ),
    (
        "rope of an odd width",
        lambda: F.apply_rope(ones(1, 1, 2, 3), [0, 1]),
        ValueError,
        "rotary and sinusoidal positions pair features: width 3 is odd",
    ),
    (
        "rope of other positions",
        lambda: F.apply_rope(ones(1, 1, 2, 4), [0, 1, 2]),
        ValueError,
        "positions have shape (3,), but x (1, 1, 2, 4) needs (2,)",
    ),
    (
        "a model without words",
        config(vocab_size=0),
        ValueError,
        "vocab_size must be a whole number of at least 1, not 0",
    ),
    (
        "a width in words",
        config(d_model="wide"),
        ValueError,
        "d_model must be a whole number of at least 1, not 'wide'",
    ),
    (
        "a width that is no multiple",
        config(d_model=9),
        ValueError,
        "d_model=9 is not a multiple of n_head=2",
    ),
    (
        "key heads that do not divide",
        config(n_head=4, n_kv_head=3),
        ValueError,
        "n_head=4 is not a multiple of n_kv_head=3",
    ),
    (
        "an odd head",
        config(d_model=6),
        ValueError,
        "rope needs an even head width, not d_model/n_head = 3",
    ),
    (
        "positions that are none",
        config(position="alibi"),
        ValueError,
        "position must be rope or sinusoidal or learned, not 'alibi'",
    ),
    (
        "a switch that is no bool",
        config(bias="no"),
        ValueError,
        "bias must be True or False, not 'no'",
    ),
    ("dropout 1", config(dropout=1.0), ValueError, "dropout must be in [0, 1), not 1.0"),
    (
        "a norm's eps of NaN",
        config(norm_eps=float("nan")),
        ValueError,
        "norm_eps must be a number of at least 0, not nan",
    ),
    ("rope_theta 0", config(rope_theta=0), ValueError, "rope_theta must be above 0, not 0.0"),
    (
        "half a rope_scaling",
        config(rope_scaling={"factor": 8.0}),
        ValueError,
        "rope_scaling lacks low_freq_factor, high_freq_factor, original_max_position_embeddings",
    ),
    (
        "a setting that is none",
        lambda: qt.GPTConfig.from_dict({"vocab_size": 3, "colour": "red"}),
        ValueError,
        "unknown model settings: colour",
    ),
    (
        "ids of one dimension",
        lambda: MODEL([1, 2]),
        ValueError,
        "ids must have shape (B, T) with T >= 1, not (2,)",
    ),
    (
        "ids of no length",
        lambda: MODEL(np.zeros((1, 0), int)),
        ValueError,
        "ids must have shape (B, T) with T >= 1, not (1, 0)",
    ),
    ("ids of floats", lambda: MODEL([[1.5]]), TypeError, "ids must be integers, not float64"),
    (
        "an id the model does not know",
        lambda: MODEL([[17]]),
        ValueError,
        "id 17 is outside the vocabulary, which runs from 0 to 16",
    ),
    (
        "more than a block",
        lambda: MODEL(np.zeros((1, 9), int)),
        ValueError,
        "9 tokens do not fit this model's block_size=8: shorten them, or use a larger block",
    ),
    (
        "an attention_mask of another shape",
        lambda: MODEL([[1, 2]], attention_mask=[[1]]),
        ValueError,
        "attention_mask must be booleans or 0 and 1 of shape (1, 2), like the ids, not int64 (1, 1)",
    ),
    (
        "a cache for another batch",
        lambda: MODEL([[1], [2]], cache=MODEL.new_cache()),
        ValueError,
        "the cache has shape (1, 1, 2, 8, 4): this model needs model.new_cache(batch_size=2)",
    ),
    (
        "a full cache",
        full_cache,
        ValueError,
        "the cache holds 2 tokens, not 3: use new_cache(max_len=…), or sliding=True to forget the oldest",
    ),
    (
        "a cache of no length",
        lambda: MODEL.new_cache(max_len=0),
        ValueError,
        "batch_size=1 and max_len=0 must be at least 1",
    ),
    (
        "weights of another model",
        lambda: MODEL.load_state_dict(make(n_layer=2).state_dict()),
        ValueError,
        "state does not fit this model: missing nothing, unknown ['layers.1.input_layernorm.weight', 'layers.1.mlp.down_proj.weight', 'layers.1.mlp.gate_proj.weight', 'layers.1.mlp.up_proj.weight', 'layers.1.post_attention_layernorm.weight', 'layers.1.self_attn.k_proj.weight', 'layers.1.self_attn.o_proj.weight', 'layers.1.self_attn.q_proj.weight', 'layers.1.self_attn.v_proj.weight']",
    ),
    (
        "weights of another shape",
        lambda: MODEL.load_state_dict(make(vocab_size=5).state_dict()),
        ValueError,
        "embed_tokens.weight has shape (5, 8), but this model needs (17, 8)",
    ),
    (
        "one parameter, not a list",
        lambda: qt.optim.SGD(MODEL.norm.weight),
        TypeError,
        "give the optimizer a list of parameters, not a single one: [p]",
    ),
    ("no parameters", lambda: qt.optim.SGD([]), ValueError, "the optimizer got no parameters"),
    (
        "a parameter twice",
        lambda: qt.optim.SGD([MODEL.norm.weight] * 2),
        ValueError,
        "a parameter stands in the optimizer twice",
    ),
    (
        "a parameter that is an array",
        lambda: qt.optim.AdamW([np.ones(2)]),
        TypeError,
        "an optimizer moves Tensors, not ndarray",
    ),
    (
        "a learning rate below 0",
        lambda: qt.optim.AdamW(MODEL.parameters(), lr=-1),
        ValueError,
        "lr must not be negative, but is -1",
    ),
    (
        "a beta of 1",
        lambda: qt.optim.AdamW(MODEL.parameters(), betas=(0.9, 1.0)),
        ValueError,
        "betas must be in [0, 1), not (0.9, 1.0)",
    ),
    (
        "a setting an optimizer has not",
        lambda: qt.optim.AdamW([{"params": MODEL.parameters(), "momentum": 0.9}]),
        ValueError,
        "unknown settings momentum; known are lr, betas, eps, weight_decay",
    ),
    (
        "a group without params",
        lambda: qt.optim.AdamW([{"lr": 1.0}]),
        ValueError,
        "a parameter group needs \"params\", but has ['lr']",
    ),
    (
        "Nesterov without momentum",
        lambda: qt.optim.SGD(MODEL.parameters(), nesterov=True),
        ValueError,
        "Nesterov's step needs momentum > 0 and no dampening",
    ),
    (
        "SGD's state for Adam",
        state_of_another_kind,
        ValueError,
        "the saved state holds momentum_buffer, but Adam keeps step, exp_avg, exp_avg_sq",
    ),
    (
        "NaN to clip",
        clip_nan,
        RuntimeError,
        "the gradient of layers.0.w is not finite: its norm is nan",
    ),
    (
        "a prompt of no ids",
        lambda: qt.generate(MODEL, [[]], 1),
        ValueError,
        "the prompt must have shape (B, T) with T >= 1, not (1, 0)",
    ),
    (
        "a prompt of one dimension",
        lambda: qt.generate(MODEL, [1, 2], 1),
        ValueError,
        "the prompt must have shape (B, T) with T >= 1, not (2,)",
    ),
    (
        "a prompt of floats",
        lambda: qt.generate(MODEL, [[1.9]], 1),
        TypeError,
        "the prompt must hold integer ids, not float64",
    ),
    (
        "a prompt above the block",
        lambda: qt.generate(MODEL, np.zeros((1, 9), int), 1),
        ValueError,
        "the prompt has 9 tokens, but the model reads at most block_size=8: shorten it, or use a larger block",
    ),
    (
        "one empty prompt of two",
        lambda: qt.generate(MODEL, [[1], []], 1),
        ValueError,
        "a prompt is empty: give each at least one id",
    ),
    (
        "a prompt that is padded on the right",
        lambda: qt.generate(MODEL, [[1, 2]], 1, attention_mask=[[1, 0]]),
        ValueError,
        "attention_mask is 0 at the end of a prompt: pad on the left (left_pad)",
    ),
    (
        "minus one token",
        lambda: qt.generate(MODEL, [[1]], -1),
        ValueError,
        "max_new_tokens must be a whole number from 0 up, not -1",
    ),
    (
        "a negative temperature",
        lambda: qt.generate(MODEL, [[1]], 1, temperature=-1),
        ValueError,
        "temperature must be 0 (greedy) or a positive number, not -1",
    ),
    (
        "top_k 0",
        lambda: qt.generate(MODEL, [[1]], 1, top_k=0),
        ValueError,
        "top_k must be a whole number of at least 1, not 0",
    ),
    (
        "top_p above 1",
        lambda: qt.generate(MODEL, [[1]], 1, top_p=1.5),
        ValueError,
        "top_p must be above 0 and at most 1, not 1.5",
    ),
    (
        "a penalty of 0",
        lambda: qt.generate(MODEL, [[1]], 1, repetition_penalty=0),
        ValueError,
        "repetition_penalty must be above 0 (1 is none), not 0",
    ),
    (
        "a negative seed",
        lambda: qt.generate(MODEL, [[1]], 1, seed=-1),
        ValueError,
        "seed must be a whole number from 0 up, not -1",
    ),
    (
        "a model with NaN",
        damaged_model,
        ValueError,
        "the logits hold NaN or infinity: the model's weights are damaged",
    ),
    (
        "logits of a batch",
        lambda: qt.generation.next_token_probabilities(np.ones((2, 3))),
        ValueError,
        "logits must have shape (V,), not (2, 3): pass logits[b, -1]",
    ),
    (
        "no threads",
        lambda: qt.set_num_threads(0),
        ValueError,
        "the number of threads must be at least 1, not 0",
    ),
    (
        "temperature as text",
        lambda: qt.generate(MODEL, [[1]], 1, temperature="hot"),
        ValueError,
        "temperature must be 0 (greedy) or a positive number, not 'hot'",
    ),
    (
        "tokens as half",
        lambda: qt.generate(MODEL, [[1]], 2.5),
        ValueError,
        "max_new_tokens must be a whole number from 0 up, not 2.5",
    ),
]


@pytest.mark.parametrize(
    ("use", "error", "text"), [row[1:] for row in WRONG], ids=[r[0] for r in WRONG]
)
def test_wrong_use(use: Callable[[], object], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        use()
    assert type(caught.value) is error
    assert str(caught.value) == text
