"""Every lesson once more, as one who has solved all exercises leaves it."""

import os
from pathlib import Path

import execute
import exercise_cells
import nbformat
import pytest
from lessons import LESSONS, Lesson


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_with_all_exercises_solved(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_PROGRESS", "")
    notebook = nbformat.read(lesson.path, as_version=4)
    exercise_cells.fill_in(notebook, exercise_cells.solved)
    execute.run(notebook, tmp_path / lesson.path.name)  # a cell that raises fails the test
    said = [
        "".join(out.get("data", {}).get("text/plain", "")).split(":")[0]
        for cell in notebook.cells
        if exercise_cells.part(cell) == "exercise"
        for out in cell.outputs
    ]
    assert said == [f"✓ {id}" for id in lesson.exercises]
    assert os.listdir(tmp_path) == []
