"""Answers about commands are given once, and are not kept for ever."""

import pytest

from tisslang.syntax import command_answers
from tisslang.syntax.command_answers import command_of, kept, key_of

TEMPLATE = {"template": ["echo ", {"var": "who", "filter": "raw"}, " ", {"last_run": "STDOUT"}]}


def test_a_key_is_the_same_for_other_names() -> None:
    other = {"template": ["echo ", {"var": "you", "filter": "raw"}, " ", {"cost": "TOTAL"}]}
    assert key_of(TEMPLATE) == key_of(other) == key_of(command_of(key_of(TEMPLATE)))
    assert key_of("echo") == ("echo",) != key_of(TEMPLATE)


def test_an_answer_is_given_once() -> None:
    asked = []

    @kept
    def answer(key: tuple[str, ...], cwd: str) -> None:
        asked.append((*key, cwd))

    for cwd in ("a", "b", "a"):
        assert answer(("ls",), cwd) is None
    assert asked == [("ls", "a"), ("ls", "b")]


def test_what_is_kept_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_answers, "MAX_SIZE", 10_000)
    asked = []
    answer = kept(asked.append)
    for length in [*range(3000, 3010), 3000]:
        answer(("x" * length,))
    assert [len(key[0]) for key in asked] == [*range(3000, 3010), 3000]  # the first was forgotten
