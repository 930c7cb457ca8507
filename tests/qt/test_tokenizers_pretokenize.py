"""The split pattern: lossless, and its character classes exact for every code point."""

import re
import sys
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qt.tokenizers.pretokenize import BOUNDS, PATTERNS, SPACE, _compiled, character_classes, split

# Unicode's White_Space, from the table PropList.txt.
WHITE_SPACE = {
    *range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B),
    0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
}  # fmt: skip


EVERY_CHARACTER = "".join(map(chr, range(sys.maxunicode + 1)))


@pytest.mark.parametrize("major", ["L", "N"])
def test_letters_and_numbers_agree_with_unicodedata_for_every_code_point(major):
    ranges = dict(zip("LN", character_classes(BOUNDS[-1])))
    found = set(re.findall(f"[{ranges[major]}]", EVERY_CHARACTER))
    assert found == {c for c in EVERY_CHARACTER if unicodedata.category(c)[0] == major}


def test_a_chunk_takes_the_same_characters_for_letters_and_numbers():
    letters, numbers = character_classes(BOUNDS[-1])
    either = set(re.findall(f"[{letters}{numbers}]", EVERY_CHARACTER))
    assert set(re.findall(r"[^\W_]", EVERY_CHARACTER)) == either


def test_white_space_is_unicodes_for_every_code_point():
    assert set(map(ord, re.findall(f"[{SPACE}]", EVERY_CHARACTER))) == WHITE_SPACE


@pytest.mark.parametrize("bound", BOUNDS[:-1])
def test_a_smaller_bound_cuts_a_text_below_it_in_the_same_way(bound):
    # The text has each character below the bound between letters, digits and spaces.
    characters = (chr(c) for c in range(bound) if not 0xD800 <= c < 0xE000)
    text = "".join(f"a{c}b {c}1{c} ." for c in characters)
    beyond = "\U00020000"  # a letter that asks for the widest classes
    assert [*split(text), beyond] == list(split(text + beyond))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Hello world", ["Hello", " world"]),
        ("I'll don't 'tis", ["I", "'ll", " don", "'t", " '", "tis"]),
        ("I'LL", ["I", "'", "LL"]),  # the endings are lower case only, as in GPT-2
        ("abc123 45", ["abc", "123", " 45"]),
        ("dog. dog!?", ["dog", ".", " dog", "!?"]),
        ("a   b", ["a", "  ", " b"]),
        ("a\n\n b", ["a", "\n\n", " b"]),
        ("a\n\nb", ["a", "\n", "\n", "b"]),
        ("end  ", ["end", "  "]),
        ("a\tb", ["a", "\t", "b"]),
        ("a\xa0b", ["a", "\xa0", "b"]),
        ("a\x1c\x1cb", ["a", "\x1c\x1c", "b"]),  # Python's \s holds U+001C, White_Space does not
        ("a\x85\x85b", ["a", "\x85", "\x85", "b"]),
        ("²x Ⅷ", ["²", "x", " Ⅷ"]),
        ("e\u0301", ["e", "\u0301"]),  # a combining mark is no letter
        ("𝔘𝔫 𐍈", ["𝔘𝔫", " 𐍈"]),
        ("hi🙂🙂", ["hi", "🙂🙂"]),
        ("a\U00010000 ", ["a\U00010000", " "]),  # the first letter beyond the first plane
    ],
)
def test_words_by_hand(text, words):
    assert list(split(text)) == words


TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(" \n\t'\x1c\xa0sl1.a")))


@settings(max_examples=300)
@given(TEXTS)
def test_the_words_joined_are_the_text(text):
    words = list(split(text))
    assert "".join(words) == text
    assert "" not in words


@pytest.mark.parametrize("pattern", PATTERNS)
@settings(max_examples=100)
@given(TEXTS, st.integers(9_980, 10_000))
@example("b" + 9 * " ", 9_995)
@example("'s__.__.\n\n a1", 9_997)
def test_a_long_text_is_cut_as_if_at_once(pattern, text, n):
    # The text lies where a chunk may end.
    text = "a" * n + text * 3 + "\n" * n + text * 3 + " b"
    assert list(split(text, pattern)) == _compiled(pattern, BOUNDS[-1]).findall(text)
