"""Byte-pair encoding by hand, special tokens, bad input. What it promises: see test_trust.py."""

from collections import Counter
from random import Random

import pytest
from bpe_plain import apply_merges_plainly, merge, train_plain
from hypothesis import given, settings
from hypothesis import strategies as st

from qt import BPETokenizer
from qt.tokenizers import bpe
from qt.tokenizers.bpe import apply_merges
from qt.tokenizers.bpe_training import train_incremental
from qt.tokenizers.pretokenize import split

TEXT = """The fox sat by the well. "I'll wait," said the fox, "for the moon's light."
The moon rose;  the fox saw the moon in the well — and 42 stars. Ça va, 日本? 🙂🙂
"""


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train(TEXT, vocab_size=320)


def corpora(alphabet):
    words = st.text(alphabet, min_size=1, max_size=12)
    return st.dictionaries(words, st.integers(1, 5), max_size=12)


# Training ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("train", [train_plain, train_incremental])
@pytest.mark.parametrize(
    ("words", "merges"),
    [
        ({"aaabdaaabac": 1}, [(97, 97), (97, 98), (256, 257), (97, 99)]),
        ({"ba": 1, "ab": 1}, [(97, 98), (98, 97)]),  # a tie: the smaller left id
        ({"ac": 1, "ab": 1}, [(97, 98), (97, 99)]),  # a tie: the smaller right id
        ({"ab": 1, "zz": 2}, [(122, 122), (97, 98)]),  # the count comes before the ids
        ({"aaaaa": 1}, [(97, 97), (256, 97), (256, 257)]),  # aa aa a, then aa (aa a)
        ({"a": 9}, []),
        ({}, []),
    ],
)
def test_merges_by_hand(train, words, merges):
    assert train(words, 4) == merges


def test_merge_takes_pairs_from_the_left():
    assert merge([7, 7, 7, 8, 7, 7], (7, 7), 256) == [256, 7, 8, 256]


# Runs overlap, "ab" and "ba" tie, and the last character's bytes are the highest that there are.
PIECES = st.sampled_from(["a", "aa", "aaaaa", "ab", "aba", "b", "ba", "c", "é", "\U0010ffff"])
LONG_WORDS = st.lists(PIECES, max_size=20).map("".join)


@settings(max_examples=300)
@given(st.dictionaries(LONG_WORDS, st.integers(1, 3), max_size=6), st.integers(0, 60))
def test_training_equals_plain_training_on_long_words(words, n_merges):
    assert train_incremental(words, n_merges) == train_plain(words, n_merges)


def test_training_on_a_long_run_takes_its_length_in_halves():
    tokenizer = BPETokenizer.train("a" * 2**17, special_tokens=())
    assert tokenizer.merges == [(97, 97), *((i, i) for i in range(256, 272))]


def test_training_on_an_endless_word_does_not_stall():
    word = "".join(Random(0).choices("etaoinshrdlu", range(12, 0, -1), k=300_000))
    tokenizer = BPETokenizer.train(word, 4096)  # to read it at each merge would take minutes
    assert len(tokenizer.merges) == 4096 - 257
    assert tokenizer.merges[:3] == train_plain({word: 1}, 3)


def test_ids_are_bytes_then_merges_then_special_tokens():
    tokenizer = BPETokenizer.train("low low lower", 260, special_tokens=("<|a|>", "<|b|>"))
    assert tokenizer.merges == [(108, 111), (256, 119)]
    assert [tokenizer.vocab[i] for i in (0, 97, 255)] == [b"\x00", b"a", b"\xff"]
    assert [tokenizer.vocab[i] for i in range(256, 260)] == [b"lo", b"low", b"<|a|>", b"<|b|>"]
    assert tokenizer.special_tokens == {"<|a|>": 258, "<|b|>": 259}
    assert tokenizer.vocab_size == len(tokenizer.vocab) == 260


def test_training_stops_when_every_word_is_one_token():
    tokenizer = BPETokenizer.train("abc", vocab_size=5000, special_tokens=())
    assert tokenizer.vocab_size == 258
    assert tokenizer.encode("abc") == [257]


def test_the_smallest_vocabulary_is_bytes_and_special_tokens():
    assert BPETokenizer.train("aaaa", vocab_size=257).merges == []


def test_special_tokens_part_the_text_and_are_not_learned():
    tokenizer = BPETokenizer.train("ab<|endoftext|>" * 20, vocab_size=400)
    assert tokenizer.merges == [(97, 98)]


# Encoding and decoding --------------------------------------------------------------------------


@settings(max_examples=300)
@given(corpora("abc"), st.text("abc", max_size=60))
def test_merging_with_a_heap_equals_merging_plainly(words, text):
    merges = train_plain(words, 30)
    new_ids = {pair: 256 + r for r, pair in enumerate(merges)}
    ranks = {pair: r for r, pair in enumerate(merges)}
    ids = list(text.encode())
    expected = apply_merges_plainly(ids, new_ids)
    assert apply_merges(ids, ranks, range(256, 256 + len(merges))) == expected


def test_merges_never_cross_a_word():
    tokenizer = BPETokenizer.train("a b a b a b", vocab_size=400)
    assert tokenizer.encode("a b") == [97, *tokenizer.encode(" b")]


def test_training_words_end_as_one_token():
    tokenizer = BPETokenizer.train(TEXT, vocab_size=2000)
    assert all(len(tokenizer.encode(word)) == 1 for word in split(TEXT))


