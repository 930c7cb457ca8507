"""The page for teachers says what the notebooks and the checker say."""

import re

import pytest
from lessons import LESSONS, NOTEBOOKS, ROOT, Lesson

import qt.exercises

PAGE = (ROOT / "book/teaching.md").read_text(encoding="utf-8")


def header(lesson: Lesson) -> tuple[int, int]:
    """The minutes to read and for the exercises, from a notebook's first cell."""
    found = re.search(r"(\d+) minutes to read(?:, (\d+)\s+for)?", lesson.cells[0].source)
    assert found or lesson.number == 0
    read, exercises = found.groups() if found else ("15", None)
    return int(read), int(exercises or 0)


def test_the_table_has_the_minutes_of_each_notebook() -> None:
    rows = re.findall(r"^\| \[(\d\d) .+?\]\(\.\./notebooks/(.+?)\) \|(.+)\|$", PAGE, flags=re.M)
    assert [name for _, name, _ in rows] == [lesson.path.name for lesson in NOTEBOOKS]
    for (_, _, cells), lesson in zip(rows, NOTEBOOKS):
        _, read, exercises, _ = (cell.strip() for cell in cells.split("|"))
        assert (int(read), int(exercises)) == header(lesson), lesson.name


def test_the_sums_are_right() -> None:
    read, write = (sum(header(lesson)[i] for lesson in NOTEBOOKS) for i in (0, 1))
    assert f"| **all** | | {read} | {write} |" in PAGE


def test_each_lesson_stands_in_both_paths() -> None:
    week = PAGE.split("## One week")[1].split("\n## ")[0]
    for lesson in LESSONS:
        assert f"{lesson.number:02}" in week
    day = PAGE.split("## One day")[1].split("\n## ")[0]
    assert len(set(re.findall(r"\b\d\d\b(?= )", day))) >= 5


def test_the_report_is_the_one_that_a_learner_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_PROGRESS", "")
    monkeypatch.setattr("qt.exercises.progress._this_process", {"tokenization.pairs"})
    shown = PAGE.split("```text\n")[1].split("```")[0]
    assert shown.strip() == str(qt.exercises.report()).strip()
