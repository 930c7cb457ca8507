"""The widget around its editor: buttons, keys, kernel, questions, several views."""

from collections.abc import Iterator
from typing import Any

import pytest
from widget_view import WidgetPage, widget_page

STEP = {"id": "a", "parent": None, "title": "Do it", "kind": "STEP", "line": 1, "seconds": None}
STEP |= {"branch": None, "attempt": 1}


@pytest.fixture
def widget(chromium: Any) -> Iterator[WidgetPage]:
    with widget_page(chromium) as page:
        yield page


def test_buttons_send_the_script_as_it_stands(widget: WidgetPage) -> None:
    widget.start(script="LOG 1")
    widget.select(5)
    widget.page.keyboard.type("2")
    for label, kind in [("Check", "check"), ("Dry run", "dry_run"), ("Run", "run")]:
        widget.button(label).click()
        assert widget.sent()[-1] == {"type": kind, "script": "LOG 12", "version": 2}
    assert widget.get("script") == "LOG 12"
    count = len(widget.sent())
    widget.select(0)
    widget.press("Control+Enter")
    assert [message["type"] for message in widget.sent()[count:]] == ["run"]
    widget.change(status="running", mode="run")
    widget.press("Control+Enter")
    widget.button("Stop").click()
    assert [message["type"] for message in widget.sent()[count + 1 :]] == ["stop"]


def test_buttons_are_on_when_they_can_do_something(widget: WidgetPage) -> None:
    start = ["check", "dry_run", "run", "format"]
    for status, told, enabled in [
        ("idle", "○ ready", start),
        ("running", " running", ["stop"]),
        ("stopping", " stopping", []),
        ("passed", "✓ passed", start),
        ("failed", "✗ failed", start),
        ("error", "✗ error", start),
        ("not run", "– not run", start),
        ("interrupted", "■ interrupted", start),
    ]:
        widget.start(status=status, headline="so it is")
        for label in ("Check", "Dry run", "Run", "Stop", "Format"):
            kind = label.lower().replace(" ", "_")
            assert widget.button(label).is_enabled() == (kind in enabled)
            widget.button(label).click(force=True)
        assert [message["type"] for message in widget.sent()] == enabled
        status_line = widget.page.get_by_role("status")
        assert status_line.text_content().strip() == f"{told} so it is".strip()


def test_keys_stay_in_the_widget_but_the_notebook_can_be_saved(widget: WidgetPage) -> None:
    widget.start("passed")
    widget.select(0)
    for key in ["a", "Enter", "Shift+Enter", "Control+Enter", "Escape", "Control+b", "Control+z"]:
        widget.press(key)
    widget.button("Check").focus()
    widget.page.keyboard.press("d")
    assert widget.page.evaluate("leaked") == []
    assert widget.page.locator(".tiss-widget[data-lm-suppress-shortcuts]").count() == 1
    widget.page.evaluate("addEventListener('keydown', (event) => event.preventDefault())")
    widget.press("Control+s")
    assert "s" in widget.page.evaluate("leaked")
    assert widget.page.locator(".tiss-widget[data-lm-suppress-shortcuts]").count() == 0


def test_notices_are_said(widget: WidgetPage) -> None:
    widget.start(root_label="plans/here")
    widget.message(type="notice", text="nothing to mend")
    status = widget.page.get_by_role("status")
    assert "nothing to mend" in status.text_content()
    assert widget.page.locator(".tiss-place").text_content() == "plans/here"
    widget.message(type="notice", text="")
    assert "nothing to mend" not in status.text_content()


def test_a_silent_kernel_is_said(widget: WidgetPage) -> None:
    widget.page.clock.install()
    widget.start()
    status = widget.page.get_by_role("status")
    widget.button("Check").click()
    widget.page.clock.fast_forward(4000)
    widget.change(headline="checked")
    widget.page.clock.fast_forward(60000)
    assert "has not answered" not in status.text_content()
    widget.button("Check").click()
    widget.page.clock.fast_forward(6000)
    assert "has not answered" in status.text_content()
    widget.message(type="notice", text="")
    assert "has not answered" not in status.text_content()


