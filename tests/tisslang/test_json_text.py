"""JSON with integers of any size."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tisslang.json_text import json_text

LONG = 10**5_000 + 7


@pytest.fixture
def any_size() -> Iterator[None]:
    """Python reads and writes integers of any size while a test looks at what was written."""
    before = sys.get_int_max_str_digits()
    yield sys.set_int_max_str_digits(0)
    sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "content",
    [LONG, -LONG, [LONG, "é", LONG], {"a": {"b": [True, None, 1.5, -LONG]}, "c": "1"}, (LONG, 1)],
    ids=["positive", "negative", "list", "nested", "tuple"],  # pytest cannot write the numbers
)
def test_long_integers(content: Any, indent: int | None, any_size: None) -> None:
    expected = json.dumps(content, ensure_ascii=False, indent=indent)
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(4_300)
    try:
        written = json_text(content, indent)
    finally:
        sys.set_int_max_str_digits(before)
    assert written == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_all_else_is_as_python_writes_it(content: Any) -> None:
    assert json_text(content) == json.dumps(content, ensure_ascii=False)
    beside = json_text([LONG, content])
    assert beside.startswith("[1000")
    assert beside.endswith(json.dumps(content, ensure_ascii=False) + "]")
