"""What all tokenizers promise: one protocol, files that are whole, and errors that help."""

import json
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qt import BPETokenizer, CharTokenizer, WordTokenizer
from qt.tokenizers import Tokenizer, load_tokenizer

TEXT = 'The fox sat.\n"Don\'t go," said the fox-cub (twice): é 日本 🙂!'
CLASSES = [BPETokenizer, CharTokenizer, WordTokenizer]


@pytest.fixture(params=CLASSES, ids=lambda cls: cls.type)
def tokenizer(request):
    return request.param.train(TEXT)


# The protocol -----------------------------------------------------------------------------------


def test_encode_gives_ints_of_the_vocabulary(tokenizer):
    ids = tokenizer.encode(TEXT)
    assert isinstance(tokenizer, Tokenizer)
    assert {type(i) for i in ids} == {int}
    assert 0 <= min(ids) <= max(ids) < tokenizer.vocab_size


def test_decode_takes_lists_and_arrays(tokenizer):
    ids = tokenizer.encode(TEXT)
    expected = tokenizer.decode(ids)
    for dtype in (np.int64, np.int32, np.uint16):
        assert tokenizer.decode(np.array(ids, dtype)) == expected
    assert tokenizer.decode(iter(ids)) == expected
    assert tokenizer.decode(list(np.array(ids))) == expected


def test_nothing_is_nothing(tokenizer):
    assert tokenizer.encode("") == []
    assert tokenizer.decode([]) == tokenizer.decode(np.array([], np.int64)) == ""


# Files ------------------------------------------------------------------------------------------


def test_save_and_load_give_the_same_tokenizer(tokenizer, tmp_path):
    path = tmp_path / "tok.json"
    tokenizer.save(path)
    for loaded in (type(tokenizer).load(path), load_tokenizer(str(path))):
        assert type(loaded) is type(tokenizer)
        assert loaded._content() == tokenizer._content()
        assert loaded.vocab_size == tokenizer.vocab_size
        assert loaded.special_tokens == tokenizer.special_tokens
        assert loaded.encode(TEXT) == tokenizer.encode(TEXT)
    assert os.listdir(tmp_path) == ["tok.json"]


