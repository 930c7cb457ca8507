"""Short English stories told by a random process whose probabilities are all known.

`stories.txt` describes the process: lists of words, and sentence forms with places for them. To
tell a story is to walk from choice to choice: which form comes next, which word fills the place.
What was chosen is remembered and recalled, so that names, pronouns, colours and keys stay what
they are. Three interpreters share the one description: `tell` samples it, `read` finds the choices
behind a text, and `moments` averages over all stories without telling any.

Every choice shows at once in the text, and no option of a choice is the beginning of another. So
the choices are a prefix code (Cover and Thomas, Elements of Information Theory, §5.1): a text is
read in one way only, its probability is the product of the probabilities of its choices, and the
endless stream of stories has exactly E[nats of a story] / E[characters of a story] nats per
character: the cross-entropy that no model can beat.
"""

import functools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

Word = dict[str, str]  # form → text: {"word": "fox", "a word": "a fox", "home": "den", …}
Memory = dict[str, Word]  # what this story has chosen so far


class Recall(NamedTuple):
    """Show a form of a remembered word. No choice."""

    name: str
    form: str


class Draw(NamedTuple):
    """Choose a word from a list, all equally likely; remember it under a name; show a form."""

    words: str | Recall  # the list's name, or the column of a remembered word that holds the name
    name: str
    form: str


class Tell(NamedTuple):
    """Choose a line of a block and go on with its nodes."""

    block: str


Node = str | Recall | Draw | Tell  # a string is shown as it is
Nodes = tuple[Node, ...]
Lines = list[tuple[float, Nodes]]  # of a block: each line's probability and its nodes
Option = tuple[float, str, Nodes, Memory]  # probability, text shown, nodes ahead, what it adds
Known = frozenset[tuple[str, str, int, int]]  # see `Storyteller.moments`


class StoryMoments(NamedTuple):
    """Exact figures: expected nats and characters of a story; the chance that two are equal."""

    nats: float
    chars: float
    collision: float


START: Nodes = (Tell("story"), "\n\n")
_MARK = re.compile(
    r"(?P<bracket>[<{])(?P<a>[aA] )?(?:(?P<name>\w+):)?"  # <a thing> <hero:girl> {a thing}
    r"(?P<source>\w+|\{\w+\.\w+\})(?:\.(?P<form>\w+))?[>}]"  # <spot:{place.spots}> {hero.his}
    r"|\[(?P<block>\w+)\]"  # [plot]
    r"|\((?P<phrases>[^()]+)\)"  # (one|two): a block that is called by its own text
)


def _nodes(line: str) -> Nodes:
    """The nodes of a line."""
    nodes: list[Node] = []
    end = 0
    for mark in _MARK.finditer(line):
        nodes.append(line[end : mark.start()])
        end = mark.end()
        source = mark["source"]
        form = (mark["a"] or "") + (mark["form"] or "word")
        if not source:
            nodes.append(Tell(mark["block"] or mark["phrases"]))
        elif mark["bracket"] == "{":
            nodes.append(Recall(source, form))
        else:
            guide, _, column = source.strip("{}").partition(".")
            words = Recall(guide, column) if column else source
            nodes.append(Draw(words, mark["name"] or source, form))
    nodes.append(line[end:])
    return tuple(node for node in nodes if node)


def _lines(rows: list[str]) -> Lines:
    """The lines of a block, each perhaps with a weight in front: `3 * text`."""
    parts = [re.fullmatch(r"(?:(\d+) \* )?(.*)", row) for row in rows]
    lines = [(int(part[1] or 1), _nodes(part[2])) for part in parts if part]
    total = sum(weight for weight, _ in lines)
    return [(weight / total, nodes) for weight, nodes in lines]


def _word(columns: dict[str, str]) -> Word:
    """All forms of a word: every column as it is, with a capital, and with its article."""
    forms: Word = {}
    for column, text in columns.items():
        article = "an" if text[0] in "aeiou" or text == "honest" else "a"
        forms |= {column: text, column.capitalize(): text[0].upper() + text[1:]}
        forms |= {f"a {column}": f"{article} {text}", f"A {column}": f"{article.title()} {text}"}
    return forms


