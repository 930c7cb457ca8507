"""Build it all: the parts of a GPT, from the norm to the text that it writes.

The parts work on tensors, so that the model that they make can be trained. Later parts get earlier
ones as arguments, and so each can be checked alone.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qt import functional as F
from qt.exercises.exercise import exercise
from qt.tensor import Tensor


def leaf(values: Any, dtype: str = "float64") -> Tensor:
    """A tensor that the checker wants the gradient of."""
    return Tensor(np.asarray(values, dtype=dtype), requires_grad=True)


def rms_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield leaf([[3.0, 4.0], [1.0, 0.0]]), leaf([1.0, 2.0]), 0.1
    yield leaf(np.zeros((1, 3))), leaf([1.0, 2.0, 3.0]), 1e-5
    yield leaf(rng.normal(size=(2, 3, 4))), leaf(rng.normal(size=4)), 1e-5
    yield leaf(rng.normal(size=(2, 4)), "float32"), leaf([1, 2, 3, 4], "float32"), 1e-5


@exercise(
    "build.rms_norm",
    title="The norm, on the tape",
    minutes=5,
    difficulty=1,
    todo="divide x by the root of its mean square plus eps, times weight",
    hint="As in lesson 6, but a tensor has its own functions: x.mean(…), x.sqrt(), not np.sqrt(x).",
    cases=rms_cases,
    mistakes=(
        (
            "((x * x).mean(axis=-1, keepdims=True) + eps).sqrt()",
            "np.sqrt((x * x).mean(axis=-1, keepdims=True) + eps)",
            "NumPy's functions do not take tensors: use the tensor's own, as x.sqrt()",
        ),
        (
            "((x * x).mean(axis=-1, keepdims=True) + eps).sqrt()",
            "((x * x).mean(axis=-1, keepdims=True).sqrt() + eps)",
            "eps stands under the root",
        ),
        (".mean(", ".sum(", "you summed the squares: take their mean"),
        (" * weight", "", "the weight is missing"),
        ("(axis=-1, keepdims=True)", "()", "each token has its own root mean square: axis=-1"),
    ),
)
def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-5) -> Tensor:
    """(…, C), (C,) -> (…, C): x / √(mean(x²) + eps) · weight, the mean over C.

    Use tensor operations only (here and in all parts): + - * / ** @, indexing, and .sum, .mean,
    .max, .exp, .log, .sqrt, .reshape, .transpose. What goes through .data or NumPy has no gradient.

    >>> rms_norm(Tensor([1.0, 7.0]), Tensor([1.0, 1.0]), 0.0)
    Tensor([0.2, 1.4])
    """
    return x / ((x * x).mean(axis=-1, keepdims=True) + eps).sqrt() * weight


def rope_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield leaf([[[[1.0, 2.0, 3.0, 4.0]]]]), np.array([[math.pi / 2, 0.1]])
    yield leaf(np.ones((1, 2, 2, 2))), np.array([[0.0], [1.0]])
    yield leaf(rng.normal(size=(2, 3, 5, 8))), rng.normal(size=(5, 4))
    yield leaf(rng.normal(size=(1, 2, 3, 4)), "float32"), rng.normal(size=(3, 2))


@exercise(
    "build.rope",
    title="Turn queries and keys",
    minutes=5,
    difficulty=2,
    todo="cut D into a left and a right half, turn each pair, and join the halves again",
    hint="x[..., : D // 2] is the left half. left · cos - right · sin is the new one.",
    cases=rope_cases,
    mistakes=(
        (
            "    left, right = x[..., :half], x[..., half:]\n"
            "    return F.concatenate([left * c - right * s, left * s + right * c], axis=-1)\n",
            "    left, right = x[..., 0::2], x[..., 1::2]\n"
            "    pairs = [(left * c - right * s)[..., None], (left * s + right * c)[..., None]]\n"
            "    return F.concatenate(pairs, axis=-1).reshape(x.shape)\n",
            "you paired neighbours: feature i goes with i + D/2",
        ),
        (
            "left * c - right * s, left * s + right * c",
            "left * c + right * s, right * c - left * s",
            "you turned backwards: the left half gets the minus",
        ),
        (
            "[left * c - right * s, left * s + right * c]",
            "[left * s + right * c, left * c - right * s]",
            "the halves are swapped: cos goes with left in the left half",
        ),
        (
            "np.cos(angles), np.sin(angles)",
            "Tensor(np.cos(angles)), Tensor(np.sin(angles))",
            "a float64 Tensor makes float32 results float64: leave cos and sin plain arrays",
        ),
    ),
)
def rope(x: Tensor, angles: np.ndarray) -> Tensor:
    """(B, H, T, D), (T, D/2) -> (B, H, T, D): turn pair i of token t by angles[t, i].

    The pair are features i and i + D/2, as in Llama's code. NumPy may work on the angles, which
    need no gradient; F.concatenate([a, b], axis=-1) joins tensors.

    >>> rope(Tensor([[[[1.0, 2.0, 3.0, 4.0]]]]), np.zeros((1, 2)))
    Tensor([[[[1., 2., 3., 4.]]]])
    """
    c, s = np.cos(angles), np.sin(angles)  # (T, D/2)
    half = x.shape[-1] // 2
    left, right = x[..., :half], x[..., half:]
    return F.concatenate([left * c - right * s, left * s + right * c], axis=-1)


def attend_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield (
        leaf([[[[1.0, 1.0], [0.0, 2.0], [1.0, 1.0]]]]),
        leaf([[[[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]]]),
        leaf([[[[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]]]]),
    )
    yield leaf(np.ones((1, 1, 1, 2))), leaf(np.ones((1, 1, 1, 2))), leaf([[[[7.0, 8.0]]]])
    yield tuple(leaf(rng.normal(size=(2, 3, 5, 4))) for _ in "qkv")
    yield tuple(leaf(rng.normal(size=(2, heads, 3, 4))) for heads in (6, 2, 2))  # grouped
    yield tuple(leaf(rng.normal(size=(1, 2, 3, 4)), "float32") for _ in "qkv")


@exercise(
    "build.attend",
    title="Causal attention with grouped keys",
    minutes=15,
    difficulty=3,
    todo="softmax(q kᵀ / √D + mask) v, where H / H_kv query heads share a key head",
    hint="k.transpose(-2, -1) is kᵀ. Query head h reads key head h // group: k[:, own] with "
    "own = np.arange(H) // group takes the right head for each.",
    cases=attend_cases,
    mistakes=(
        (" + np.triu(np.full((T, T), -np.inf), k=1)", "", "tokens look ahead: add a mask"),
        (
            "np.full((T, T), -np.inf), k=1)",
            "np.full((T, T), -np.inf))",
            "a token may look at itself too: -inf stands above the diagonal, k=1",
        ),
        (" / math.sqrt(D)", "", "you did not divide the scores by √D"),
        ("/ math.sqrt(D)", "/ D", "you divided by D, not by √D"),
        (
            "scores = scores + np.triu(np.full((T, T), -np.inf), k=1)",
            "scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)",
            "np.where gives an array without a tape: add a mask of 0 and -inf to the scores",
        ),
        (
            "F.softmax(scores)",
            "(np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True))",
            "NumPy's functions do not take tensors: use F.softmax, or the tensor's own, as x.exp()",
        ),
        (
            "F.softmax(scores)",
            "F.softmax(scores, dim=-2)",
            "your softmax goes down the columns: each query's row sums to 1",
        ),
        (
            "scores + np.triu(np.full((T, T), -np.inf), k=1)",
            "scores + Tensor(np.triu(np.full((T, T), -np.inf), k=1))",
            "a float64 Tensor makes float32 results float64: add the mask as a plain array",
        ),
        (
            "k[:, own].transpose(-2, -1)",
            "k.transpose(-2, -1)",
            "there are fewer key heads than query heads: each serves a group of H / H_kv of them",
        ),
        (
            "np.arange(H) // (H // H_kv)",
            "np.arange(H) % H_kv",
            "your key heads run 0 1 0 1: query head h reads key head h // group, so 0 0 1 1",
        ),
    ),
)
def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """(B, H, T, D), (B, H_kv, T, D) twice -> (B, H, T, D): each token's mix of earlier values.

    softmax(q kᵀ / √D + mask) v; the mask is -inf where a key is later than the query, else 0. Query
    head h reads key head h // group, group = H / H_kv. NumPy may make the mask and the numbers of
    heads; F.softmax(x) may be used.

    >>> zeros = Tensor(np.zeros((1, 1, 2, 1)))
    >>> attend(zeros, zeros, Tensor([[[[1.0], [3.0]]]]))
    Tensor([[[[1.],
              [2.]]]])
    """
    (_, H, T, D), H_kv = q.shape, k.shape[1]
    own = np.arange(H) // (H // H_kv)  # the key head of each query head
    scores = q @ k[:, own].transpose(-2, -1) / math.sqrt(D)  # (B, H, T, T)
    scores = scores + np.triu(np.full((T, T), -np.inf), k=1)
    return F.softmax(scores) @ v[:, own]


def lean(x: Tensor) -> Tensor:
    """Stands in for `rope`: (B, H, T, D) -> the same shape, and no two places are treated alike."""
    return x + 0.1 * np.arange(x.size).reshape(x.shape)


def running_mean(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Stands in for `attend`: (B, H, T, D) ×3, of which k and v may have fewer heads."""
    group = q.shape[1] // k.shape[1]
    T = q.shape[2]
    mean = np.tri(T) / np.arange(1, T + 1)[:, None]  # (T, T)
    return q * 0.5 + mean @ (k * 2 - v)[:, np.arange(q.shape[1]) // group]


def attention_weights(
    rng: np.random.Generator, C: int, kv_width: int, prefix: str
) -> dict[str, Tensor]:
    widths = {"q_proj": C, "k_proj": kv_width, "v_proj": kv_width, "o_proj": C}
    return {f"{prefix}{n}.weight": leaf(rng.normal(size=(w, C))) for n, w in widths.items()}


def attention_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    for B, T, C, n_head, n_kv_head, prefix in (
        (1, 2, 4, 2, 2, "a."), (1, 1, 2, 1, 1, "a."), (2, 3, 8, 4, 2, "layers.0.self_attn."),
    ):  # fmt: skip
        weights = attention_weights(rng, C, C // n_head * n_kv_head, prefix)
        x = leaf(rng.normal(size=(B, T, C)))
        yield x, weights, prefix, n_head, lean, running_mean


@exercise(
    "build.attention",
    title="The attention of a layer",
    minutes=10,
    difficulty=2,
    todo="project x, cut it into heads, turn q and k, attend, join the heads, project again",
    hint="reshape(B, T, -1, D) and then transpose(1, 2) makes (B, heads, T, D), be they H or H_kv.",
    cases=attention_cases,
    mistakes=(
        (
            ".reshape(B, T, -1, D).transpose(1, 2)",
            ".reshape(B, -1, T, D)",
            "you reshaped straight to (B, H, T, D): that mixes tokens; cut the width, then swap",
        ),
        (
            'turn(heads("q_proj")), turn(heads("k_proj"))',
            'heads("q_proj"), heads("k_proj")',
            "queries and keys must be turned",
        ),
        (
            'heads("v_proj")',
            'turn(heads("v_proj"))',
            "you turned the values: only queries and keys know positions",
        ),
        (
            ".transpose(1, 2).reshape(B, T, C)",
            ".reshape(B, T, C)",
            "you joined the heads without swapping axes: a row now mixes several tokens",
        ),
        (' @ weights[prefix + "o_proj.weight"].T', "", "the last projection, o_proj, is missing"),
        ('.weight"].T\n', '.weight"]\n', "weights are (out, in): x @ weight.T"),
    ),
)
def attention(
    x: Tensor,
    weights: dict[str, Tensor],
    prefix: str,
    n_head: int,
    turn: "Callable[[Tensor], Tensor]",
    attend: "Callable[[Tensor, Tensor, Tensor], Tensor]",
) -> Tensor:
    """(B, T, C) -> (B, T, C): what stands around `attend`. A head is D = C / n_head wide.

    weights[prefix + "q_proj.weight"] is (C, C), and so is "o_proj.weight"; "k_proj.weight" and
    "v_proj.weight" are (H_kv·D, C). turn(x) is `rope` with its angles, (B, heads, T, D) -> the
    same; attend(q, k, v) is what you wrote before.

    >>> one = {f"{name}_proj.weight": Tensor([[2.0]]) for name in "qkvo"}
    >>> attention(Tensor([[[1.0]]]), one, "", 1, lambda x: x, lambda q, k, v: q + k + v)
    Tensor([[[12.]]])
    """
    B, T, C = x.shape
    D = C // n_head

    def heads(name: str) -> Tensor:
        y = x @ weights[prefix + name + ".weight"].T  # (B, T, heads·D)
        return y.reshape(B, T, -1, D).transpose(1, 2)  # (B, heads, T, D)

    q, k, v = turn(heads("q_proj")), turn(heads("k_proj")), heads("v_proj")
    y = attend(q, k, v).transpose(1, 2).reshape(B, T, C)
    return y @ weights[prefix + "o_proj.weight"].T


def swiglu_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    small = {"gate_proj.weight": leaf([[1.0]]), "up_proj.weight": leaf([[3.0]])}
    yield leaf([[[2.0]]]), small | {"down_proj.weight": leaf([[0.5]])}, ""
    shapes = {"gate_proj": (8, 4), "up_proj": (8, 4), "down_proj": (4, 8)}
    weights = {f"layers.0.mlp.{n}.weight": leaf(rng.normal(size=s)) for n, s in shapes.items()}
    yield leaf(np.zeros((1, 1, 4))), weights, "layers.0.mlp."
    yield leaf(1000 * rng.normal(size=(1, 2, 4))), weights, "layers.0.mlp."
    yield leaf(rng.normal(size=(2, 3, 4))), weights, "layers.0.mlp."


@exercise(
    "build.swiglu",
    title="The gated feed-forward",
    minutes=5,
    difficulty=1,
    todo="return (silu(x gateᵀ) · (x upᵀ)) downᵀ",
    hint="silu(z) = z · F.sigmoid(z). Weights are (out, in): x @ weight.T.",
    cases=swiglu_cases,
    mistakes=(
        ("gate * F.sigmoid(gate)", "F.sigmoid(gate)", "silu is z times the sigmoid of z"),
        (
            "gate * F.sigmoid(gate) * up",
            "gate * F.sigmoid(up) * up",
            "you put the silu on up: it belongs on gate",
        ),
        (" * up)", ")", "up is missing: silu(gate) multiplies it"),
        (" * up)", " + up)", "the gate multiplies, it does not add"),
        ("F.sigmoid(gate)", "(1 / (1 + np.exp(-gate)))", "NumPy does not take tensors: F.sigmoid"),
        (
            "F.sigmoid(gate)",
            "(gate.exp() / (gate.exp() + 1))",
            "exp overflows for large numbers: F.sigmoid does not",
        ),
        (
            "gate * F.sigmoid(gate)",
            "gate / ((-gate).exp() + 1)",
            "exp overflows for large numbers, and then its gradient is NaN: F.sigmoid's is not",
        ),
    ),
)
def swiglu(x: Tensor, weights: dict[str, Tensor], prefix: str) -> Tensor:
    """(B, T, C) -> (B, T, C): (silu(x gateᵀ) · (x upᵀ)) downᵀ.

    weights[prefix + "gate_proj.weight"] is (F, C), as is "up_proj.weight"; "down_proj.weight" is
    (C, F). F.sigmoid may be used.

    >>> weights = {f"{name}_proj.weight": Tensor([[4.0]]) for name in ("gate", "up", "down")}
    >>> swiglu(Tensor([[[0.0]]]), weights, "")
    Tensor([[[0.]]])
    """
    gate = x @ weights[prefix + "gate_proj.weight"].T  # (B, T, F)
    up = x @ weights[prefix + "up_proj.weight"].T
    return (gate * F.sigmoid(gate) * up) @ weights[prefix + "down_proj.weight"].T


def scale(x: Tensor, weight: Tensor) -> Tensor:
    """Stands in for `rms_norm`."""
    return x * weight


def look(x: Tensor, weights: dict[str, Tensor], prefix: str) -> Tensor:
    """Stands in for `attention`, and is called like it."""
    return x.tanh() @ weights[prefix + "o_proj.weight"].T


def think(x: Tensor, weights: dict[str, Tensor], prefix: str) -> Tensor:
    """Stands in for `swiglu`, and is called like it."""
    return (x * x) @ weights[prefix + "down_proj.weight"].T


def block_weights(rng: np.random.Generator, C: int, prefix: str) -> dict[str, Tensor]:
    return {
        prefix + "input_layernorm.weight": leaf(rng.normal(size=C)),
        prefix + "self_attn.o_proj.weight": leaf(rng.normal(size=(C, C))),
        prefix + "post_attention_layernorm.weight": leaf(rng.normal(size=C)),
        prefix + "mlp.down_proj.weight": leaf(rng.normal(size=(C, C))),
    }


def block_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    for (B, T, C), prefix in (((1, 1, 2), "layers.0."), ((1, 2, 1), ""), ((2, 3, 4), "layers.11.")):
        x = leaf(rng.normal(size=(B, T, C)))
        yield x, block_weights(rng, C, prefix), prefix, scale, look, think


@exercise(
    "build.block",
    title="A block",
    minutes=5,
    difficulty=1,
    todo="add attention of the normed x to x, then the feed-forward of the normed new x",
    hint='norm(x, weights[prefix + "input_layernorm.weight"]) is what attention reads.',
    cases=block_cases,
    mistakes=(
        ("x = x + attention", "x = attention", "the attention replaced the stream: add it to x"),
        ("return x + mlp", "return mlp", "the feed-forward part replaced the stream: add it to x"),
        (
            "post_attention_layernorm",
            "input_layernorm",
            "each norm has its own weight: post_attention_layernorm comes before the mlp",
        ),
        (
            'norm(x, weights[prefix + "post_attention_layernorm.weight"])',
            "x",
            "the second norm is missing",
        ),
        (
            '    x = x + attention(y, weights, prefix + "self_attn.")\n'
            '    y = norm(x, weights[prefix + "post_attention_layernorm.weight"])\n',
            '    z = norm(x, weights[prefix + "post_attention_layernorm.weight"])\n'
            '    x = x + attention(y, weights, prefix + "self_attn.")\n'
            "    y = z\n",
            "both parts read the same x: the second reads what the first has added to",
        ),
        (
            'prefix + "self_attn."',
            "prefix",
            'the names of attention\'s weights go on with "self_attn.": prefix + "self_attn."',
        ),
    ),
)
def block(
    x: Tensor,
    weights: dict[str, Tensor],
    prefix: str,
    norm: "Callable[[Tensor, Tensor], Tensor]",
    attention: "Callable[[Tensor, dict[str, Tensor], str], Tensor]",
    mlp: "Callable[[Tensor, dict[str, Tensor], str], Tensor]",
) -> Tensor:
    """(B, T, C) -> (B, T, C): x + attention(norm(x)), and then, of the new x, x + mlp(norm(x)).

    Call norm(x, weight) with the weight called prefix + "input_layernorm.weight" first, and then
    prefix + "post_attention_layernorm.weight"; attention(x, weights, prefix + "self_attn.") and
    mlp(x, weights, prefix + "mlp.").

    >>> weights = {"input_layernorm.weight": 2, "post_attention_layernorm.weight": 3}
    >>> def same(x, weights, prefix):
    ...     return x
    >>> block(Tensor([1.0]), weights, "", lambda x, weight: x * weight, same, same)
    Tensor([12.])
    """
    y = norm(x, weights[prefix + "input_layernorm.weight"])
    x = x + attention(y, weights, prefix + "self_attn.")
    y = norm(x, weights[prefix + "post_attention_layernorm.weight"])
    return x + mlp(y, weights, prefix + "mlp.")


def bend(x: Tensor, weights: dict[str, Tensor], prefix: str) -> Tensor:
    """Stands in for `block`, and is called like it."""
    return x + x.tanh() * weights[prefix + "input_layernorm.weight"]


def forward_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    for ids, n_layer, V, C in (
        ([[2, 0]], 3, 3, 2), ([[1]], 0, 2, 1), (rng.integers(0, 7, size=(2, 5)), 12, 7, 4),
    ):  # fmt: skip
        names = [f"layers.{i}.input_layernorm.weight" for i in range(n_layer)]
        weights = {"embed_tokens.weight": leaf(rng.normal(size=(V, C)))}
        weights |= {name: leaf(rng.normal(size=C)) for name in [*names, "norm.weight"]}
        yield np.asarray(ids), weights, n_layer, bend, scale


@exercise(
    "build.forward",
    title="From ids to logits",
    minutes=10,
    difficulty=2,
    todo="look up the rows of the ids, go through all blocks, norm, and compare with the table",
    hint='table[ids] is (B, T, C). Block i has the prefix f"layers.{i}.". The head is table.T.',
    cases=forward_cases,
    mistakes=(
        ('norm(x, weights["norm.weight"]) @ table.T', "x @ table.T", "the last norm is missing"),
        (
            'norm(x, weights["norm.weight"]) @ table.T',
            'norm(x, weights["norm.weight"])',
            "those are vectors, not scores: the table that embedded the ids is the head, @ table.T",
        ),
        ("x = block(", "block(", "what a block returns is lost: x = block(…)"),
        ("block(x,", "block(table[ids],", "each block reads what the block before it returned"),
        (
            'f"layers.{i}."',
            '"layers.0."',
            "every block has its own weights: layers.0., layers.1. …",
        ),
        ("range(n_layer)", "range(1, n_layer)", "blocks are counted from 0"),
    ),
)
def forward(
    ids: np.ndarray,
    weights: dict[str, Tensor],
    n_layer: int,
    block: "Callable[[Tensor, dict[str, Tensor], str], Tensor]",
    norm: "Callable[[Tensor, Tensor], Tensor]",
) -> Tensor:
    """(B, T) integers -> (B, T, V): for each place, scores of the token that comes next.

    Rows of "embed_tokens.weight" (V, C) go through block(x, weights, prefix) with the prefixes
    "layers.0.", "layers.1." …, then through norm(x, weight) with "norm.weight". The scores are the
    products with all rows of the same table: a tied head.

    >>> weights = {"embed_tokens.weight": Tensor([[1.0], [2.0]]), "norm.weight": Tensor([1.0])}
    >>> forward(np.array([[1]]), weights, 0, None, lambda x, weight: x * weight)
    Tensor([[[2., 4.]]])
    """
    table = weights["embed_tokens.weight"]
    x = table[ids]  # (B, T, C)
    for i in range(n_layer):
        x = block(x, weights, f"layers.{i}.")
    return norm(x, weights["norm.weight"]) @ table.T  # (B, T, V)


def loss_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield leaf([[[0.0, 1.0, 3.0], [2.0, 0.0, 0.5]]]), np.array([[2, 1]])
    yield leaf(np.zeros((2, 2, 65))), np.array([[3, 1], [4, 1]])  # ln 65
    yield leaf([[[1000.0, 0.0], [0.0, 0.0]]]), np.array([[1, 0]])
    yield leaf(rng.normal(size=(2, 3, 5))), rng.integers(0, 5, size=(2, 3))
    yield leaf(rng.normal(size=(2, 3, 5)), "float32"), rng.integers(0, 5, size=(2, 3))


@exercise(
    "build.loss",
    title="The loss, on the tape",
    minutes=10,
    difficulty=2,
    todo="average log Σ exp(z) - z[target] over all places",
    hint="Make the logits (N, V) first. z[np.arange(N), targets.reshape(-1)] picks one a row.",
    cases=loss_cases,
    mistakes=(
        (
            "    z = z - z.max(axis=-1, keepdims=True)\n",
            "",
            "exp overflows for large logits: take each row's maximum off first",
        ),
        (".mean()\n", ".sum()\n", "you summed: take the mean over the places"),
        ("(z.exp().sum(axis=-1).log() - right)", "(-right)", "log Σ exp(z) is missing"),
        (
            "(z.exp().sum(axis=-1).log() - right)",
            "(right - z.exp().sum(axis=-1).log())",
            "the sign is wrong: a loss is positive",
        ),
        (
            "z.exp().sum(axis=-1).log()",
            "np.log(z.exp().sum(axis=-1))",
            "NumPy's functions do not take tensors: use the tensor's own, as x.log()",
        ),
        (
            "z[np.arange(len(z)), targets.reshape(-1)]",
            "z[:, targets.reshape(-1)]",
            "that picks every target in every row: np.arange(N) goes with the targets",
        ),
    ),
)
def cross_entropy(logits: Tensor, targets: np.ndarray) -> Tensor:
    """(B, T, V), (B, T) integers -> a tensor of one number: the mean of -log softmax(z)[target].

    Logits of 1000 must not overflow. The targets are shifted already: one for each place.

    >>> cross_entropy(Tensor(np.zeros((1, 2, 65))), np.array([[3, 1]]))       # ln 65
    Tensor(4.1744)
    """
    z = logits.reshape(-1, logits.shape[-1])  # (N, V)
    z = z - z.max(axis=-1, keepdims=True)
    right = z[np.arange(len(z)), targets.reshape(-1)]  # (N,)
    return (z.exp().sum(axis=-1).log() - right).mean()


def bowl(weights: dict[str, Tensor]) -> Tensor:
    """A loss whose gradients are short: 0.01 · Σ (w - 2)² over all weights."""
    return sum(((w - 2.0) ** 2).sum() for w in weights.values()) * 0.01  # type: ignore[return-value]


def steep(weights: dict[str, Tensor]) -> Tensor:
    """A loss whose gradients are long at first, and shorter at every step."""
    a, b = weights["a"], weights["b"]
    return (a * a * a * a).sum() * 0.5 + ((a @ b - 1.0) ** 2).sum()


def step_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield {"a": np.array([[1.0, 4.0]])}, bowl, 0.1, 1
    yield {"a": np.array([[1.0, -4.0]]), "b": np.array([3.0, 0.5])}, bowl, 0.1, 3
    yield {"a": np.array([[1.0, -2.0]]), "b": np.array([3.0, 0.5])}, steep, 0.1, 1
    yield {"a": rng.normal(size=(3, 2)) * 2, "b": rng.normal(size=2)}, steep, 0.05, 5
    a, b = (rng.normal(size=size).astype("float32") for size in ((3, 2), 2))
    yield {"a": a, "b": b}, steep, 0.05, 2


def run_step(
    attempt: Callable[..., Any],
    start: dict[str, np.ndarray],
    loss_of: Callable[..., Any],
    lr: float,
    steps: int,
) -> dict[str, Any]:
    """Take some steps from the same start; collect the losses and the weights at the end."""
    weights = {name: Tensor(array.copy(), requires_grad=True) for name, array in start.items()}
    moments: dict[str, Any] = {}
    losses = [attempt(weights, moments, t, lr, loss_of) for t in range(1, steps + 1)]
    return {"losses": losses, "weights": weights}


@exercise(
    "build.step",
    title="One step of training",
    minutes=15,
    difficulty=3,
    todo="forget old gradients, work out new ones, clip them together, step by AdamW",
    hint="Every w.grad = None; loss.backward(); one norm of all gradients; then, for each weight, "
    "m and v, decay if it is a matrix, and w.data -= …",
    cases=step_cases,
    run=run_step,
    mistakes=(
        (
            "        w.grad = None\n",
            "        pass\n",
            "old gradients are still there, and backward() adds to them: set w.grad = None first",
        ),
        (
            "g = g / max(norm, 1.0)",
            "pass",
            "the clipping is missing: divide by the norm of all gradients when it is above 1",
        ),
        ("/ max(norm, 1.0)", "/ norm", "you scaled short gradients up: only down"),
        (
            "/ max(norm, 1.0)",
            "/ max(math.sqrt(float((g**2).sum())), 1.0)",
            "you clipped each weight by itself: one norm, of all gradients together",
        ),
        (
            "m / (1 - 0.9**t), v / (1 - 0.99**t)",
            "m, v",
            "the correction for the start at zero is missing: m / (1 - 0.9ᵗ), v / (1 - 0.99ᵗ)",
        ),
        (
            "a, b = m / (1",
            "a, b = moments[name] = m / (1",
            "you kept the corrected moments: keep the plain m and v",
        ),
        ("if w.ndim > 1:", "if True:", "vectors, the weights of norms, do not decay"),
        (
            "w.data *= 1 - 0.1 * lr",
            "pass",
            "the decay is missing: a matrix shrinks by 1 - 0.1 · lr",
        ),
        (
            "            w.data *= 1 - 0.1 * lr\n",
            "            w.data *= 1 - 0.1\n",
            "the decay goes with the rate: 1 - 0.1 · lr",
        ),
        ("w.data -= lr", "w.data += lr", "you went uphill: take the step off"),
        (
            "w.data -= lr * a / (np.sqrt(b) + 1e-8)",
            "weights[name] = Tensor(w.data - lr * a / (np.sqrt(b) + 1e-8))",
            "a new Tensor does not ask for gradients: change w.data of the one that is there",
        ),
    ),
)
def train_step(
    weights: dict[str, Tensor],
    moments: dict[str, tuple[np.ndarray, np.ndarray]],
    t: int,
    lr: float,
    loss_of: "Callable[[dict[str, Tensor]], Tensor]",
) -> float:
    """Step t of training, counted from 1: change all weights in place, return the loss before it.

    Forget the old gradients; loss_of(weights) is the loss, and backward() puts gradients into each
    w.grad. If their norm, of all together, is above 1, divide all by it. Then AdamW, for each w:

    m ← 0.9 m + 0.1 g and v ← 0.99 v + 0.01 g², which moments[name] keeps (it is empty at first),
    w ← w · (1 - 0.1 lr) if w is a matrix, not a vector,
    w ← w - lr · a / (√b + 1e-8), where a = m / (1 - 0.9ᵗ) and b = v / (1 - 0.99ᵗ).
    All this is done outside the tape: use w.data and NumPy.

    >>> w = Tensor([[1.0, 2.0]], requires_grad=True)
    >>> train_step({"w": w}, {}, 1, 0.5, lambda weights: (weights["w"] ** 2).sum())
    5.0
    >>> w
    Tensor([[0.45, 1.4 ]], requires_grad=True)
    """
    for w in weights.values():
        w.grad = None
    loss = loss_of(weights)
    loss.backward()
    gradients = {name: w.grad for name, w in weights.items() if w.grad is not None}
    norm = math.sqrt(sum(float((g**2).sum()) for g in gradients.values()))
    for name, g in gradients.items():
        g = g / max(norm, 1.0)
        m, v = moments.get(name, (0.0, 0.0))
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        moments[name] = m, v
        a, b = m / (1 - 0.9**t), v / (1 - 0.99**t)
        w = weights[name]
        if w.ndim > 1:
            w.data *= 1 - 0.1 * lr
        w.data -= lr * a / (np.sqrt(b) + 1e-8)
    return loss.item()


class Fading:
    """A stand-in for the model: what it says depends on all ids that it reads."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = table  # (V, V)

    def __repr__(self) -> str:
        return f"Fading({len(self.table)} tokens)"

    def __call__(self, ids: np.ndarray) -> Tensor:
        """(B, T) -> (B, T, V): older ids count for less."""
        if np.ndim(ids) != 2:
            raise ValueError(f"forward reads ids of shape (B, T), not {np.shape(ids)}")
        age = np.arange(np.shape(ids)[1])
        return Tensor(np.tril(0.8 ** (age[:, None] - age)) @ self.table[ids])


def generate_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield Fading(np.roll(np.eye(4), 1, axis=1)), [0, 1], 3, 0.0, 8, 0
    yield Fading(rng.normal(size=(6, 6))), [3], 0, 1.0, 8, 0
    yield Fading(rng.normal(size=(6, 6))), [1, 2, 3], 12, 0.0, 4, 0
    yield Fading(rng.normal(size=(9, 9))), [4, 0], 20, 1.0, 8, 1
    yield Fading(rng.normal(size=(9, 9))), [4], 20, 0.5, 3, 2


def run_generate(
    attempt: Callable[..., Any],
    forward: Fading,
    ids: list[int],
    n: int,
    temperature: float,
    window: int,
    seed: int,
) -> Any:
    """Call it with a generator made from the seed."""
    return attempt(forward, ids, n, temperature, window, np.random.default_rng(seed))


@exercise(
    "build.generate",
    title="Let it write",
    minutes=10,
    difficulty=2,
    todo="n times: read the last ids, take the last place's scores, draw one id, and add it",
    hint="forward(np.array([ids[-window:]])).data[0, -1] are the scores of the next token.",
    cases=generate_cases,
    run=run_generate,
    mistakes=(
        (".data[0, -1]", ".data[0, 0]", "the last place is about the next token, not the first"),
        (
            "ids[-window:]",
            "ids",
            "give forward the last `window` ids only: it has not learned to read more",
        ),
        ("ids = [*ids, best]", "pass", "the new id must be read too: add it to the ids"),
        (
            "/ temperature)",
            "* temperature)",
            "you multiplied: a low temperature sharpens, so divide",
        ),
        (
            "return ids[len(ids) - n :]",
            "return ids",
            "return the new ids alone, without those that were given",
        ),
        (
            "        if temperature == 0:\n            best = int(z.argmax())\n        else:\n",
            "        if True:\n",
            "you divided by a temperature of 0: take the best token instead",
        ),
        (
            "best = int(rng.choice(len(z), p=p / p.sum()))",
            "best = int(p.argmax())",
            "you always took the best one: draw with rng.choice",
        ),
    ),
)
def generate(
    forward: "Callable[[np.ndarray], Tensor]",
    ids: list[int],
    n: int,
    temperature: float,
    window: int,
    rng: np.random.Generator,
) -> list[int]:
    """The n ids that follow `ids`, as Python integers.

    forward(ids) takes (1, T) ids, at most the last `window` of all so far, and gives (1, T, V)
    logits. Draw each id with rng.choice(V, p=softmax(logits / temperature)); at temperature 0 take
    the best one. No gradient is needed: use .data.

    >>> def count(ids):
    ...     return Tensor(np.eye(9)[ids + 1])
    >>> generate(count, [3, 4], 3, 0.0, 8, np.random.default_rng(0))
    [5, 6, 7]
    """
    for _ in range(n):
        z = forward(np.array([ids[-window:]])).data[0, -1]  # (V,)
        if temperature == 0:
            best = int(z.argmax())
        else:
            p = np.exp((z - z.max()) / temperature)
            best = int(rng.choice(len(z), p=p / p.sum()))
        ids = [*ids, best]
    return ids[len(ids) - n :]
