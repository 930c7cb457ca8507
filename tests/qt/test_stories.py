"""The embedded stories: are they good English, and are their probabilities exactly right?"""

import functools
import hashlib
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from qt import stories as module
from qt.stories import (
    START,
    Mark,
    Memory,
    Node,
    Storyteller,
    stories,
    stories_entropy,
    stories_nats,
    storyteller,
)

Nodes = tuple[Node, ...]

ALPHABET = [*map(chr, range(32, 127)), "\n"]


def told(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [storyteller().tell(rng) for _ in range(n)]


def moments(teller: Storyteller) -> tuple[float, float]:
    means = teller.mean(START, {"nats": 0.0, "chars": 0.0})
    return means["nats"], means["chars"]


def is_fixed(node: Node) -> bool:
    return isinstance(node, str) or not node.source


def marks(teller: Storyteller) -> list[Mark]:
    """All marks of all lines."""
    lines = [line for block in teller.blocks.values() for _, _, line, _ in block]
    return [node for line in lines for node in line if isinstance(node, Mark)]


def choices(
    teller: Storyteller, ahead: Nodes, memory: Memory
) -> Iterator[tuple[float, str, Nodes, Memory]]:
    """What a reader sees: probability and text up to the next choice, then the state there.

    A line that shows nothing before its first choice stands for the options of that choice.
    """
    for p, shown, line, learned in teller.options(ahead[0], memory):
        after, known = line + ahead[1:], memory | learned
        if not shown:
            for q, *rest in choices(teller, after, known):
                yield p * q, *rest
            continue
        while after and is_fixed(after[0]):
            ((_, more, _, _),) = teller.options(after[0], known)
            shown, after = shown + more, after[1:]
        yield p, shown, after, known


def probability(text: str) -> float:
    return math.exp(-storyteller().read(text))


# ------------------------------------------------------------------------------ the text itself


def test_there_are_many_words_and_many_sentence_forms() -> None:
    words = set(re.findall(r"[a-z]+", stories(1_000_000).lower()))
    forms = [
        line
        for name, lines in storyteller().blocks.items()
        for _, _, line, _ in lines
        if "|" not in name
        and isinstance(line[-1], str)
        and re.search(r'[.!?]"?$', line[-1].strip())
    ]
    assert len(words) >= 1_200
    assert len(forms) >= 100
    assert len(set(forms)) == len(forms)


def test_every_story_is_one_clean_ascii_paragraph() -> None:
    for text in told(3_000):
        assert text.endswith("\n\n")
        body = text[:-2]
        assert re.fullmatch(r"[ -~]+", body)
        assert not re.search(r"  |[<>{}\[\]()|*]| [.,!?]|[.,!?]{2}|^ | $", body)
        assert body[-1] in '.!?"'
        assert body.count('"') % 2 == 0
        for start in re.findall(r"(?:^|[.!?] )(\S+)", body):
            assert start.lstrip('"')[:1].isupper() or start == '"'


def test_articles_fit_the_words_that_follow() -> None:
    text = stories(1_000_000, seed=3)
    for article, word in re.findall(r"\b([Aa]n?) (\w+)", text):
        # "honest" sounds like a vowel; no word of ours has it the other way round, like "unicorn"
        vowel = word[0] in "aeiou" or word == "honest"
        assert article.lower() == ("an" if vowel else "a"), (article, word)


def test_stories_have_a_handy_length() -> None:
    lengths = sorted(map(len, told(3_000)))
    assert lengths[0] >= 280
    assert lengths[300] >= 350
    assert lengths[-1] <= 800
    assert moments(storyteller())[1] == pytest.approx(490, abs=30)


def test_a_story_has_one_hero_and_one_material_for_box_and_key() -> None:
    lists = storyteller().lists
    heroes = {word["word"] for word in lists["girl"] + lists["boy"]}
    metals = {word["word"] for word in lists["metal"]}
    boxes = 0
    for text in told(3_000):
        assert len(heroes & set(re.findall(r"[A-Z]\w+", text))) == 1, text
        named = metals & set(re.findall(r"(\w+) (?:box|key(?! ring))\b", text))
        assert len(named) <= 1, text
        boxes += len(named)
    assert boxes > 200


# ------------------------------------------------------------------------------ seeds and splits


def test_a_seed_decides_the_text() -> None:
    assert stories(5_000, seed=7) == stories(5_000, seed=7)
    assert stories(5_000, seed=7) != stories(5_000, seed=8)
    assert stories(9_000, seed=7).startswith(stories(5_000, seed=7))
    assert told(3, seed=1) == told(3, seed=1)


@pytest.mark.parametrize("n_chars", [0, 1, 500, 20_000])
def test_the_length_is_reached_with_whole_stories(n_chars: int) -> None:
    text = stories(n_chars)
    assert n_chars <= len(text) < n_chars + 800
    assert text == "" or text.endswith("\n\n")


def test_training_and_validation_share_no_story() -> None:
    parts = [
        set(stories(500_000, seed, split).split("\n\n")) - {""}
        for seed in (0, 1, 2**32)
        for split in ("train", "val")
    ]
    for one, other in itertools.combinations(parts, 2):
        assert not one & other
    # A million stories against a million others: the expected number of equal pairs.
    assert 1e12 * collision(START) < 1e-9


@functools.cache
def collision(ahead: Nodes) -> float:
    """The chance that two stories told from here are equal: that they choose alike each time."""
    if not ahead:
        return 1.0
    node, rest = ahead[0], ahead[1:]
    if is_fixed(node):
        return collision(rest)
    assert isinstance(node, Mark)
    if not node.name:
        return sum(
            p * p * collision(line + rest) for p, _, line, _ in storyteller().blocks[node.source]
        )
    (size,) = {len(storyteller().lists[name]) for name in sources(node)}
    return collision(rest) / size


@pytest.mark.parametrize(("n", "seed", "split"), [(10, 0, "test"), (-1, 0, "val"), (1, -2, "val")])
def test_bad_arguments_are_refused(n: int, seed: int, split: str) -> None:
    with pytest.raises(ValueError, match=rf"stories\({n}, {seed}, '{split}'\): use 0 or more"):
        stories(n, seed, split)
    with pytest.raises(ValueError, match="empty"):
        stories_nats("")


def test_the_text_of_a_seed_stays_what_it_is() -> None:
    """Stored figures and trained models depend on it."""
    digests = [hashlib.sha256(stories(100_000, 7, split).encode()) for split in ("train", "val")]
    assert digests[0].hexdigest().startswith("339c557e0f8a5d7c")
    assert digests[1].hexdigest().startswith("b3613ba1166f327e")


# ------------------------------------------------------------------------------ probabilities


def test_the_nats_of_stories_told_one_after_another_add_up() -> None:
    texts = told(500, seed=2)
    total = math.fsum(map(storyteller().read, texts))
    text = "".join(texts)
    assert stories_nats(text) == pytest.approx(total / len(text), rel=1e-12)


def test_a_long_sample_agrees_with_the_exact_entropy() -> None:
    sample = told(10_000, seed=4)
    nats = np.array([storyteller().read(text) for text in sample])
    chars = np.array([len(text) for text in sample])
    exact_nats, exact_chars = moments(storyteller())
    n = len(sample)
    assert abs(nats.mean() - exact_nats) < 4 * nats.std() / math.sqrt(n)
    assert abs(chars.mean() - exact_chars) < 4 * chars.std() / math.sqrt(n)
    # The variance of a ratio of means, by the delta method.
    rate = stories_entropy()
    error = np.std(nats - rate * chars) / (chars.mean() * math.sqrt(n))
    assert error < 0.001 * rate
    assert abs(nats.sum() / chars.sum() - rate) < 4 * error


def test_the_probabilities_of_all_next_characters_add_up() -> None:
    rng = np.random.default_rng(5)
    text = stories(3_000, seed=5)
    second = text.index("\n\n") + 2
    ends = {0, 1, second - 1, second, second + 1, *rng.integers(0, len(text), 40).tolist()}
    for end in ends:
        prefix = text[:end]
        before = storyteller().read(prefix)
        after = [storyteller().read(prefix + character) for character in ALPHABET]
        assert math.fsum(math.exp(before - nats) for nats in after) == pytest.approx(1, abs=1e-9)


def test_a_partly_visible_choice_counts_all_that_it_may_become() -> None:
    # A story begins with its hero's name 2 of 11 times; Oscar is one of 12 boys. 4 of 11 times it
    # begins with one of five phrases, two of which are "Once…".
    name, phrase = 2 / 11, 4 / 11
    assert probability("Os") == pytest.approx(name / 2 / 12)
    assert probability("Onc") == pytest.approx(phrase * 2 / 5)
    heroes = {
        kind: [word["word"] for word in storyteller().lists[kind]] for kind in ("girl", "boy")
    }
    with_o = [sum(hero[0] == "O" for hero in heroes[kind]) / 12 for kind in heroes]
    assert probability("O") == pytest.approx(name * sum(with_o) / 2 + phrase * 2 / 5)
    assert probability("") == 1


STORY = (
    "Once, a shy girl named Mia lived in a cosy hut by the sea. "
    "Day and night, Mia hoped to find a golden treasure. "
    "One sunny day, Mia walked to the river and found an iron box in the mud. It was locked. "
    "Her kind friend Sam wore an iron key on a red string. "
    "Sam turned his key, and in the box they found a lovely crown. "
    "Then Mia and Sam ate warm cocoa and laughed together.\n\n"
)


def test_a_story_written_by_hand_can_be_told() -> None:
    assert 20 < storyteller().read(STORY) < 120
    assert stories_nats(STORY + STORY) == pytest.approx(stories_nats(STORY))


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("found an iron box", "found a iron box"),  # the wrong article
        ("One sunny day, Mia", "One sunny day, Zoe"),  # another girl takes over
        ("Her kind friend", "His kind friend"),
        ("Sam turned his key", "Sam turned her key"),
        ("Sam turned his key", "Mia turned her key"),  # the key is not Mia's
        ("wore an iron key", "wore a silver key"),  # the key of another box
        ("Then Mia and Sam", "Then Sam and Mia"),  # names change places
        ("Mia hoped", "Mias hoped"),
        ("in the mud", "in the soft sand"),  # found on a shore, not at a river
        ("treasure", "tresure"),
        ("locked. Her", "locked.  Her"),
        ("Once, a", "once, a"),
        ("together.\n\n", "together.\n\n\n"),
        ("together.\n\n", "together.\n"),  # followed by the next story
    ],
)
def test_what_cannot_be_told_has_probability_zero(true: str, false: str) -> None:
    assert STORY.count(true) == 1
    assert stories_nats(STORY.replace(true, false) + STORY) == math.inf


