"""`make student`: notebooks for a class, without solutions and outputs."""

from pathlib import Path

import nbformat
import pytest
import student
from exercise_cells import EXERCISES
from lessons import NOTEBOOKS


def test_no_solution_and_no_output_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert student.main([str(tmp_path / "class")]) == 0
    assert capsys.readouterr().out.count("written  ") == len(NOTEBOOKS)
    for lesson in NOTEBOOKS:
        notebook = nbformat.read(tmp_path / "class" / lesson.path.name, as_version=4)
        nbformat.validate(notebook)
        sources = "\n".join(cell.source for cell in notebook.cells)
        for id in lesson.exercises:
            exercise = EXERCISES[id]
            assert exercise.stub_source.strip() in sources
            assert exercise.solution_source.strip() not in sources
        for folded in ("<details>", "_solution(", "Solution(", "<summary>"):
            assert folded not in sources
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert len(code) == len(lesson.code)
        assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_what_a_student_wrote_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / NOTEBOOKS[0].path.name
    mine.write_text("my work", encoding="utf-8")
    student.main([str(tmp_path)])
    assert mine.read_text(encoding="utf-8") == "my work"
    assert f"kept     {mine.name}: it is there already, --replace" in capsys.readouterr().out
    student.main([str(tmp_path), "--replace"])
    assert mine.read_text(encoding="utf-8") != "my work"


def test_the_notebooks_themselves_are_not_a_place_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        student.main([str(student.HERE), "--replace"])
    assert stopped.value.code == 2
    assert "holds the notebooks themselves: name another folder" in capsys.readouterr().err
