"""`TissWidget` in JupyterLab, in a real browser: what lasts behind a page, a kernel, a file."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="playwright is missing: make setup installs it")

from lab_notebook import Notebook, widget_cells
from lab_plans import WAITING_PLAN as PLAN
from lab_plans import EndlessPlan
from lab_server import PAGE_SECONDS, LabServer
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, expect
from processes import wait_until

Open = Callable[..., Notebook]


def test_a_run_goes_on_while_the_page_is_loaded_anew_or_closed(new_notebook: Open) -> None:
    notebook = new_notebook(*widget_cells(PLAN))
    go = notebook.folder / "project" / "go"
    plan = notebook.show_widget()
    plan.type_at_end("# typed\n")
    plan.press("Run")
    plan.wait_for_step("Wait", "running")
    notebook.save()
    notebook.reload()
    plan = notebook.widget(1)
    plan.wait_for_status("running")
    plan.wait_for_step("Write", "passed")
    plan.wait_for_step("Wait", "running")
    plan.wait_for_step("Compare", "waiting")
    assert plan.editor.input_value() == PLAN + "# typed\n"

    address = notebook.page.url
    notebook.page.goto("about:blank")
    go.touch()
    wait_until(lambda: not go.exists(), "the run does not go on", PAGE_SECONDS)
    notebook.page.goto(address)
    plan = notebook.widget(1)
    plan.wait_for_status("passed")
    plan.wait_for_step("Compare", "passed")
    expect(plan.root.get_by_role("region", name="changes of name.txt")).to_contain_text("+Ada")
    plan.press("Run")  # and all its buttons work
    plan.wait_for_step("Wait", "running")
    plan.press("Stop")
    plan.wait_for_status("interrupted")


def test_a_saved_notebook_shows_the_last_state_without_a_kernel(
    new_notebook: Open, lab: LabServer, chromium: Browser
) -> None:
    notebook = new_notebook(*widget_cells(PLAN))
    plan = notebook.show_widget()
    plan.press("Run")
    (notebook.folder / "project" / "go").touch()
    plan.wait_for_status("passed")
    notebook.wait_for_picture(1, "3 of 3 steps")
    picture = notebook.page.locator(".tiss-picture")
    expect(picture).to_be_hidden()  # beside the widget
    notebook.save()
    saved = notebook.path.read_text(encoding="utf-8")
    for place in (notebook.folder, Path.home(), Path(__file__).parents[2]):
        assert str(place) not in saved

    html, _ = HTMLExporter().from_filename(str(notebook.path))
    page = chromium.new_page()
    page.route("http*://**", lambda route: route.abort())  # its fonts and formulas are elsewhere
    page.set_content(html, wait_until="domcontentloaded")
    lab.end_kernels()
    notebook.reload()
    for shown in (page.locator(".tiss-picture"), picture):
        expect(shown).to_be_visible()
        for text in ('TASK "Greet"', "passed: Greet (3 of 3 steps)", "new: name.txt"):
            expect(shown).to_contain_text(text)


def test_restarting_the_kernel_ends_the_run(new_notebook: Open) -> None:
    endless = EndlessPlan()
    notebook = new_notebook(*widget_cells(endless.source))
    plan = notebook.show_widget()
    plan.press("Run")
    endless.wait_until_on()
    notebook.press_toolbar("restart-kernel")
    notebook.page.locator(".jp-Dialog").get_by_role("button", name="Confirm").click()
    endless.wait_until_gone()
    expect(plan.status).to_contain_text("run the cell again")
    expect(plan.button("Run")).to_be_disabled()
    plan = notebook.show_widget()
    plan.press("Check")
    plan.wait_for_status("passed")


def test_two_views_of_a_widget_and_another_widget_beside_them(new_notebook: Open) -> None:
    endless = EndlessPlan()
    _, other = widget_cells(endless.source, "v")
    notebook = new_notebook(*widget_cells(PLAN), "w", other)
    first = notebook.show_widget()
    notebook.run(2)
    second = notebook.widget(2)
    notebook.run(3)
    third = notebook.widget(3)

    second.type_at_end("# typed\n")
    expect(first.editor).to_have_value(PLAN + "# typed\n")
    third.press("Run")
    endless.wait_until_on()
    first.press("Run")
    second.wait_for_step("Wait", "running")
    (notebook.folder / "project" / "go").touch()
    for plan in (first, second):
        plan.wait_for_status("passed")
        plan.wait_for_step("Compare", "passed")
    third.wait_for_status("running")
    assert len(endless.processes()) >= 2
    third.press("Stop")
    third.wait_for_status("interrupted")
    first.wait_for_status("passed")