def test_a_file_is_readable_utf8_json(tmp_path):
    CharTokenizer.train("aé").save(tmp_path / "char.json")
    WordTokenizer.train("tür, b").save(tmp_path / "word.json")
    char, word = ((tmp_path / f"{k}.json").read_text("utf-8") for k in ("char", "word"))
    assert char == '{"type": "char", "tokens": ["a", "é"]}'
    assert word == '{"type": "word", "tokens": [",", "b", "tür"]}'


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tokenizer, tmp_path, monkeypatch, failing):
    def full(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "tok.json"
    CharTokenizer.train("old").save(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError, match="No space left"):
        tokenizer.save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["tok.json"]


CHAR, WORD = {"type": "char"}, {"type": "word"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no tokenizer file, or damaged: Expecting value"),
        (b"plain text", "is no tokenizer file, or damaged: Expecting value"),
        (b"\x89PNG\r\n\xff", "is no tokenizer file, or damaged: 'utf-8' codec can't decode"),
        (b"[" * 100_000, "is no tokenizer file, or damaged: RecursionError"),
        (b"9" * 5000, "is no tokenizer file, or damaged: Exceeds the limit"),
        (b"[1, 2]", "is no tokenizer file, or damaged: .*'list' object is not a mapping"),
        (b'"text"', "damaged: .*'str' object is not a mapping"),
        (b"null", "damaged: .*'NoneType' object is not a mapping"),
        (b"{}", "it has no type, and no model and pre_tokenizer as a tokenizer.json has"),
        ({"type": "bpe"}, "it has no type, and no model and pre_tokenizer as a tokenizer.json has"),
        ({"type": "unigram"}, "damaged: its type is 'unigram', expected bpe or char or word"),
        ({"type": ["bpe"]}, r"its type is \['bpe'\], expected"),
        (CHAR, "damaged: .*missing 1 required positional argument: 'tokens'"),
        ({**CHAR, "tokens": "ab"}, r"damaged: .*expected a list of tokens, got 'ab': put it"),
        ({**CHAR, "tokens": {"a": 1}}, r"damaged: .*expected a list of tokens, got {'a': 1}"),
        ({**CHAR, "tokens": 7}, "damaged: .*'int' object is not iterable"),
        ({**CHAR, "tokens": ["a", "a"]}, "damaged: token 1, 'a', comes"),
        ({**CHAR, "tokens": ["a", "bc"]}, "damaged: token 1, 'bc'"),
        ({**CHAR, "tokens": ["a", 7]}, "damaged: .*token 1 must be a str"),
        ({**CHAR, "tokens": ["a", "\ud800"]}, "damaged: token 1 has the lone surrogate"),
        ({**CHAR, "tokens": ["a", "b"], "more": []}, "damaged: .*'more'"),
        ({**WORD, "tokens": ["a b"]}, "damaged: token 0, 'a b'"),
        ({**WORD, "tokens": [""]}, "damaged: token 0 is empty"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path, content, message):
    path = tmp_path / "tok.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(ValueError, match=message) as caught:
        load_tokenizer(path)
    assert str(path) in str(caught.value)


def test_a_class_refuses_another_types_file(tmp_path):
    CharTokenizer.train("ab").save(tmp_path / "tok.json")
    with pytest.raises(ValueError, match="its type is 'char', expected bpe"):
        BPETokenizer.load(tmp_path / "tok.json")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json"):
        load_tokenizer(tmp_path / "nowhere.json")


# Bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([0, -1], ValueError, r"ids\[1\] is -1, but this vocabulary has the ids 0 to"),
        ([10**6], ValueError, r"ids\[0\] is 1000000, but .*: is it another tokenizer's\?"),
        ([2**70], ValueError, r"ids\[0\] is 1180591620717411303424"),
        (np.array([0, 10**6]), ValueError, r"ids\[1\] is 1000000"),
        (np.zeros((2, 3), int), ValueError, r"must have the shape \(T,\), got \(2, 3\): decode"),
        (np.array(3), ValueError, r"got \(\)"),
        ([[0, 1]], TypeError, r"ids\[0\] must be an integer, got \[0, 1\]"),
        ([0.0], TypeError, r"ids\[0\] must be an integer, got 0.0"),
        (np.array([0.0]), TypeError, "must be an integer"),
        (np.array([True]), TypeError, "must be an integer"),
        ("0", TypeError, r"ids\[0\] must be an integer, got '0'"),
        ([None], TypeError, "must be an integer, got None"),
        (3, TypeError, "not iterable"),
    ],
)
def test_bad_ids(tokenizer, ids, error, message):
    with pytest.raises(error, match=message):
        tokenizer.decode(ids)


def test_the_last_id_is_good_and_the_next_is_not(tokenizer):
    tokenizer.decode([tokenizer.vocab_size - 1])
    with pytest.raises(ValueError, match=f"is {tokenizer.vocab_size}, but"):
        tokenizer.decode([tokenizer.vocab_size])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (b"bytes", TypeError, "text must be a str, got bytes: decode bytes first"),
        (None, TypeError, "text must be a str, got NoneType"),
        (["a"], TypeError, "text must be a str, got list"),
        ("The\ud83d fox", ValueError, r"text has the lone surrogate U\+D83D at position 3, half"),
    ],
)
def test_bad_text(tokenizer, text, error, message):
    with pytest.raises(error, match=message):
        tokenizer.encode(text)
    with pytest.raises(error, match=message):
        type(tokenizer).train(text)


def test_the_advice_about_surrogates_works(tokenizer):
    text = "\ud83d\ude42 \ud83d"
    repaired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert repaired == "🙂 \ufffd"


@pytest.mark.parametrize("wrong", ["some", None, True, {"<|endoftext|>"}])
def test_bad_allowed_special(tokenizer, wrong):
    with pytest.raises(ValueError, match='allowed_special must be "none" or "all", got'):
        tokenizer.encode("The", allowed_special=wrong)


