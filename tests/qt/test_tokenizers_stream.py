"""Streams: texts cut anywhere give the ids of the whole, and ids give characters when whole."""

import tracemalloc
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qt import BPETokenizer, CharTokenizer, WordTokenizer

TEXT = """The fox sat by the well. "I'll wait," said the fox — "we've time, they're late."
The moon's light;  it is   the fox's own\t\n\n  mother-in-law’s (1234567) 'tis\r\n   日本? 🙂🙂
"""
SPECIAL = ["<|end|>", "<|end|><|end|>", "<|", "a b c", "c d", " fox", "d|>x"]
GPT2 = BPETokenizer.train(TEXT * 3, 400, special_tokens=SPECIAL)
LLAMA3 = BPETokenizer.train(TEXT * 3, 400, special_tokens=SPECIAL, pattern="llama3")
ALL = [GPT2, LLAMA3, WordTokenizer.train(TEXT)]
IDS = ["gpt2", "llama3", "word"]
# Letters, joints, ends and beginnings of everything that a pattern looks at.
BITS = ["a", "l", "r", "e", "v", "S", "'", "’", "-", " ", "  ", "\n", "\r", "\t", "1", "23", "!"]
BITS += ["\xa0", "\x1c", "ſ", "🙂", "日", "\u0301", '"', "(", "<unk>", "<unk", *SPECIAL]
BITS += ["<", "|", "end", "|>", "b", "c", "d", "x"]
chunks = st.lists(st.lists(st.sampled_from(BITS), max_size=3).map("".join), max_size=16)


@pytest.mark.parametrize("tokenizer", ALL, ids=IDS)
@pytest.mark.parametrize("allowed", ["none", "all"])
@settings(max_examples=300)
@given(texts=chunks)
def test_cut_anywhere_a_text_has_the_same_ids(tokenizer, allowed, texts):
    whole = tokenizer.encode("".join(texts), allowed)
    assert list(tokenizer.encode_iterable(texts, allowed)) == whole
    assert list(tokenizer.encode_iterable("".join(texts), allowed)) == whole


@pytest.mark.parametrize("tokenizer", ALL, ids=IDS)
@settings(max_examples=200)
@given(texts=st.lists(st.text(max_size=20), max_size=8))
def test_any_text_cut_anywhere_has_the_same_ids(tokenizer, texts):
    assert list(tokenizer.encode_iterable(texts)) == tokenizer.encode("".join(texts))


@settings(max_examples=100)
@given(st.lists(st.sampled_from("ab \n"), max_size=20))
def test_characters_are_never_held_back(texts):
    tokenizer = CharTokenizer([*"ab \n"])
    assert list(tokenizer.encode_iterable(texts)) == tokenizer.encode("".join(texts))
    assert given_before_the_end(tokenizer, "".join(texts)) == "".join(texts)


def given_before_the_end(tokenizer, text, allowed="none"):
    """The text whose ids come before the tokenizer can know that nothing follows."""
    ids = []

    def texts():
        yield text
        held.append(len(ids))

    held = []
    for i in tokenizer.encode_iterable(texts(), allowed):
        ids.append(i)
    return tokenizer.decode(ids[: held[0]])


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("The fox", "The"),
        ("The fox ", "The fox"),
        ("fox's", "fox"),
        ("fox'l", "fox"),
        ("fox'", "fox"),
        ("fox 'l", "fox"),
        ("fox  \n ", "fox"),
    ],
)
@pytest.mark.parametrize("tokenizer", ALL[:2], ids=IDS[:2])
def test_only_what_may_change_is_held_back(tokenizer, text, settled):
    assert given_before_the_end(tokenizer, text) == settled