def _fixed(ahead: Nodes) -> list[str | Recall]:
    """The nodes before the next choice."""
    fixed: list[str | Recall] = []
    for node in ahead:
        if isinstance(node, Draw | Tell):
            break
        fixed.append(node)
    return fixed


def _mean_length(words: list[Word], form: str) -> float:
    return sum(len(word[form]) for word in words) / len(words)


class Storyteller:
    """The process that a text in the language of `stories.txt` describes."""

    def __init__(self, description: str) -> None:
        self.lists: dict[str, list[Word]] = {}
        self.blocks: dict[str, Lines] = {}
        for part in re.findall(r"^\w+ .+\n(?: {4}.+\n)+", description, re.MULTILINE):
            head, *rows = (line.strip() for line in part.splitlines())
            kind, title = head.split(" ", 1)
            if kind == "tell":
                self.blocks[title] = _lines(rows)
            else:
                name, *columns = title.split(" | ")
                self.lists[name] = [
                    _word(dict(zip(["word", *columns], [word, *shared])))
                    for words, *shared in (row.split(" | ") for row in rows)
                    for word in words.split(", ")
                ]
        for node in self.nodes():
            if isinstance(node, Tell) and "|" in node.block:
                self.blocks[node.block] = _lines(node.block.split("|"))

    def nodes(self) -> list[Node]:
        """All nodes of all lines."""
        return [node for lines in self.blocks.values() for _, nodes in lines for node in nodes]

    def list_of(self, draw: Draw, memory: Memory) -> str:
        """The name of the list that a draw chooses from."""
        words = draw.words
        return words if isinstance(words, str) else memory[words.name][words.form]

    def tell(self, rng: np.random.Generator) -> tuple[str, float]:
        """Tell one story. Returns the text and its nats, -log of its probability."""
        shown: list[str] = []
        nats = 0.0
        memory: Memory = {}
        stack = list(START[::-1])  # the next node last
        while stack:
            node = stack.pop()
            if isinstance(node, str):
                shown.append(node)
            elif isinstance(node, Recall):
                shown.append(memory[node.name][node.form])
            elif isinstance(node, Draw):
                words = self.lists[self.list_of(node, memory)]
                word = memory[node.name] = words[int(rng.random() * len(words))]
                shown.append(word[node.form])
                nats += math.log(len(words))
            else:
                left = rng.random()
                for probability, line in self.blocks[node.block]:  # noqa: B007
                    left -= probability
                    if left < 0:
                        break
                stack += line[::-1]
                nats -= math.log(probability)
        return "".join(shown), nats

    def options(self, ahead: Nodes, memory: Memory) -> Iterator[Option]:
        """All ways to go on: one where the text is certain, many where there is a choice.

        A line that shows nothing before its first choice stands for the options of that choice.
        """
        fixed = _fixed(ahead)
        if fixed:
            shown = [
                node if isinstance(node, str) else memory[node.name][node.form] for node in fixed
            ]
            yield 1.0, "".join(shown), ahead[len(fixed) :], {}
            return
        choice, rest = ahead[0], ahead[1:]
        if isinstance(choice, Draw):
            words = self.lists[self.list_of(choice, memory)]
            for word in words:
                yield 1 / len(words), word[choice.form], rest, {choice.name: word}
        elif isinstance(choice, Tell):
            for probability, line in self.blocks[choice.block]:
                for share, text, after, learned in self.options(line + rest, memory):
                    yield probability * share, text, after, learned

    def read(self, text: str) -> float:
        """The nats of a text: -log of the probability that the stream of stories begins with it.

        Where the text stops inside a choice, all options that agree with it count together.
        Returns inf for a text that the process cannot tell.
        """
        nats, at = 0.0, 0
        ahead: Nodes = ()
        memory: Memory = {}
        while at < len(text):
            if not ahead:
                ahead, memory = START, {}
            visible = 0.0
            for probability, shown, after, learned in self.options(ahead, memory):
                if text.startswith(shown, at):
                    nats -= math.log(probability)
                    at += len(shown)
                    ahead, memory = after, memory | learned
                    break
                if at + len(shown) > len(text) and shown.startswith(text[at:]):
                    visible += probability
            else:
                return nats - math.log(visible) if visible else math.inf
        return nats

    def moments(self) -> StoryMoments:
        """Exact moments of a story, by recursion over the states of the process.

        A state is what is still to be told, and what is known of each word that may be recalled:
        that it is one of `lists[name][start:stop]`, all equally likely. This is the whole list,
        except for a word that decides which list a later word comes from: it is followed alone.
        """
        draws = [node for node in self.nodes() if isinstance(node, Draw)]
        guides = {draw.words.name for draw in draws if isinstance(draw.words, Recall)}

        @functools.cache
        def recalls(node: Node) -> frozenset[str]:
            if isinstance(node, Tell):
                told = [part for _, line in self.blocks[node.block] for part in line]
                return frozenset().union(*map(recalls, told))
            source = node.words if isinstance(node, Draw) else node
            return frozenset({source.name} if isinstance(source, Recall) else ())

        @functools.cache
        def expect(ahead: Nodes, known: Known) -> StoryMoments:
            memory = {name: self.lists[words][start:stop] for name, words, start, stop in known}
            fixed = _fixed(ahead)
            chars = sum(
                len(node) if isinstance(node, str) else _mean_length(memory[node.name], node.form)
                for node in fixed
            )
            if len(fixed) == len(ahead):
                return StoryMoments(0.0, chars, 1.0)
            node, rest = ahead[len(fixed)], ahead[len(fixed) + 1 :]
            # Ways to go on: probability, nats, chance that two stories both take it, state.
            ways: list[tuple[float, float, float, Nodes, Known]] = []
            if isinstance(node, Tell):
                lines = self.blocks[node.block]
                ways = [(p, -math.log(p), p * p, line + rest, known) for p, line in lines]
            elif isinstance(node, Draw):
                words = self.list_of(node, {name: some[0] for name, some in memory.items()})
                chars += _mean_length(self.lists[words], node.form)
                n = len(self.lists[words])
                step = 1 if node.name in guides else n
                others = frozenset(fact for fact in known if fact[0] != node.name)
                learned = [others | {(node.name, words, k, k + step)} for k in range(0, n, step)]
                ways = [(step / n, math.log(n), step / n**2, rest, facts) for facts in learned]
            nats = collision = 0.0
            for p, surprise, both, after, facts in ways:
                needed = frozenset().union(*map(recalls, after))
                future = expect(after, frozenset(fact for fact in facts if fact[0] in needed))
                nats += p * (surprise + future.nats)
                chars += p * future.chars
                collision += both * future.collision
            return StoryMoments(nats, chars, collision)

        return expect(START, frozenset())


