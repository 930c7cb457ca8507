"""Golden parity: `qt` against independent programs, and a table of each row's worst error.

The tests here need the packages of the extra `peers`. Where one is absent the files that need it
are skipped; with QT_REQUIRE_PEERS=1, as on CI, they fail. The table stands at the end of the output
and, when QT_PARITY_TABLE names a file, there too, as Markdown.
"""

import itertools
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for `from reference_gpt import ReferenceGPT`

NEEDS = {  # what each file imports
    "test_operations.py": ["torch"],
    "test_optimizers.py": ["torch"],
    "test_model.py": ["torch"],
    "test_transformers.py": ["torch", "transformers"],
    "test_tokenizers.py": ["tiktoken", "tokenizers", "transformers"],
}
PEERS = ["torch", "tiktoken", "tokenizers", "transformers"]  # for a file that is not listed
LIMITS = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-4}


def missing(path: Path) -> list[str]:
    return [name for name in NEEDS.get(path.name, PEERS) if find_spec(name) is None]


class LacksPeers(pytest.Module):
    """Stands for a test file whose packages are not there: skipped, or failed if it must run."""

    def collect(self) -> list[pytest.Item]:
        message = f"parity needs {', '.join(missing(self.path))}: pip install 'quantatissu[peers]'"
        if os.environ.get("QT_REQUIRE_PEERS") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Any:
    return LacksPeers.from_parent(parent, path=module_path) if missing(module_path) else None


def relative_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference, measured against the reference's largest value (at least 1e-3).

    NaN and infinity must stand at the same places, else the error is infinite.
    """
    equal = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    if equal.all():
        return 0.0
    if not (equal | (np.isfinite(ours) & np.isfinite(theirs))).all():
        return float("inf")
    a, b = ours[~equal].astype(np.float64), theirs[~equal].astype(np.float64)
    scale = np.abs(theirs[np.isfinite(theirs)]).max().astype(np.float64)
    return float(np.abs(a - b).max() / max(scale, 1e-3))


def as_array(value: Any) -> np.ndarray:
    """A tensor of either library, an array or a number, as an array."""
    return np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)


Rows = dict[str, dict[str, list[float]]]  # row: dtype: [comparisons, worst relative error]


def join(rows: Rows, more: Rows) -> None:
    for row, dtypes in more.items():
        for dtype, (count, worst) in dtypes.items():
            kept = rows.setdefault(row, {}).setdefault(dtype, [0, 0.0])
            kept[:] = [kept[0] + count, max(kept[1], worst)]


class Parity:
    """Compares with the reference, and keeps of each row the comparisons and the worst error."""

    def __init__(self) -> None:
        self.rows: Rows = {}

    def check(
        self, row: str, ours: Any, theirs: Any, label: str = "", limit: float | None = None
    ) -> None:
        """Assert equal shapes and dtypes, and a relative error within the dtype's limit.

        `ours` and `theirs` are arrays, tensors of either library, or numbers.
        """
        a, b = as_array(ours), as_array(theirs)
        assert a.shape == b.shape, f"{row} {label}: shape {a.shape}, the reference has {b.shape}"
        assert a.dtype == b.dtype, f"{row} {label}: dtype {a.dtype}, the reference has {b.dtype}"
        limit = limit or LIMITS[a.dtype]
        error = relative_error(a, b)
        join(self.rows, {row: {str(a.dtype): [1, error]}})
        if not error <= limit:
            worst = np.unravel_index(np.abs(np.nan_to_num(a - b, nan=np.inf)).argmax(), a.shape)
            where = f"at {[int(i) for i in worst]}: {a[worst]}, the reference has {b[worst]}"
            pytest.fail(f"{row} {label}: relative error {error:.1e} > {limit:.0e}, {where}")


@pytest.fixture
def parity(request: pytest.FixtureRequest) -> Parity:
    measured = Parity()
    # Properties travel with a test's report, also from a worker process.
    request.node.user_properties.append(("parity", measured.rows))
    return measured


def pytest_terminal_summary(terminalreporter: Any) -> None:
    rows: Rows = {}
    for report in itertools.chain(*terminalreporter.stats.values()):
        if getattr(report, "when", None) == "call":
            for name, measured in report.user_properties:
                if name == "parity":
                    join(rows, measured)
    if not rows:
        return
    lines = ["| row | comparisons | float64 | float32 |", "| --- | ---: | ---: | ---: |"]
    for row, dtypes in rows.items():
        worst = [f"{dtypes[d][1]:.1e}" if d in dtypes else "" for d in ("float64", "float32")]
        comparisons = sum(int(count) for count, _ in dtypes.values())
        lines.append(f"| {row} | {comparisons:,} | {' | '.join(worst)} |")
    terminalreporter.section("parity: the worst relative error of each row")
    for line in lines:
        terminalreporter.write_line(line)
    if path := os.environ.get("QT_PARITY_TABLE"):
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
