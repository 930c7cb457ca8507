"""What the widget shows of a plan: steps, output, errors, dry run, changed files."""

from collections.abc import Iterator
from typing import Any

import pytest
from widget_view import WidgetPage, widget_page


@pytest.fixture
def widget(chromium: Any) -> Iterator[WidgetPage]:
    with widget_page(chromium) as page:
        yield page


def test_steps_show_state_as_word_and_symbol(widget: WidgetPage) -> None:
    widget.start("running")
    rows = widget.page.get_by_role("treeitem").all_text_contents()
    assert "Write it✓ passed0.04 s" in rows[1]
    assert rows[2].startswith("▾Run it")
    assert "running" in rows[2]
    assert "branch 2 attempt 2" in rows[4]
    assert "✗ failed" in rows[4]
    assert "○ waiting" in rows[5]
    assert "– skipped" in rows[6]
    levels = widget.page.get_by_role("treeitem").evaluate_all(
        "all => all.map(row => row.ariaLevel)"
    )
    assert levels == ["1", "2", "2", "3", "3", "2", "2"]


def test_seconds_of_what_runs_count_up(widget: WidgetPage) -> None:
    widget.page.clock.install()
    widget.start("running")
    widget.page.clock.run_for(5000)
    seconds = widget.page.locator('[role="treeitem"]', has_text="Run it").locator(".tiss-seconds")
    assert seconds.text_content() == "5 s"
    widget.page.evaluate("close()")  # and they go on where they were when it is drawn anew
    widget.page.evaluate("open()")
    widget.page.clock.run_for(2000)
    assert seconds.text_content() == "7 s"


def test_the_tree_by_keyboard(widget: WidgetPage) -> None:
    widget.start("running")

    def press(*keys: str) -> str:
        for key in keys:
            widget.page.keyboard.press(key)
        return str(
            widget.page.evaluate("document.activeElement.querySelector('.tiss-title').textContent")
        )

    assert widget.page.locator('[role="treeitem"][tabindex="0"]').count() == 1
    widget.page.locator('[role="treeitem"][tabindex="0"]').focus()
    assert press() == "Run it"
    assert press("ArrowDown").startswith("In the first")
    assert widget.get("selected") == "b1"
    assert widget.page.evaluate("model.saved.at(-1)") == {"selected": "b1"}
    assert press("ArrowLeft") == "Run it"
    assert press("ArrowLeft") == "Run it"
    assert widget.page.get_by_role("treeitem").count() == 5  # folded
    assert press("ArrowDown") == "Clean up"
    assert press("ArrowUp", "ArrowRight", "ArrowRight").startswith("In the first")
    assert press("End") == "Only by choice"
    assert press("ArrowDown") == "Only by choice"
    assert press("Home") == "Plan"
    assert widget.get("selected") is None
    assert widget.page.locator('[aria-selected="true"][role="treeitem"]').count() == 1


def test_focus_stays_while_steps_go_on(widget: WidgetPage) -> None:
    widget.start("running")
    widget.page.get_by_role("treeitem").nth(2).click()
    steps = widget.get("steps")
    widget.change(steps=[{**step, "state": "passed", "seconds": 1.0} for step in steps])
    focused = widget.page.evaluate("document.activeElement.textContent")
    assert focused.startswith("▾Run it")
    assert "passed" in focused


def test_the_tree_follows_what_runs(widget: WidgetPage) -> None:
    widget.start("running")
    step = widget.get("steps")[0]
    steps = [{**step, "id": f"s{number}", "title": f"step {number}"} for number in range(200)]
    widget.change(steps=steps)
    before = widget.page.evaluate("scrollY")
    widget.change(selected="s150")
    tree = widget.page.get_by_role("tree").bounding_box()
    row = widget.page.get_by_role("treeitem").nth(151).bounding_box()
    assert tree["y"] <= row["y"] + 1
    assert row["y"] + row["height"] <= tree["y"] + tree["height"] + 1
    assert widget.page.evaluate("scrollY") == before


