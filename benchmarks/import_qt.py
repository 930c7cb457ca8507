"""How long `import qt` takes as a process, against NumPy alone, which it imports."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from benchmarks.claim import Claim, Samples, race


def process(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def measure() -> Samples:
    """Milliseconds from start to exit."""
    return race(partial(process, "import qt"), partial(process, "import numpy"), repeats=11).times(
        1e3
    )


CLAIMS = [Claim("import", "import numpy", "ms", 0.77, measure)]
