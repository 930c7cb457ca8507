"""The merges of one word, as trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from qt.tokenizers import BPETokenizer
from qt.viz.style import visible


@dataclass(frozen=True)
class Node:
    """A piece of the word: a byte, of rank -1, or what a merge made of its two parts."""

    piece: bytes
    rank: int = -1
    parts: tuple[Node, ...] = ()

    def __str__(self) -> str:
        return visible(self.piece.decode("utf-8", errors="backslashreplace"))

    def walk(self) -> Iterator[Node]:
        """Yield this node and all that it is made of."""
        yield self
        for part in self.parts:
            yield from part.walk()


def grow(tokenizer: BPETokenizer, word: str) -> list[Node]:
    """Merge the bytes of a word until no merge fits, the lowest rank first: a tree for each token.

    The plain way; `BPETokenizer` does the same in O(n log n).
    """
    vocab = tokenizer.vocab
    ranks = {(vocab[a], vocab[b]): rank for rank, (a, b) in enumerate(tokenizer.merges)}
    nodes = [Node(bytes([byte])) for byte in word.encode("utf-8")]
    while True:
        pairs = enumerate((a.piece, b.piece) for a, b in pairwise(nodes))
        known = [(ranks[pair], i) for i, pair in pairs if pair in ranks]
        if not known:
            return nodes
        rank, i = min(known)
        a, b = nodes[i : i + 2]
        nodes[i : i + 2] = [Node(a.piece + b.piece, rank, (a, b))]