def test_single_wrong_characters_are_noticed() -> None:
    for i in range(len(STORY)):
        wrong = STORY[:i] + "#" + STORY[i + 1 :]
        assert stories_nats(wrong) == math.inf


# ------------------------------------------------------------------------------ a small process

SMALL = """
words hero | he
    Ann, Bo | she
    Cy | he
words place | finds
    inn, sea | wet
    hill | dry
words wet
    eel, shell
words dry
    ant, owl, stone
tell story
    3 * At <a place>, <hero> slept.
    [go] [end]
tell go
    (So|Then) <hero> went( fast|) to <a place>.
    (One day|Once) <hero> (ran|sat) by <a place>.
tell end
    {hero.He} found <a thing:place.finds>.
    {hero} cried: <A thing:place.finds>!
"""


def all_stories(teller: Storyteller) -> Iterator[tuple[str, float]]:
    """Every text that a small process can tell, with its probability."""
    paths: list[tuple[str, float, Nodes, Memory]] = [("", 1.0, START, {})]
    while paths:
        text, share, ahead, memory = paths.pop()
        if not ahead:
            yield text, share
        else:
            for p, shown, line, learned in teller.options(ahead[0], memory):
                paths.append((text + shown, share * p, line + ahead[1:], memory | learned))


def test_moments_of_a_small_process_equal_those_of_all_its_stories() -> None:
    small = Storyteller(SMALL)
    every = list(all_stories(small))
    assert len(every) == len({text for text, _ in every}) == 3 * 3 + 3 * 8 * (2 + 2 + 3) * 2
    assert math.fsum(p for _, p in every) == pytest.approx(1, abs=1e-12)
    assert ("At an inn, Bo slept.\n\n", 0.75 / 9) in [(t, pytest.approx(p)) for t, p in every]
    nats = math.fsum(-p * math.log(p) for _, p in every)
    chars = math.fsum(p * len(text) for text, p in every)
    assert moments(small) == pytest.approx((nats, chars), rel=1e-12)


