"""The editor of the widget: colours, problems, keys, suggestions, undo."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from widget_view import WidgetPage, widget_page


@pytest.fixture
def widget(chromium: Any) -> Iterator[WidgetPage]:
    with widget_page(chromium) as page:
        yield page


STRANGE = (
    "TASK \"x\"\n\tLOG '日本 🎉 é e\u0301'   # tab\n" + 'RUN "' + "w" * 200 + '"\n' + "LOG 1\n" * 60
)


def test_what_is_typed_is_coloured_and_goes_to_python_in_one_piece(widget: WidgetPage) -> None:
    widget.page.clock.install(time=0)
    widget.page.clock.pause_at(1000)  # how long the browser takes for a key decides nothing
    widget.start(script="").area.focus()
    widget.page.keyboard.type('STEP "a" {')
    widget.page.clock.run_for(500)
    assert widget.layer() == 'STEP "a" {'
    kinds = widget.page.locator(".tiss-line span").evaluate_all(
        "spans => spans.map(span => [span.textContent, span.className])"
    )
    assert ["STEP", "tiss-is-keyword"] in kinds
    assert ['"a"', "tiss-is-string"] in kinds
    [saved] = widget.page.evaluate("model.saved")
    assert saved["script"] == 'STEP "a" {'
    assert saved["script_version"] == 2


def test_the_layer_shows_the_text_of_the_area(widget: WidgetPage) -> None:
    widget.start()
    assert widget.get("script").startswith(widget.layer())
    widget.start(script=STRANGE)
    assert STRANGE.startswith(widget.layer())
    widget.area.evaluate("area => (area.scrollTop = 1e6)")
    widget.page.wait_for_function("document.querySelector('.tiss-number').textContent > '30'")
    assert STRANGE.endswith(widget.layer())


def test_glyphs_lie_under_the_caret(widget: WidgetPage) -> None:
    """A click on the left edge of a coloured character puts the caret before it."""
    sizes = ("13px", "14.4px", "17px")
    scrolls = ([0, 0], [35, 0], [1200, 0], [10**6, 0], [0, 333])
    for size, scroll in itertools.product(sizes, scrolls):
        widget.page.add_style_tag(content=f":root {{ --jp-code-font-size: {size} }}")
        widget.start(script=STRANGE * 3)
        widget.area.evaluate("(area, [y, x]) => area.scrollTo(x, y)", scroll)
        widget.page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        places = widget.page.evaluate("measure.glyphs()")
        assert len(places) > 20
        for x, y, line, column in [*places[:40:5], *places[-12::4]]:
            widget.page.mouse.click(x, y)
            assert widget.area.evaluate("""area => {
              const before = area.value.slice(0, area.selectionStart).split("\\n");
              return [before.length, before.at(-1).length];
            }""") == [line, column], (scroll, x, y)


def test_a_long_plan_is_read_and_drawn_only_where_it_changed(widget: WidgetPage) -> None:
    lines = [f'STEP "{number}" {{ LOG {number} }}' for number in range(2000)]
    widget.start(script="\n".join(lines))
    assert widget.page.locator(".tiss-line").count() < 60
    widget.select(len(lines[0]))
    before = widget.page.evaluate("coloured")
    widget.page.keyboard.type(" # five")
    assert widget.page.evaluate("coloured") - before <= 2 * len(" # five")
    assert widget.page.locator(".tiss-line").first.text_content() == lines[0] + " # five"
    before = widget.page.evaluate("coloured")
    widget.press("Enter")
    assert widget.page.evaluate("coloured") - before <= 3
    widget.page.keyboard.type("LOG <<X")  # everything behind is text now
    assert widget.page.locator(".tiss-line").nth(4).locator(".tiss-is-heredoc").count() == 1
    widget.press("Backspace")
    widget.press("Backspace", "Backspace")
    assert widget.page.locator(".tiss-line").nth(4).locator(".tiss-is-keyword").count() == 2


def test_problems_are_underlined_marked_and_listed(widget: WidgetPage) -> None:
    widget.start("problems", height=500)
    marked = widget.page.locator(".tiss-problem").evaluate_all(
        "spans => spans.map(span => [span.className.match(/by-(\\w+)/)[1], span.textContent])"
    )
    texts: dict[str, str] = {}
    for severity, text in marked:
        texts[severity] = texts.get(severity, "") + text
    assert texts["warning"] == "\"Ada O'Neil\\"
    assert texts["info"] == "timeout"
    assert texts["error"] == "thon3 hello.py {{who|trimT"
    numbers = widget.page.locator(".tiss-number").all_text_contents()
    assert [number for number in numbers if not number.isdigit()] == ["▲7", "●15", "✖16", "✖18"]
    items = widget.page.get_by_role("list", name="Problems").get_by_role("button")
    assert items.count() == 4
    assert "T203: the variable who is never read" in items.nth(0).text_content()
    items.nth(3).focus()
    widget.page.keyboard.press("Enter")
    before = widget.area.evaluate("area => area.value.slice(0, area.selectionStart)")
    assert (before.count("\n"), len(before.split("\n")[-1])) == (17, 21)
    assert widget.area.evaluate("area => area === document.activeElement")


def test_columns_count_code_points(widget: WidgetPage) -> None:
    problem = {"line": 1, "column": 9, "end_line": 1, "end_column": 12, "severity": "error"}
    problem |= {"code": "T1", "message": "here", "hint": None}
    widget.start(script="LOG '🎉🎉 abc'", problems=[problem])
    assert widget.page.locator(".tiss-problem").text_content() == "abc"
    widget.page.get_by_role("list", name="Problems").get_by_role("button").click()
    assert widget.area.evaluate("area => area.value.slice(area.selectionStart)") == "abc'"
    widget.press("Control+Space")
    assert widget.wait_for_sent(1)[-1]["column"] == 9


def test_a_problem_at_the_end_of_a_line_can_be_seen(widget: WidgetPage) -> None:
    problem = {"line": 1, "column": 6, "end_line": 1, "end_column": 6, "severity": "error"}
    widget.start(script="LOG 1\nLOG 2", problems=[problem | {"code": "T1", "message": "m"}])
    assert widget.layer() == "LOG 1\nLOG 2"
    assert widget.page.locator(".tiss-problem").evaluate("node => node.offsetWidth") > 4


def test_stale_problems_are_not_drawn_and_others_move_along(widget: WidgetPage) -> None:
    widget.start("problems", height=500)
    widget.change(problems_version=0, problems=[])
    assert widget.page.locator(".tiss-problem").count() > 0  # those were of another text
    widget.change(problems_version=1)
    assert widget.page.locator(".tiss-problem").count() == 0
    widget.start("problems", height=500)
    widget.select(0)
    widget.page.keyboard.type("# more\n")
    marks = widget.page.locator(".tiss-mark:not(:empty)")
    assert marks.evaluate_all("nodes => nodes.map(node => node.parentNode.textContent)") == [
        *("▲8", "●16", "✖17", "✖19")
    ]
    line = widget.area.input_value().split("\n").index('    VAR who = "Ada O\'Neil\\n"')
    widget.select(sum(len(text) + 1 for text in widget.area.input_value().split("\n")[:line]))
    widget.page.keyboard.type(" ")  # nobody knows yet what is wrong with this line
    assert "▲8" not in widget.page.locator(".tiss-number").all_text_contents()


def test_a_tip_says_what_is_wrong(widget: WidgetPage) -> None:
    widget.start("problems", height=500)
    box = widget.page.locator(".tiss-problem.tiss-by-info").bounding_box()
    widget.page.mouse.move(box["x"] + 4, box["y"] + 4)
    told = "info T214: old spelling (tiss fmt writes the new one)"
    assert widget.area.get_attribute("title") == told
    widget.page.mouse.move(box["x"] + 300, box["y"])
    assert widget.area.get_attribute("title") == ""
    widget.page.locator(".tiss-number", has_text="▲").hover()
    assert "T203" in widget.page.locator(".tiss-gutter").get_attribute("title")


def test_tab_indents_and_escape_lets_one_out(widget: WidgetPage) -> None:
    widget.start(script="LOG 1\nLOG 2")
    widget.select(0)
    assert widget.press("Tab") == "    LOG 1\nLOG 2"
    widget.select(0, 12)
    assert widget.press("Tab") == "        LOG 1\n    LOG 2"
    assert widget.press("Shift+Tab", "Shift+Tab") == "LOG 1\nLOG 2"
    widget.press("Escape", "Tab")
    assert not widget.area.evaluate("area => area === document.activeElement")
    widget.area.focus()
    widget.press("Escape", "Shift+Tab")
    assert widget.page.evaluate("document.activeElement.textContent") == "Format"
    widget.area.focus()
    assert widget.press("Escape", "x", "Tab").count("    ") == 1  # another key: it indents again
    described = widget.area.get_attribute("aria-describedby")
    assert "Escape, then Tab leaves" in widget.page.locator(f"#{described}").text_content()


def test_enter_keeps_the_indentation_and_a_brace_leaves_it(widget: WidgetPage) -> None:
    widget.start(script="")
    widget.area.focus()
    widget.page.keyboard.type('STEP "a" {\nLOG 1\nIF true {\nLOG 2\n}\n}\n')
    wanted = 'STEP "a" {\n    LOG 1\n    IF true {\n        LOG 2\n    }\n}\n'
    assert widget.area.input_value() == wanted
    widget.page.keyboard.type("WRITE 'a' <<X\n    {\n}")  # in a heredoc it is only text
    assert widget.area.input_value().endswith("\n    {\n    }")


def test_a_heredoc_begins_at_column_1_and_its_block_goes_on_behind_it(widget: WidgetPage) -> None:
    widget.start(script="")
    widget.area.focus()
    widget.page.keyboard.type('STEP "a" {\nWRITE "f" <<T\nx\n  y {\nz')
    wanted = 'STEP "a" {\n    WRITE "f" <<T\nx\n  y {\n  z'
    assert widget.area.input_value() == wanted
    widget.press("Shift+Home", "Delete")
    widget.page.keyboard.type('T\nLOG 1\nWRITE "g" <<-U\nx\nU\nLOG 2\n}')
    wanted = wanted.removesuffix("  z") + (
        'T\n    LOG 1\n    WRITE "g" <<-U\n    x\n    U\n    LOG 2\n}'
    )
    assert widget.area.input_value() == wanted


def test_comments_are_switched(widget: WidgetPage) -> None:
    script = 'STEP "a" {\n    LOG 1\n\n    LOG 2\n}'
    widget.start(script=script)
    widget.select(script.index("LOG 1"), script.index("LOG 2") + 2)
    assert widget.press("Control+/") == 'STEP "a" {\n    # LOG 1\n\n    # LOG 2\n}'
    assert widget.press("Control+/") == script
    widget.select(3)
    assert widget.press("Control+/").startswith('# STEP "a" {\n')
    assert widget.area.evaluate("area => [area.selectionStart, area.selectionEnd]") == [5, 5]


def test_each_edit_can_be_undone(widget: WidgetPage) -> None:
    text = '    STEP "a" {\n    LOG 1'
    for keys in (["Tab"], ["Enter"], ["Control+/"], ["x"], ["Shift+Tab"], ["Enter", "}"]):
        widget.start(script=text)
        widget.select(len(text.split("\n")[0]))
        assert widget.press(*keys) != text
        for _ in range(len(keys) + 2):
            widget.press("Control+z")
        assert widget.area.input_value() == text
        assert widget.layer() == text


def test_what_python_writes_while_one_is_in_the_editor_can_be_undone(widget: WidgetPage) -> None:
    widget.start(script="LOG   1\nLOG 2")
    widget.select(9)
    widget.button("Format").click()
    assert widget.sent()[-1] == {"type": "format", "script": "LOG   1\nLOG 2", "version": 1}
    widget.change(script="LOG 1\nLOG 2\n", script_version=2, problems_version=2)
    assert widget.area.input_value() == "LOG 1\nLOG 2\n"
    before = widget.area.evaluate("area => area.value.slice(0, area.selectionStart)")
    assert before == "LOG 1\nL"
    assert widget.page.evaluate("model.saved") == []  # it is not typed text
    assert widget.press("Control+z") == "LOG   1\nLOG 2"
    widget.page.wait_for_function("model.state.script_version === 3")


def test_a_long_text_of_python_comes_at_once(widget: WidgetPage) -> None:
    """Undo is given up there: Chromium takes seconds to insert 2,000 lines that can be undone."""
    long = "\n".join(f"LOG {number}" for number in range(2000))
    widget.start(script="LOG 🎉 1")
    widget.area.focus()
    widget.change(script=long, script_version=2)
    assert widget.area.input_value() == long
    widget.change(script=long.replace("LOG 7\n", "LOG 🎊 7\n"), script_version=3)
    widget.change(script=long.replace("LOG 7\n", "LOG 🎉 7\n"), script_version=4)
    assert widget.area.input_value() == long.replace("LOG 7\n", "LOG 🎉 7\n")
    assert widget.press("Control+z") == long.replace("LOG 7\n", "LOG 🎊 7\n")


def test_windows_line_ends_are_no_change(widget: WidgetPage) -> None:
    widget.start(script="LOG 1\r\nLOG 2\r\n")
    assert widget.area.input_value() == "LOG 1\nLOG 2\n"
    widget.change(headline="x")
    assert widget.page.evaluate("model.saved") == []


def items(*labels: str, start: int = 1, end: int = 1) -> list[dict[str, Any]]:
    span = {"start_column": start, "end_column": end}
    return [{"label": text, "kind": "", "detail": "", "insert": text, **span} for text in labels]


def test_suggestions_by_keyboard(widget: WidgetPage) -> None:
    widget.start(script="LOG 1\n")
    widget.select(6)
    widget.press("Control+Space")
    question = widget.wait_for_sent(1)[-1]
    assert question == question | {"type": "complete", "line": 2, "column": 1, "script": "LOG 1\n"}
    listbox = widget.page.get_by_role("listbox")
    widget.message(type="completions", request=question["request"] - 1, items=items("OLD"))
    assert not listbox.is_visible()
    widget.message(
        type="completions", request=question["request"], items=items("READ", "RUN", "STEP")
    )
    options = widget.page.get_by_role("option")
    assert options.count() == 3

    def chosen() -> str:
        active = widget.area.get_attribute("aria-activedescendant")
        node = widget.page.locator(f"#{active}")
        assert node.get_attribute("aria-selected") == "true"
        return str(node.text_content())

    assert chosen() == "READ"
    widget.press("ArrowDown")
    assert chosen() == "RUN"
    widget.press("ArrowUp", "ArrowUp")
    assert chosen() == "STEP"
    widget.page.keyboard.type("r")
    assert options.count() == 2
    assert chosen() == "READ"
    widget.press("Escape")
    assert not listbox.is_visible()
    assert widget.area.get_attribute("aria-activedescendant") == ""
    assert widget.area.evaluate("area => area === document.activeElement")


def test_a_suggestion_replaces_what_was_typed_since(widget: WidgetPage) -> None:
    for key in ("Enter", "Tab"):
        widget.start(script="🎉 LOG x")
        widget.select(len("🎉 LOG x") + 1)
        widget.press("Control+Space")
        request = widget.wait_for_sent(1)[-1]["request"]
        widget.page.keyboard.type("_")
        some = items("x_total", "x_other", start=7, end=8)
        widget.message(type="completions", request=request, items=some)
        assert widget.press("ArrowDown", key) == "🎉 LOG x_other"
        assert not widget.page.get_by_role("listbox").is_visible()
        widget.press("Control+z")
        assert widget.area.input_value() in ("🎉 LOG x_", "🎉 LOG x")


def test_suggestions_come_while_one_types_but_not_for_whole_words(widget: WidgetPage) -> None:
    widget.start(script="")
    widget.area.focus()
    widget.page.keyboard.type("RU")
    question = widget.wait_for_sent(1)[-1]
    assert (question["type"], question["column"], question["script"]) == ("complete", 3, "RU")
    widget.message(type="completions", request=question["request"], items=items("RUN", end=3))
    listbox = widget.page.get_by_role("listbox")
    assert listbox.is_visible()
    widget.page.keyboard.type("N")
    assert not listbox.is_visible()
    assert widget.press("Enter") == "RUN\n"
    widget.press("ArrowUp")
    widget.message(type="completions", request=question["request"], items=items("RUN", end=3))
    assert not listbox.is_visible()  # the caret has left


def test_nothing_is_suggested_where_enter_is_to_be_a_new_line(widget: WidgetPage) -> None:
    widget.page.clock.install()
    for text in ('STEP "a" {', 'PROMPT_AGENT "Hi"', "IF x { LOG 1 }"):
        widget.start(script="")
        widget.area.focus()
        widget.page.keyboard.type(text)
        widget.page.clock.run_for(1000)
        assert widget.sent() == []
    for text in ('LOG "{{', 'CALL "', 'READ "a" AS b', 'RUN "ls src/'):
        widget.start(script="")
        widget.area.focus()
        widget.page.keyboard.type(text)
        widget.page.clock.run_for(1000)
        assert widget.sent()[-1]["type"] == "complete"


def test_a_suggestion_can_be_clicked(widget: WidgetPage) -> None:
    widget.start(script="")
    widget.area.focus()
    widget.press("Control+Space")
    request = widget.wait_for_sent(1)[-1]["request"]
    widget.message(type="completions", request=request, items=items("READ", "RUN"))
    box = widget.page.get_by_role("listbox").bounding_box()
    area = widget.area.bounding_box()
    assert abs(box["x"] - area["x"]) < 20
    assert abs(box["y"] - area["y"] - 26) < 10
    widget.page.get_by_role("option").nth(1).click()
    assert widget.area.input_value() == "RUN"
