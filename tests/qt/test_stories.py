"""The embedded stories: are they good English, and are their probabilities exactly right?"""

import functools
import itertools
import math
import re
from collections.abc import Iterator

import numpy as np
import pytest

from qt import stories as module
from qt.stories import (
    START,
    Draw,
    Nodes,
    Recall,
    StoryMoments,
    Storyteller,
    Tell,
    stories,
    stories_entropy,
    stories_nats,
    story_moments,
    storyteller,
    tell,
)

ALPHABET = [*map(chr, range(32, 127)), "\n"]


def told(n: int, seed: int = 0) -> list[tuple[str, float]]:
    rng = np.random.default_rng(seed)
    return [storyteller().tell(rng) for _ in range(n)]


def probability(text: str) -> float:
    return math.exp(-storyteller().read(text))


# ------------------------------------------------------------------------------ the text itself


def test_there_are_many_words_and_many_sentence_forms() -> None:
    words = set(re.findall(r"[a-z]+", stories(1_000_000).lower()))
    forms = [
        line
        for name, lines in storyteller().blocks.items()
        for _, line in lines
        if "|" not in name
        and isinstance(line[-1], str)
        and re.search(r'[.!?]"?$', line[-1].strip())
    ]
    assert len(words) >= 1_200
    assert len(forms) >= 100
    assert len(set(forms)) == len(forms)


def test_every_story_is_one_clean_ascii_paragraph() -> None:
    for text, _ in told(3_000):
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
    lengths = sorted(len(text) for text, _ in told(3_000))
    assert lengths[0] >= 280
    assert lengths[300] >= 350
    assert lengths[-1] <= 800
    assert story_moments().chars == pytest.approx(490, abs=30)


def test_a_story_has_one_hero_and_one_material_for_box_and_key() -> None:
    lists = storyteller().lists
    heroes = {word["word"] for word in lists["girl"] + lists["boy"]}
    metals = {word["word"] for word in lists["metal"]}
    boxes = 0
    for text, _ in told(3_000):
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
    assert tell(np.random.default_rng(1)) == tell(np.random.default_rng(1))


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
    assert 1e12 * story_moments().collision < 1e-9


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="split is 'test'"):
        stories(10, split="test")
    with pytest.raises(ValueError, match="n_chars is -1"):
        stories(-1)
    with pytest.raises(ValueError, match="seed is -2"):
        stories(1, seed=-2)
    with pytest.raises(ValueError, match="empty"):
        stories_nats("")


# ------------------------------------------------------------------------------ probabilities


def test_reading_finds_the_nats_of_telling() -> None:
    pairs = told(500, seed=2)
    for text, nats in pairs:
        assert storyteller().read(text) == pytest.approx(nats, rel=1e-12)
    text = "".join(text for text, _ in pairs)
    total = math.fsum(nats for _, nats in pairs)
    assert stories_nats(text) == pytest.approx(total / len(text), rel=1e-12)


def test_a_long_sample_agrees_with_the_exact_entropy() -> None:
    sample = told(10_000, seed=4)
    nats = np.array([nats for _, nats in sample])
    chars = np.array([len(text) for text, _ in sample])
    exact = story_moments()
    n = len(sample)
    assert abs(nats.mean() - exact.nats) < 4 * nats.std() / math.sqrt(n)
    assert abs(chars.mean() - exact.chars) < 4 * chars.std() / math.sqrt(n)
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
    {hero.He} found <a thing:{place.finds}>.
    {hero} cried: <A thing:{place.finds}>!
