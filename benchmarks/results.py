"""results.json, and the same as a table for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.claim import is_busy
from qt.files import write_atomic

Row = dict[str, Any]
PACKAGES = ("numpy", "torch", "tokenizers", "tiktoken", "robotframework", "rust-just", "pygls")


def machine() -> str:
    """The processor, how many cores of it there are, and for which one NumPy's products are made.

    OpenBLAS chooses by the processor, unless the variable OPENBLAS_CORETYPE does, often to an
    older one: then all that is NumPy is slower than it need be.
    """
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        name = names[0] if names else name
    return f"{name}, {os.cpu_count()} cores, {platform.system()}{_kernel()}"


def _kernel() -> str:
    try:
        import threadpoolctl
    except ImportError:
        return ""
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    names = {pool["architecture"] for pool in pools if "architecture" in pool}
    forced = " (forced by OPENBLAS_CORETYPE)" if "OPENBLAS_CORETYPE" in os.environ else ""
    return f", matrix products for {' and '.join(sorted(names))}{forced}" if names else ""


def versions() -> dict[str, str]:
    """Python's, and those of the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def store(path: Path, rows: Iterable[Row], order: Sequence[str]) -> None:
    """Put new rows into the file, in the order of the claims; other rows stay as they are.

    `ValueError` for a file that is not such a table.
    """
    known: dict[str, Row] = {}
    if path.exists():
        try:
            known = {row["name"]: row for row in json.loads(path.read_text("utf-8"))["rows"]}
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path} is not a table of results: move it away") from None
    known |= {row["name"]: row for row in rows}
    kept = [known[name] for name in order if name in known]  # a claim that is gone takes its row
    table = {
        "machine": machine(), "versions": versions(), "date": date.today().isoformat(),
        "rows": kept,
    }  # fmt: skip
    write_atomic(path, json.dumps(table, indent=1, ensure_ascii=False) + "\n")


def line(row: Row) -> str:
    """One row for people. Spread is the middle half's width, of ours, the peer and the control."""
    goal = row["goal"]
    met = "" if goal is None else f"≥ {goal:<5}" + ("met" if row["ratio"] >= goal else "not met")
    wide = " ".join(f"{100 * x:.0f}%" for x in row["spread"].values())
    busy = "  the machine was busy" if is_busy(row["spread"]) else ""
    values = f"{row['ours']:>10g} {row['peer']:>10g} {row['unit']:<9}"
    ratio = f"{row['ratio']:>7.3g}×  {met:<15}{wide:<13}"
    return f"{row['name']:<25}{values}{ratio}{row['peer_name']}{busy}"


HEADING = f"{'':<25}{'ours':>10} {'peer':>10} {'':<9}{'ratio':>7}   {'goal':<15}{'spread':<13}peer"
