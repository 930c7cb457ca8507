"""A sweep whose folder two write into, or is damaged; that finds no scheduler; that stops."""

import signal
import socket
from pathlib import Path

import pytest
from sweeps import write_notebook

from qt.cli import main
from qt.distributed import measure
from qt.sweep import cluster, sweep, table
from qt.sweep.grid import Run
from qt.sweep.stopping import Stop
from qt.sweep.store import Folder

ASKED = {
    "notebook": "a.ipynb", "grid": [], "variant": [], "set": [], "seeds": None, "whole": False,
}  # fmt: skip
RUNS = [Run(variant, {}, {"x": float(i)}) for i, variant in enumerate(["a", "b|c", "d"])]


def result(loss: float) -> dict[str, object]:
    metrics = {"metrics": {"val_loss": loss}, "curve": []}
    return {"notebook": "", "metrics": metrics, "error": None, "seconds": 1.0, "host": "h"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A sweep of three runs that are done."""
    made = Folder(tmp_path / "out")
    made.ask(ASKED, RUNS)
    for run in RUNS:
        made.keep(run, "cells", result(1.0))
    return made


def test_two_sweeps_in_one_folder_leave_what_both_asked_and_found(tmp_path: Path) -> None:
    one, two = Folder(tmp_path / "out"), Folder(tmp_path / "out")
    one.ask(ASKED, RUNS[:1])
    two.ask({**ASKED, "grid": ["x=1"]}, RUNS[1:2])
    one.ask({**ASKED, "grid": ["x=2"]}, RUNS[2:])
    for place, run in zip((one, two, one), RUNS):
        place.keep(run, "cells", result(1.0))
    after = Folder(tmp_path / "out")
    assert [asked["runs"] for asked in after.asked] == [[run.name] for run in RUNS]
    assert [record["variant"] for record in after.records()] == ["a", "b|c", "d"]


DAMAGE = {
    "no key": ("run.json", '{"name": "a"}'), "no object": ("run.json", "[]"),
    "cut off": ("run.json", '{"name": '), "another kind": ("metrics.json", '{"metrics": 3}'),
    "no numbers": ("metrics.json", '{"met'), "empty": ("metrics.json", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_run_with_damaged_files_has_not_ended(kind: str, folder: Folder) -> None:
    name, text = DAMAGE[kind]
    (folder.run(RUNS[0].name) / name).write_text(text, encoding="utf-8")
    again = Folder(folder.path)
    assert again.damaged == [RUNS[0].name]
    assert sweep.plan(RUNS, again, "cells", retry=False).todo == RUNS[:1]
    assert len(table.make_rows(again)) == 2
    again.keep(RUNS[0], "cells", result(1.0))
    assert Folder(folder.path).damaged == []


def test_without_its_metrics_a_run_has_not_ended(folder: Folder) -> None:
    (folder.run(RUNS[0].name) / "metrics.json").unlink()
    assert Folder(folder.path).record(RUNS[0]) is None


@pytest.mark.parametrize("text", ["{", "[]", '{"asked": 3}', '{"asked": [1]}', '{"asked": [{}]}'])
def test_a_damaged_list_of_what_was_asked_can_be_removed(text: str, folder: Folder) -> None:
    file = folder.path / "sweep.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"sweep\.json is damaged: remove it, and give the same"):
        Folder(folder.path)
    file.unlink()
    assert len(Folder(folder.path).records()) == 3


def test_a_bar_in_the_name_of_a_variant_is_no_column(folder: Folder) -> None:
    lines = table.as_markdown(table.make_rows(folder)).splitlines()
    assert {line.replace("\\|", "").count("|") for line in lines} == {4}
    assert "| b\\|c " in lines[3]


def test_a_notebook_that_is_not_there_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.ipynb"
    assert main(["sweep", str(path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error == f"error: {path} cannot be read: No such file or directory\n"


def test_a_port_that_never_answers_is_no_scheduler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    notebook = write_notebook(tmp_path / "tiny.ipynb")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        flags = ["--out", str(tmp_path / "out"), "--scheduler", address]
        assert main(["sweep", str(notebook), *flags]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == f"error: no scheduler answers at {address}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_noted_and_leave_only_what_may_be_left(number: int) -> None:
    before = signal.getsignal(number)
    with Stop() as stop:
        with pytest.raises(KeyboardInterrupt), stop.at_once():
            signal.raise_signal(number)
        signal.raise_signal(number)  # while workers end: once is enough
    assert stop.signal == number
    with Stop() as stop:
        signal.raise_signal(number)  # while workers begin
        with pytest.raises(KeyboardInterrupt), stop.at_once():
            pytest.fail("this is not begun any more")
    assert signal.getsignal(number) == before


def test_wrong_measurements_are_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for flags in (["--sizes", "8,x"], ["--sizes", "0"], ["--batch-size", "x"]):
        with pytest.raises(SystemExit) as left:
            measure.main(flags)
        assert left.value.code == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {flags[0]}: must be a whole number of at least")
        assert error.count("\n") == 1
