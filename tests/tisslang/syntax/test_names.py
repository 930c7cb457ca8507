"""Sets of names as bits, and calls that are deeper than Python's stack."""

from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tisslang.syntax import trampoline
from tisslang.syntax.names import Names

WORDS = st.sets(st.sampled_from("abcdefghij"))


@given(WORDS, WORDS)
def test_bits_are_sets(one: set[str], other: set[str]) -> None:
    names = Names()
    first, second = names.bits(sorted(one)), names.bits(sorted(other))
    assert {*names.listed(first | second)} == one | other
    assert {*names.listed(first & second)} == one & other
    assert {*names.listed(first & ~second)} == one - other
    assert all(names.has(first, name) is (name in one) for name in "abcdefghijk")
    assert names.unpack(names.pack(first)) == first
    if one:
        assert names.first(first) == min(one)


def test_names_are_listed_as_they_were_met() -> None:
    names = Names()
    found = names.bits(["z", "a", "m"])
    assert names.listed(found) == ["z", "a", "m"]
    assert names.first(found & ~names.bit("z")) == "a"
    assert names.bit("z") == 1
    assert names.pack(names.bit("m")) == (2, 1)
    assert names.pack(0) == (0, 0)


def depth(levels: int) -> Generator[Any, Any, int]:
    if levels == 0:
        return 0
    below = yield depth(levels - 1)
    return below + 1


def failing(levels: int, log: list[int], catch_at: int) -> Generator[Any, Any, str]:
    if levels == 0:
        raise ValueError("at the bottom")
    try:
        return (yield failing(levels - 1, log, catch_at))
    except ValueError:
        log.append(levels)
        if levels == catch_at:
            return f"caught at {levels}"
        raise


def test_calls_as_deep_as_one_likes() -> None:
    assert trampoline.run(depth(100_000)) == 100_000


def test_an_exception_goes_from_call_to_caller() -> None:
    log: list[int] = []
    assert trampoline.run(failing(5, log, 3)) == "caught at 3"
    assert log == [1, 2, 3]
    with pytest.raises(ValueError, match="at the bottom"):
        trampoline.run(failing(500, [], 0))
