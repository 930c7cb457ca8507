"""What stands in quotes and heredocs, and where its references are."""

from typing import Any

import pytest

from tisslang.errors import TissParseError
from tisslang.syntax import parse
from tisslang.syntax.text import Reference
from tisslang.syntax.tree import references, walk


def value(source: str) -> Any:
    return parse(f"VAR v = {source}")["body"][0]["value"]


def template(*parts: Any) -> dict[str, Any]:
    return {"template": list(parts)}


X = {"var": "x"}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('""', ""),
        ("''", ""),
        (r'"\"\\\n\t\r\{"', '"\\\n\t\r{'),
        (r"'\n\q\'", r"\n\q" + "\\"),
        ("'{{x}}'", "{{x}}"),
        ('"{ } # <<X"', "{ } # <<X"),
        ('"{{x}}"', template(X)),
        ('"a{{x}}b"', template("a", X, "b")),
        ('"{{x}}{{x}}"', template(X, X)),
        ('"{{ \t x \t | trim }}"', template({"var": "x", "filter": "trim"})),
        ('"{{x|raw}}{{x|json}}"', template(X | {"filter": "raw"}, X | {"filter": "json"})),
        ('"{{LAST_RUN.STDOUT}}"', template({"last_run": "STDOUT"})),
        ('"{{ERROR.KIND|trim}}"', template({"error": "KIND", "filter": "trim"})),
        ('"{{x|nonsense}}"', template(X | {"filter": "nonsense"})),
        (r'"\{{x}}"', "{{x}}"),
        (r'"\{\{x}}"', "{{x}}"),
        (r'"{\{x}}"', "{{x}}"),
        (r'"\\{{x}}"', template("\\", X)),
        (r'"\\\{{x}}"', r"\{{x}}"),
        ('"{{{x}}"', template("{", X)),
        ('"{{{x}}}"', template("{", X, "}")),
        ('"{{{{x}}}}"', template("{{", X, "}}")),
        ('"{{ a + b }}"', "{{ a + b }}"),
        ('"${{ github.sha }}"', "${{ github.sha }}"),
        ('"{{}} {{ }} {{1}} {{x"', "{{}} {{ }} {{1}} {{x"),
        ('"{{x y}} {{x||trim}} {{x|trim|json}}"', "{{x y}} {{x||trim}} {{x|trim|json}}"),
        ('"{{LAST_RUN}} {{TASK}} {{true}} {{FOR}}"', "{{LAST_RUN}} {{TASK}} {{true}} {{FOR}}"),
        ('"{{LAST_RUN .STDOUT}} {{LAST_RUN.TASK}}"', "{{LAST_RUN .STDOUT}} {{LAST_RUN.TASK}}"),
        ('"{{x|NOT}} {{x.y}}"', "{{x|NOT}} {{x.y}}"),
        ('"{{x\u00a0}}"', "{{x\u00a0}}"),
        ('"{{ünï}}"', "{{ünï}}"),
        ('"{{Task}}"', template({"var": "Task"})),
        (r'"{{x}}\n{{x}}"', template(X, "\n", X)),
    ],
)
def test_strings(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("opener", "body", "expected"),
    [
        ("<<W", "", ""),
        ("<<W", "a\n", "a\n"),
        ("<<W", "{{x}}\n", template(X, "\n")),
        ("<<W", '\\{{x}} \\n \\" \\\\ \\{x\n', '{{x}} \\n \\" \\\\ \\{x\n'),
        ("<<W", "\\{{{x}}\n", template("{", X, "\n")),
        ("<<W", "\\\\{{x}}\n", "\\{{x}}\n"),
        ("<<W", "\\{a}\n", "\\{a}\n"),
        ("<<'W'", "{{x}} \\{{x}}\n", "{{x}} \\{{x}}\n"),
        ("<<W", "  a\n", "  a\n"),
        ("<<-W", "  a\n    b\n", "a\n  b\n"),
        ("<<-W", "\ta\n\t\tb\n", "a\n\tb\n"),
        ("<<-W", "\ta\n  b\n", "\ta\n  b\n"),
        ("<<-W", "    a\n\n  \n      \n    b\n", "a\n\n\n  \nb\n"),
        ("<<-W", "  a\nb\n", "  a\nb\n"),
        ("<<-W", " \n\n", " \n\n"),
        ("<<-W", "  {{x}}\n   {{x}}\n", template(X, "\n ", X, "\n")),
        ("<<-'W'", "  {{x}}\n", "{{x}}\n"),
    ],
)
def test_heredocs(opener: str, body: str, expected: Any) -> None:
    assert value(f"{opener}\n{body}W") == expected


@pytest.mark.parametrize(
    ("source", "places"),
    [
        ('LOG "a{{x}}\\n{{ y }}"', [(1, 7, 12), (1, 14, 21)]),
        ("LOG x|trim", [(1, 5, 11)]),
        ("ASSERT LAST_RUN . STDOUT == y", [(1, 8, 25), (1, 29, 30)]),
        ("RUN <<W\n\n日{{x}} {{x}}\n\n\t{{y}}\nW", [(3, 2, 7), (3, 8, 13), (5, 2, 7)]),
        ("RUN <<-W\n    {{x}}\n\n      {{y}}\n  W", [(2, 5, 10), (4, 7, 12)]),
        ("\ufeffRUN <<W\r\n{{x}}\r\n {{y}}\r\nW\r\n", [(2, 1, 6), (3, 2, 7)]),
        ('WRITE "{{a}}" <<W\n{{b}}\nW', [(1, 8, 13), (2, 1, 6)]),
    ],
)
def test_places_of_references(source: str, places: list[tuple[int, int, int]]) -> None:
    found = [ref for node, _ in walk(parse(source)) for ref in references(node)]
    assert all(isinstance(ref, Reference) for ref in found)
    assert [(r.line, r.column, r.end_column) for r in found] == places  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("source", "column"),
    [(r'LOG "a\q"', 7), (r'LOG "\u0041"', 6), (r'STEP "\x" { }', 7), (r'LOG "{{x}}\}"', 11)],
)
def test_unknown_escapes(source: str, column: int) -> None:
    with pytest.raises(TissParseError) as caught:
        parse(source)
    assert (caught.value.code, caught.value.line, caught.value.column) == ("T004", 1, column)


def test_descriptions_have_escapes_and_no_interpolation() -> None:
    step = parse(r'STEP "a \"b\" {{x}} \{" { }')["body"][0]
    assert step["description"] == 'a "b" {{x}} {'
