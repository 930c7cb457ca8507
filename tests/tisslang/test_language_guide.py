"""Every example of the language guide does what the page says."""

import contextlib
import io
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import tisslang
from tisslang import cli
from tisslang.cli.flags import engine_options

GUIDE = Path(__file__).parents[2] / "book/reference/language.md"
_EXAMPLE = re.compile(
    r"(?:^<!-- (?P<note>.*?) -->\n)?^```(?P<kind>tiss|python)\n(?P<source>.*?)^```\n"
    r"(?:^```text\n(?P<log>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
EXAMPLES = [match.groupdict() for match in _EXAMPLE.finditer(GUIDE.read_text(encoding="utf-8"))]
PLANS = [example for example in EXAMPLES if example["kind"] == "tiss"]


def run(example: dict[str, Any], root: Path) -> dict[str, Any]:
    flags = (example["note"] or "").removeprefix("flags: ") if _has_flags(example) else ""
    arguments = ["run", "-", "--root", str(root), "--non-interactive", *shlex.split(flags)]
    options = cli.command_parser(arguments).parse_args(arguments)
    return tisslang.run(example["source"], **engine_options(options))


def _has_flags(example: dict[str, Any]) -> bool:
    return (example["note"] or "").startswith("flags: ")


@pytest.mark.parametrize("example", PLANS, ids=lambda example: example["source"][:40])
def test_an_example(example: dict[str, Any], tmp_path: Path) -> None:
    report = run(example, tmp_path)
    expected = re.match(r"exit (?P<code>\d+): (?P<what>.*)", example["note"] or "")
    if expected is None:
        assert report["exit_code"] == 0, report["error"] or report["diagnostics"]
        assert "\n".join(report["log"]) == (example["log"] or "").removesuffix("\n")
        return
    assert report["exit_code"] == int(expected["code"])
    assert expected["what"] in (report["error"]["code"], report["error"]["message"])


def test_the_python_of_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(printed):
        for example in EXAMPLES:
            if example["kind"] == "python":
                exec(example["source"], names)
    assert printed.getvalue() == "passed ['hello']\n['HELLO']\n"


def test_the_guide_names_every_word_of_the_language() -> None:
    from tisslang.syntax.lexer import RESERVED

    text = GUIDE.read_text(encoding="utf-8")
    assert [word for word in RESERVED if not re.search(rf"\b{word}\b", text)] == []


def test_there_are_examples() -> None:
    assert len(PLANS) > 20
