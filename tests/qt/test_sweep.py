"""`qt sweep` from the shell: failed runs, a killed worker, Ctrl-C, a cluster by address."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import psutil
import pytest
from processes import is_running, wait_until
from sweeps import sweeping, wait_for_end, wait_for_runs, write_notebook

from qt.cli import main
from qt.sweep.parameters import read_parameters

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, protocol="tcp",
                      host="127.0.0.1", dashboard_address="127.0.0.1:0",
                      local_directory=sys.argv[1]) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@contextmanager
def cluster_of_another_process(folder: Path, code: int = 0) -> Iterator[str]:
    """The address of a Dask cluster that is none of the sweep's; it ends with an exit code."""
    script = folder / "cluster.py"
    script.write_text(CLUSTER, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(script), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, start_new_session=True, cwd=folder,
    ) as process:  # fmt: skip
        assert process.stdout
        assert process.stdin
        try:
            yield process.stdout.readline().strip()
            process.stdin.close()
            assert process.wait(timeout=60) == code
        finally:
            process.kill()


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    return write_notebook(tmp_path / "tiny.ipynb")


class Page(HTMLParser):
    """The elements of a page; each must be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


def test_killed_workers_ctrl_c_and_another_cluster_lose_nothing(
    notebook: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    flags = ["--variant", "good:", "--variant", "bad:broken=True", "--set", f"notes={notes}"]
    common = [str(notebook), *flags, "--out", str(out)]
    with sweeping(tmp_path, *common, "--workers", 1) as sweep:
        (kernel,) = wait_for_runs(notes, 1)
        sweep.kernels()[0].parent().kill()  # the worker
        wait_for_end([kernel])
        wait_for_runs(notes, 2)  # the same run once more, on a worker that took the place
        left = [process.pid for process in sweep.started()]
        sweep.press_ctrl_c()
        assert sweep.end() == 130
        wait_for_end(left)
    last = sweep.text().splitlines()[-1]
    assert last == "interrupted: 0 of 2 runs are kept; the same command goes on"
    assert "Traceback" not in sweep.text()

    (notes / "go").touch()
    with cluster_of_another_process(tmp_path) as address:
        assert main(["sweep", *common, "--scheduler", address]) == 1
    captured = capfd.readouterr()
    assert "\n2 of 2  " in captured.err
    wanted = r"^failed: bad: ValueError: x = 1.0 broke \(.+\)$"
    assert re.search(wanted, captured.err, re.M)
    _results_are_whole(out)

    # The same once more: nothing is left to do. But the notebook has changed meanwhile.
    node = nbformat.read(notebook, as_version=4)
    node.cells[2].source += "\n"
    nbformat.write(node, notebook)
    times = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*")}
    assert main(["sweep", *common, "--json"]) == 1
    assert {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*")} == times
    captured = capfd.readouterr()
    said = captured.err.splitlines()
    assert said[0] == "1 runs are done already and are kept"
    assert said[1].startswith("1 of them were made before the notebook or qt was changed")
    assert said[2].startswith("1 have failed before: --retry-failed")
    assert said[3] == "0 runs to do"
    result = json.loads(captured.out)
    assert (result["done"], len(result["failed"])) == (1, 1)


def _results_are_whole(out: Path) -> None:
    done, broken = (next(out.glob(f"runs/{name}-*")) for name in ("good", "bad"))
    report = nbformat.read(done / "report.ipynb", as_version=4)
    nbformat.validate(report)
    assert report.cells[0].source == "# good"
    assert "this cell is no part" not in str(report)
    assert str(out.parent) not in re.sub("notes.*", "", str(report.metadata))
    metrics = json.loads((done / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["metrics"] == {"val_loss": 0.25, "parameters": 12}
    assert len(metrics["curve"]) == 3

    assert not (broken / "metrics.json").exists()
    error = (broken / "error.txt").read_text(encoding="utf-8")
    assert error.endswith("ValueError: x = 1.0 broke\n")
    assert "\x1b" not in error
    assert "raise ValueError" in str(nbformat.read(broken / "report.ipynb", as_version=4))

    rows = json.loads((out / "table.json").read_text(encoding="utf-8"))
    assert [(row["label"], row["n"], row["failed"]) for row in rows] == [
        ("good", 1, 0), ("bad", 0, 1),
    ]  # fmt: skip
    table = (out / "table.md").read_text(encoding="utf-8")
    assert len({len(line) for line in table.splitlines()}) == 1
    assert (out / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (out / "plot.svg").read_bytes()

    text = (out / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    for link in page.all("a"):
        assert (out / unquote(link["href"] or "")).is_file()
    assert len(page.all("a")) == 4
    assert "http" not in text
    for image in page.all("img"):
        assert (image["src"] or "").startswith("data:")
        assert "good 0.250" in (image["alt"] or "")
    assert len(page.all("img")) == 1


WRONG = {
    "there is no parameter z: there are x, name, broken, seed, notes": ["--grid", "z=1"],
    "--scheduler must be like tcp://HOST:8786, not 'host'": ["--scheduler", "host"],
    "--workers is for this machine: a cluster has the workers that it has": [
        "--scheduler", "tcp://127.0.0.1:1", "--workers", "2",
    ],
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_wrong_usage_is_said_before_anything_happens(
    message: str, notebook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["sweep", str(notebook), "--out", str(out), *WRONG[message]]) == 2
    assert capsys.readouterr().err == f"error: {message}\n"
    assert not out.exists()


def test_what_is_no_notebook_and_what_is_no_folder_of_a_sweep(
    notebook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.ipynb"
    text.write_text("no JSON", encoding="utf-8")
    assert main(["sweep", str(text), "--out", str(tmp_path / "out")]) == 2
    assert "is no notebook" in capsys.readouterr().err
    assert main(["sweep", str(notebook), "--out", str(tmp_path)]) == 1
    assert "holds something else" in capsys.readouterr().err
    assert main(["sweep", str(notebook), "--out", str(notebook)]) == 1
    assert "is a file" in capsys.readouterr().err
    node = nbformat.read(notebook, as_version=4)
    del node.cells[1]
    nbformat.write(node, text)
    assert main(["sweep", str(text), "--out", str(tmp_path / "out")]) == 2
    assert "has no cell with the tag parameters" in capsys.readouterr().err


def test_without_the_extra_one_line_says_how_to_get_it(notebook: Path, tmp_path: Path) -> None:
    hidden = "import sys; sys.modules['distributed'] = None; from qt.cli import main; "
    code = hidden + f"sys.exit(main(['sweep', {str(notebook)!r}, '--out', 'out']))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    wanted = 'error: qt sweep needs distributed: pip install "quantatissu[sweep]"\n'
    assert done.stderr == wanted


@pytest.mark.long
def test_when_a_worker_is_killed_the_others_go_on(notebook: Path, tmp_path: Path) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    common = ["--grid", "x=1,2", "--seeds", 3, "--set", f"notes={notes}", "--out", out]
    with sweeping(tmp_path, notebook, *common, "--workers", 2) as sweep:
        kernels = wait_for_runs(notes, 2)
        victim = sweep.kernels()[0]
        victim.parent().kill()
        wait_for_end([victim.pid])
        assert len([pid for pid in kernels if is_running(pid)]) == 1
        wait_for_runs(notes, 3)
        left = [process.pid for process in sweep.started()]
        (notes / "go").touch()
        assert sweep.end() == 0, sweep.text()
        wait_for_end(left)
    row = json.loads((out / "table.json").read_text(encoding="utf-8"))[0]
    loss = row["metrics"]["val_loss"]
    assert loss["values"] == [0.25, 0.26, 0.27]
    assert loss["mean"] == pytest.approx(0.26)
    assert loss["spread"] == pytest.approx(0.01)
    assert "0.260 ± 0.010" in sweep.text()


@pytest.mark.long
def test_ctrl_c_leaves_no_kernel_on_a_cluster_of_others(notebook: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    with cluster_of_another_process(tmp_path) as address:
        flags = ["--set", f"notes={notes}", "--out", tmp_path / "out", "--scheduler", address]
        for kill in (False, True):
            with sweeping(tmp_path, notebook, *flags) as sweep:
                kernels = wait_for_runs(notes, 2 if kill else 1)
                if kill:
                    sweep.process.kill()
                else:
                    sweep.press_ctrl_c()
                assert sweep.end() == (-9 if kill else 130)
                wait_for_end(kernels)


@pytest.mark.long
def test_ctrl_c_while_workers_start_and_sigterm_leave_nothing(
    notebook: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    flags = [notebook, "--set", f"notes={notes}", "--out", tmp_path / "out", "--workers", 2]
    with sweeping(tmp_path, *flags) as sweep:
        wait_until(lambda: list(tmp_path.glob("qt-sweep-*")), "workers begin", 60)
        wait_until(lambda: len(sweep.started()) > 1, "their processes begin", 60)
        sweep.press_ctrl_c()
        assert sweep.end() == 130
    kept = "0 of 1 runs are kept; the same command goes on"
    assert sweep.text().splitlines() == ["1 runs to do", "stopping …", f"interrupted: {kept}"]
    with sweeping(tmp_path, *flags) as sweep:
        wait_for_runs(notes, 1)
        left = [process.pid for process in sweep.started()]
        sweep.process.terminate()
        assert sweep.end() == 143
        wait_for_end(left)
    assert sweep.text().splitlines() == ["1 runs to do", "stopping …", f"stopped: {kept}"]
    assert list(tmp_path.glob("qt-sweep-*")) == []


@pytest.mark.long
def test_of_two_sweeps_in_one_folder_the_last_shows_all(notebook: Path, tmp_path: Path) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    flags = [notebook, "--out", out, "--workers", 1]
    with sweeping(tmp_path, *flags, "--grid", "x=1", "--set", f"notes={notes}") as first:
        wait_for_runs(notes, 1)
        other = tmp_path / "other"
        other.mkdir()
        with sweeping(other, *flags, "--grid", "x=2") as second:
            assert second.end() == 0, second.text()
        (notes / "go").touch()
        assert first.end() == 0, first.text()
    rows = json.loads((out / "table.json").read_text(encoding="utf-8"))
    assert [row["settings"]["x"] for row in rows] == [1.0, 2.0]
    page = (out / "index.html").read_text(encoding="utf-8")
    assert page.count("1 runs <code>") == 2


@pytest.mark.long
def test_a_scheduler_that_dies_is_told_in_one_line(notebook: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    with cluster_of_another_process(tmp_path, -signal.SIGKILL) as address:
        flags = ["--set", f"notes={notes}", "--out", tmp_path / "out", "--scheduler", address]
        with sweeping(tmp_path, notebook, *flags) as sweep:
            kernels = wait_for_runs(notes, 1)
            (parent,) = {psutil.Process(pid).ppid() for pid in kernels}
            os.kill(parent, signal.SIGKILL)
            assert sweep.end() == 1
            wait_for_end(kernels)
        assert sweep.text().splitlines()[1:] == [
            "error: the scheduler is gone: what is done is kept, and the same command goes on"
        ]


@pytest.mark.long
def test_a_killed_sweep_goes_on_and_a_failed_run_is_tried_again(
    notebook: Path, tmp_path: Path
) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    notes.mkdir()
    common = [notebook, "--grid", "x=1,2,3", "--out", out, "--workers", 1]
    with sweeping(tmp_path, *common, "--set", f"notes={notes}") as sweep:
        wait_for_runs(notes, 1)
        left = [process.pid for process in sweep.started()]
        sweep.process.kill()
        wait_for_end(left)
    (notes / "go").touch()
    with sweeping(tmp_path, *common, "--set", f"notes={notes}") as sweep:
        assert sweep.end() == 0, sweep.text()
    assert "3 runs to do" in sweep.text()

    # A run that fails for want of a folder, which is then made.
    missing = tmp_path / "missing"
    late = [notebook, "--set", f"notes={missing}", "--out", out, "--workers", 1]
    with sweeping(tmp_path, *late) as sweep:
        assert sweep.end() == 1, sweep.text()
    shutil.copytree(notes, missing)
    with sweeping(tmp_path, *late, "--retry-failed") as sweep:
        assert sweep.end() == 0, sweep.text()
    assert list(out.glob("runs/*/error.txt")) == []
    rows = json.loads((out / "table.json").read_text(encoding="utf-8"))
    assert [row["n"] for row in rows] == [1, 1, 1, 1]


@pytest.mark.long
def test_a_run_that_kills_each_worker_fails_and_the_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a machine so busy that Dask gives up each time before the next worker is there.
    monkeypatch.setenv("DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT", "10ms")
    v4 = nbformat.v4
    kill = "import os, signal\nif x > 1: os.kill(os.getppid(), signal.SIGKILL)\nwhile x > 1: pass"
    show = "from IPython.display import display\ndisplay({'application/json': {'y': x}}, raw=True)"
    cells = [v4.new_code_cell("x = 1", metadata={"tags": ["parameters"]})]
    cells += [v4.new_code_cell(kill), v4.new_code_cell(show)]
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "deadly.ipynb")
    out = tmp_path / "out"
    with sweeping(
        tmp_path, tmp_path / "deadly.ipynb", "--grid", "x=2,0,1", "--out", out, "--workers", 1
    ) as sweep:  # fmt: skip
        assert sweep.end(300) == 1, sweep.text()
    rows = json.loads((out / "table.json").read_text(encoding="utf-8"))
    assert [(row["n"], row["failed"]) for row in rows] == [(0, 1), (1, 0), (1, 0)]
    assert "its worker died each time that it was tried" in sweep.text()


def test_the_first_cells_of_a_notebook_can_be_read_without_a_kernel() -> None:
    cells = ["", "x = 1\ny = 1", "# Parameters\nx = 2", "read", "z = 5"]
    settings = read_parameters({"In": cells, "x": 2, "y": 1, "z": 5})
    assert settings == {"x": 2, "y": 1}
    assert settings.changed == {"x": 2}
    again = read_parameters({"In": [*cells, "x = 3\ny = 1"], "x": 3, "y": 1, "z": 5})
    assert again == {"x": 3, "y": 1}
    assert again.changed == {}