"""


def all_stories(teller: Storyteller) -> Iterator[tuple[str, float]]:
    """Every text that a small process can tell, with its probability."""
    paths = [("", 1.0, START, {})]
    while paths:
        text, share, ahead, memory = paths.pop()
        if not ahead:
            yield text, share
        else:
            for p, shown, after, learned in teller.options(ahead, memory):
                paths.append((text + shown, share * p, after, memory | learned))


def test_moments_of_a_small_process_equal_those_of_all_its_stories() -> None:
    small = Storyteller(SMALL)
    every = list(all_stories(small))
    assert len(every) == len({text for text, _ in every}) == 3 * 3 + 3 * 8 * (2 + 2 + 3) * 2
    assert math.fsum(p for _, p in every) == pytest.approx(1, abs=1e-12)
    assert ("At an inn, Bo slept.\n\n", 0.75 / 9) in [(t, pytest.approx(p)) for t, p in every]
    enumerated = StoryMoments(
        nats=math.fsum(-p * math.log(p) for _, p in every),
        chars=math.fsum(p * len(text) for text, p in every),
        collision=math.fsum(p * p for _, p in every),
    )
    assert small.moments() == pytest.approx(enumerated, rel=1e-12)
    for text, p in every:
        assert small.read(text) == pytest.approx(-math.log(p), rel=1e-12)
    rng = np.random.default_rng(0)
    assert {small.tell(rng)[0] for _ in range(20_000)} == {text for text, _ in every}


# ------------------------------------------------------------------------------ the prefix code

Piece = str | Recall


def test_no_option_met_in_telling_is_the_beginning_of_another() -> None:
    for text, _ in told(150, seed=6):
        at, ahead, memory = 0, START, {}
        while ahead:
            options = list(storyteller().options(ahead, memory))
            assert math.fsum(p for p, *_ in options) == pytest.approx(1, abs=1e-12)
            shown = sorted(option[1] for option in options)
            assert all(shown)
            assert not any(b.startswith(a) for a, b in itertools.pairwise(shown))
            (chosen,) = (option for option in options if text.startswith(option[1], at))
            at, ahead, memory = at + len(chosen[1]), chosen[2], memory | chosen[3]
        assert at == len(text)


@functools.cache
def possible() -> dict[str, list[dict[str, str]]]:
    """For each name, all words that any draw of the description may remember under it."""
    words: dict[str, list[dict[str, str]]] = {}
    for node in storyteller().nodes():
        if isinstance(node, Draw):
            for source in sources(node):
                words.setdefault(node.name, []).extend(storyteller().lists[source])
    return words


def sources(draw: Draw) -> list[str]:
    """The lists that a draw may choose from."""
    if isinstance(draw.words, str):
        return [draw.words]
    guides = [
        node
        for node in storyteller().nodes()
        if isinstance(node, Draw) and node.name == draw.words.name
    ]
    return sorted(
        {
            word[draw.words.form]
            for guide in guides
            for word in storyteller().lists[str(guide.words)]
        }
    )


def begin(ahead: Nodes) -> list[tuple[Piece, ...]]:
    """What the options of a state show before the next choice, with the recalled words unknown."""
    shown = tuple(itertools.takewhile(lambda node: isinstance(node, str | Recall), ahead))
    if shown:
        return [shown]
    node = ahead[0]
    if isinstance(node, Tell):
        lines = storyteller().blocks[node.block]
        return [shown for _, line in lines for shown in begin(line + ahead[1:])]
    assert isinstance(node, Draw)
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
    name = a.name if isinstance(a, Recall) else b.name  # type: ignore[union-attr]

    def spelled(pieces: tuple[Piece, ...], word: dict[str, str]) -> tuple[Piece, ...]:
        return tuple(
            word[p.form] if isinstance(p, Recall) and p.name == name else p for p in pieces
        )

    return any(
        may_clash(spelled(one, word), spelled(other, word))
        for word in possible()[name]
        if all(p.form in word for p in one + other if isinstance(p, Recall) and p.name == name)
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
        if isinstance(node, Tell):
            todo += [line + rest for _, line in storyteller().blocks[node.block]]
            options = begin(ahead)
            for one, other in itertools.combinations(options, 2):
                assert not may_clash(one, other), (node, one, other)
        else:
            todo.append(rest)
            if isinstance(node, Draw):
                for name in sources(node):
                    shown = sorted(word[node.form] for word in storyteller().lists[name])
                    for a, b in itertools.pairwise(shown):
                        assert not b.startswith(a), (name, a, b)
    assert len(states) > 1_000


def test_the_description_has_no_part_that_is_never_told() -> None:
    teller = storyteller()
    nodes = teller.nodes()
    called = {node.block for node in nodes if isinstance(node, Tell)} | {"story"}
    drawn = {name for node in nodes if isinstance(node, Draw) for name in sources(node)}
    assert set(teller.blocks) == called
    assert set(teller.lists) == drawn
    assert module.storyteller() is teller
