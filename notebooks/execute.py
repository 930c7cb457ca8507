"""Run notebooks and store their outputs, so that a second run writes the same bytes.

`make notebooks` calls this file with every notebook; `python notebooks/execute.py FILE…` runs some.
"""

import configparser
import copy
import json
import os
import re
import sys
import time
from pathlib import Path

import exercise_cells
import nbformat
import widget_state
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from qt.files import write_atomic

CELL_SECONDS = 600
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def run(notebook: nbformat.NotebookNode, path: Path) -> nbformat.NotebookNode:
    """Run the notebook in the folder of `path`, with a kernel of this interpreter."""
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name=METADATA["kernelspec"]["name"],
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=True,
        coalesce_streams=True,
        # or each kernel warns that it talks over loopback without encryption
        extra_arguments=["--Application.log_level=ERROR"],
    )
    code_cells = sum(cell.cell_type == "code" for cell in notebook.cells)

    def show_progress(cell: nbformat.NotebookNode, cell_index: int, **_: object) -> None:
        done = sum(cell.cell_type == "code" for cell in notebook.cells[: cell_index + 1])
        if sys.stdout.isatty():
            print(f"\r{path.name}: cell {done} of {code_cells}", end="", flush=True)

    client.on_cell_executed = show_progress
    client.execute()
    return notebook


def without_traces(notebook: nbformat.NotebookNode) -> None:
    """Leave out what differs from run to run and from machine to machine."""
    widget_state.tidy(notebook)
    notebook.metadata.update(nbformat.from_dict(METADATA))
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("collapsed", None)


def keep_times(notebook: nbformat.NotebookNode, before: nbformat.NotebookNode) -> None:
    """Keep a cell's older outputs where only that differs which nbval takes for the same."""
    same = configparser.ConfigParser(interpolation=None)
    same.read(Path(__file__).with_name("nbval_sanitize.cfg"), encoding="utf-8")
    rules = [(re.compile(rule["regex"]), rule["replace"]) for _, rule in same.items() if rule]

    def compared(cell: nbformat.NotebookNode) -> str:
        text = json.dumps([cell.source, cell.outputs], ensure_ascii=False, sort_keys=True)
        for regex, replace in rules:
            text = regex.sub(replace, text)
        return text

    older = {compared(cell): cell for cell in before.cells if cell.cell_type == "code"}
    for cell in notebook.cells:
        if cell.cell_type == "code" and (found := older.get(compared(cell))):
            cell.outputs = found.outputs
    if widget_state.comparable(notebook) == widget_state.comparable(before):
        notebook.metadata.update({k: v for k, v in before.metadata.items() if k == "widgets"})


def store(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Replace the notebook, whole or not at all."""
    write_atomic(path, nbformat.writes(notebook) + "\n")


def main(names: list[str]) -> int:
    os.environ["QT_PROGRESS"] = ""  # what a run solves is not what a person has solved
    for path in map(Path, names):
        start = time.perf_counter()
        notebook = nbformat.read(path, as_version=4)
        before = copy.deepcopy(notebook)
        exercise_cells.refresh(notebook)
        try:
            run(notebook, path)
        except CellExecutionError as error:
            print(f"\n{path}: a cell failed, nothing was stored\n{error}", file=sys.stderr)
            return 1
        without_traces(notebook)
        keep_times(notebook, before)
        store(notebook, path)
        seconds = time.perf_counter() - start
        print(f"\r{path.name}: {len(notebook.cells)} cells, {seconds:.0f} s        ")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
