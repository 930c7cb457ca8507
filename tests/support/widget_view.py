"""The widget's page in a browser, with a stand-in for Python's side of it.

tests/browser/widget_page holds the page, the stand-in and the states that are shown; nothing is
served, the tests answer the browser themselves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tisslang.jupyter.page import script, style

PAGE = Path(__file__).parents[1] / "browser" / "widget_page"
ADDRESS = "http://widget.test/"

# How many listeners the page itself has.
COUNT_LISTENERS = """
window.held = 0;
for (const target of [window, document]) {
  for (const [name, change] of [["addEventListener", 1], ["removeEventListener", -1]]) {
    const known = target[name];
    target[name] = (...args) => {
      window.held += change;
      known.apply(target, args);
    };
  }
}
"""


class WidgetPage:
    """The page, and what the tests say to it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.area = page.locator("textarea")

    def start(self, state: str = "idle", count: int = 1, **changes: Any) -> "WidgetPage":
        """Show the widget in a state of `states.js`, changed so."""
        self.page.evaluate("close => close && window.close()", self.page.evaluate("!!window.model"))
        script = "([name, changes, count]) => start({...STATES[name], ...changes}, count)"
        self.page.evaluate(script, [state, changes, count])
        return self

    def change(self, **changes: Any) -> None:
        """Changes that come from Python."""
        self.page.evaluate("changes => model.change(changes)", changes)

    def message(self, **content: Any) -> None:
        self.page.evaluate("content => model.message(content)", content)

    def sent(self) -> list[dict[str, Any]]:
        """The messages to Python so far."""
        return list(self.page.evaluate("model.sent"))

    def wait_for_sent(self, count: int) -> list[dict[str, Any]]:
        self.page.wait_for_function("count => model.sent.length >= count", arg=count)
        return self.sent()

    def get(self, name: str) -> Any:
        return self.page.evaluate("name => model.state[name]", name)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def select(self, start: int, end: int | None = None) -> None:
        """Put the caret, or a selection, into the editor."""
        self.area.focus()
        span = [start, start if end is None else end]
        self.area.evaluate("(area, span) => area.setSelectionRange(...span)", span)

    def press(self, *keys: str) -> str:
        """Press keys in the editor; what it then holds."""
        for key in keys:
            self.area.press(key)
        return str(self.area.input_value())

    def layer(self) -> str:
        """The text of the coloured lines in sight."""
        return "\n".join(self.page.locator(".tiss-line").all_text_contents())

    def theme(self, name: str) -> None:
        is_light = {"light": "true", "dark": "false"}[name]
        self.page.evaluate("value => (document.body.dataset.jpThemeLight = value)", is_light)

    def unfold(self) -> None:
        """Open all that is folded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")


@contextmanager
def widget_page(chromium: Any) -> Iterator[WidgetPage]:
    """A new page; an error in its scripts is an error here."""
    page = chromium.new_page(viewport={"width": 900, "height": 1100})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack}"))
    page.add_init_script(COUNT_LISTENERS)
    page.route(ADDRESS + "**", answer)
    page.goto(ADDRESS + "index.html")
    page.wait_for_selector("html[data-ready]")
    yield WidgetPage(page)
    assert not errors, errors


def module() -> str:
    """The module that notebooks save, and in it a count of the lines that are coloured."""
    head = "function tokenizeLine(line, state) {"
    text = script()
    assert head in text
    return text.replace(head, head + " globalThis.coloured = (globalThis.coloured || 0) + 1;")


def answer(route: Any) -> None:
    """Answer a request of the page."""
    name = route.request.url.removeprefix(ADDRESS)
    if name == "widget.js":
        route.fulfill(body=module(), content_type="text/javascript")
    elif name == "widget.css":
        route.fulfill(body=style(), content_type="text/css")
    elif (PAGE / name).is_file():
        route.fulfill(path=PAGE / name)
    else:
        route.fulfill(status=404)
