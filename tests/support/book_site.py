"""The built book: its pages as files, what they link to, and a server for a browser."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def page_names(site: Path) -> list[str]:
    """All pages, as addresses below the site; what the theme keeps in _static is none."""
    names = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    return [name for name in names if not name.startswith("_static/")]


# Of each of these kinds of pages three stand for all; `make test-long` opens the others.
ALIKE = ("_modules/", "book/api/qt/", "book/api/tisslang/")


def chapters(site: Path) -> list[str]:
    """The pages to read, three of those that are alike. (The first page only leads on.)"""
    pages = page_names(site)
    more = [name for kind in ALIKE for name in [p for p in pages if p.startswith(kind)][3:]]
    return [name for name in pages if name not in [*more, "index.html"]]


@dataclass
class Page(HTMLParser):
    """What other pages may point at, and what this one points at."""

    text: str
    ids: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)  # (element, address)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [(tag, given[name] or "") for name in ("href", "src") if name in given]


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of the site on this machine, for as long as it is wanted."""
    handler = functools.partial(_Handler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
