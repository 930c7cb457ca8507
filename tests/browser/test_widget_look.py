"""How the widget looks: narrow pages, contrast, no text as HTML, what axe-core finds."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from npm_packages import npm_packages
from widget_view import PAGE, WidgetPage, widget_page

from tisslang.jupyter.page import style


@pytest.fixture
def widget(chromium: Any) -> Iterator[WidgetPage]:
    with widget_page(chromium) as page:
        yield page


EVERY_STATE = [
    *("idle", "problems", "running", "question", "choose", "passed", "failed", "dryRun", "changes")
]


def test_all_states_fit_into_narrow_pages(widget: WidgetPage) -> None:
    for width in (360, 320, 1600):
        widget.page.set_viewport_size({"width": width, "height": 900})
        for state in EVERY_STATE:
            widget.start(state)
            assert widget.page.evaluate("measure.overhang()") == [], (width, state)
            assert widget.page.evaluate("document.documentElement.scrollWidth") <= width


EVERY_COLOUR = """#TISS! Language=Python
# a comment
@timeout 30s
TASK "x" WITH FOR true LAST_RUN.STDOUT 12 1.5s
VAR y = x
RUN "a\\n\\q{{x}}" ~ 'raw
WRITE "x" <<X
text {{x}} \\{{
X
"""


def test_every_text_can_be_read(widget: WidgetPage) -> None:
    coloured = set(re.findall(r"\.tiss-is-\w+", style()))
    assert len(coloured) > 10
    for theme, state in itertools.product(("light", "dark"), EVERY_STATE):
        widget.theme(theme)
        changes: dict[str, Any] = {"script": EVERY_COLOUR} if state == "idle" else {}
        widget.start(state, **changes)
        widget.unfold()
        if state == "idle":
            assert [kind for kind in coloured if not widget.page.locator(kind).count()] == []
        seen, poor, light = widget.page.evaluate("measure.contrasts()")
        assert seen > 20
        assert poor == [], state
        assert (light > 0.5) == (theme == "light")


def test_elsewhere_the_system_says_whether_it_is_dark(widget: WidgetPage) -> None:
    widget.start("failed")
    for theme in ("dark", "light"):
        widget.page.emulate_media(color_scheme=theme)
        _, poor, light = widget.page.evaluate("measure.contrasts()")
        assert poor == []
        assert (light > 0.5) == (theme == "light")
    for theme in ("vscode-dark", "vscode-high-contrast-light", "vscode-high-contrast"):
        widget.page.evaluate("name => (document.body.dataset.vscodeThemeKind = name)", theme)
        light = widget.page.evaluate("measure.contrasts()")[2]
        assert (light > 0.5) == theme.endswith("light")


XSS = '<img src=x onerror="window.hacked = 1">{{x}}</textarea><script>window.hacked = 1</script>'


def test_no_text_becomes_a_part_of_the_page(widget: WidgetPage) -> None:
    def poisoned(value: Any) -> Any:
        if isinstance(value, str):
            return XSS
        if isinstance(value, list):
            return [poisoned(item) for item in value]
        if isinstance(value, dict):
            kept = {"id", "severity", "state", "type", "kind", "status", "parent"}
            return {key: item if key in kept else poisoned(item) for key, item in value.items()}
        return value

    for state in EVERY_STATE:
        changes = widget.page.evaluate("name => ({...STATES.idle, ...STATES[name]})", state)
        kept = {"status", "mode", "selected"}
        bad = {key: item if key in kept else poisoned(item) for key, item in changes.items()}
        widget.start(state, **bad)
        widget.message(type="notice", text=XSS)
        assert XSS in widget.page.locator(".tiss-widget").text_content()
        assert widget.page.locator(".tiss-widget :is(img, script, iframe)").count() == 0
    widget.start(script="")
    widget.area.focus()
    widget.press("Control+Space")
    span = {"start_column": 1, "end_column": 1, "kind": "keyword"}
    some = [{**span, "label": XSS, "insert": XSS, "detail": XSS}]
    widget.message(type="completions", request=widget.sent()[-1]["request"], items=some)
    assert widget.page.get_by_role("option").text_content() == XSS * 2
    assert widget.page.evaluate("window.hacked") is None


def test_axe_finds_nothing(widget: WidgetPage) -> None:
    axe = npm_packages(PAGE) / "axe-core" / "axe.min.js"
    widget.page.evaluate(axe.read_text(encoding="utf-8"))
    for number, state in enumerate(EVERY_STATE):
        widget.theme(("light", "dark")[number % 2])
        widget.start(state)
        if state == "idle":
            widget.area.focus()
            widget.press("Control+Space")
            span = {"start_column": 1, "end_column": 1, "kind": "keyword", "detail": ""}
            some = [{**span, "label": label, "insert": label} for label in ("TASK", "READ")]
            widget.message(type="completions", request=widget.sent()[-1]["request"], items=some)
            assert widget.page.get_by_role("option").count() == 2
        found = widget.page.evaluate("axe.run('.tiss-widget').then(found => found.violations)")
        told = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
        assert told == [], state


def test_less_motion(widget: WidgetPage) -> None:
    spinner = widget.start("running").page.locator(".tiss-running > .tiss-symbol").first
    assert spinner.evaluate("node => getComputedStyle(node).animationName") == "tiss-turn"
    widget.page.emulate_media(reduced_motion="reduce")
    assert spinner.evaluate("node => getComputedStyle(node).animationName") == "none"
