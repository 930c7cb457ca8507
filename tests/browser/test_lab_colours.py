"""TissLang in colour in JupyterLab, in a real browser: files, cells, themes."""

import json
import re
import shutil
from collections.abc import Iterator
from itertools import groupby

import pytest
from lab_extension import SOURCES, built_extension
from lab_server import THEMES, LabServer, cell, wait_for_kernel, write_notebook
from playwright.sync_api import Browser, Locator, Page, expect

# Something of every kind.
PLAN = r"""
#TISS! Language=Python
# a comment
TASK "Create {{and}} \"check\""
STEP "Write it" {
    @retry 2
    VAR who ?= "Ada"
    WRITE "hello.py" <<PYTHON
import sys  # {{who}} and \{{who}}
PYTHON
    RUN 'echo "x"'
    ASSERT LAST_RUN.STDOUT|trim CONTAINS "{{ who }}\n"
}
FOR
"""
# How its first lines are coloured.
PLAN_LINES = r"""
header:#TISS! Language=Python
comment:# a comment
keyword:TASK string:"Create {{and}}  escape:\" string:check escape:\" string:"
keyword:STEP string:"Write it" operator:{
directive:@retry number:2
keyword:VAR name:who operator:?= string:"Ada"
keyword:WRITE string:"hello.py" heredocMark:<<PYTHON
heredoc:import sys  #  interpolation:{{who}} heredoc: and  escape:\{ heredoc:{who}}
heredocMark:PYTHON
""".strip().split("\n")
PYTHON = "import os\nprint('x')  # not a plan"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """JupyterLab with the extension, on a folder with a plan and a notebook."""
    folder = tmp_path_factory.mktemp("lab")
    prefix = folder / "prefix"
    shutil.copytree(built_extension(), prefix / "labextensions" / "@quantatissu" / "tisslang")
    root = folder / "root"
    root.mkdir()
    (root / "plan.tiss").write_text(PLAN.lstrip(), encoding="utf-8")
    cells = ("%%tiss --dry-run" + PLAN, PYTHON, "%tiss plan.tiss", "\n%%tiss\nTASK 'x'")
    cells += ("%%writefile plan.tiss\nTASK 'x'", "%%writefile plan.py\nimport this")
    write_notebook(root / "lesson.ipynb", *cells)
    write_notebook(root / "scratch.ipynb", "%%tiss" + PLAN, PYTHON)
    markdown = {
        "cell_type": "markdown",
        "metadata": {},
        "id": "m",
        "source": "```tiss\nRUN 'a'\n```",
    }
    notebook = json.loads((root / "lesson.ipynb").read_text(encoding="utf-8"))
    notebook["cells"].append(markdown)
    (root / "lesson.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with LabServer(folder / "server", root, prefix) as server:
        yield server


def spans_of(editor: Locator) -> list[list[tuple[str, str]]]:
    """The lines of an editor: pieces of text, each with its kind of span, or "" for none.

    A piece that has a colour from elsewhere is of kind "other".
    """
    lines = editor.locator(".cm-line").evaluate_all(
        """lines => lines.map(line => {
            const pieces = [];
            const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const around = walker.currentNode.parentElement;
                pieces.push([around === line ? "" : around.className, walker.currentNode.data]);
            }
            return pieces;
        })"""
    )

    def kind(name: str) -> str:
        found = re.search(r"tiss-is-(\w+)", name)
        return found[1] if found else "other" if name else ""

    named = [[(kind(name), text) for name, text in line] for line in lines]
    return [
        [
            (key, "".join(text for _, text in pieces))
            for key, pieces in groupby(line, lambda x: x[0])
        ]
        for line in named
    ]


def written(line: list[tuple[str, str]]) -> str:
    """The pieces of a line that are more than blanks between others."""
    return " ".join(f"{kind}:{text}" for kind, text in line if kind)


def kinds_of(editor: Locator) -> set[str]:
    return {kind for line in spans_of(editor) for kind, _ in line if kind}


def contrasts(editor: Locator) -> dict[str, tuple[str, float]]:
    """For each kind its colour, and the least contrast (WCAG 2) with what is behind it."""
    found = editor.locator("[class*=tiss-is-]").evaluate_all(
        """spans => spans.map(span => {
            const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
            let around = span;
            let behind = [0, 0, 0, 0];
            while (around && behind[3] === 0) {
                const [r, g, b, a = 1] = numbers(getComputedStyle(around).backgroundColor);
                behind = [r, g, b, a];
                around = around.parentElement;
            }
            return [span.className, numbers(getComputedStyle(span).color), behind];
        })"""
    )
    result: dict[str, tuple[str, float]] = {}
    for name, colour, behind in found:
        assert behind[3] == 1, "the background shows through"
        (kind,) = re.findall(r"tiss-is-(\w+)", name)
        share = colour[3] if len(colour) > 3 else 1  # how much of it covers what is behind
        front = [share * f + (1 - share) * b for f, b in zip(colour, behind)]
        light, dark = sorted((luminance(front), luminance(behind)), reverse=True)
        contrast = (light + 0.05) / (dark + 0.05)
        result[kind] = (str(colour), min(contrast, result.get(kind, ("", 99.0))[1]))
    return result


def luminance(colour: list[float]) -> float:
    parts = [c / 255 for c in colour[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def every_kind() -> set[str]:
    css = (SOURCES / "source" / "colours.raw.css").read_text(encoding="utf-8")
    return set(re.findall(r"\.tiss-is-(\w+)", css))


# ------------------------------------------------------------------------------- files


def test_a_file_opens_in_colour_with_our_icon(lab: LabServer, chromium: Browser) -> None:
    page = lab.open_page(chromium, "plan.tiss")
    editor = page.locator(".jp-FileEditor")
    editor.locator(".tiss-is-keyword").first.wait_for()
    assert [written(line) for line in spans_of(editor)][: len(PLAN_LINES)] == PLAN_LINES
    assert kinds_of(editor) == every_kind() - {"magic"}
    row = page.locator(".jp-DirListing-item", has_text="plan.tiss")
    expect(row.locator('[data-icon="tisslang:plan"]')).to_be_visible()
    expect(page.locator("#jp-main-statusbar")).to_contain_text("TissLang")


def test_enter_keeps_the_indent_of_the_block(lab: LabServer, chromium: Browser) -> None:
    (lab.root / "empty.tiss").write_text("", encoding="utf-8")
    page = lab.open_page(chromium, "empty.tiss")
    editor = page.locator(".jp-FileEditor")
    editor.locator(".cm-content").click()
    page.keyboard.type('STEP "a" {\nIF true {\nLOG 1')
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    lines = ["".join(text for _, text in line) for line in spans_of(editor)]
    assert lines[:3] == ['STEP "a" {', "    IF true {", "        LOG 1"]


# ------------------------------------------------------------------------------- cells


def test_cells_that_begin_with_the_magic_are_in_colour_and_others_are_not(
    lab: LabServer, chromium: Browser
) -> None:
    page = lab.open_page(chromium, "lesson.ipynb")
    wait_for_kernel(page)  # from now on the cells of the notebook are Python
    expect(cell(page, 1).locator(".cm-line span").first).to_be_visible()
    plan = cell(page, 0)
    lines = spans_of(plan)
    assert lines[0] == [("magic", "%%tiss"), ("", " --dry-run")]
    assert [written(line) for line in lines[1:]][: len(PLAN_LINES)] == PLAN_LINES
    assert kinds_of(plan) == every_kind()  # nothing of Python shines through
    assert kinds_of(cell(page, 1)) == {"other"}
    assert not any(kind.startswith("magic") for kind in kinds_of(cell(page, 2)))
    assert kinds_of(cell(page, 3)) == {"magic", "keyword", "string"}
    assert kinds_of(cell(page, 4)) == {"magic", "keyword", "string"}
    assert not any(kind.startswith("magic") for kind in kinds_of(cell(page, 5)))
    markdown = cell(page, 6).locator(".jp-RenderedMarkdown code span")
    expect(markdown.first).to_have_text("RUN")


def test_the_colours_follow_the_first_line_as_one_types(lab: LabServer, chromium: Browser) -> None:
    page = lab.open_page(chromium, "scratch.ipynb")
    wait_for_kernel(page)
    plan = cell(page, 0)
    expect(plan.locator(".tiss-is-keyword").first).to_be_visible()
    plan.locator(".cm-line").first.click()
    for key in ("Home", "Delete"):  # %tiss
        page.keyboard.press(key)
    wait_for_kinds(page, plan, {"other"})
    page.keyboard.type("%")
    wait_for_kinds(page, plan, every_kind())
    for key in ("Home", "Shift+End", "Delete", "Delete"):  # the whole line
        page.keyboard.press(key)
    wait_for_kinds(page, plan, {"other"})
    assert ("other", "import") in [piece for line in spans_of(plan) for piece in line]
    page.keyboard.type("\n")
    page.keyboard.press("ArrowUp")
    page.keyboard.type("%%tiss")
    wait_for_kinds(page, plan, every_kind())

    python = cell(page, 1)
    python.locator(".cm-line").first.click()
    page.keyboard.press("Home")
    page.keyboard.type("%%tiss --var x\n")
    python.locator(".tiss-is-magic").wait_for()
    assert "other" not in kinds_of(python)


def wait_for_kinds(page: Page, editor: Locator, kinds: set[str]) -> None:
    for _ in range(100):
        if kinds_of(editor) == kinds:
            return
        page.wait_for_timeout(50)
    assert kinds_of(editor) == kinds


# ------------------------------------------------------------------------------ themes


def test_every_colour_can_be_read_in_both_themes(lab: LabServer, chromium: Browser) -> None:
    """WCAG's contrast of 4.5, in files, in cells, and in the cell that one is in."""
    page = lab.open_page(chromium, "lesson.ipynb")
    wait_for_kernel(page)
    plan, python = cell(page, 0), cell(page, 1)
    colours = []
    for theme in ("light", "dark"):
        set_theme(page, theme)
        python.locator(".cm-line").first.click()
        expect(plan).not_to_have_class(re.compile("jp-mod-active"))
        resting = contrasts(plan)
        plan.locator(".cm-line").first.click()
        expect(plan).to_have_class(re.compile("jp-mod-active"))
        for found in (resting, contrasts(plan)):
            assert found.keys() == every_kind()
            assert {kind: value for kind, value in found.items() if value[1] < 4.5} == {}
        colours.append({kind: colour for kind, (colour, _) in resting.items()})
    assert {kind for kind in every_kind() if colours[0][kind] == colours[1][kind]} == set()
    page.evaluate("jupyterapp.commands.execute('docmanager:open', {path: 'plan.tiss'})")
    editor = page.locator(".jp-FileEditor")
    editor.locator(".tiss-is-keyword").first.wait_for()
    for theme in ("dark", "light"):
        set_theme(page, theme)
        found = contrasts(editor)
        assert {kind: value for kind, value in found.items() if value[1] < 4.5} == {}


def set_theme(page: Page, theme: str) -> None:
    change = "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})"
    page.evaluate(change, THEMES[theme])
    page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=THEMES[theme])
