"""A notebook as an experiment: its parameters, and the cells that make up the report of a run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import nbformat

from qt.sweep.parameters import ParameterError, assigned, default

PARAMETERS, REPORT = "parameters", "report"  # tags of cells


class Experiment:
    """The cells that a run executes, as the text of a notebook, and the defaults of its settings.

    These are the cells tagged `report`, if there are any, or all of them with `whole`.
    `ParameterError` if no cell is tagged `parameters`, or if that does more than set values.
    """

    def __init__(self, path: str | Path, whole: bool = False):
        self.name = Path(path).name
        try:
            node = nbformat.read(path, as_version=4)
        except OSError as error:
            raise ParameterError(f"{path} cannot be read: {error.strerror}") from None
        except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError) as error:
            raise ParameterError(f"{path} is no notebook: {str(error)[:80]}") from None
        self.defaults = _defaults(node, path)
        tagged = [cell for cell in node.cells if REPORT in cell.metadata.get("tags", [])]
        if tagged and not whole:
            node.cells = tagged
        for cell in node.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        self.text: str = nbformat.writes(node)
        sources = "\0".join(cell.source for cell in node.cells if cell.cell_type == "code")
        self.fingerprint = hashlib.sha256(sources.encode("utf-8")).hexdigest()[:16]


def _defaults(node: Any, path: str | Path) -> dict[str, Any]:
    cell = next((c for c in node.cells if PARAMETERS in c.metadata.get("tags", [])), None)
    if cell is None:
        raise ParameterError(f"{path} has no cell with the tag {PARAMETERS}")
    names = assigned(cell.source)
    if names is None:
        raise ParameterError(f"{path}: its cell of parameters does more than name = value")
    return {name: default(cell.source, name) for name in names}
