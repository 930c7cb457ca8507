"""The built book, which all tests of it share."""

import time
from pathlib import Path

import pytest
from book_build import build

LONGEST = 900  # seconds until the other worker is given up


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The folder of the pages, built with `-W -n` once a run: whoever comes second waits."""
    base = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):  # of pytest-xdist: its workers share what is above
        base = base.parent
    folder = base / "book"
    done, failed = folder / "done", folder / "failed"
    try:
        folder.mkdir()
    except FileExistsError:
        until = time.monotonic() + LONGEST
        while not done.exists() and not failed.exists():
            assert time.monotonic() < until, "the other worker does not end its build of the book"
            time.sleep(0.2)
    else:
        try:
            build(folder)
            done.touch()
        except BaseException as error:
            failed.write_text(str(error), encoding="utf-8")
            raise
    if failed.exists():
        pytest.fail(f"the book does not build:\n{failed.read_text(encoding='utf-8')}")
    return folder / "html"