def test_an_endless_word_does_not_stall(tokenizer):
    word = "thefoxsawthemoon" * 20_000  # quadratic work on 320,000 bytes would take many minutes
    assert tokenizer.decode(tokenizer.encode(word)) == word


def test_the_memory_of_words_is_bounded(monkeypatch):
    monkeypatch.setattr(bpe, "CACHED_WORDS", 8)
    tokenizer = BPETokenizer.train(TEXT, vocab_size=300)
    fresh = BPETokenizer(tokenizer.merges)
    text = TEXT + " " + "x" * (bpe.CACHED_LENGTH + 1)
    assert tokenizer.encode(text) == [i for word in split(text) for i in fresh.encode(word)]
    assert 0 < len(tokenizer._cache) <= 8
    assert max(map(len, tokenizer._cache)) <= bpe.CACHED_LENGTH


def test_a_callers_change_to_ids_leaves_the_memory_alone(tokenizer):
    first = tokenizer.encode("fox")
    expected = list(first)
    first.clear()
    assert tokenizer.encode("fox") == expected


# Special tokens ---------------------------------------------------------------------------------


def test_special_tokens_are_plain_text_unless_allowed(tokenizer):
    text = "The fox<|endoftext|>The moon"
    special_id = tokenizer.special_tokens["<|endoftext|>"]
    plain, special = tokenizer.encode(text), tokenizer.encode(text, allowed_special="all")
    assert special_id not in plain
    assert special == [*tokenizer.encode("The fox"), special_id, *tokenizer.encode("The moon")]
    assert tokenizer.decode(plain) == tokenizer.decode(special) == text


def test_of_special_tokens_that_fit_the_longest_wins():
    tokenizer = BPETokenizer([], special_tokens=["<s>", "<s><s>", "(.*)"])
    assert tokenizer.encode("<s><s><s>(.*)", allowed_special="all") == [257, 256, 258]


# What people see --------------------------------------------------------------------------------


def test_merges_are_described_in_visible_signs():
    tokenizer = BPETokenizer([(32, 116), (256, 104), (10, 10), (0xE2, 0x82), (259, 0xAC)])
    assert tokenizer.describe_merges() == [
        "␣ + t → ␣t",
        "␣t + h → ␣th",
        r"\n + \n → \n\n",
        r"\xe2 + \x82 → \xe2\x82",
        r"\xe2\x82 + \xac → €",
    ]
    assert tokenizer.describe_merges(1) == ["␣ + t → ␣t"]
    assert tokenizer.describe_token(260) == "€"


# Bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"text": ""}, ValueError, "text is empty: give at least one character"),
        ({"text": b"ab"}, TypeError, "text must be a str, got bytes: decode bytes first"),
        ({"text": "a\udc80"}, ValueError, r"text has the lone surrogate U\+DC80 at position 1"),
        (
            {"vocab_size": 256},
            ValueError,
            "vocab_size must be at least 257 .256 bytes and 1 special",
        ),
        ({"vocab_size": -1}, ValueError, "got -1"),
        ({"special_tokens": "<s>"}, TypeError, "expected a list of tokens, got '<s>': put it in"),
        ({"special_tokens": ("<s>", "<s>")}, ValueError, "token 1, '<s>', comes twice"),
        ({"special_tokens": ("",)}, ValueError, "token 0 is empty"),
        (
            {"special_tokens": ("x" * 201,)},
            ValueError,
            "token 0, 'xxx.*, comes twice or is not one",
        ),
        ({"special_tokens": ("a",)}, ValueError, "special token 'a' is spelled as another token"),
        (
            {"text": "ab", "special_tokens": ("Ġ",)},
            ValueError,
            "special token 'Ġ' is spelled as another",
        ),
        ({"pattern": "gpt5"}, KeyError, "gpt5"),
        ({"special_tokens": (7,)}, TypeError, "token 0 must be a str, got int"),
    ],
)
def test_bad_training(arguments, error, message):
    with pytest.raises(error, match=message):
        BPETokenizer.train(**({"text": "some text"} | arguments))


@pytest.mark.parametrize(
    ("merges", "message"),
    [
        ([(97, 256)], r"merge \(97, 256\) must join two ids below 256"),
        ([(97, -1)], "must join two ids below 256"),
        ([(97, 98), (256, 257)], "must join two ids below 257"),
        ([("a", "b")], "must join two ids"),
        ([(True, 1)], "must join two ids"),
        ([(97, 98), (97, 98)], r"merge \(97, 98\) must join two ids below 257, and once"),
        ([(97, 98, 99)], "too many values to unpack"),
    ],
)
def test_bad_merges(merges, message):
    with pytest.raises(ValueError, match=message):
        BPETokenizer(merges)


# Real text --------------------------------------------------------------------------------------


def test_tinyshakespeare(data_dir):
    text = (data_dir / "tinyshakespeare.txt").read_text(encoding="utf-8")
    tokenizer = BPETokenizer.train(text, vocab_size=1024)
    ids = tokenizer.encode(text)
    assert tokenizer.vocab_size == 1024
    assert tokenizer.decode(ids) == text
    assert 2.4 < len(text) / len(ids) < 2.5  # bytes a token
    assert tokenizer.merges[:10] == train_plain(Counter(split(text)), 10)
