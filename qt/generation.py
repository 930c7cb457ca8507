"""How a model writes: scores → probabilities → one token, again and again.

The dials shape the distribution in this order: repetition penalty (Keskar et al. 2019),
temperature, top-k, top-p (nucleus sampling, Holtzman et al. 2020), min-p (Nguyen et al. 2024).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from qt.decoding import Decoder
from qt.functional import log_softmax
from qt.model import GPT
from qt.nn import inference
from qt.tensor import Tensor
from qt.tokenizers import Tokenizer

Ids = npt.NDArray[np.int64]


def next_token_probabilities(
    logits: npt.ArrayLike, temperature: float = 1.0, top_k: int | None = None,
    top_p: float | None = None, min_p: float | None = None, repetition_penalty: float = 1.0,
    seen: npt.ArrayLike = (),
) -> npt.NDArray[np.float64]:  # fmt: skip
    """(V,) scores -> (V,) float64 probabilities from which the next token is drawn.

    Temperature t divides the scores; 0 puts everything on the best one. `top_k` keeps the k most
    likely tokens, `top_p` the fewest whose probabilities reach p, `min_p` those with at least p
    times the probability of the best. Of equal tokens the one with the lower id goes first.
    `repetition_penalty` r divides the scores of the ids in `seen` by r if above 0, else multiplies.
    `ValueError` for settings out of range or scores that are NaN or infinite.
    """
    check_dials(**locals())
    scores = np.array(logits.data if isinstance(logits, Tensor) else logits, dtype=np.float64)
    if scores.ndim != 1 or not scores.size:
        raise ValueError(f"logits must have shape (V,), not {scores.shape}: pass logits[b, -1]")
    if not np.isfinite(scores.max()):
        raise ValueError("the logits hold NaN or infinity: the model's weights are damaged")
    if repetition_penalty != 1:
        known = np.asarray(seen, dtype=np.int64)
        scores[known] *= np.where(scores[known] > 0, 1 / repetition_penalty, repetition_penalty)
    if temperature == 0:
        return np.eye(1, len(scores), int(scores.argmax()))[0]
    p = np.exp((scores - scores.max()) / temperature)
    likely_first = np.argsort(-p, kind="stable") if top_k or top_p else p
    if top_k is not None:
        p[likely_first[int(top_k) :]] = 0
    p /= p.sum()
    if top_p is not None and top_p < 1:
        before = np.cumsum(p[likely_first]) - p[likely_first]  # what the likelier ones have
        p[likely_first[before >= top_p - 1e-12]] = 0  # sums such as 0.4 + 0.3 are not quite exact
    if min_p is not None:
        p[p < min_p * p.max()] = 0
    return p / p.sum()


RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "temperature": (lambda t: 0 <= t < np.inf, "0 (greedy) or a positive number"),
    "top_k": (lambda k: k is None or (k >= 1 and k == int(k)), "a whole number of at least 1"),
    "top_p": (lambda p: p is None or 0 < p <= 1, "above 0 and at most 1"),
    "min_p": (lambda p: p is None or 0 <= p <= 1, "from 0 to 1"),
    "repetition_penalty": (lambda r: 0 < r < np.inf, "above 0 (1 is none)"),
    "max_new_tokens": (lambda n: n >= 0 and n == int(n), "a whole number from 0 up"),
    "seed": (lambda s: s >= 0 and s == int(s), "a whole number from 0 up"),
}


def check_dials(**dials: Any) -> None:
    """Raise `ValueError` for a sampling setting that is out of range."""
    for name, value in dials.items():
        good, wanted = RANGES.get(name, (None, ""))
        if good and (isinstance(value, str) or not good(value)):
            raise ValueError(f"{name} must be {wanted}, not {value!r}")


def left_pad(prompts: Sequence[Sequence[int]], pad_id: int = 0) -> tuple[Ids, Ids]:
    """B prompts of any lengths -> ids (B, T) and attention_mask (B, T), 0 where an id only pads.

    Padding stands on the left, so that every prompt ends where the new tokens begin.
    """
    if not all(map(len, prompts)):
        raise ValueError("a prompt is empty: give each at least one id")
    missing = [max(map(len, prompts)) - len(prompt) for prompt in prompts]
    ids = [[pad_id] * n + list(prompt) for n, prompt in zip(missing, prompts)]
    mask = [[0] * n + [1] * len(prompt) for n, prompt in zip(missing, prompts)]
    return np.array(ids), np.array(mask)


def _prompt(ids: Any, attention_mask: npt.ArrayLike | None) -> tuple[Ids, Ids | None]:
    """The prompt as (B, T) ids, and its mask where it needs one."""
    if isinstance(ids, list) and len({np.size(prompt) for prompt in ids}) > 1:
        ids, attention_mask = left_pad(ids)
    ids = np.asarray(ids)
    if ids.ndim != 2 or not ids.size:
        raise ValueError(f"the prompt must have shape (B, T) with T >= 1, not {ids.shape}")
    if ids.dtype.kind not in "iu":
        raise TypeError(f"the prompt must hold integer ids, not {ids.dtype}")
    real = None if attention_mask is None else np.asarray(attention_mask)
    if real is not None and not real[..., -1:].all():
        raise ValueError("attention_mask is 0 at the end of a prompt: pad on the left (left_pad)")
    return ids.astype(np.int64), real


def stream(
    model: GPT, ids: Any, max_new_tokens: int = 64, *, seed: int = 0, use_cache: bool = True,
    stop_ids: Collection[int] = (), attention_mask: npt.ArrayLike | None = None,
    logprobs: list[npt.NDArray[np.float64]] | None = None, **dials: Any,
) -> Iterator[Ids]:  # fmt: skip
    """(B, T) prompt -> one (B,) array of new ids after another. Arguments are those of `generate`.

    When the block is full the oldest half of it is forgotten, with or without the cache. A row that
    drew a stop id repeats it; when all have, the stream ends. `logprobs`: a list to which the log
    probabilities (B,) of the new ids are appended.
    """
    check_dials(**dials, max_new_tokens=max_new_tokens, seed=seed)
    tokens, real = _prompt(ids, attention_mask)  # (B, T) both, and they grow
    B, block = len(tokens), model.config.block_size
    if (length := tokens.shape[1]) > block:
        fits = f"the model reads at most block_size={block}: shorten it, or use a larger block"
        raise ValueError(f"the prompt has {length} tokens, but {fits}")
    stops = [stop_ids] if isinstance(stop_ids, int) else list(stop_ids)
    rng = np.random.default_rng(seed)
    greedy = dials.get("temperature", 1.0) == 0 and dials.get("repetition_penalty", 1.0) == 1
    fast = use_cache and real is None and Decoder.fits(model)
    cache, decoder, start = None, None, 0  # tokens before `start` are forgotten
    stopped = np.zeros(B, dtype=bool)
    for _ in range(max_new_tokens):
        if tokens.shape[1] - start > block:
            start, cache, decoder = start + max(block // 2, 1), None, None
        if fast and cache is not None and decoder is None:
            decoder = Decoder(model, cache)
        if decoder is not None:
            logits = decoder.step(tokens[:, -1])  # (B, V)
        else:
            if use_cache and cache is None:
                cache = model.new_cache(B, block)
            unread = np.s_[:, start + (cache.length if cache else 0) :]
            mask = None if real is None else real[unread]
            with inference(model):  # left before the yield: the caller's mode is not ours
                logits = model(tokens[unread], cache=cache, attention_mask=mask).data[:, -1]
        if greedy and not stops and math.isfinite(logits.max()):
            drawn = logits.argmax(axis=-1)
        else:
            drawn = tokens[:, -1].copy()
            for b in np.flatnonzero(~stopped):
                seen = tokens[b] if real is None else tokens[b][real[b] != 0]
                p = next_token_probabilities(logits[b], **dials, seen=seen)
                place = int(np.searchsorted(np.cumsum(p), rng.random(), side="right"))
                drawn[b] = min(place, len(p) - 1)  # the sum may end a rounding error below 1
        if logprobs is not None:
            log_p = log_softmax(Tensor(logits.astype(np.float64))).data[np.arange(B), drawn]
            logprobs.append(np.where(stopped, 0, log_p))
        if stops:
            stopped |= np.isin(drawn, stops)
        tokens = np.concatenate([tokens, drawn[:, None]], axis=1)
        real = None if real is None else np.concatenate([real, np.ones((B, 1), int)], axis=1)
        yield drawn
        if stopped.all():
            return


def generate(
    model: GPT, ids: Any, max_new_tokens: int = 64, temperature: float = 1.0,
    top_k: int | None = None, top_p: float | None = None, min_p: float | None = None, seed: int = 0,
    use_cache: bool = True, stop_ids: Collection[int] = (), repetition_penalty: float = 1.0,
    attention_mask: npt.ArrayLike | None = None, return_logprobs: bool = False,
) -> Any:  # fmt: skip
    """(B, T) prompt -> (B, T + new) int64: the prompt and what the model writes behind it.

    The same seed gives the same text, with and without the cache. Lists of different lengths are
    padded on the left with id 0 (`left_pad`), or come padded with their `attention_mask`.
    `return_logprobs` adds (B, new): the log probability, in nats, that the model itself gave each
    new id, whatever the dials. `ValueError` for a prompt that is empty, longer than the block, or
    holds unknown ids, and for settings out of range.
    """
    logprobs: list[npt.NDArray[np.float64]] = []
    prompt, attention_mask = _prompt(ids, attention_mask)
    new = stream(
        model, prompt, max_new_tokens, seed=seed, use_cache=use_cache, stop_ids=stop_ids,
        attention_mask=attention_mask, logprobs=logprobs if return_logprobs else None,
        temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p,
        repetition_penalty=repetition_penalty,
    )  # fmt: skip
    out = np.stack([*prompt.T, *new], axis=1)
    return (out, np.array(logprobs).reshape(-1, len(out)).T) if return_logprobs else out


def stream_text(
    model: GPT, tokenizer: Tokenizer, prompt: str, stop: Iterable[str] = (), **settings: Any
) -> Iterator[str]:
    """The new text, piece by piece as it is written; the settings are those of `generate`.

    A character whose bytes are spread over two tokens appears when it is whole. The text ends
    before the first of the `stop` strings. An empty prompt starts as after a blank line.
    """
    stops = [stop] if isinstance(stop, str) else list(stop)
    if "" in stops:
        raise ValueError("a stop string is empty: it would end every text before it begins")
    ids = tokenizer.encode(prompt)
    if not ids:
        with suppress(ValueError):  # a character tokenizer whose text had no line end
            ids = tokenizer.encode("\n")
    new = (int(column[0]) for column in stream(model, [ids or [0]], **settings))
    held = ""  # what may be the beginning of a stop string
    for piece in tokenizer.decode_iterable(new):
        held += piece
        found = [held.index(end) for end in stops if end in held]
        if found:
            held = held[: min(found)]
            break
        starts = (k for end in stops for k in range(len(end)) if held.endswith(end[:k]))
        cut = len(held) - max(starts, default=0)
        if cut:
            yield held[:cut]
        held = held[cut:]
    if held:
        yield held
