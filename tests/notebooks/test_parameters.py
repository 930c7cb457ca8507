"""The training lesson as an experiment: papermill runs it, and mistakes end it at once."""

import ast
import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import exercise_cells
import nbformat
import pytest
from lessons import LESSONS, ROOT, Cell, Lesson

import qt
from qt.cli import main
from qt.sweep.notebook import Experiment
from qt.sweep.parameters import ParameterError, Settings, read_parameters

LESSON: Lesson = next(lesson for lesson in LESSONS if lesson.number == 9)
TINY = {
    "tokenizer": "char", "block_size": 16, "n_layer": 1, "n_head": 2, "d_model": 16, "steps": 20,
    "eval_every": 10, "warmup": 2,
}  # fmt: skip


def code(tag: str) -> list[Cell]:
    return [cell for cell in LESSON.code if tag in cell.tags]


def validate(**given: Any) -> Settings:
    """What the first two cells make of papermill's parameters, without a kernel."""
    parameters, check = code("report")[:2]
    injected = "# Parameters\n" + "".join(f"{name} = {value!r}\n" for name, value in given.items())
    cells = ["", parameters.source, *([injected] if given else []), check.source]
    values: dict[str, Any] = {"In": cells, "_ih": cells}  # IPython's two names for its history
    for source in cells:
        exec(source, values)
    settings = values["given"]
    assert isinstance(settings, Settings)
    return settings


def test_every_field_of_the_configuration_is_a_parameter() -> None:
    names = set(Experiment(LESSON.path).defaults)
    wanted = {field.name for kind in (qt.GPTConfig, qt.TrainingConfig) for field in fields(kind)}
    assert wanted <= names
    assert {"dataset", "tokenizer", "train_bytes", "sinusoid_scale", "metrics_path"} == (
        names - wanted
    )
    first, second = LESSON.code[:2]
    assert "parameters" in first.tags
    assert "read_parameters" in second.source


def test_as_the_lesson_stands_all_is_well_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = validate()
    assert (settings.changed, settings.reported) == ({}, False)
    assert repr(settings) == f"all {len(settings)} settings as above"
    report = qt.sweep.publish(settings, {"val_loss": 1.0, "seconds": 2.0}, [])
    assert "seconds" not in repr(report)
    assert os.listdir(tmp_path) == []


def test_without_a_history_the_values_themselves_are_the_settings() -> None:
    """nbval and some consoles keep none."""
    values: dict[str, Any] = {"In": [""], "Out": {}, "_": "", "steps": 3, "math": ast}
    assert read_parameters(values) == {"steps": 3}
    with pytest.raises(ParameterError, match="run the cell of parameters first"):
        read_parameters({"In": [""]})


def test_what_a_command_line_gives_becomes_what_it_means() -> None:
    given = validate(lr="1e-3", d_ff="null", bias="true", steps=7, dropout=0, n_kv_head="2")
    wanted = {"lr": 1e-3, "bias": True, "steps": 7, "n_kv_head": 2}
    assert given.changed == wanted
    assert "| `lr` | `0.001` | `0.004` |" in given._repr_mimebundle_()["text/markdown"]


WRONG = {
    "there is no parameter stepz: did you mean steps?": {"stepz": 500},
    "position must be rope or sinusoidal or learned, not 'ropee'": {"position": "ropee"},
    "lr must be a number of at least 0, not 'fast'": {"lr": "fast"},
    "steps must be a whole number of at least 1, not 2.5": {"steps": 2.5},
    "bias must be True or False, not 'yes'": {"bias": "yes"},
    "d_model=96 is not a multiple of n_head=5": {"n_head": 5},
    "beta2 must be in [0, 1), not 1.0": {"beta2": 1.0},
    "tokenizer must be bpe or char or word, not 'words'": {"tokenizer": "words"},
    "vocab_size must be at least 257 (256 bytes and 1 special tokens), got 99": {"vocab_size": 99},
    'there is no data called "nothing.txt" (No such file or directory): use "stories", '
    '"tinyshakespeare", or the path of a text file': {"dataset": "nothing.txt"},
    "steps follow from train_bytes: give one of the two": {"steps": 5, "train_bytes": 100},
    "train_bytes must be a whole number or None, not 0": {"train_bytes": 0},
    "sinusoid_scale must be a number of at least 0, not inf": {"sinusoid_scale": "inf"},
    "rope_scaling must be a dict or None, not 3": {"rope_scaling": 3},
    "rope_scaling must be a dict or None, not []": {"rope_scaling": []},
    "rope_scaling must be a dict or None, not ''": {"rope_scaling": ""},
    "metrics_path must be the path of a file or None, not 3": {"metrics_path": "3"},
    "metrics_path must be the path of a file: '.' is a folder": {"metrics_path": "."},
    "metrics_path must be the path of a file: 'new/' is a folder": {"metrics_path": "new/"},
    "metrics_path '/dev/null/x.json': nothing can be written into /dev/null": {
        "metrics_path": "/dev/null/x.json",
    },
    "sinusoid_scale must be a number of at least 0, not 'loud'": {"sinusoid_scale": "loud"},
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_a_mistake_is_told_by_the_second_cell(message: str) -> None:
    with pytest.raises(ParameterError) as error:
        validate(**WRONG[message])
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["In", "Out", "_ih", "get_ipython"])
def test_names_of_ipython_are_no_parameters(name: str) -> None:
    with pytest.raises(ParameterError, match=f"^there is no parameter {name}: "):
        validate(**{name: 3})


