"""Every lesson keeps its form: what a learner may rely on from the first to the last."""

import ast
import json
import re
import statistics

import exercise_cells
import nbformat
import pytest
import widget_state
from exercise_cells import EXERCISES
from lessons import LESSONS, NOTEBOOKS, ROOT, Lesson, python_of

ALL = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
EVERY = pytest.mark.parametrize("lesson", NOTEBOOKS, ids=lambda lesson: lesson.name)
LARGEST = 200_000  # bytes, stored


@ALL
def test_it_begins_with_a_question_and_says_what_it_needs(lesson: Lesson) -> None:
    first = lesson.cells[0]
    assert first.kind == "markdown"
    assert re.match(rf"# {lesson.number:02} · .+\?\n", first.source), "the title is a question"
    for label in ("**Before:**", "**Time:**", "**After:**"):
        assert label in first.source
    times = re.search(
        r"\*\*Time:\*\* (\d+) minutes to read, (\d+)\s+for the\s+exercises", first.source
    )
    assert times
    assert 8 <= int(times[1]) <= 30
    assert int(times[2]) == sum(EXERCISES[id].minutes for id in lesson.exercises)


@ALL
def test_its_exercises_are_all_there(lesson: Lesson) -> None:
    wanted = [e.id for e in EXERCISES.values() if e.lesson == lesson.number]
    assert sorted(lesson.exercises) == sorted(wanted)
    assert len(wanted) in range(3, 7) or lesson.number == 12


@ALL
def test_exercise_cells_are_what_the_registry_says(lesson: Lesson) -> None:
    """`make notebooks` makes them; nobody edits them in one place only."""
    stored = nbformat.read(lesson.path, as_version=4)
    fresh = nbformat.from_dict(stored)
    exercise_cells.refresh(fresh)
    for cell, new in zip(lesson.cells, fresh.cells):
        assert cell.source == new.source, "run `make notebooks`"
    parts = [(c.part, c.exercise) for c in lesson.cells if c.part]
    in_order = ("heading", "exercise", "answers")
    assert parts == [(part, id) for id in lesson.exercises for part in in_order]


@ALL
def test_stored_stubs_help(lesson: Lesson) -> None:
    for cell in lesson.cells:
        if cell.part == "exercise":
            exercise = EXERCISES[cell.exercise]
            assert cell.output_text.splitlines() == [
                f"✗ {exercise.id}: not written yet",
                f"  to do     {exercise.todo}",
                f"  hint      {exercise.hint}",
            ]


@ALL
def test_nothing_uses_what_the_learner_writes(lesson: Lesson) -> None:
    """Run All gives the same whether an exercise is solved or not; no solution overwrites one."""
    theirs = {EXERCISES[id].name for id in lesson.exercises}
    for cell in lesson.code:
        nodes = list(ast.walk(ast.parse(python_of(cell.source))))
        defined = {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        loaded = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        if cell.part != "exercise":
            assert not theirs & (defined | stored), "it would overwrite the learner's"
            assert not theirs & loaded or lesson.number == 12  # which trains what they wrote


@ALL
def test_it_asks_breaks_and_estimates(lesson: Lesson) -> None:
    text = lesson.text
    assert text.count("*Predict:") >= 3
    assert re.search(r"\*\*Break it", text), "something is broken on purpose"
    section = re.search(r"^## (?:\d+\. )?Estimates\n(.*)", text, flags=re.M | re.S)
    assert section, "there are estimates"
    asked = re.findall(r"^(\d)\. ", section[1].split("\n## ")[0], flags=re.M)
    assert 3 <= len(asked) <= 5
    at = next(
        i for i, c in enumerate(lesson.cells) if re.search(r"^## .*Estimates", c.source, re.M)
    )
    answered = re.findall(r"^(\d)\. ", lesson.cells[at + 1].output_text, flags=re.M)
    assert answered == asked, "a cell answers each estimate"


@ALL
def test_it_ends_with_names_papers_and_what_comes_next(lesson: Lesson) -> None:
    last = lesson.cells[-1].source
    assert "## What you can use now" in last
    elsewhere = ".+" if lesson.number in (13, 14) else "in PyTorch"
    assert re.search(rf"^\| here \| {elsewhere} \| source \|$", last, flags=re.M)
    assert "**Papers.**" in last
    assert "**Next:**" in last


@ALL
def test_its_size_is_that_of_a_lesson(lesson: Lesson) -> None:
    own = [c for c in lesson.code if c.part != "exercise" and "parameters" not in c.tags]
    lines = [len(c.source.splitlines()) for c in own]
    assert statistics.median(lines) <= 10
    assert max(lines) <= 32
    assert 25 <= len([c for c in lesson.cells if not c.part]) <= 60
    words = sum(len(c.source.split()) for c in lesson.markdown if c.part != "answers")
    assert 700 <= words <= 3000


@EVERY
def test_it_is_small_enough_to_store(lesson: Lesson) -> None:
    assert lesson.path.stat().st_size <= LARGEST


@ALL
def test_every_picture_says_in_words_what_it_shows(lesson: Lesson) -> None:
    pictures = 0
    for cell in lesson.code:
        for out in cell.outputs:
            data = out.get("data", {})
            if "image/png" in data:
                alt = out["metadata"]["image/png"]["alt"]
                assert len(alt) > 30, alt
                pictures += 1
            elif "image/svg+xml" in data:
                assert "<title>" in "".join(data["image/svg+xml"])
                pictures += 1
    assert 3 <= pictures <= 12


@EVERY
def test_a_widget_is_stored_with_its_state_and_a_picture(lesson: Lesson) -> None:
    """With the state the book shows it alive; without scripts the picture behind it is seen."""
    notebook = nbformat.read(lesson.path, as_version=4)
    stored = notebook.metadata.get("widgets", {}).get(widget_state.STATE, {}).get("state", {})
    shown = []
    for cell in notebook.cells:
        outputs = [out.get("data", {}) for out in cell.get("outputs", [])]
        behind = [data for data in outputs if set(data) & set(widget_state.PICTURES)]
        views = [
            data[widget_state.VIEW]["model_id"] for data in outputs if widget_state.VIEW in data
        ]
        assert views == [f"{cell.id}_{number}" for number in range(len(views))]
        assert len(behind) >= len(views)
        shown += views
    named = set(widget_state.REFERENCE.findall(json.dumps(stored)))
    assert set(stored) == named | set(shown), "what is shown, what that refers to, and no more"
    assert bool(shown) == (lesson.number in (11, 14))


@EVERY
def test_outputs_hold_nothing_that_varies(lesson: Lesson) -> None:
    for cell in lesson.code:
        for out in cell.outputs:
            assert out.get("name") != "stderr" or cell.source.startswith("%%tiss"), cell.source
            assert str(ROOT) not in "".join(out.get("data", {}).get("text/html", "")), cell.source
        varies = "nbval-ignore-output" in cell.tags
        text = cell.output_text
        assert "Warning" not in text
        assert str(ROOT) not in text
        assert not re.search(r"0x[0-9a-f]{6}|/tmp/|/home/|/Users/|\[[█░#= ]+\]", text), text
        if not varies:  # rounding differs from processor to processor
            small = re.search(r"(?<!below )\b\d(\.\d+)?e-(0[5-9]|1\d)\b", text)
            assert not small, f"a rounding error: {text}"
