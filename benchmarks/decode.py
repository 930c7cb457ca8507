"""Writing text with a key/value cache, and reading a long prompt into it; tokens a second."""

from __future__ import annotations

from functools import partial
from typing import Any

import qt
from benchmarks.claim import Claim, Samples, race, require_close
from benchmarks.shapes import SMALL, random_ids

PROMPT, NEW = 16, 200


def torch_generate(peer: Any, ids: Any, n: int) -> Any:
    """(B, T) -> (B, T + n): the likeliest token, n times, with an own cache."""
    from benchmarks.torch_gpt import Cache, torch

    with torch.inference_mode():
        cache, tokens, unread = Cache(peer.c, len(ids)), [ids], ids
        for _ in range(n):
            unread = peer(unread, cache)[:, -1].argmax(dim=-1, keepdim=True)
            tokens.append(unread)
        return torch.cat(tokens, dim=1)


def measure_decode(B: int, threads: int = 1) -> Samples:
    from benchmarks.torch_gpt import fair_peer, torch

    torch.set_num_threads(threads)
    model, ids = qt.GPT(SMALL.replace(block_size=256)), random_ids(B, PROMPT)
    peer, given = fair_peer(model, ids, ids), torch.from_numpy(ids)
    return race(
        lambda: qt.generate(model, ids, max_new_tokens=NEW, temperature=0),
        lambda: torch_generate(peer, given, NEW),
    ).per_second(B * NEW)


def measure_prefill(T: int = 1024, threads: int = 1) -> Samples:
    from benchmarks.torch_gpt import Cache, fair_peer, torch

    torch.set_num_threads(threads)
    model, ids = qt.GPT(SMALL.replace(block_size=T)), random_ids(1, T)
    peer, given = fair_peer(model, ids, ids), torch.from_numpy(ids)

    def ours() -> Any:
        return model(ids, cache=model.new_cache(1, T)).numpy()

    def theirs() -> Any:
        with torch.inference_mode():
            return peer(given, Cache(peer.c, 1)).numpy()

    require_close("the logits", ours(), theirs(), 1e-4)
    return race(ours, theirs, repeats=21).per_second(T)


CLAIMS = [
    Claim("decode", "PyTorch eager", "tokens/s", 4.0, partial(measure_decode, 1)),
    Claim("decode_batch", "PyTorch eager", "tokens/s", 1.5, partial(measure_decode, 16)),
    Claim("prefill", "PyTorch eager", "tokens/s", 0.9, measure_prefill),
]