def test_output_of_a_step(widget: WidgetPage) -> None:
    widget.start("failed")
    output = widget.page.get_by_role("region", name="Output")
    text = output.text_content()
    assert "3 entries before these are left out" in text
    assert "exit code 1" in text
    assert "3.4 s, cut" in text
    assert "does not hold LAST_RUN.EXIT_CODE == 0 line 16, left: 1, right: 0" in text
    long, short = output.locator("details").nth(0), output.locator("details").nth(1)
    assert long.get_attribute("open") is None
    assert short.get_attribute("open") is not None
    assert long.locator("summary").text_content() == "stdout, 40 lines"
    long.locator("summary").click()
    entries = widget.get("output")["entries"]
    log = {"type": "log", "line": 9, "message": "and then"}
    widget.change(output={"id": "b", "entries": [*entries, log], "left_out": 3})
    assert long.get_attribute("open") is not None
    assert "log and then" in output.text_content()
    more = {"type": "choose", "line": 9, "option": "the second", "by": "person"}
    widget.change(output={"id": "b", "entries": [more], "left_out": 0})
    assert "choose  line 9, option: the second, by: person" in output.text_content()


def test_an_error_is_explained_and_leads_to_its_line(widget: WidgetPage) -> None:
    widget.start("failed")
    box = widget.page.get_by_role("region", name="Error")
    assert box.text_content() == widget.get("error")["explanation"]
    widget.button("Go to line 16").click()
    before = widget.area.evaluate("area => area.value.slice(0, area.selectionStart)")
    assert (before.count("\n"), len(before.split("\n")[-1])) == (15, 4)
    error = {
        "code": None,
        "message": "no sandbox",
        "line": None,
        "column": None,
        "hint": "see tiss doctor",
    }
    widget.change(error=error | {"explanation": None})
    assert box.text_content() == "no sandbox\nsee tiss doctor"
    assert widget.page.get_by_text("Go to line").count() == 0
    widget.change(error=None)
    assert box.count() == 0


def test_the_plan_of_a_dry_run(widget: WidgetPage) -> None:
    widget.start("dryRun")
    rows = [
        [cell.strip() for cell in row.locator("td").all_text_contents()]
        for row in widget.page.locator("tbody tr").all()
    ]
    assert rows[0] == ["", "Write it", ""]
    assert rows[1] == ["8", 'WRITE "hello.py"new file, 2 lines, 48 bytes', "○ will run"]
    assert rows[4] == ["17", "ASSERT LAST_RUN.EXIT_CODE == 0", "? not known"]
    assert rows[6][2] == "○ will run, in some cases! needs approval"
    assert rows[7] == ["20", 'READ "none.txt"there is no such file', "✗ would fail"]
    text = widget.page.get_by_role("region", name="Plan", exact=True)
    assert not text.is_visible()
    widget.page.get_by_text("As text, for a reviewer").click()
    assert text.text_content() == widget.get("plan_text")


def test_changed_files(widget: WidgetPage) -> None:
    widget.start("changes")
    box = widget.page.get_by_role("region", name="changes of hello.py")
    lines = box.locator("div").evaluate_all(
        "all => all.map(one => [one.textContent, one.className])"
    )
    assert ['-print("Hello")', "tiss-failed"] in lines
    assert ['+print(f"Hello, {sys.argv[1]}!")', "tiss-passed"] in lines
    assert ["--- a/hello.py", "tiss-muted"] in lines
    assert "\n".join(text for text, _ in lines) + "\n" == widget.get("changes")[0]["diff"]
    headings = widget.page.locator("summary").all_text_contents()
    assert headings[-4:] == [
        "Changed files",
        "changed hello.py",
        "new notes/new.txt",
        "deleted old.bin",
    ]
    assert (
        "not a text" in widget.page.get_by_role("region", name="changes of old.bin").text_content()
    )
    assert widget.page.get_by_text("not looked at: .venv, node_modules").is_visible()
    empty = {"path": "e", "kind": "new", "diff": "", "binary": False, "clipped": False}
    widget.change(changes=[empty])
    assert widget.page.get_by_role("region", name="changes of e").text_content() == "empty"


def test_parts_without_content_are_not_there(widget: WidgetPage) -> None:
    widget.start()
    assert [part for part in widget.page.locator("summary").all() if part.is_visible()] == []
    widget.change(
        plan=[{"depth": 0, "line": 1, "type": "LOG", "summary": "LOG 1", "status": "would_run"}]
    )
    assert widget.page.locator("summary", has_text="Dry run").is_visible()
