"""`TissWidget` in JupyterLab, in a real browser: what a person sees, presses and types."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright", reason="playwright is missing: make setup installs it")

from lab_notebook import Notebook, widget_cells
from lab_plans import WAITING_PLAN as PLAN
from lab_plans import EndlessPlan
from playwright.sync_api import expect

FAILING = '#TISS! Language=Bash\nTASK "x"\nSTEP "Bad" {\n    ASSERT 1 == 2\n}\n'
QUESTIONS = """\
#TISS! Language=Bash
TASK "Ask"
STEP "Look" {
    PAUSE "Look around"
}
STEP "Choose" {
    CHOOSE {
        OPTION "left" {
            LOG "went left"
        }
        OPTION "right" {
            LOG "went right"
        }
    }
}
STEP "Agree" {
    REQUEST_REVIEW "Is it good?"
    WRITE "agreed.txt" <<W
yes
W
}
STEP "Command" {
    RUN "echo 'echo by a shell' | sh"
    ASSERT LAST_RUN.STDOUT == "by a shell\\n"
}
"""
STATES = ["waiting", "running", "passed"]

Open = Callable[..., Notebook]


# --- write, check, dry-run, run -------------------------------------------------------------------


def test_a_plan_is_written_checked_previewed_and_run(new_notebook: Open) -> None:
    cells = ("w.report['exit_code']", f"w.script = {FAILING!r}")
    notebook = new_notebook(*widget_cells(PLAN), *cells)
    project = notebook.folder / "project"
    (project / "name.txt").write_text("Eve\n", encoding="utf-8")
    plan = notebook.show_widget()

    colours = plan.root.locator(".tiss-line .tiss-is-keyword").all_text_contents()
    assert colours[:3] == ["TASK", "STEP", "WRITE"]
    expect(plan.problems).to_have_count(0)
    plan.type_at_end("LGO 1")
    expect(plan.problems).to_have_count(1)
    expect(plan.problems).to_contain_text("T002")
    expect(plan.root.locator(".tiss-problem")).to_have_text("LGO")
    for _ in "LGO 1":
        plan.editor.press("Backspace")
    expect(plan.problems).to_have_count(0)
    expect(plan.root.locator(".tiss-problem")).to_have_count(0)

    plan.press("Check")
    plan.wait_for_status("passed")
    expect(plan.status).to_contain_text("No problems")
    plan.press("Dry run")
    expect(plan.status).to_contain_text("nothing was done")
    expect(plan.root.get_by_role("row", name="cat name.txt")).to_contain_text("will run")
    assert [path.name for path in project.iterdir()] == ["name.txt"]
    assert (project / "name.txt").read_text(encoding="utf-8") == "Eve\n"

    plan.watch_steps()
    plan.press("Run")
    plan.wait_for_step("Wait", "running")
    plan.wait_for_step("Write", "passed")
    plan.wait_for_step("Compare", "waiting")
    plan.wait_for_status("running")
    (project / "go").touch()
    plan.wait_for_status("passed")
    expect(plan.status).to_contain_text("3 of 3 steps")
    for title in ("Write", "Wait", "Compare"):  # two are too quick for each state to be shown
        states = plan.states(title)
        assert states == sorted(states, key=STATES.index)
        assert states[-1] == "passed"
    assert "running" in plan.states("Wait")
    plan.step("Compare").click()
    expect(plan.output.get_by_role("region", name="stdout")).to_have_text("Ada\n")
    expect(plan.output).to_contain_text("holds")
    diff = plan.root.get_by_role("region", name="changes of name.txt")
    expect(diff).to_contain_text("-Eve+Ada")
    assert (project / "name.txt").read_text(encoding="utf-8") == "Ada\n"

    notebook.run(2)
    expect(notebook.output(2)).to_have_text("0")
    notebook.run(3)
    expect(plan.editor).to_have_value(FAILING)
    plan.press("Run")
    plan.wait_for_status("failed")
    plan.wait_for_step("Bad", "failed")
    expect(plan.root.get_by_role("region", name="Error")).to_contain_text("ASSERT 1 == 2")
    plan.press("Go to line 4")
    expect(plan.editor).to_be_focused()
    caret = plan.editor.evaluate("area => area.value.slice(0, area.selectionStart)")
    assert caret.count("\n") == 3


# --- the kernel stays usable ----------------------------------------------------------------------


def test_stop_ends_all_processes_also_while_the_kernel_is_busy(new_notebook: Open) -> None:
    endless = EndlessPlan()
    busy = "import pathlib, time\nwhile not pathlib.Path('enough').exists(): time.sleep(0.05)"
    notebook = new_notebook(*widget_cells(endless.source), "6 * 7", busy, "w.report['exit_code']")
    plan = notebook.show_widget()

    plan.press("Run")
    plan.wait_for_step("Long", "running")
    notebook.run(2)  # the kernel answers
    expect(notebook.output(2)).to_have_text("42")
    notebook.run(3)
    expect(notebook.prompt(3)).to_have_text("[*]:")
    endless.wait_until_on()
    plan.press("Stop")
    plan.wait_for_status("interrupted")
    assert endless.processes() == []  # as the page says
    plan.wait_for_step("Later", "skipped")

    plan.press("Run")  # also begun by a kernel that is busy
    endless.wait_until_on()
    plan.press("Stop")
    plan.wait_for_status("interrupted")
    assert endless.processes() == []
    expect(notebook.prompt(3)).to_have_text("[*]:")
    (notebook.folder / "enough").touch()
    expect(notebook.prompt(3)).to_have_text("[4]:")
    notebook.run(4)
    expect(notebook.output(4)).to_have_text("130")


# --- questions ------------------------------------------------------------------------------------


def test_questions_are_answered_by_mouse_and_by_keyboard_alone(new_notebook: Open) -> None:
    notebook = new_notebook(*widget_cells(QUESTIONS))
    plan = notebook.show_widget()
    agreed = notebook.folder / "project" / "agreed.txt"
    for last in ("Approve", "Refuse"):
        plan.press("Run")
        expect(plan.question).to_contain_text("Look around")
        plan.press("Continue")
        expect(plan.question).to_contain_text("Which way?")
        plan.press("2. right")
        expect(plan.question).to_contain_text("Is it good?")
        assert not agreed.exists()
        plan.press(last)
        if last == "Approve":
            expect(plan.question).to_contain_text("| sh")
            assert agreed.exists()
            plan.press("Refuse")
        plan.wait_for_status("error")
        expect(plan.question).to_have_count(0)
        plan.wait_for_step("Agree", "passed" if last == "Approve" else "failed")
        plan.wait_for_step("Command", "failed" if last == "Approve" else "skipped")
        assert agreed.exists() == (last == "Approve")
        agreed.unlink(missing_ok=True)
        plan.step("Choose").click()
        expect(plan.output).to_contain_text("went right")

    plan.editor.focus()
    keyboard = notebook.page.keyboard
    keyboard.press("Control+Enter")
    expect(plan.question).to_contain_text("Look around")
    keyboard.press("Escape")  # so that Tab leaves the editor
    for text, name, key in (
        ("Look around", "Continue", "Enter"),
        ("Which way?", "1. left", "Space"),
        ("Is it good?", "Approve", "Enter"),
        ("| sh", "Approve", "Space"),
    ):
        expect(plan.question).to_contain_text(text)
        plan.tab_to(name)
        expect(plan.button(name)).to_be_enabled()
        keyboard.press(key)
    plan.wait_for_status("passed")
    assert agreed.exists()
    plan.step("Choose").click()
    expect(plan.output).to_contain_text("went left")


def test_keys_in_the_widget_are_no_commands_of_the_notebook(new_notebook: Open) -> None:
    notebook = new_notebook(*widget_cells('#TISS! Language=Bash\nTASK "x"\n'), "'last'")
    plan = notebook.show_widget()
    kinds = "jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.type)"
    before = notebook.page.evaluate(kinds)
    keyboard = notebook.page.keyboard
    plan.editor.press("Control+End")
    for key in ("a", "b", "d", "d", "x", "m", "0", "0", "i", "i", "z", "Shift+Enter", "c"):
        keyboard.press(key)
    text = plan.editor.input_value()
    assert text.endswith('TASK "x"\nabddxm00iiz\nc')
    keyboard.press("Escape")
    for key in ("d", "d", "a"):
        keyboard.press(key)
    assert plan.editor.input_value() == text + "dda"
    keyboard.press("Escape")
    keyboard.press("Tab")
    expect(plan.editor).not_to_be_focused()
    for key in ("d", "d", "a", "x", "m", "Shift+Enter"):
        keyboard.press(key)
    plan.button("Check").focus()
    for key in ("d", "d", "a", "x", "m"):
        keyboard.press(key)
    assert plan.editor.input_value() == text + "dda"
    assert notebook.page.evaluate(kinds) == before
    expect(notebook.prompt(1)).to_have_text("[2]:")

    plan.editor.press("Control+s")  # but this one is the notebook's
    notebook.wait_until_saved()


def test_who_types_at_the_end_of_a_run_goes_on_typing(new_notebook: Open) -> None:
    """The cell's output is written anew then."""
    notebook = new_notebook(*widget_cells(PLAN), "'last'")
    plan = notebook.show_widget()
    plan.type_at_end("# ")
    plan.editor.press("Control+Enter")
    plan.wait_for_step("Wait", "running")
    (notebook.folder / "project" / "go").touch()
    typed = "# "
    while not notebook.has_picture(1, "3 of 3 steps"):
        notebook.page.keyboard.type("x")  # which would cut a cell
        typed += "x"
    notebook.page.keyboard.type("dd")
    assert plan.editor.input_value() == PLAN + typed + "dd"
    assert notebook.count() == 3
