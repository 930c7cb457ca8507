"""A notebook in JupyterLab and the widgets in it, as a person sees and uses them.

    with open_notebook(lab, chromium, "greet", *widget_cells(PLAN)) as notebook:
        plan = notebook.show_widget()
        plan.press("Run")
        plan.wait_for_status("passed")

`lab` and `chromium` are fixtures of tests/browser/conftest.py.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab_server import LabServer, cell, run_cell, wait_for_page, write_notebook
from playwright.sync_api import Browser, Locator, Page, expect

# Notes each state that a step is shown in, also where the next one follows at once.
WATCH = """() => {
    window.tissStates = [];
    const text = (row, name) => row.querySelector(name).textContent.replace(/^\\W+/, "").trim();
    const observer = new MutationObserver(records => {
        for (const node of records.flatMap(record => [...record.addedNodes])) {
            const rows = node.matches?.("[role=treeitem]") ? [node]
                : node.querySelectorAll?.("[role=treeitem]") ?? [];
            for (const row of rows) {
                const [title, state] = [text(row, ".tiss-title"), text(row, ".tiss-state")];
                const last = window.tissStates.findLast(([of]) => of === title);
                if (last?.[1] !== state) window.tissStates.push([title, state]);
            }
        }
    });
    observer.observe(document.body, {childList: true, subtree: true});
}"""

HAS_PICTURE = """([index, text]) => {
    const cell = jupyterapp.shell.currentWidget.content.widgets[index];
    return cell.model.outputs.toJSON().some(({data}) => `${data?.["text/html"]}`.includes(text));
}"""


class Notebook:
    """A notebook that is open on a page; `folder` is where it lies and its kernel runs."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.path = path
        self.folder = path.parent
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        page.on("dialog", lambda dialog: dialog.accept())  # "Leave site?"

    def cell(self, index: int) -> Locator:
        """A cell, counted from 0."""
        return cell(self.page, index)

    def run(self, index: int) -> Locator:
        """Run a cell; returns it at once."""
        return run_cell(self.page, index)

    def prompt(self, index: int) -> Locator:
        """What stands before a cell: `[*]:` while it runs, `[3]:` behind it."""
        return self.cell(index).locator(".jp-InputPrompt")

    def output(self, index: int) -> Locator:
        """What a cell printed, showed and returned."""
        return self.cell(index).locator(".jp-OutputArea-output")

    def widget(self, index: int) -> "Widget":
        """The widget that a cell shows; waits for it."""
        found = Widget(self.cell(index).locator(".tiss-widget"))
        expect(found.root).to_be_visible()
        return found

    def show_widget(self) -> "Widget":
        """Run the first two cells; returns the widget that the second shows."""
        self.run(0)
        self.run(1)
        return self.widget(1)

    def has_picture(self, index: int, text: str) -> bool:
        """Whether the HTML that is to be saved with a cell's output holds this text."""
        return bool(self.page.evaluate(HAS_PICTURE, [index, text]))

    def wait_for_picture(self, index: int, text: str) -> None:
        """Wait until the HTML that is to be saved with a cell's output holds this text."""
        self.page.wait_for_function(HAS_PICTURE, arg=[index, text])

    def count(self) -> int:
        """How many cells there are."""
        return self.page.locator(".jp-Notebook .jp-Cell").count()

    def save(self) -> None:
        """Save it with the button, and wait until it is saved."""
        self.page.get_by_role("button", name=re.compile("^Save and")).click()
        self.wait_until_saved()

    def wait_until_saved(self) -> None:
        """Wait until the file holds what the page shows."""
        self.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")

    def reload(self) -> None:
        """Load the page anew."""
        self.page.reload()
        wait_for_page(self.page)

    def press_toolbar(self, command: str) -> None:
        """Press a button of the toolbar: `interrupt-kernel`, `restart-kernel`."""
        self.page.locator(f'.jp-Toolbar [data-command="notebook:{command}"]').click()


class Widget:
    """A `TissWidget` on a page."""

    def __init__(self, root: Locator) -> None:
        self.root = root
        self.editor = root.get_by_role("textbox", name="Plan in TissLang")
        self.status = root.get_by_role("status")
        self.tree = root.locator("[role=tree]")  # also while it is folded
        self.output = root.get_by_role("region", name="Output", exact=True)
        self.question = root.get_by_role("alertdialog")
        self.problems = root.get_by_role("list", name="Problems").get_by_role("listitem")

    def button(self, name: str) -> Locator:
        """A button by its label."""
        return self.root.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        """Press a button, once it can be pressed."""
        self.button(name).click()

    def tab_to(self, name: str) -> None:
        """Go on with Tab until the button of this name has the focus."""
        for _ in range(40):
            if self.button(name).evaluate("node => node === document.activeElement"):
                return
            self.root.page.keyboard.press("Tab")
        raise AssertionError(f"no way to {name} by Tab")

    def wait_for_status(self, status: str) -> None:
        """Wait for the state of the run: running, passed, …"""
        expect(self.status.locator(".tiss-state")).to_have_text(re.compile(rf"^\W*{status}$"))

    def step(self, title: str) -> Locator:
        """A row of the tree of steps."""
        found = self.root.page.locator(".tiss-title", has_text=re.compile(f"^{title}$"))
        return self.tree.get_by_role("treeitem").filter(has=found)

    def wait_for_step(self, title: str, state: str) -> None:
        """Wait for the state of a step."""
        shown = self.step(title).locator(".tiss-state")
        expect(shown).to_have_text(re.compile(rf"^\W*{state}$"))

    def watch_steps(self) -> None:
        """Note from now on each state that a step of the page is shown in."""
        self.root.page.evaluate(WATCH)

    def states(self, title: str) -> list[str]:
        """Those of one step since `watch_steps`."""
        shown = self.root.page.evaluate("window.tissStates")
        return [state for name, state in shown if name == title]

    def type_at_end(self, text: str) -> None:
        """Click into the editor and type behind all that is there."""
        self.editor.click()
        self.editor.press("Control+End")
        self.root.page.keyboard.type(text)


@contextmanager
def open_notebook(
    lab: LabServer, browser: Browser, name: str, *sources: str, theme: str = "light"
) -> Iterator[Notebook]:
    """A notebook of these cells, in a new folder with an empty folder `project`.

    Behind the block its kernel is ended, and what went wrong in a script of the page is an error.
    """
    path = lab.root / name / "notebook.ipynb"
    (path.parent / "project").mkdir(parents=True)
    write_notebook(path, *sources)
    page = lab.open_page(browser, f"{name}/notebook.ipynb", theme)
    notebook = Notebook(page, path)
    try:
        yield notebook
    finally:
        lab.end_kernels()
    assert not notebook.errors, notebook.errors


def widget_cells(plan: str, name: str = "w", **options: object) -> tuple[str, str]:
    """A cell that loads the extension, and one that shows a plan below `project`."""
    arguments = "".join(f", {key}={value!r}" for key, value in options.items())
    show = f'{name} = tisslang.TissWidget({plan!r}, root="project"{arguments})\n{name}'
    return "%load_ext tisslang\nimport tisslang", show