def test_a_small_process_tells_and_reads_with_the_probabilities_of_all_its_stories() -> None:
    small, n = Storyteller(SMALL), 30_000
    rng = np.random.default_rng(0)
    counts = Counter(small.tell(rng) for _ in range(n))
    every = dict(all_stories(small))
    assert counts.keys() == every.keys()
    for text, p in every.items():
        assert small.read(text) == pytest.approx(-math.log(p), rel=1e-12)
        assert abs(counts[text] - n * p) < 5 * math.sqrt(n * p)


# ------------------------------------------------------------------------------ the prefix code

Piece = Node  # here only text and marks that recall


def test_no_option_met_in_telling_is_the_beginning_of_another() -> None:
    for text in told(150, seed=6):
        at: int = 0
        ahead, memory = START, Memory()
        while ahead:
            options = list(choices(storyteller(), ahead, memory))
            assert math.fsum(p for p, *_ in options) == pytest.approx(1, abs=1e-12)
            shown = sorted(option[1] for option in options)
            assert all(shown)
            assert not any(b.startswith(a) for a, b in itertools.pairwise(shown))
            (chosen,) = (option for option in options if text.startswith(option[1], at))
            at, ahead, memory = at + len(chosen[1]), chosen[2], chosen[3]
        assert at == len(text)


