"""`%%tiss` cells in JupyterLab, in a real browser."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright", reason="playwright is missing: make setup installs it")

from lab_notebook import Notebook
from lab_plans import WAITING_PLAN as PLAN
from lab_plans import EndlessPlan
from playwright.sync_api import expect

LOAD = "%load_ext tisslang"
Open = Callable[..., Notebook]


def test_a_cell_shows_its_progress_and_then_the_result(new_notebook: Open) -> None:
    magic = "%%tiss --root project -o report\n"
    failing = magic + PLAN.replace('== "Ada"', '== "Bob"')
    unread = magic + 'STEP "a" {\n    LGO 1\n}'
    preview = magic.replace("\n", " --dry-run\n") + PLAN
    code = "report['exit_code']"
    notebook = new_notebook(LOAD, magic + PLAN, code, failing, unread, code, preview)
    notebook.run(0)
    notebook.run(1)
    expect(notebook.output(1)).to_contain_text("▸ Wait")
    expect(notebook.prompt(1)).to_have_text("[*]:")
    expect(notebook.cell(1).locator(".tiss-result")).to_have_count(0)
    project = notebook.folder / "project"
    (project / "go").touch()
    box = notebook.cell(1).locator(".tiss-result")
    expect(box).to_contain_text("passed: Greet (3 of 3 steps)")
    expect(box).to_contain_text("Files written: name.txt")
    command = box.get_by_text("cat name.txt")
    expect(command).to_be_hidden()  # until one unfolds it
    box.get_by_text("2 commands").last.click()
    expect(command).to_be_visible()
    notebook.run(2)
    expect(notebook.output(2)).to_have_text("0")

    (project / "go").touch()
    notebook.run(3)  # a plan that fails
    box = notebook.cell(3).locator(".tiss-result")
    expect(box).to_contain_text("failed: Greet (2 of 3 steps)")
    expect(box).to_contain_text('expected LAST_RUN.STDOUT|trim == "Bob", but it was "Ada"')

    notebook.run(4)  # one that is not run at all
    box = notebook.cell(4).locator(".tiss-result")
    expect(box).to_contain_text("not run")
    shown = box.locator("pre").inner_text().splitlines()
    (line,) = (number for number, text in enumerate(shown) if "LGO 1" in text)
    assert shown[line + 1].index("^") == shown[line].index("LGO")
    notebook.run(5)  # such a fault does not keep the next cells from running
    expect(notebook.output(5)).to_have_text("3")

    (project / "name.txt").unlink()
    notebook.run(6)
    box = notebook.cell(6).locator(".tiss-result")
    expect(box).to_contain_text("a dry run, nothing was done: Greet")
    expect(box).to_contain_text('WRITE "name.txt"')
    assert list(project.iterdir()) == []
    for index in (1, 3, 4, 6):
        expect(notebook.cell(index)).not_to_contain_text("Traceback")


def test_the_button_of_the_toolbar_stops_a_plan(new_notebook: Open) -> None:
    endless = EndlessPlan()
    magic = "%%tiss --root project -o report\n"
    notebook = new_notebook(LOAD, magic + endless.source, "report['exit_code']")
    notebook.run(0)
    notebook.run(1)
    endless.wait_until_on()
    expect(notebook.output(1)).to_have_text("▸ Long")
    notebook.press_toolbar("interrupt-kernel")
    expect(notebook.prompt(1)).to_have_text("[2]:")
    assert endless.processes() == []
    line = "The plan was interrupted; nothing of it is running any more."
    expect(notebook.output(1).last).to_have_text(line)
    expect(notebook.cell(1)).not_to_contain_text("Traceback")
    expect(notebook.cell(1).locator(".tiss-result")).to_contain_text("skipped: Later")
    notebook.run(2)
    expect(notebook.output(2)).to_have_text("130")


def test_a_cell_with_a_widget_runs_in_it(new_notebook: Open) -> None:
    magic = "%%tiss --widget --root project -o report\n"
    code = "report['exit_code']"
    notebook = new_notebook(LOAD, magic + PLAN, "6 * 7", code)
    notebook.run(0)
    notebook.run(1)
    plan = notebook.widget(1)
    plan.wait_for_step("Wait", "running")
    expect(notebook.prompt(1)).to_have_text("[2]:")
    notebook.run(2)
    expect(notebook.output(2)).to_have_text("42")
    (notebook.folder / "project" / "go").touch()
    plan.wait_for_status("passed")
    notebook.run(3)
    expect(notebook.output(3)).to_have_text("0")