@pytest.mark.parametrize("cls", CLASSES)
def test_empty_text_trains_nothing(cls):
    with pytest.raises(ValueError, match=r"text (is empty|has no words): give"):
        cls.train("")


# Characters -------------------------------------------------------------------------------------


def test_characters_are_sorted_and_round_trip():
    tokenizer = CharTokenizer.train("hello")
    assert tokenizer.tokens == ["e", "h", "l", "o"]
    assert tokenizer.encode("hole") == [1, 3, 2, 0]
    assert tokenizer.decode([1, 3, 2, 0]) == "hole"


@settings(max_examples=100)
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_characters_round_trip(text):
    tokenizer = CharTokenizer.train(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.vocab_size == len(set(text))


def test_an_unseen_character_is_named():
    message = r"text has 'é' \(U\+00E9\) at position 4, none of the 4 characters: .* BPETokenizer"
    with pytest.raises(ValueError, match=message):
        CharTokenizer.train("hello").encode("hellé")


def test_tinyshakespeare_has_65_characters(data_dir):
    text = (data_dir / "tinyshakespeare.txt").read_text(encoding="utf-8")
    tokenizer = CharTokenizer.train(text)
    assert tokenizer.vocab_size == 65
    assert tokenizer.decode(tokenizer.encode(text)) == text


# Words ------------------------------------------------------------------------------------------


def test_words_come_by_frequency_then_in_order():
    tokenizer = WordTokenizer.train("b a b c, a b")
    assert tokenizer.tokens == ["b", "a", ",", "c", "<unk>"]
    assert tokenizer.encode("c b") == [3, 0]
    assert (tokenizer.vocab_size, tokenizer.special_tokens) == (5, {"<unk>": 4})


def test_words_beyond_the_vocabulary_are_unknown():
    tokenizer = WordTokenizer.train("b a b c, a b", vocab_size=3)
    assert tokenizer.tokens == ["b", "a", "<unk>"]
    assert tokenizer.encode("a zebra, b") == [1, 2, 2, 0]
    assert tokenizer.decode([1, 2, 0]) == "a <unk> b"


def test_the_spelling_of_unk_is_plain_text_unless_allowed():
    tokenizer = WordTokenizer.train("< > unk a")
    assert tokenizer.decode(tokenizer.encode("a <unk>")) == "a < unk >"
    assert tokenizer.encode("a <unk>", allowed_special="all") == [*tokenizer.encode("a"), 4]


@pytest.mark.parametrize(
    "text",
    [
        "The fox sat, looked; and slept.",
        'He said: "I don\'t know (yet)!"\n"Go on," she said. Why?',
        "“Well-read,” he said, ‘and mother-in-law’s’ [sic] {x}.",
    ],
)
def test_usual_text_is_decoded_as_it_was(text):
    tokenizer = WordTokenizer.train(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_what_words_lose():
    tokenizer = WordTokenizer.train("a b - % .\r\n")
    assert tokenizer.decode(tokenizer.encode("a\t  b % zebra .  \r\n  a")) == "a b % <unk>.\na"


NASTY_WORDS = ["fox", "don't", "x-y", "’", "'", "-", '"', "(", "”", "“", "‘", ".", "<", ">", "unk"]


@settings(max_examples=500)
@given(st.lists(st.integers(0, len(NASTY_WORDS) + 1)))
def test_tokens_survive_decoding(ids):
    tokenizer = WordTokenizer([*NASTY_WORDS, "\n"])
    assert tokenizer.encode(tokenizer.decode(ids), allowed_special="all") == ids


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": " \t "}, "text has no words: give text to learn from"),
        ({"text": "a", "vocab_size": 1}, r"vocab_size must be at least 2 \(a word, <unk>\), got 1"),
    ],
)
def test_bad_word_training(arguments, message):
    with pytest.raises(ValueError, match=message):
        WordTokenizer.train(**arguments)
