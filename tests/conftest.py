"""What every test relies on: one BLAS thread, repeatable examples, and the folder of texts."""

import gc
import os
from pathlib import Path

# Read by the matrix libraries when NumPy is loaded, so they are set before any test imports it.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402
from missing import missing  # noqa: E402

# The same examples at every run, and no limit of time for one: a busy machine is no error.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_collection_finish() -> None:
    """What has been collected lives to the end, so no garbage collection need walk it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder that QT_DATA_DIR names. Without it a test is skipped, but on CI it fails."""
    named = os.environ.get("QT_DATA_DIR")
    if not named:
        missing("QT_DATA_DIR is not set: it names the folder that holds tinyshakespeare.txt")
    folder = Path(named).resolve()
    if not folder.is_dir():
        pytest.fail(f"QT_DATA_DIR names {named}, which is not a folder")
    return folder