def test_a_sweep_says_itself_where_the_numbers_of_its_runs_land(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for flags in (["--set", "metrics_path=a.json"], ["--grid", "metrics_path=a.json,b.json"]):
        assert main(["sweep", str(LESSON.path), "--out", str(tmp_path / "out"), *flags]) == 2
        wanted = "error: metrics_path is set by the sweep: runs/NAME/metrics.json\n"
        assert capsys.readouterr().err == wanted


def test_a_name_that_was_changed_in_the_first_cell_is_missed() -> None:
    changed = code("parameters")[0].source.replace("\nsteps =", "\nstepz =")
    with pytest.raises(ParameterError, match="has no steps: is it stepz"):
        exec(code("report")[1].source, {"In": ["", changed]} | {"steps": 1, "stepz": 1})


def papermill(folder: Path, notebook: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "papermill", str(notebook), "out.ipynb", *flags],
        capture_output=True, text=True, cwd=folder, env=os.environ | {"QT_PROGRESS": ""},
    )  # fmt: skip


def test_papermill_makes_a_report_and_its_numbers_land_as_json(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("the cat sat on the mat. " * 400, encoding="utf-8")
    notebook = tmp_path / "report.ipynb"
    notebook.write_text(Experiment(LESSON.path).text, encoding="utf-8")
    flags = [w for name, value in TINY.items() for w in ("-p", name, str(value))]
    done = papermill(tmp_path, notebook, "-p", "dataset", "text.txt", *flags)
    assert done.returncode == 0, done.stderr

    (path,) = tmp_path.glob("metrics-*.json")
    assert path.name.startswith("metrics-dataset=text.txt,tokenizer=char,block_size=16")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["changed"] == {"dataset": "text.txt", **TINY}
    assert set(found["settings"]) == set(Experiment(LESSON.path).defaults) - {"metrics_path"}
    numbers = found["metrics"]
    assert numbers["bytes_read"] == numbers["tokens_read"] == 20 * 4 * 16
    assert numbers["seconds"] > 0
    assert found["curve"][-1]["val_loss"] == numbers["val_loss"]
    assert set(found["versions"]) == {"qt", "numpy", "python"}

    report = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    outputs = [out for cell in report.cells for out in cell.get("outputs", [])]
    assert [o.data["application/json"] for o in outputs if "application/json" in o.get("data", {})]
    text = str(outputs)
    for part in ("| `steps` | `20` | `800` |", "image/png", "It goes on from: ", "| seconds |"):
        assert part in text


def test_papermill_stops_at_a_wrong_name(tmp_path: Path) -> None:
    done = papermill(tmp_path, LESSON.path, "-p", "stepz", "500")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last == "ParameterError: there is no parameter stepz: did you mean steps?"
    notebook = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    ran = [cell for cell in notebook.cells if cell.get("execution_count")]
    assert len(ran) == 3  # the parameters, papermill's, and the check


@pytest.mark.long
def test_papermill_runs_the_whole_lesson_with_other_settings(tmp_path: Path) -> None:
    flags = ["-p", "dataset", "stories", "-p", "position", "sinusoidal", "-p", "steps", "500"]
    done = papermill(tmp_path, LESSON.path, *flags, "--inject-output-path")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.metrics.json").read_text(encoding="utf-8"))
    assert found["metrics"]["steps"] == 500
    report = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    stubs = [cell for cell in report.cells if exercise_cells.part(cell) == "exercise"]
    assert len(stubs) == len(LESSON.exercises)
    assert str(ROOT) not in str([cell.get("outputs") for cell in report.cells])


@pytest.mark.long
def test_equal_bytes_are_equal_for_both_tokenizers(tmp_path: Path) -> None:
    notebook = tmp_path / "report.ipynb"
    notebook.write_text(Experiment(LESSON.path).text, encoding="utf-8")
    read = []
    for kind in ("bpe", "char"):
        given = {**TINY, "tokenizer": kind, "train_bytes": 20_000, "vocab_size": 300}
        del given["steps"]
        flags = [w for name, value in given.items() for w in ("-p", name, str(value))]
        done = papermill(tmp_path, notebook, *flags, "-p", "metrics_path", f"{kind}.json")
        assert done.returncode == 0, done.stderr
        found = json.loads((tmp_path / f"{kind}.json").read_text(encoding="utf-8"))
        read.append(found["metrics"]["bytes_read"])
    assert read == pytest.approx([20_000, 20_000], rel=0.01)
