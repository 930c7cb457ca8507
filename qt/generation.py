"""How a model writes: scores → probabilities → one token, again and again.

The dials shape the distribution in this order: temperature, top-k, top-p (nucleus sampling,
Holtzman et al. 2020), min-p (Nguyen et al. 2024), each renormalised before the next.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from qt.model import GPT
from qt.nn import inference
from qt.tensor import Tensor
from qt.tokenizers import Tokenizer


def next_token_probabilities(
    logits: npt.ArrayLike,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
) -> npt.NDArray[np.float64]:
    """(V,) scores -> (V,) float64 probabilities from which the next token is drawn.

    Temperature t divides the scores; 0 puts everything on the best one. `top_k` keeps the k most
    likely tokens, `top_p` the fewest whose probabilities reach p, `min_p` those with at least
    p times the probability of the best. Of equal tokens the one with the lower id goes first.

    Raises `ValueError` for settings out of range or scores that are NaN or infinite.
    """
    check_dials(temperature, top_k, top_p, min_p)
    scores = np.asarray(logits.data if isinstance(logits, Tensor) else logits, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"logits must have shape (V,), not {scores.shape}: pass logits[b, -1]")
    if not np.isfinite(scores.max(initial=-np.inf)):
        raise ValueError("the logits hold NaN or infinity: the model's weights are damaged")
    if temperature == 0:
        return np.eye(1, len(scores), int(scores.argmax()))[0]
    p = np.exp((scores - scores.max()) / temperature)
    p /= p.sum()
    if top_k is not None and top_k < len(p):
        order = np.argsort(-p, kind="stable")
        p[order[top_k:]] = 0
        p /= p.sum()
    if top_p is not None and top_p < 1:
        order = np.argsort(-p, kind="stable")
        before = np.cumsum(p[order]) - p[order]  # what the likelier ones have together
        p[order[before >= top_p - 1e-12]] = 0  # sums such as 0.4 + 0.3 are not quite exact
        p /= p.sum()
    if min_p is not None:
        p[p < min_p * p.max()] = 0
        p /= p.sum()
    return p


def check_dials(
    temperature: float, top_k: int | None, top_p: float | None, min_p: float | None
) -> None:
    """Raise `ValueError` for a sampling setting that is out of range."""
    if not 0 <= temperature < np.inf:
        raise ValueError(f"temperature must be 0 (greedy) or a positive number, not {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, not {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, not {top_p}")
    if min_p is not None and not 0 <= min_p <= 1:
        raise ValueError(f"min_p must be from 0 to 1, not {min_p}")


def stream(
    model: GPT,
    ids: npt.ArrayLike,
    max_new_tokens: int = 64,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    seed: int = 0,
    use_cache: bool = True,
    stop_ids: Collection[int] = (),
) -> Iterator[npt.NDArray[np.int64]]:
    """(B, T) prompt -> one (B,) array of new ids after another.

    When the block is full the oldest half of it is forgotten, with or without the cache. A row that
    drew a stop id repeats it; when all rows have, the stream ends. The prompt is checked at the
    first `next()`; `generate` lists what is raised.
    """
    check_dials(temperature, top_k, top_p, min_p)
    tokens = np.array(ids, dtype=np.int64)  # (B, T), grows
    if tokens.ndim != 2 or tokens.shape[1] < 1:
        raise ValueError(f"the prompt must have shape (B, T) with T >= 1, not {tokens.shape}")
    block = model.config.block_size
    if tokens.shape[1] > block:
        raise ValueError(
            f"the prompt has {tokens.shape[1]} tokens, but the model reads at most block_size="
            f"{block}: shorten it, or train a model with a larger block"
        )
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must not be negative, but is {max_new_tokens}")
    rng = np.random.default_rng(seed)
    B = tokens.shape[0]
    cache = model.new_cache(B, block) if use_cache else None
    start = 0  # tokens before it are forgotten
    stopped = np.zeros(B, dtype=bool)
    for _ in range(max_new_tokens):
        if tokens.shape[1] - start > block:
            start += max(block // 2, 1)
            cache = model.new_cache(B, block) if use_cache else None
        unread = tokens[:, start + (cache.length if cache else 0) :]
        with inference(model):  # left before the yield: the caller's mode is not ours
            logits = model(unread, cache=cache).data[:, -1]  # (B, V)
        drawn = np.empty(B, dtype=np.int64)
        for b in range(B):
            if stopped[b]:
                drawn[b] = tokens[b, -1]
                continue
            p = next_token_probabilities(logits[b], temperature, top_k, top_p, min_p)
            place = int(np.searchsorted(np.cumsum(p), rng.random(), side="right"))
            drawn[b] = min(place, len(p) - 1)  # the sum may end a rounding error below 1
            stopped[b] = drawn[b] in stop_ids
        tokens = np.concatenate([tokens, drawn[:, None]], axis=1)
        yield drawn
        if stopped.all():
            return


def generate(
    model: GPT,
    ids: npt.ArrayLike,
    max_new_tokens: int = 64,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    seed: int = 0,
    use_cache: bool = True,
    stop_ids: Collection[int] = (),
) -> npt.NDArray[np.int64]:
    """(B, T) prompt -> (B, T + new): the prompt and what the model writes behind it.

    Temperature 0 is greedy. The same seed gives the same text, with and without the cache. Raises
    `ValueError` for a prompt that is empty, longer than the block, or holds unknown ids, and for
    settings out of range.
    """
    prompt = np.array(ids, dtype=np.int64)
    new = list(
        stream(
            model,
            prompt,
            max_new_tokens,
            temperature,
            top_k,
            top_p,
            min_p,
            seed,
            use_cache,
            stop_ids,
        )
    )
    return np.concatenate([prompt, *(column[:, None] for column in new)], axis=1)


def stream_text(model: GPT, tokenizer: Tokenizer, prompt: str, **settings: Any) -> Iterator[str]:
    """The new text, piece by piece as it is written; the settings are those of `stream`.

    A character whose bytes are spread over two tokens appears when it is whole. An empty prompt
    starts as after a blank line.
    """
    ids = tokenizer.encode(prompt) or _fresh_start(tokenizer)
    if not hasattr(tokenizer, "token_bytes"):
        for column in stream(model, [ids], **settings):
            yield tokenizer.decode([int(column[0])])
        return
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for column in stream(model, [ids], **settings):
        if piece := decoder.decode(tokenizer.token_bytes(int(column[0]))):
            yield piece
    if rest := decoder.decode(b"", final=True):
        yield rest


def _fresh_start(tokenizer: Tokenizer) -> list[int]:
    try:
        return tokenizer.encode("\n") or [0]
    except ValueError:  # a character tokenizer whose text had no line end
        return [0]
