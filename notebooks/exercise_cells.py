"""The cells of an exercise: heading, stub with its check, folded hint and solution.

They are made of `qt.exercises` and `tisslang.exercises` each time `make notebooks` runs, so that a
notebook and the checker cannot drift apart. What a learner wrote into a stub is never touched.
"""

import ast
import html
import re
from collections.abc import Callable

import nbformat

import qt.exercises
import tisslang.exercises
from qt.exercises import Exercise as FunctionExercise
from tisslang.exercises.base import PlanExercise, is_stub

NotebookNode = nbformat.NotebookNode
Exercise = FunctionExercise | PlanExercise

EXERCISES: dict[str, Exercise] = {**qt.exercises.EXERCISES, **tisslang.exercises.EXERCISES}


def heading(exercise: Exercise) -> str:
    """The title, how hard it is, and how long it takes."""
    stars = "★" * exercise.difficulty + "☆" * (3 - exercise.difficulty)
    return f"### Exercise: {exercise.title}\n\n{stars} {exercise.minutes} minutes, `{exercise.id}`"


def stub(exercise: Exercise) -> str:
    """What the learner fills in, and the check right below it."""
    return f"{exercise.stub_source}\n\n{check(exercise)}"


def solved(exercise: Exercise) -> str:
    """The same cell as one who has solved it leaves it: for a test run of the whole notebook."""
    return f"{exercise.solution_source}\n\n{check(exercise)}"


def check(exercise: Exercise) -> str:
    house = "tisslang" if exercise.id in tisslang.exercises.EXERCISES else "qt"
    return f'{house}.exercises.check("{exercise.id}", {exercise.name})'


def answers(exercise: Exercise) -> str:
    """The folded hint and solution. A function has another name, so that it overwrites nothing."""
    if isinstance(exercise, PlanExercise):
        language, source = "tiss", exercise.solution.strip()
    else:
        other = exercise.name + ("_solution" if exercise.name.islower() else "Solution")
        language = "python"
        source = re.sub(rf"\b{exercise.name}\b", other, exercise.solution_source).strip()
    return (
        f"<details><summary>Hint</summary><p>{html.escape(exercise.hint)}</p></details>\n\n"
        f"<details><summary>Solution</summary>\n\n```{language}\n{source}\n```\n\n</details>"
    )


PARTS = {"heading": heading, "exercise": stub, "answers": answers}


def part(cell: NotebookNode) -> str:
    """Which part of an exercise the cell is; "" for any other cell."""
    tags = cell.metadata.get("tags", [])
    return next((tag for tag in tags if tag in PARTS and "exercise" in cell.metadata), "")


def untouched(source: str) -> bool:
    """Whether an exercise's cell is still a stub: nothing was added, and each body only raises, or
    the plan has only comments.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    match tree.body:
        case [ast.Assign(value=ast.Constant(value=str(plan))), ast.Expr()]:
            return is_stub(plan)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    raises = all(len(f.body) == 2 and isinstance(f.body[1], ast.Raise) for f in functions)
    return len(tree.body) == 2 and raises  # the stub and its check


def refresh(notebook: NotebookNode) -> None:
    """Bring all exercise cells to what `qt.exercises` says; a stub only while it is one."""
    for cell in notebook.cells:
        name = part(cell)
        if name and (name != "exercise" or untouched(cell.source)):
            cell.source = PARTS[name](EXERCISES[cell.metadata["exercise"]])


def fill_in(notebook: NotebookNode, source: Callable[[Exercise], str]) -> None:
    """Put `stub` or `solved` into the cell of each exercise, whatever stands there."""
    for cell in notebook.cells:
        if part(cell) == "exercise":
            cell.source = source(EXERCISES[cell.metadata["exercise"]])


def drop_answers(notebook: NotebookNode) -> None:
    """Take out the folded hints and solutions, all outputs, and what was written into stubs."""
    notebook.metadata.pop("widgets", None)
    notebook.cells = [cell for cell in notebook.cells if part(cell) != "answers"]
    fill_in(notebook, stub)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