@functools.cache
def storyteller() -> Storyteller:
    """The teller of the embedded stories."""
    return Storyteller(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))


def tell(rng: np.random.Generator) -> str:
    """Tell one story: a paragraph and a blank line."""
    return storyteller().tell(rng)[0]


def stories(n_chars: int, seed: int = 0, split: str = "train") -> str:
    """Whole stories, at least `n_chars` characters. A seed has two streams, "train" and "val".

    Raises ValueError for a negative length or seed and for another split.
    """
    if n_chars < 0 or seed < 0:
        raise ValueError(f"n_chars is {n_chars} and seed is {seed}: use 0 or more for both")
    if split not in ("train", "val"):
        raise ValueError(f'split is {split!r}: use "train" or "val"')
    # The split stands first: NumPy pads a seed's 32-bit words with zeros, so that with the split
    # last "train" of seed 2³² + s would be "val" of seed s.
    rng = np.random.default_rng(np.random.SeedSequence([int(split == "val"), seed]))
    told: list[str] = []
    while n_chars > 0:
        told.append(tell(rng))
        n_chars -= len(told[-1])
    return "".join(told)


def stories_nats(text: str) -> float:
    """True nats per character: -log P(the stream of stories begins with this text) / length.

    The text begins with a story and may stop anywhere. Returns inf for a text that the process
    cannot tell. Raises ValueError for an empty text.
    """
    if not text:
        raise ValueError("the text is empty: give at least one character of a story")
    return storyteller().read(text) / len(text)


@functools.cache
def story_moments() -> StoryMoments:
    """Expected nats and characters of one story, and the chance that two stories are equal."""
    return storyteller().moments()


def stories_entropy() -> float:
    """Entropy of the endless stream of stories in nats per character, exact."""
    return story_moments().nats / story_moments().chars
