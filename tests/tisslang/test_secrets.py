"""Secrets never stand in a text, in any of the forms in which a program may print them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from plans import run

from tisslang.secrets import MASK, Secrets

VALUE = "s3cr\"et'é\n"
PROPERTY = settings(max_examples=300, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        VALUE.strip(),
        "s3cr\\\"et'é\\n",
        "s3cr\\\"et'é",
        "s3cr\\\"et'\\u00e9\\n",
        "s3cr\"et'\\''é\n",
        "s3cr\"et'\\''é",
    ],
)
def test_each_form_is_hidden(form: str) -> None:
    secrets = Secrets({"key": VALUE})
    assert secrets.mask(f"<{form}>") == "<***>"
    assert secrets.mask(f"{form}{form} {form}") == "****** ***"


def test_what_a_shell_and_a_program_print_is_hidden() -> None:
    value = "p'ä ss\"wörd"
    secrets = Secrets({"key": value})
    command = "printf %s '" + value.replace("'", "'\\''") + "'"
    assert secrets.mask(command) == "printf %s '***'"
    printed = subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout
    assert secrets.mask(printed.decode()) == "***"
    for ascii_only in (True, False):
        text = json.dumps({"key": value}, ensure_ascii=ascii_only)
        assert secrets.mask(text) == '{"key": "***"}'


def test_bytes_that_are_not_text() -> None:
    value = b"pass\xffword".decode("utf-8", "surrogateescape")
    secrets = Secrets({"key": value})
    assert secrets.mask(b"pass\xffword".decode("utf-8", "replace")) == "***"
    assert secrets.mask(value) == "***"
    assert Secrets({"key": "pass\ud800word"}).mask("pass\ud800word") == "***"


@pytest.mark.parametrize("value", ["", "abc", 'a"b', "    ", "\n\n\n\n\n", " ab "[:3]])
def test_short_and_blank_values_are_not_hidden(value: str) -> None:
    text = f'<{value}> a\\"b {value.strip()}'
    assert Secrets({"key": value}).mask(text) == text


def test_a_trimmed_form_may_be_too_short() -> None:
    secrets = Secrets({"key": "abc\n"})
    assert secrets.mask("abc and abc\n") == "abc and ***"


def test_the_longest_goes_first_and_what_overlaps_goes_whole() -> None:
    secrets = Secrets({"a": "hunter", "b": "hunter22", "c": "22-long"})
    assert secrets.mask("hunter hunter2 hunter22") == "*** ***2 ***"
    assert secrets.mask("hunter22-long!") == "***!"
    assert secrets.mask("hunterhunter22") == "******"
    assert Secrets({"a": "abab"}).mask("-ababab-") == "-***-"


def test_a_text_that_was_cut() -> None:
    secrets = Secrets({"a": "hunter22", "b": "pässword", "c": "22-long"})
    assert secrets.mask_cut("x hunter2") == "x ***"
    assert secrets.mask_cut("x hunt") == "x ***"
    assert secrets.mask_cut("x hun") == "x hun"
    assert secrets.mask_cut("hunter2 ") == "hunter2 "
    assert secrets.mask_cut("hunter22") == "***"
    assert secrets.mask_cut("hunter22-lon") == "***"
    assert secrets.mask_cut("hunter22 hunter22") == "*** ***"
    assert secrets.mask_cut("") == ""
    cut = "x päss".encode()
    assert (
        Secrets({"b": "passé!!"}).mask_cut("passé".encode()[:-1].decode(errors="replace")) == MASK
    )
    assert secrets.mask_cut(cut.decode()) == "x ***"
    assert Secrets({"a": 'pass"word'}).mask_cut('{"key": "pass\\"wo') == '{"key": "***'


def test_the_end_of_a_cut_output_is_hidden_wherever_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", "hunter22-and-more")
    text = """RUN "printf 'key: %s' {{KEY}}"
VAR x = "<{{LAST_RUN.STDOUT}}> {{LAST_RUN.STDOUT}}"
LOG x
ASSERT LAST_RUN.STDOUT == x"""
    events: list[Any] = []
    report = run(text, tmp_path, secret=["KEY"], max_output=13, on_event=events.append)
    assert report["log"] == ["<key: ***> key: ***"]
    assert report["error"]["left"]["value"] == "key: ***"
    assert "hunter" not in json.dumps([report, events])


def test_everything_in_a_report() -> None:
    secrets = Secrets({"key": "hunter22", "number": "12345"})
    report = {
        "hunter22": ["x hunter22", {"deep": ("hunter22", None, 12345, 1.5, True)}],
        "text": "12345",
        "plain": "x",
    }
    assert secrets.mask_all(report) == {
        "hunter22": ["x ***", {"deep": ["***", None, 12345, 1.5, True]}],
        "text": "***",
        "plain": "x",
    }
    assert report["text"] == "12345"


def test_without_secrets_nothing_is_touched() -> None:
    for secrets in (Secrets({}), Secrets({"short": "abc"})):
        report: dict[str, Any] = {"text": "abc"}
        assert secrets.mask_all(report) is report
        text = "some text"
        assert secrets.mask(text) is text
        assert secrets.mask_cut(text) is text


TEXTS = st.text(alphabet="ab'\"\\ é\n", max_size=12)
VALUES = st.lists(st.text(alphabet="ab'\"\\ é\n", min_size=4, max_size=8), min_size=1, max_size=3)


def forms(value: str) -> set[str]:
    """The forms of language reference section 10.4, and JSON in ASCII."""
    assume(len(value.strip()) >= 4)
    found = set()
    for text in (value, value.strip()):
        found |= {text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]}
        found.add(text.replace("'", "'\\''"))
    return found


@PROPERTY
@given(values=VALUES, texts=st.lists(TEXTS, max_size=4), data=st.data())
def test_no_form_is_left(values: list[str], texts: list[str], data: st.DataObject) -> None:
    secrets = Secrets({str(number): value for number, value in enumerate(values)})
    hidden = set().union(*map(forms, values))
    parts = []
    for text in texts:
        parts += [text, data.draw(st.sampled_from(sorted(hidden)))]
    masked = secrets.mask("".join(parts))
    assert not [form for form in hidden if form in masked]
    # What no secret touches stays, in its order.
    kept = [part for part in masked.split(MASK) if part]
    place = 0
    for part in kept:
        assert part in "".join(parts)[place:]
        place = "".join(parts).index(part, place) + len(part)


@PROPERTY
@given(values=VALUES, text=TEXTS)
def test_a_text_without_a_secret_is_unchanged(values: list[str], text: str) -> None:
    hidden = set().union(*map(forms, values))
    assume(not any(form in text for form in hidden))
    secrets = Secrets({str(number): value for number, value in enumerate(values)})
    assert secrets.mask(text) == text


@PROPERTY
@given(values=VALUES, text=TEXTS, data=st.data())
def test_a_cut_leaves_no_more_than_three_characters(
    values: list[str], text: str, data: st.DataObject
) -> None:
    secrets = Secrets({str(number): value for number, value in enumerate(values)})
    hidden = sorted(set().union(*map(forms, values)))
    form = data.draw(st.sampled_from(hidden))
    cut = (text + form)[: len(text) + data.draw(st.integers(0, len(form)))]
    masked = secrets.mask_cut(cut)
    assert not [form for form in hidden if form in masked]
    assert not [form for form in hidden if masked.endswith(form[:4])]
