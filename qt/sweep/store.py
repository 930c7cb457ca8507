"""The folder of a sweep: what was asked, and what became of each run. It is all that resumes need.

DIR/sweep.json                  what was asked, each time
DIR/runs/NAME/run.json          written last: the run is done, or has failed
DIR/runs/NAME/report.ipynb      the executed notebook; of a failed run as far as it came
DIR/runs/NAME/metrics.json      its numbers and its curve
DIR/runs/NAME/error.txt         of a failed run: the end of the traceback
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import qt
from qt.files import write_atomic
from qt.sweep.grid import Run

Record = dict[str, Any]
ASKED = {
    "notebook": str, "grid": list, "variant": list, "set": list, "seeds": int | None, "runs": list,
    "time": str,
}  # fmt: skip
ENDED = {
    "words": str, "variant": str, "point": dict, "settings": dict, "row": list, "status": str,
    "error": str | None, "notebook": str, "qt": str, "seconds": int | float,
}  # fmt: skip
DONE, FAILED = "done", "failed"
MEASURES = ("val_bits_per_byte", "val_loss")  # what runs are compared by: the first there is


class Folder:
    """The folder of a sweep. `ValueError` if it holds something else.

    A run whose files are damaged is one that has not ended; `damaged` names it.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise ValueError(f"{path} is a file: --out names a folder")
        ended = sorted(self.path.glob("runs/*/run.json"))
        known = self._asked_file.exists() or ended
        if self.path.is_dir() and any(self.path.iterdir()) and not known:
            raise ValueError(f"{path} holds something else: --out names a new folder, or a sweep's")
        self.asked = self._read_asked()
        self.damaged: list[str] = []
        self._ended: dict[str, Record] = {}
        for file in ended:
            record = _read(file) | {"name": file.parent.name}
            if _has(record, ENDED) and (record["status"] != DONE or self.metrics(record)):
                self._ended[_identity(record["variant"], record["settings"])] = record
            else:
                self.damaged.append(file.parent.name)

    @property
    def _asked_file(self) -> Path:
        return self.path / "sweep.json"

    def _read_asked(self) -> list[Record]:
        if not self._asked_file.exists():
            return []
        asked = _read(self._asked_file).get("asked")
        if isinstance(asked, list) and all(_has(record, ASKED) for record in asked):
            return asked
        raise ValueError(
            f"{self._asked_file} is damaged: remove it, and give the same command again; "
            "the runs that are done are kept"
        )

    def run(self, name: str) -> Path:
        """The folder of a run."""
        return self.path / "runs" / name

    def ask(self, record: Mapping[str, Any], runs: Sequence[Run]) -> None:
        """Note down what is asked for, unless it was the last time as well."""
        self.asked = self._read_asked()  # another sweep may have added to it
        names = [run.name for run in runs]
        if self.asked and {**self.asked[-1], "time": ""} == {**record, "runs": names, "time": ""}:
            return
        self.asked.append({**record, "runs": names, "time": _now()})
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomic(self._asked_file, _json({"asked": self.asked}))

    def record(self, run: Run) -> Record | None:
        """What is known of a run, which its settings tell from others: None if it has not ended."""
        return self._ended.get(_identity(run.variant, run.settings))

    def records(self) -> list[Record]:
        """All runs that have ended, in the order in which they were asked for first."""
        names = list(dict.fromkeys(name for asked in self.asked for name in asked["runs"]))
        place = {name: i for i, name in enumerate(names)}
        return sorted(self._ended.values(), key=lambda r: place.get(r["name"], len(names)))

    def keep(self, run: Run, fingerprint: str, result: Mapping[str, Any]) -> Record:
        """Write down what became of a run, and return its record."""
        name = (self.record(run) or {"name": run.name})["name"]
        folder, error = self.run(name), result["error"]
        folder.mkdir(parents=True, exist_ok=True)
        if result["notebook"]:
            write_atomic(folder / "report.ipynb", result["notebook"])
        if error:
            write_atomic(folder / "error.txt", error + "\n")
        else:
            (folder / "error.txt").unlink(missing_ok=True)
            write_atomic(folder / "metrics.json", _json(result["metrics"]))
        measure, number = _number(result["metrics"])
        record = {
            "name": name, "words": run.words, "variant": run.variant, "point": run.point,
            "settings": run.settings, "row": list(run.row), "status": FAILED if error else DONE,
            "error": error.splitlines()[-1] if error else None, "notebook": fingerprint,
            "qt": qt.__version__, "seconds": result["seconds"], "host": result["host"],
            "time": _now(), "measure": measure, "number": number,
        }  # fmt: skip
        write_atomic(folder / "run.json", _json(record))
        self._ended[_identity(run.variant, run.settings)] = record
        return record

    def metrics(self, record: Record) -> Record:
        """The numbers of a run that is done: `metrics`, and its `curve`. Empty if damaged."""
        found = _read(self.run(record["name"]) / "metrics.json")
        return found if _has(found, {"metrics": dict}) else {}


def _number(metrics: Record | None) -> tuple[str, float | None]:
    numbers = (metrics or {}).get("metrics", {})
    kinds = (*MEASURES, *numbers)
    return next(
        ((n, numbers[n]) for n in kinds if isinstance(numbers.get(n), int | float)), ("", None)
    )


def _identity(variant: str, settings: Mapping[str, Any]) -> str:
    return json.dumps([variant, settings], sort_keys=True)


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _read(path: Path) -> Record:
    """A JSON object; empty if there is none, or a damaged one."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _has(record: Any, kinds: Mapping[str, Any]) -> bool:
    """Whether it is a dict with these keys, and values of these types."""
    return isinstance(record, dict) and all(
        name in record and isinstance(record[name], kind) for name, kind in kinds.items()
    )
