"""A dry run changes nothing, starts nothing, reads nothing, and asks nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dry_runs import EVERYTHING

TISS = [sys.executable, "-m", "tisslang"]

# Dry-runs the plan in argv[1] below argv[2], and prints which files were opened, and every event of
# the interpreter that would be an effect.
AUDITED = """
import json, os, sys
text, root = sys.argv[1:]
import tisslang, tisslang.engine, tisslang.dry_run, tisslang.syntax
def dry_run():
    return tisslang.run(text, root=root, dry_run=True, agent="echo", jobs=1)
dry_run()  # whatever is loaded late is loaded now
seen, watching = [], True
def watch(event, args):
    if not watching:
        return
    if event == "open":
        seen.append([event, str(args[0]), args[2]])
    elif event.startswith(("subprocess", "os.", "socket.", "shutil.", "tempfile.", "import")):
        seen.append([event, str(args[:1]), 0])
    elif event in ("input", "ctypes.dlopen", "builtins.input"):
        seen.append([event, "", 0])
sys.addaudithook(watch)
report = dry_run()
watching = False
json.dump([report["exit_code"], seen], sys.stdout)
"""


def snapshot(directory: Path) -> dict[str, Any]:
    """Everything below a directory: kind, mode, times, content."""
    found = {}
    for path in [directory, *sorted(directory.rglob("*"))]:
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else None
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes().hex()
        facts = (status.st_mode, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        found[str(path)] = (*facts, content)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with files that the plan is about, beside something that is not its own."""
    root = tmp_path / "root"
    (root / "out").mkdir(parents=True)
    (root / "out/app.py").write_text("old")
    (root / "settings.ini").write_text("a = 1")
    (root / "link").symlink_to("settings.ini")
    (tmp_path / "outside.txt").write_text("outside")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "plan.tiss").write_text(EVERYTHING)
    return root


def run_everything(project: Path, *flags: str) -> str:
    """What a dry run of EVERYTHING prints; it passes."""
    plan = project.parent / "plan.tiss"
    done = subprocess.run(
        [*TISS, "run", str(plan), "--dry-run", "--root", str(project), *flags],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={
            **os.environ,
            "TMPDIR": str(project.parent / "tmp"),
            "HOME": str(project.parent / "home"),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_of_every_statement_leaves_everything_as_it_is(project: Path) -> None:
    before = snapshot(project.parent)
    report = json.loads(run_everything(project, "--output-format", "json"))
    assert report["files_written"] == []
    assert snapshot(project.parent) == before


def test_only_the_files_that_were_asked_for_appear(project: Path) -> None:
    asked = [project.parent / "events.jsonl", project.parent / "junit.xml"]
    before = snapshot(project.parent)
    run_everything(project, "--events", str(asked[0]), "--junit", str(asked[1]))
    for path in asked:
        assert path.stat().st_size > 0
        path.unlink()
    after = snapshot(project.parent)
    changed = {path for path in before if before[path] != after.get(path)}
    assert after.keys() == before.keys()
    assert changed == {str(project.parent)}  # in which those files came and went


def test_nothing_is_opened_for_reading_and_no_process_starts(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, EVERYTHING, str(project)],
        capture_output=True,
        text=True,
        check=True,
    )
    exit_code, seen = json.loads(done.stdout)
    assert exit_code == 0
    looks_only = getattr(os, "O_PATH", os.O_RDONLY)
    for event, what, flags in seen:
        # Directories are held to look at what lies in them; that is all.
        assert event == "open", what
        assert flags & (os.O_DIRECTORY | looks_only) == os.O_DIRECTORY | looks_only, what


def test_the_tools_of_the_user_are_not_called(tmp_path: Path) -> None:
    import tisslang

    def fail(state: Any, args: dict[str, Any]) -> None:
        raise AssertionError(args)

    tools = tisslang.ToolRegistry.default()
    for kind in ("READ", "WRITE", "RUN", "VAR", "LOG", "MY_OWN"):
        tools.register(kind, fail)
    engine = tisslang.ExecutionEngine(tools, tmp_path, dry_run=True)
    report = engine.execute([{"type": "MY_OWN", "x": 1}, {"type": "LOG", "value": "a"}])
    assert report["exit_code"] == 0, report["error"]
    assert [(entry["line"], entry["type"]) for entry in report["plan"]] == [
        (None, "MY_OWN"),
        (None, "LOG"),
    ]


def test_nobody_is_asked(tmp_path: Path) -> None:
    """Not even a person at a terminal, who would be asked in a run."""
    pty = pytest.importorskip("pty")
    plan = tmp_path / "plan.tiss"
    plan.write_text(
        'PAUSE "a"\nREQUEST_REVIEW "b"\nRUN "sudo x"\nCHOOSE {\nOPTION "a" { LOG "a" }\n}\n'
    )
    main, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [*TISS, "run", str(plan), "--dry-run", "--root", str(tmp_path)],
            stdin=terminal,
            capture_output=True,
            text=True,
        )
    finally:
        os.close(main)
        os.close(terminal)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_an_agent_that_cannot_be_had_is_not_missed(tmp_path: Path) -> None:
    from dry_runs import dry

    agent = f"canned:{tmp_path}/missing.jsonl"
    report = dry('PROMPT_AGENT "hi" INTO x\nLOG x\n', tmp_path, agent=agent)
    assert report["log"] == ["<unknown:x>"]
    assert report["cost"]["API_CALLS"] == 1