def test_a_kernel_that_is_gone_is_said(widget: WidgetPage) -> None:
    widget.start()
    widget.page.evaluate("model.isBroken = true")
    widget.button("Run").click()
    assert "No kernel" in widget.page.get_by_role("status").text_content()
    assert not widget.button("Run").is_enabled()
    widget.start()
    assert widget.button("Run").is_enabled()
    # As ipywidgets says it of a kernel that restarts, and of a notebook without one.
    widget.page.evaluate("model.trigger('comm_live_update')")
    assert "No kernel" in widget.page.get_by_role("status").text_content()
    assert not widget.button("Check").is_enabled()
    widget.change(status="running", steps=[{**STEP, "state": "running"}])
    widget.page.evaluate("model.trigger('comm_live_update')")
    assert widget.page.locator(".tiss-running").count() == 0  # nothing runs without a kernel
    assert "■ interrupted" in widget.page.get_by_role("treeitem").last.text_content()
    widget.change(headline="it is back", status="passed")
    assert "No kernel" not in widget.page.get_by_role("status").text_content()
    assert widget.button("Check").is_enabled()
    widget.page.evaluate("document.body.className = 'jupyter-widgets-disconnected'")
    widget.start()
    assert "No kernel" in widget.page.get_by_role("status").text_content()


def test_questions_are_answered_by_buttons(widget: WidgetPage) -> None:
    widget.page.clock.install(time=0)
    widget.page.clock.pause_at(1000)  # how long the browser takes for a click decides nothing
    for kind, options, labels, number, text in [
        ("pause", [], ["Continue", "Stop here"], 0, "continue"),
        ("pause", [], ["Continue", "Stop here"], 1, "no"),
        ("approve", [], ["Approve", "Refuse"], 0, "yes"),
        ("review", [], ["Approve", "Refuse"], 1, "no"),
        ("choose", ["The first", "The second"], ["1. The first", "2. The second"], 1, 2),
        ("choose", ["10", "2"], ["1. 10", "2. 2"], 0, 1),
    ]:
        question = {"id": "q", "kind": kind, "message": "x", "line": 3, "options": options}
        widget.start("running", question=question)
        dialog = widget.page.get_by_role("alertdialog")
        assert dialog.get_attribute("aria-modal") is None
        buttons = dialog.get_by_role("button")
        assert buttons.all_text_contents() == labels
        buttons.nth(number).click(force=True)
        assert widget.sent() == []  # a click that was meant for what stood here before
        widget.page.clock.run_for(500)
        buttons.nth(number).click()
        buttons.first.click(force=True)
        assert widget.sent() == [{"type": "answer", "id": "q", "text": text}]
        widget.change(question={**question, "id": "r"})
        widget.page.clock.run_for(500)
        buttons.nth(number).click()
        assert widget.sent()[1:] == [{"type": "answer", "id": "r", "text": text}]
        widget.change(question=None)
        assert dialog.count() == 0


def test_a_message_stays_in_its_box(widget: WidgetPage) -> None:
    message = "\n".join(["harmless"] * 60 + ["[ Approve ]   [ Refuse ]"])
    question = {"id": "q", "kind": "approve", "message": message, "line": 3, "options": []}
    widget.start("running", question=question)
    box = widget.page.get_by_role("region", name="What the plan says")
    assert box.text_content() == message
    assert box.evaluate("node => node.scrollHeight > node.clientHeight && node.clientHeight < 300")
    assert box.get_by_role("button").count() == 0
    box.focus()
    widget.page.keyboard.press("End")
    widget.page.wait_for_function("document.activeElement.scrollTop > 100")


def test_nothing_is_left_of_a_view_that_is_closed(widget: WidgetPage) -> None:
    before = widget.page.evaluate("held")
    widget.page.clock.install()
    widget.start("running", count=2)
    widget.area.first.focus()
    widget.page.keyboard.type("x")
    widget.page.evaluate("close()")
    assert widget.page.evaluate("model.listeners.length") == 0
    assert widget.page.evaluate("held") == before
    assert widget.page.evaluate("model.state.script")[0] == "x"  # what was typed is not lost
    assert widget.page.evaluate("document.getElementById('views').children.length") == 0
    widget.page.clock.run_for(10_000)  # no timer finds that its parts are gone


