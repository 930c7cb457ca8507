"""Chromium without a window, for the tests that open pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from missing import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")


@contextmanager
def headless() -> "Iterator[Browser]":
    """Yield a browser; where there is none the test is skipped, but on CI it fails."""
    if not CHROMIUM.exists():
        missing(f"{CHROMIUM} is missing: install the package chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is missing: make setup installs it")
    with sync_playwright() as playwright:
        # Root may not have Chromium's own sandbox; nothing but our own pages is opened.
        arguments = ["--no-sandbox", "--no-proxy-server", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()
