"""One walk through the pages of the book in Chromium: each is opened once, and looked at."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TOOLS = Path(__file__).parents[1] / "book" / "site"
# The theme says what it does.
CHATTER = ("[PST]: ", "strict mode: use allowUnionTypes")


class Walk:
    """What was found: for each check, "page: finding"."""

    def __init__(self, browser: Any, address: str, axe: str) -> None:
        self.found: dict[str, list[str]] = defaultdict(list)
        self.count: dict[str, int] = defaultdict(int)  # how much was looked at
        self.address = address
        self._context = browser.new_context(viewport={"width": 1280, "height": 900})
        self._measures = axe + (TOOLS / "measure.js").read_text(encoding="utf-8")
        self._page = self._context.new_page()
        self._looks: list[str] = []  # of which the contrast is known
        self._name = ""
        self._page.on("request", self._on_request)
        self._page.on("response", self._on_response)
        self._page.on("console", self._on_console)
        self._page.on("pageerror", lambda error: self._tell("console", str(error)))

    def go(self, names: Iterable[str]) -> "Walk":
        for self._name in names:
            self._look()
        self._context.close()
        return self

    def _look(self) -> None:
        page = self._page
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(self.address + self._name, wait_until="load")
        page.add_script_tag(content=self._measures)
        page.add_style_tag(content="* { transition: none !important }")
        page.evaluate("drawn()")
        self._measure("formulas", "small")
        self._measure("rules")
        self._measure_contrast()
        page.emulate_media(color_scheme="dark")
        page.wait_for_selector('html[data-theme="dark"]', state="attached")
        self._measure_contrast()
        page.set_viewport_size({"width": 360, "height": 740})
        self._measure("tooWide")

    def _measure(self, *names: str) -> None:
        for name in names:
            self._note(name, *self._page.evaluate(f"{name}()"))

    def _measure_contrast(self) -> None:
        looked_at, findings, new = self._page.evaluate("known => contrast(known)", self._looks)
        self._looks += new
        self._note("contrast", looked_at, findings)

    def _note(self, check: str, looked_at: int, findings: list[str]) -> None:
        self.count[check] += looked_at
        for finding in findings:
            self._tell(check, finding)

    def _tell(self, check: str, finding: str) -> None:
        self.found[check].append(f"{self._name}: {finding}")

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self._tell("requests", request.url)

    def _on_response(self, response: Any) -> None:
        if response.status >= 400:
            self._tell("responses", f"{response.status} {response.url}")

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(CHATTER):
            self._tell("console", message.text)
