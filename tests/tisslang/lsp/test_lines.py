"""Positions in the units of each encoding, and edits, against a plain reading of the protocol."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tisslang.lsp.lines import Lines

TEXTS = st.text(st.sampled_from("ab\r\n\u2028\x0b\x85é日😀\ufeff\t\ud800"), max_size=20)
ENCODINGS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
UNIT = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


def plain_position(text: str, offset: int, encoding: str) -> tuple[int, int]:
    """Lines end at LF, CRLF and CR alone; a column counts the units before it."""
    ends = [match.end() for match in re.finditer("\r\n|\r|\n", text)]
    line = sum(end <= offset for end in ends)
    before = text[ends[line - 1] if line else 0 : offset]
    before = before.removesuffix("\r")  # between a CR and its LF is before both
    data = before.encode(ENCODINGS[encoding], "surrogatepass")
    return line, len(data) // UNIT[encoding]


@given(TEXTS, st.sampled_from(sorted(ENCODINGS)), st.integers(0, 20))
def test_every_offset_has_its_position(text: str, encoding: str, offset: int) -> None:
    offset = min(offset, len(text))
    lines = Lines(text, encoding)
    position = lines.position(offset)
    assert position == plain_position(text, offset, encoding)
    is_within = text[offset - 1 : offset + 1] == "\r\n" and offset > 0
    assert lines.offset(position) == offset - is_within


@given(TEXTS, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), TEXTS), max_size=4))
def test_edits_keep_the_text_and_its_lines(text: str, edits: list[tuple[int, int, str]]) -> None:
    lines = Lines(text)
    for one, other, new in edits:
        start, end = lines.position(min(one, other)), lines.position(max(one, other))
        a, b = lines.offset(start), lines.offset(end)
        before = lines.text
        lines.replace(start, end, new)
        assert lines.text == before[:a] + new + before[b:]
        assert lines.lines == Lines(lines.text).lines


@pytest.mark.parametrize(
    ("position", "offset"),
    [((0, 99), 2), ((9, 0), 6), ((9, 9), 6), ((1, 0), 3), ((1, 1), 3), ((1, 2), 4), ((2, 5), 6)],
)
def test_positions_that_are_not_there_are_the_nearest(
    position: tuple[int, int], offset: int
) -> None:
    assert Lines("ab\n😀\nx").offset(position) == offset


def test_a_range_that_is_the_wrong_way_round_is_empty() -> None:
    lines = Lines("abc")
    lines.replace((0, 2), (0, 1), "x")
    assert lines.text == "abxc"
