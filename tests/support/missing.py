"""What a test needs and this machine lacks: a reason to skip it, and on CI to fail."""

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Skip the test that needs it; on CI, where nothing may be missing, fail."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
