"""The widget as a still picture."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tisslang.jupyter.picture import MAX_HTML, MAX_LINES, NOTE, picture_html, picture_text
from tisslang.jupyter.session import Session

EMPTY: dict[str, Any] = {
    "mode": "",
    "headline": "",
    "problems": [],
    "changes": [],
    "changes_note": "",
}
PLAN = """\
TASK "Greet <Ada> & co"
STEP "Write <b>" {
    WRITE "name.txt" <<W
<script>alert(1)</script>
W
    RUN "cat name.txt; pwd"
}
"""
WITHOUT_TIMES = re.compile(r"· [0-9.:]+ (s|min|h)\b")


class Page(HTMLParser):
    """The text of some HTML; fails on a tag that is not closed in its place, and on scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("div", "details", "summary", "pre", "strong", "ul", "li", "code")
        assert not [name for name, _ in attrs if name not in ("class", "style", "open")]
        assert "url" not in str(attrs)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def run(script: str, root: Path, **options: Any) -> tuple[dict[str, Any], Any]:
    state = dict(EMPTY)
    session = Session(script, root, state.update, sandbox_profile="none", **options)
    session.start()
    assert session.wait(60)
    return state, session.result()


def test_before_a_run_the_script_is_shown() -> None:
    assert picture_text(EMPTY, PLAN, None) == f"TissWidget\n{PLAN}Not run yet."
    page = Page(picture_html(EMPTY, PLAN, None))
    for part in ("Script", PLAN, "Not run yet."):
        assert part in page.text
    assert Page(picture_html(EMPTY, "", None)).text == f"{NOTE}ScriptNot run yet."


def test_a_check_shows_its_problems() -> None:
    problem = {"line": 2, "column": 5, "severity": "error", "code": "T110"}
    problem |= {"message": "no <x>", "hint": "set it"}
    state = {**EMPTY, "headline": "1 error.", "problems": [problem]}
    assert "T110" not in picture_text(state, PLAN, None)  # as one types they come and go
    state["mode"] = "check"
    for text in (picture_text(state, PLAN, None), Page(picture_html(state, PLAN, None)).text):
        assert "1 error.\n2:5 error[T110]: no <x>\n    hint: set it".replace("\n", "") in (
            text.replace("\n", "")
        )


def test_a_run_shows_steps_output_and_changes(tmp_path: Path) -> None:
    root = tmp_path / "place"
    root.mkdir()
    state, result = run(PLAN, root)
    page = Page(picture_html(state, PLAN, result))
    for part in (
        "✓ passed: Greet <Ada> & co (1 of 1 steps)",
        "✓ passed: Write <b>",
        "<script>alert(1)</script>\n…/place\n",
        "Files written: name.txt",
        "new: name.txt",
        "+<script>alert(1)</script>",
    ):
        assert part in page.text
    assert WITHOUT_TIMES.sub("· TIME", picture_text(state, PLAN, result)) == (
        "TissWidget\n"
        "✓ passed: Greet <Ada> & co (1 of 1 steps) · TIME\n"
        "  ✓ passed: Write <b> · TIME\n"
        "files written: name.txt\n"
        "new: name.txt"
    )


def test_a_dry_run_shows_the_plan(tmp_path: Path) -> None:
    state, result = run(PLAN, tmp_path, dry_run=True)
    for text in (picture_text(state, PLAN, result), Page(picture_html(state, PLAN, result)).text):
        assert "a dry run, nothing was done" in text
        assert 'WRITE "name.txt"' in text
        assert "writes: name.txt" in text


@pytest.mark.parametrize("script", [PLAN, PLAN + 'ASSERT 1 == 2\nSTEP "x" { }', 'RUN "a'])
@pytest.mark.parametrize("dry_run", [True, False])
def test_it_is_the_same_every_time_and_everywhere(
    tmp_path: Path, script: str, dry_run: bool
) -> None:
    pictures = set()
    for place in ("one", "two"):
        root = tmp_path / place / "place"
        root.mkdir(parents=True)
        state, result = run(script, root, dry_run=dry_run)
        texts = picture_text(state, script, result), picture_html(state, script, result)
        pictures.add(tuple(WITHOUT_TIMES.sub("· TIME", text) for text in texts))
        assert not [text for text in texts if str(tmp_path) in text]
    assert len(pictures) == 1


def test_it_stays_small(tmp_path: Path) -> None:
    lines = "".join(f'STEP "{n}" {{ RUN "seq 3000" }}\n' for n in range(30))
    many = "".join(f'STEP "{n}" {{ LOG {n} }}\n' for n in range(1000))
    for script in (lines, many):
        state, result = run(script, tmp_path)
        text, html = picture_text(state, script, result), picture_html(state, script, result)
        Page(html)
        assert len(html) < 2 * MAX_HTML
        assert text.count("\n") <= MAX_LINES
    assert "more lines" in text
    long = f"LOG '{'x' * 100_000}'"
    assert len(picture_html(EMPTY, long, None)) < 5000


def test_light_and_dark_come_from_the_page(tmp_path: Path) -> None:
    state, result = run(PLAN, tmp_path)
    styles = re.findall(r'style="([^"]*)"', picture_html(state, PLAN, result))
    assert styles
    for style in styles:
        assert not re.search(r"#[0-9a-f]{3}|rgb|white\b(?!-)|black", style)


def test_nothing_in_it_steers_a_terminal_or_turns_a_text(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/\xff\x1b", "w") as file:
        file.write("\u202e")
    script = 'STEP "a" { RUN "printf \'\\033[31m\'; mv * b" }'
    state, result = run(script, tmp_path)
    for text in (picture_text(state, script, result), picture_html(state, script, result)):
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff]", text)