def test_white_space_that_is_settled_is_given():
    # GPT-2 leaves a letter its space; of other white space the last character stands alone.
    assert given_before_the_end(GPT2, "a\t\nb") == "a\t\n"
    assert given_before_the_end(GPT2, "a   b") == "a  "
    assert given_before_the_end(GPT2, "fox.\n\n ") == "fox."
    assert given_before_the_end(LLAMA3, "a   1") == "a   "


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("x <|", "x"),
        ("x <|a|", "x"),
        ("x <|a|>", "x "),  # a second one may follow, and the pair is a token too
        ("x <|a|>y", "x <|a|>"),
        ("x <|a|>,y", "x <|a|>,"),
        ("x <|b|>", "x <|b|>"),
        ("x <y ", "x <y"),
    ],
)
def test_a_special_token_waits_only_for_a_longer_one(text, settled):
    tokenizer = BPETokenizer([], special_tokens=["<|a|>", "<|a|><|a|>", "<|b|>"])
    assert given_before_the_end(tokenizer, text, allowed="all") in (settled, settled.rstrip())


def test_words_are_settled_when_the_next_sign_stands():
    tokenizer = WordTokenizer.train(TEXT)
    assert given_before_the_end(tokenizer, "The fox") == "The"
    assert given_before_the_end(tokenizer, "The fox-") == "The"
    assert given_before_the_end(tokenizer, "The fox ") == "The fox"
    assert given_before_the_end(tokenizer, "The fox,") == "The fox,"


@pytest.mark.parametrize("tokenizer", ALL, ids=IDS)
def test_memory_is_bounded_by_the_longest_word(tokenizer):
    def texts():
        for _ in range(5_000):
            yield "The fox sat by the well. "

    list(tokenizer.encode_iterable(["The fox sat by the well. "]))
    tracemalloc.start()
    n = sum(1 for _ in tokenizer.encode_iterable(texts()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n > 25_000
    assert peak < 60_000  # the text has 120,000 characters


def test_an_endless_word_in_single_characters_does_not_stall():
    word = "thefoxsawthemoon" * 2_000  # looking at it anew after each character takes minutes
    assert list(GPT2.encode_iterable(word)) == GPT2.encode(word)


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (["a", b"b"], TypeError, "text must be a str, got bytes"),
        (["a", "\ud83d", "\ude42"], ValueError, r"lone surrogate U\+D83D at position 0"),
        ([None], TypeError, "got NoneType"),
        (7, TypeError, "not iterable"),
    ],
)
def test_bad_texts(texts, error, message):
    with pytest.raises(error, match=message):
        list(GPT2.encode_iterable(texts))


def test_a_wrong_allowed_special_is_refused():
    with pytest.raises(ValueError, match="allowed_special must be"):
        list(GPT2.encode_iterable(["a"], "some"))


# Decoding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokenizer", [*ALL, CharTokenizer.train(TEXT)], ids=[*IDS, "char"])
@settings(max_examples=200)
@given(data=st.data())
def test_the_pieces_joined_are_what_decode_gives(tokenizer, data):
    ids = data.draw(st.lists(st.integers(0, tokenizer.vocab_size - 1), max_size=40))
    pieces = list(tokenizer.decode_iterable(iter(ids)))
    assert "".join(pieces) == tokenizer.decode(ids)
    assert "" not in pieces


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_any_bytes_decode_in_pieces_as_at_once(data):
    expected = data.decode("utf-8", errors="replace")
    assert GPT2.decode(list(data)) == "".join(GPT2.decode_iterable(data)) == expected


def test_a_character_appears_when_it_is_whole():
    seen = []
    for byte in GPT2.decode_iterable(seen.append(b) or b for b in "é🙂a".encode()):
        seen.append(byte)
    assert seen == [*"é".encode(), "é", *"🙂".encode(), "🙂", *b"a", "a"]


def test_a_word_appears_at_once():
    tokenizer = WordTokenizer.train(TEXT)
    ids = tokenizer.encode('said the fox — "we\'ve time."\nThe fox')
    pieces = list(tokenizer.decode_iterable(ids))
    assert len(pieces) == len(ids)
    assert list(accumulate(pieces))[-1] == 'said the fox — "we\'ve time."\nThe fox'


def test_ids_are_checked_as_they_come():
    pieces = GPT2.decode_iterable(iter([97, 10**6]))
    assert next(pieces) == "a"
    with pytest.raises(ValueError, match=r"ids\[1\] is 1000000"):
        next(pieces)