@functools.cache
def possible() -> dict[str, list[dict[str, str]]]:
    """For each name, all words that any draw of the description may remember under it."""
    words: dict[str, list[dict[str, str]]] = {}
    for mark in marks(storyteller()):
        if mark.source and mark.name:
            for source in sources(mark):
                words.setdefault(mark.name, []).extend(storyteller().lists[source])
    return words


def sources(draw: Mark) -> list[str]:
    """The lists that a draw may choose from."""
    if not draw.guide:
        return [draw.source]
    return sorted({word[draw.source] for word in storyteller().lists[draw.guide]})


def test_the_word_that_guides_a_draw_is_always_from_the_list_of_its_name() -> None:
    everywhere = marks(storyteller())
    guides = {mark.guide for mark in everywhere if mark.guide}
    assert guides
    for mark in everywhere:
        if mark.source and mark.name in guides:
            assert (mark.source, mark.guide) == (mark.name, "")


def begin(ahead: Nodes) -> list[tuple[Piece, ...]]:
    """What the options of a state show before the next choice, with the recalled words unknown."""
    shown = tuple(itertools.takewhile(is_fixed, ahead))
    if shown:
        return [shown]
    node = ahead[0]
    assert isinstance(node, Mark)
    if not node.name:
        lines = storyteller().blocks[node.source]
        return [shown for _, _, line, _ in lines for shown in begin(line + ahead[1:])]
    return [(word[node.form],) for name in sources(node) for word in storyteller().lists[name]]


@functools.cache
def may_clash(one: tuple[Piece, ...], other: tuple[Piece, ...]) -> bool:
    """Is, for any words that may be remembered, one text the beginning of the other?"""
    if not one or not other:
        return True
    a, b = one[0], other[0]
    if a == b:
        return may_clash(one[1:], other[1:])
    if isinstance(a, str) and isinstance(b, str):
        n = min(len(a), len(b))
        rests = [(rest,) if rest else () for rest in (a[n:], b[n:])]
        return a[:n] == b[:n] and may_clash(rests[0] + one[1:], rests[1] + other[1:])
    name = a.name if isinstance(a, Mark) else b.name  # type: ignore[union-attr]

    def spelled(pieces: tuple[Piece, ...], word: dict[str, str]) -> tuple[Piece, ...]:
        return tuple(word[p.form] if isinstance(p, Mark) and p.name == name else p for p in pieces)

    return any(
        may_clash(spelled(one, word), spelled(other, word))
        for word in possible()[name]
        if all(p.form in word for p in one + other if isinstance(p, Mark) and p.name == name)
    )


def test_no_option_of_any_state_is_the_beginning_of_another() -> None:
    """All states of the process, and all words that could be remembered there."""
    states: set[Nodes] = set()
    todo = [START]
    while todo:
        ahead = todo.pop()
        if ahead in states or not ahead:
            continue
        states.add(ahead)
        node, rest = ahead[0], ahead[1:]
        if isinstance(node, Mark) and not node.name:
            todo += [line + rest for _, _, line, _ in storyteller().blocks[node.source]]
            options = begin(ahead)
            for one, other in itertools.combinations(options, 2):
                assert not may_clash(one, other), (node, one, other)
        else:
            todo.append(rest)
            if isinstance(node, Mark) and node.source:
                for name in sources(node):
                    shown = sorted(word[node.form] for word in storyteller().lists[name])
                    for a, b in itertools.pairwise(shown):
                        assert not b.startswith(a), (name, a, b)
    assert len(states) > 1_000


def test_the_description_has_no_part_that_is_never_told() -> None:
    teller = storyteller()
    called = {mark.source for mark in marks(teller) if not mark.name} | {"story"}
    drawn = {name for mark in marks(teller) if mark.source and mark.name for name in sources(mark)}
    assert set(teller.blocks) == called
    assert set(teller.lists) == drawn
    assert module.storyteller() is teller
