"""What a run found, at the end of its notebook: a table to read, and JSON for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import qt
from qt.files import write_atomic
from qt.sweep.parameters import Settings, as_file_name

MIME = "application/json"
TIMES = ("seconds", "tokens_per_second")  # they differ from run to run


class Report:
    """The numbers of a run. Shown in a notebook it is a table; `path` is where its JSON lies."""

    def __init__(self, numbers: Mapping[str, Any], path: Path | None):
        self.numbers, self.path = dict(numbers), path

    def __repr__(self) -> str:
        lines = [f"{name:<20}{value}" for name, value in self._rows()]
        return "\n".join([*lines, *self._where()])

    def _rows(self) -> list[tuple[str, str]]:
        return [
            (name.replace("_", " "), _shown(value))
            for name, value in self.numbers.items()
            if value is not None
        ]

    def _where(self) -> list[str]:
        return [f"these numbers and the curve: {self.path}"] if self.path else []

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows = [f"| {name} | {value} |" for name, value in self._rows()]
        where = ["", *self._where()] if self.path else []
        table = "\n".join(["| measure | value |", "|---|---:|", *rows, *where])
        return {"text/plain": repr(self), "text/markdown": table}


def publish(
    settings: Settings, numbers: Mapping[str, Any], curve: Sequence[Mapping[str, Any]]
) -> Report:
    """Show the numbers of a run; where papermill runs the notebook, keep them and the curve too.

    They land in `metrics_path`, or beside the notebook that papermill writes, if it says where
    (`papermill --inject-paths`), or in a file of the working directory that is named after the
    settings; and in the notebook itself, as an output of type application/json. In JupyterLab
    nothing is written without a `metrics_path`, and no times are shown. With `metrics_path = ""`
    there is no file at all.
    """
    path = _destination(settings)
    if not settings.reported:
        numbers = {name: value for name, value in numbers.items() if name not in TIMES}
    versions = {
        "qt": qt.__version__, "numpy": np.__version__, "python": platform.python_version(),
    }  # fmt: skip
    whole = {
        "settings": {k: v for k, v in settings.items() if k != "metrics_path" and k.islower()},
        "changed": settings.changed, "metrics": dict(numbers), "curve": list(curve),
        "versions": versions,
    }  # fmt: skip
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, json.dumps(whole, indent=1) + "\n")
    if settings.reported:
        from IPython.display import display

        display({MIME: whole, "text/plain": "metrics as JSON"}, raw=True)
    return Report({**numbers, **(versions if settings.reported else {})}, path)


def _destination(settings: Settings) -> Path | None:
    if "metrics_path" not in settings:
        return None
    if (path := settings["metrics_path"]) is not None:
        return Path(path) if path else None
    if notebook := settings.get("PAPERMILL_OUTPUT_PATH"):
        return Path(notebook).with_suffix(".metrics.json")
    if settings.reported:
        return Path(f"metrics-{as_file_name(settings.changed)}.json")
    return None


def _shown(value: Any) -> str:
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
