"""Every lesson's exercises once more, in its kernel, as one who has solved them all leaves them."""

import os
from pathlib import Path

import execute
import exercise_cells
import nbformat
import pytest
from lessons import LESSONS, Lesson

ALL = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
# Lesson 12 trains what the learner wrote; 13 and 14 take away at their end what they have made.
WHOLE = (12, 13, 14)


@ALL
def test_with_all_exercises_solved(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the cells that are the same either way: `make test` runs those as they are stored.

    test_nothing_uses_what_the_learner_writes knows which are.
    """
    notebook = nbformat.read(lesson.path, as_version=4)
    if lesson.number not in WHOLE:
        imports = next(
            n for n, c in enumerate(notebook.cells) if c.source.startswith(("import ", "from "))
        )
        notebook.cells = [
            cell
            for number, cell in enumerate(notebook.cells)
            if number <= imports or exercise_cells.part(cell)
        ]
    _passes_solved(notebook, lesson, tmp_path, monkeypatch)


@pytest.mark.long
@ALL
def test_a_whole_lesson_with_all_exercises_solved(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = nbformat.read(lesson.path, as_version=4)
    _passes_solved(notebook, lesson, tmp_path, monkeypatch)


def _passes_solved(
    notebook: nbformat.NotebookNode, lesson: Lesson, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_PROGRESS", "")
    exercise_cells.fill_in(notebook, exercise_cells.solved)
    execute.run(notebook, folder / lesson.path.name)  # a cell that raises fails the test
    said = [
        "".join(out.get("data", {}).get("text/plain", "")).split(":")[0]
        for cell in notebook.cells
        if exercise_cells.part(cell) == "exercise"
        for out in cell.outputs
    ]
    assert said == [f"✓ {id}" for id in lesson.exercises]
    assert os.listdir(folder) == []