def test_views_of_one_model_stay_in_step(widget: WidgetPage) -> None:
    widget.start("passed", count=2)
    first, second = widget.area.nth(0), widget.area.nth(1)
    first.focus()
    widget.page.keyboard.type("# hello\n")
    widget.page.wait_for_function(
        "document.querySelectorAll('textarea')[1].value.startsWith('# hello')"
    )
    assert second.input_value() == first.input_value()
    assert widget.page.evaluate("model.saved.length") == widget.get("script_version") - 1
    widget.page.get_by_role("tree").nth(1).get_by_text("Write it").click()
    chosen = widget.page.get_by_role("tree").nth(0).locator('[aria-selected="true"]')
    assert "Write it" in chosen.text_content()


def test_a_view_that_is_drawn_anew_is_as_it_was(widget: WidgetPage) -> None:
    script = "".join(f"LOG {number}\n" for number in range(200))
    widget.start("failed", script=script)
    widget.select(script.index("LOG 100"))
    widget.press("ArrowRight")
    widget.area.evaluate("area => (area.scrollTop = 1700)")
    widget.page.locator("summary", has_text="stdout").click()
    widget.page.get_by_role("treeitem").first.locator(".tiss-twist").click()
    widget.page.wait_for_function("document.querySelector('.tiss-number').textContent > '50'")
    widget.page.evaluate("close()")
    widget.page.evaluate("open()")
    widget.page.wait_for_function("document.querySelector('textarea').scrollTop === 1700")
    assert widget.area.evaluate("area => area.selectionStart") == script.index("LOG 100") + 1
    assert widget.page.locator("details", has_text="stdout").last.get_attribute("open") is not None
    assert widget.page.get_by_role("treeitem").count() == 1


def test_what_was_typed_is_kept_when_the_notebook_draws_the_widget_anew(widget: WidgetPage) -> None:
    """As JupyterLab can: the old view goes, the new one comes, only then the old one is closed."""
    widget.page.clock.install()
    widget.start("failed")
    redraw = """(isConnected) => {
      views.replaceChildren();
      if (isConnected) open();
      else { const hidden = document.createElement("div"); open(hidden); views.append(hidden); }
      closers.shift()();
    }"""
    for is_connected in (True, False):
        widget.select(7)
        widget.page.keyboard.type("typed")
        widget.page.evaluate(redraw, is_connected)
        widget.area.focus()
        widget.page.keyboard.type(" on")
        widget.page.clock.run_for(1000)
        assert widget.get("script")[7:15] == "typed on"
        assert widget.area.count() == 1
    widget.page.locator("#before").focus()
    widget.page.evaluate(redraw, False)
    assert widget.page.evaluate("document.activeElement.id") == "before"


def test_a_keyboard_comes_to_a_question_unless_one_is_typing(widget: WidgetPage) -> None:
    question = {"id": "q", "kind": "approve", "message": "Good?", "line": 3, "options": []}
    focused = "document.activeElement.textContent"
    widget.start("running")
    widget.page.clock.install()
    widget.button("Stop").focus()
    widget.change(question=question)
    assert widget.page.evaluate(focused) == "Good?"
    widget.page.clock.run_for(500)
    for key in ("Tab", "Enter"):
        widget.page.keyboard.press(key)
    assert widget.sent()[-1] == {"type": "answer", "id": "q", "text": "yes"}
    widget.change(question=None)  # and goes on in the tree
    assert widget.page.evaluate("document.activeElement.role") == "treeitem"
    widget.area.focus()
    widget.change(question=question)
    assert widget.area.evaluate("area => area === document.activeElement")
    widget.change(question=None)
    assert widget.area.evaluate("area => area === document.activeElement")
    widget.page.locator("#before").focus()
    widget.change(question=question)
    assert widget.page.evaluate("document.activeElement.id") == "before"


def test_the_height_is_the_models(widget: WidgetPage) -> None:
    widget.start(height=222)
    assert widget.area.evaluate("area => area.offsetHeight") == 222
    widget.change(height=333)
    assert widget.area.evaluate("area => area.offsetHeight") == 333
