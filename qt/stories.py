"""Short English stories told by a random process whose probabilities are all known.

`stories.txt` describes the process: lists of words, and lines with places for them. To tell a story
is to walk from choice to choice: which line comes next, which word fills the place. What was chosen
is remembered and recalled, so that names, pronouns, colours and keys stay what they are. `tell`
takes one option of each choice, by chance; `read` those that agree with a text; `mean` all of them.

Every choice shows at once in the text, and no option of a choice is the beginning of another. So
the choices are a prefix code (Cover and Thomas, Elements of Information Theory, §5.1): a text is
read in one way only, its probability is the product of the probabilities of its choices, and the
endless stream of stories has exactly E[nats of a story] / E[characters of a story] nats per
character: the cross-entropy that no model can beat.
"""

from __future__ import annotations

import functools
import math
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Mark(NamedTuple):
    """A place in a line: for a line of a block, for a word of a list, or for a remembered word."""

    source: str  # the block or list to choose from; "" to recall
    name: str = ""  # what the word is remembered as; "" for a block
    form: str = ""  # which form of the word is shown
    guide: str = ""  # "place": the list to choose from is named by the form `source` of the place


Node = str | Mark  # a string is shown as it is
Word = dict[str, str]  # form → text: {"word": "fox", "a word": "a fox", "home": "den", …}
Memory = dict[str, Word]  # what this story has chosen so far
Option = tuple[float, str, tuple[Node, ...], Memory]  # probability, text, nodes ahead, what it adds
Means = dict[Node, float]  # of "nats" and "chars" told, and of the length that a mark would recall

START: tuple[Node, ...] = (Mark("story"), "\n\n")
MARK = re.compile(
    r"(?P<text>[^<{\[(]+)|[\[(](?P<block>[^\])]+)[\])]"  # text [plot] (one line|another)
    r"|(?P<choose><)?{?(?P<a>[aA] )?(?P<name>\w+)"  # <thing> <a thing> {a thing}
    r"(?:\.(?P<form>\w+)|:(?:(?P<guide>\w+)\.)?(?P<source>\w+))?[>}]"  # {hero.his} <hero:girl>
)


def node_of(mark: re.Match[str]) -> Node:
    """What a piece of a line stands for."""
    source = mark["block"] or (mark["source"] or mark["name"] if mark["choose"] else "")
    form = (mark["a"] or "") + (mark["form"] or "word")
    return mark["text"] or Mark(source, mark["name"] or "", form, mark["guide"] or "")


def block_of(rows: list[str]) -> list[Option]:
    """The lines of a block, each perhaps with a weight in front: `3 * text`."""
    parts = [row.rpartition(" * ") for row in rows]
    total = sum(int(weight or 1) for weight, _, _ in parts)
    lines = [tuple(map(node_of, MARK.finditer(text))) for _, _, text in parts]
    return [(int(part[0] or 1) / total, "", line, {}) for part, line in zip(parts, lines)]


def word_of(columns: dict[str, str]) -> Word:
    """All forms of a word: every column as it is, with a capital, and with its article."""
    forms: Word = {}
    for column, text in columns.items():
        article = "an" if text[0] in "aeiou" or text == "honest" else "a"
        forms |= {column: text, column.capitalize(): text[0].upper() + text[1:]}
        forms |= {f"a {column}": f"{article} {text}", f"A {column}": f"{article.title()} {text}"}
    return forms


