"""`make notebooks` renews stubs and leaves alone what a learner wrote; a class gets only stubs."""

import exercise_cells
import nbformat
import pytest
from exercise_cells import EXERCISES, Exercise, refresh, solved, stub, untouched
from nbformat import NotebookNode

CACHE = EXERCISES["generation.cache"]  # a class: two bodies to write
BODY = "        raise NotImplementedError("


def notebook_with(source: str) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata = nbformat.from_dict({"exercise": CACHE.id, "tags": ["exercise"]})
    return nbformat.v4.new_notebook(cells=[cell])


def half_written() -> str:
    first, body, rest = stub(CACHE).partition(BODY)
    return first + "        self.rows = []\n" + rest.partition("\n")[2] if body else ""


WRITTEN = {
    "one body of two": half_written(),
    "solved": solved(CACHE),
    "no Python": stub(CACHE).replace("def append(", "def append("[:-1] + "[", 1),
    "a line of their own": "import math\n\n" + stub(CACHE),
}


@pytest.mark.parametrize("source", WRITTEN.values(), ids=WRITTEN)
def test_what_a_learner_wrote_stays(source: str) -> None:
    assert source != stub(CACHE)
    notebook = notebook_with(source)
    refresh(notebook)
    assert notebook.cells[0].source == source


def test_an_older_stub_is_renewed() -> None:
    older = stub(CACHE).replace("oldest first", "the oldest first")
    assert older != stub(CACHE)
    assert untouched(older)
    notebook = notebook_with(older)
    refresh(notebook)
    assert notebook.cells[0].source == stub(CACHE)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.id)
def test_every_stub_is_known_as_one(exercise: Exercise) -> None:
    assert untouched(stub(exercise))
    assert not untouched(solved(exercise))


def test_a_class_gets_stubs_also_of_what_its_teacher_has_solved() -> None:
    notebook = notebook_with(solved(CACHE))
    exercise_cells.drop_answers(notebook)
    assert notebook.cells[0].source == stub(CACHE)
