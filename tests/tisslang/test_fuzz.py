"""Random and damaged scripts through parse, check, lint, fmt, recovery and dry run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import fuzzing
import pytest

HERE = Path(fuzzing.__file__)


def test_seeded_scripts() -> None:
    codes = fuzzing.judge_seeds(0, 2000)
    assert codes[0] > 200  # many are plans that could run,
    assert codes[3] > 400  # and many are damaged


@pytest.mark.long
def test_many_seeded_scripts() -> None:
    """200,000 of them, shared by two processes."""
    path = os.pathsep.join([str(HERE.parent), *sys.path])
    shares = [
        subprocess.Popen(
            [sys.executable, str(HERE), str(first), str(first + 100_000)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        for first in (1_000_000, 1_100_000)
    ]
    for share in shares:
        out, err = share.communicate()
        assert share.returncode == 0, err[-3000:]
        assert sum(json.loads(out).values()) == 100_000