class Storyteller:
    """The process that a text in the language of `stories.txt` describes."""

    def __init__(self, description: str) -> None:
        self.lists: dict[str, list[Word]] = {}
        self.blocks: dict[str, list[Option]] = {}
        parts = re.findall(r"^(\w+) (.+)\n((?: {4}.+\n)+)", description, re.MULTILINE)
        for kind, title, body in parts:
            rows = [row.strip() for row in body.splitlines()]
            if kind == "tell":
                self.blocks[title] = block_of(rows)
                for lines in re.findall(r"\((.+?)\)", body):  # a block called by its own text
                    self.blocks[lines] = block_of(lines.split("|"))
            else:
                name, *columns = title.split(" | ")
                self.lists[name] = [
                    word_of(dict(zip(["word", *columns], [word, *shared])))
                    for words, *shared in (row.split(" | ") for row in rows)
                    for word in words.split(", ")
                ]
        nodes = {node for block in self.blocks.values() for _, _, line, _ in block for node in line}
        self.recalls = [node for node in nodes if isinstance(node, Mark) and not node.source]

    def words(self, mark: Mark, memory: Memory) -> list[Word]:
        """The list to choose from."""
        return self.lists[memory[mark.guide][mark.source] if mark.guide else mark.source]

    def options(self, node: Node, memory: Memory) -> list[Option]:
        """What may become of a node: many options for a choice, one where it is certain."""
        if isinstance(node, str):
            return [(1.0, node, (), {})]
        if not node.source:
            return [(1.0, memory[node.name][node.form], (), {})]
        if not node.name:
            return self.blocks[node.source]
        words = self.words(node, memory)
        return [(1 / len(words), word[node.form], (), {node.name: word}) for word in words]

    def tell(self, rng: np.random.Generator) -> str:
        """Tell one story: a paragraph and a blank line."""
        told, memory, ahead = [], Memory(), list(START[::-1])  # the next node last
        while ahead:
            node = ahead.pop()
            if isinstance(node, str):
                told.append(node)
            elif node.name:
                if node.source:
                    words = self.words(node, memory)
                    memory[node.name] = words[int(rng.random() * len(words))]
                told.append(memory[node.name][node.form])
            else:
                left = rng.random()
                for p, _, line, _ in self.blocks[node.source]:  # noqa: B007
                    left -= p
                    if left < 0:
                        break
                ahead += line[::-1]
        return "".join(told)

    def read(self, text: str) -> float:
        """-log of the probability that the stream of stories begins with `text`; inf if it cannot.

        Where the text stops inside a choice, all options that agree with it count together.
        """
        total, ways = -math.inf, [(0.0, 0, START, Memory())]
        while ways:
            log_p, at, ahead, memory = ways.pop()
            if at >= len(text):
                total = float(np.logaddexp(total, log_p))
                continue
            for p, shown, line, learned in self.options(ahead[0], memory):
                end = at + len(shown)
                if text[at:end] == shown or (end > len(text) and shown.startswith(text[at:])):
                    after = line + ahead[1:] or START  # at the end of a story the next one begins
                    known = memory | learned if learned else memory
                    ways.append((log_p + math.log(p), end, after, known))
        return -total

    def mean(self, nodes: tuple[Node, ...], means: Means) -> Means:
        """The exact means of a story's nats and characters, from `means` before to after the nodes.

        The mean of a sum is the sum of the means, even where choices depend on each other. So all
        that must be known of a remembered word is the mean length that a mark would recall.
        """
        for node in nodes:
            if isinstance(node, str) or not node.source:
                length = len(node) if isinstance(node, str) else means[node]
                means = means | {"chars": means["chars"] + length}
                continue
            guides: list[Word] = self.lists[node.guide] if node.guide else [{}]
            before, means = means, defaultdict(float)
            for word in guides:
                for p, shown, line, learned in self.options(node, {node.guide: word}):
                    known = [mark for mark in self.recalls if mark.name in learned]
                    lengths: Means = {mark: len(learned[mark.name][mark.form]) for mark in known}
                    after = self.mean(line, before | lengths)
                    after["nats"] -= math.log(p)
                    after["chars"] += len(shown)
                    for key, value in after.items():
                        means[key] += p / len(guides) * value
        return means


@functools.cache
def storyteller() -> Storyteller:
    """The teller of the embedded stories."""
    return Storyteller(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))


def stories(n_chars: int, seed: int = 0, split: str = "train") -> str:
    """Whole stories, at least `n_chars` characters. `ValueError` for a wrong argument."""
    if n_chars < 0 or seed < 0 or split not in ("train", "val"):
        raise ValueError(f'stories({n_chars}, {seed}, {split!r}): use 0 or more, "train" or "val"')
    # The split stands first: NumPy pads a seed's 32-bit words with zeros, so that with the split
    # last "val" of seed s would be "train" of seed 2³² + s.
    rng = np.random.default_rng(np.random.SeedSequence([int(split == "val"), seed]))
    told: list[str] = []
    while n_chars > 0:
        told.append(storyteller().tell(rng))
        n_chars -= len(told[-1])
    return "".join(told)


def stories_nats(text: str) -> float:
    """True nats per character of a text that begins with a story; inf if none begins so."""
    if not text:
        raise ValueError("the text is empty: give at least one character of a story")
    return storyteller().read(text) / len(text)


@functools.cache
def stories_entropy() -> float:
    """Entropy of the endless stream of stories in nats per character, exact."""
    means = storyteller().mean(START, {"nats": 0.0, "chars": 0.0})
    return means["nats"] / means["chars"]
