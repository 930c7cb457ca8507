"""What the tests in a browser share: Chromium, and a picture of each page that a test failed on."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from headless import headless

if TYPE_CHECKING:
    from lab_notebook import Notebook
    from lab_server import LabServer
    from playwright.sync_api import Browser

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="module")  # no longer: while it lives an event loop runs in this thread
def _browser() -> "Iterator[Browser]":
    with headless() as browser:
        yield browser


@pytest.fixture
def chromium(
    _browser: "Browser", request: pytest.FixtureRequest, tmp_path: Path
) -> "Iterator[Browser]":
    """Chromium. Pages that a test opened are closed behind it, and pictured when it failed."""
    yield _browser
    pages = [page for context in _browser.contexts for page in context.pages]
    if request.node.stash.get(FAILED, False):
        for number, page in enumerate(pages):
            picture = tmp_path / f"failed-{number}.png"
            page.screenshot(path=picture, full_page=True)
            print(f"the page when the test failed: {picture}")
    for page in pages:
        page.close()


@pytest.fixture(scope="module")
def lab(_browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LabServer]":
    """JupyterLab on an empty folder, if there is a browser to see it in."""
    from lab_server import LabServer

    folder = tmp_path_factory.mktemp("lab")
    (folder / "root").mkdir()
    with LabServer(folder / "server", folder / "root") as server:
        yield server


@pytest.fixture
def new_notebook(
    lab: "LabServer", chromium: "Browser", request: pytest.FixtureRequest
) -> "Iterator[Callable[..., Notebook]]":
    """Opens a notebook of some cells, in a folder of the test; its kernel ends with the test."""
    from lab_notebook import open_notebook

    name = re.sub(r"\W", "_", request.node.name)
    with ExitStack() as stack:
        yield lambda *cells, **options: stack.enter_context(
            open_notebook(lab, chromium, name, *cells, **options)
        )
