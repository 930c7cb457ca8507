"""Every exercise is complete, and each known mistake is told its cause. See also test_trust.py."""

import ast
import doctest
import io
import subprocess
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cell import cell_names

import qt.exercises
from qt.exercises import EXERCISES, Exercise, check
from qt.exercises.registry import LESSONS

ALL = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.id)
MISTAKES = [(e, i) for e in EXERCISES.values() for i in range(len(e.mistakes))]

# The rooms of the house and the lesson that teaches each (functional.py is taught over several).
ROOMS = {
    "tensor": 2, "functional": 2, "nn": 2, "tokenizers": 1, "positions": 3, "attention": 4,
    "norms": 6, "feedforward": 6, "model": 7, "optim": 8, "data": 9, "training": 9,
    "checkpoint": 9, "generation": 10,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_PROGRESS", "")


def run_source(source: str, exercise: Exercise) -> Callable[..., Any]:
    """What a learner's cell defines: it has what the lesson imports, and nothing else."""
    namespace = cell_names(exercise.lesson)
    exec(compile(source, "<cell>", "exec", dont_inherit=True), namespace)
    return namespace[exercise.name]


def test_every_lesson_has_exercises() -> None:
    count = {lesson: [e.lesson for e in EXERCISES.values()].count(lesson) for lesson in LESSONS}
    assert all(count[lesson] >= 2 for lesson in LESSONS), count
    for e in EXERCISES.values():
        assert e.id.split(".")[0] == LESSONS[e.lesson]


@ALL
def test_exercise_is_complete(exercise: Exercise) -> None:
    assert exercise.minutes in (5, 10, 15, 20)
    assert exercise.difficulty in (1, 2, 3)
    assert len(exercise.mistakes) >= 2
    assert len(list(exercise.cases(np.random.default_rng(0)))) >= 3
    for text in (exercise.todo, exercise.hint, exercise.title):
        assert text.strip() == text
        assert text
    assert max(map(len, exercise.stub_source.splitlines())) <= 100
    assert len(exercise.solution_source.splitlines()) <= 40  # one screen


@ALL
def test_stub_is_the_solution_without_its_bodies(exercise: Exercise) -> None:
    stub, solution = (
        run_source(text, exercise) for text in (exercise.stub_source, exercise.solution_source)
    )
    assert stub.__doc__
    assert stub.__doc__ == solution.__doc__
    assert exercise.solution.__doc__ == solution.__doc__
    parts = [stub] + [p for name, p in vars(stub).items() if isinstance(stub, type) and callable(p)]
    assert all(part.__doc__ for part in parts)
    body = ast.parse(exercise.stub_source).body[0]
    functions = [n for n in ast.walk(body) if isinstance(n, ast.FunctionDef)]
    assert functions
    assert all(isinstance(f.body[1], ast.Raise) and len(f.body) == 2 for f in functions)


def test_stubs_are_laid_out_as_a_notebook_cell_is(tmp_path: Path) -> None:
    """So that `make format` leaves a cell that holds a stub as the registry gives it."""
    head = '"""All stubs."""\n\nimport numpy as np\n\n\n'
    file = tmp_path / "stubs.py"
    file.write_text(head + "\n\n".join(e.stub_source for e in EXERCISES.values()), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", "--line-length=100"]
    command += ["--config", "format.skip-magic-trailing-comma=true", str(file)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@ALL
def test_examples_in_the_docstring_are_true(exercise: Exercise) -> None:
    solution = exercise.solution
    names = cell_names(exercise.lesson) | {exercise.name: solution}
    test = doctest.DocTestParser().get_doctest(solution.__doc__ or "", names, exercise.id, None, 0)
    report = io.StringIO()
    assert test.examples
    assert doctest.DocTestRunner().run(test, out=report.write).failed == 0, report.getvalue()


@pytest.mark.parametrize(
    ("exercise", "number"), MISTAKES, ids=[f"{e.id}-{number}" for e, number in MISTAKES]
)
def test_known_mistake_is_told_its_cause(exercise: Exercise, number: int) -> None:
    old, new, cause = exercise.mistakes[number]
    assert exercise.solution_source.count(old) >= 1
    wrong = run_source(exercise.solution_source.replace(old, new), exercise)
    result = check(exercise.id, wrong)
    assert not result
    assert repr(result).splitlines()[-1] == f"  likely    {cause}", result
    assert [c for _, _, c in exercise.mistakes].count(cause) == 1


@ALL
def test_solution_keeps_its_inputs(exercise: Exercise) -> None:
    """A solution that changed them would teach it. `check` would say so: see "changed" there."""
    assert "changed" not in repr(check(exercise.id, exercise.solution))


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_needs_nothing_of_a_later_one(lesson: int) -> None:
    path = Path(qt.exercises.__file__).with_name(f"lesson_{lesson:02}.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            modules = [a.name for a in node.names]
        for module in modules:
            if module.split(".")[0] == "qt" and module != "qt.exercises.exercise.exercise":
                assert ROOMS[module.split(".")[1]] <= lesson, f"{path.name} imports {module}"


def test_the_core_never_imports_the_exercises() -> None:
    core = Path(qt.exercises.__file__).parent.parent
    for path in [*core.glob("*.py"), *(core / "tokenizers").glob("*.py")]:
        with path.open("rb") as file:
            names = {t.string for t in tokenize.tokenize(file.readline) if t.type == tokenize.NAME}
        if path.name != "__init__.py":
            assert "exercises" not in names, path.name
