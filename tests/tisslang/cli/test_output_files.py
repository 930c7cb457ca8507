"""--events and --junit: files beside any format, whatever comes of the run and of the disk."""

import json
import os
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report_shape import check_events
from tiss_process import NO_SANDBOX, TISS, refused, tiss

PLAN = 'STEP "a" { LOG "é" }\nSTEP "b" { ASSERT 1 == 2 }\nSTEP "c" { }'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "plan.tiss").write_text(PLAN, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("format", ["text", "json", "jsonl"])
def test_events_beside_each_format(project: Path, format: str) -> None:
    (project / "e.jsonl").write_text("old")
    flags = ["--events", "e.jsonl", "--output-format", format]
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = tiss("run", "plan.tiss", *flags, cwd=project, env=env)
    assert done.code == 1
    text = (project / "e.jsonl").read_text(encoding="utf-8")
    events = [json.loads(line) for line in text.splitlines()]
    check_events(events)
    if format == "jsonl":
        assert done.out == text
    elif format == "json":
        assert json.loads(done.out) == events[-1]["report"]
    assert "é" in text


def test_junit_beside_each_format(project: Path) -> None:
    for format in ("text", "json", "jsonl"):
        flags = ["--junit", "j.xml", "--output-format", format]
        assert tiss("run", "plan.tiss", *flags, cwd=project).code == 1
        suites = ElementTree.parse(project / "j.xml").getroot()
        (suite,) = suites
        assert [case.get("name") for case in suite.iter("testcase")] == ["a", "b", "c"]
        assert (suite.get("name"), suite.get("failures")) == ("plan.tiss", "1")
        (project / "j.xml").unlink()


@pytest.mark.parametrize("plan", ['STEP "x" {', "LOG nope", 'READ "/x" AS y', 'PAUSE "x"', "LOG 1"])
def test_both_are_written_for_every_exit_code(project: Path, plan: str) -> None:
    flags = ["--junit", "j.xml", "--events", "e.jsonl"]
    done = tiss("run", "-", *flags, cwd=project, stdin=plan)
    suites = ElementTree.parse(project / "j.xml").getroot()
    problems = len(suites.findall(".//failure")) + len(suites.findall(".//error"))
    assert (problems > 0) == (done.code > 0)
    check_events([json.loads(line) for line in (project / "e.jsonl").read_text().splitlines()])


def test_a_dry_run_writes_them_and_nothing_else(project: Path) -> None:
    plan = 'WRITE "made" <<W\nW\nMKDIR "d"\nRUN "touch ran"'
    flags = ["--dry-run", "--junit", "j.xml", "--events", "e.jsonl"]
    assert tiss("run", "-", *flags, cwd=project, stdin=plan).code == 0
    assert {path.name for path in project.iterdir()} == {"plan.tiss", "j.xml", "e.jsonl"}
    events = [json.loads(line) for line in (project / "e.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["run_start", "run_end"]


@pytest.mark.parametrize("flag", ["--events", "--junit"])
def test_a_place_that_cannot_be_written_is_found_before_the_run(project: Path, flag: str) -> None:
    (project / "plan.tiss").write_text('WRITE "made" <<W\nW\n')
    for path in ("missing/x", ".", "plan.tiss/x", ""):
        refused("run", "plan.tiss", flag, path, cwd=project)
    assert not (project / "made").exists()


@pytest.mark.parametrize("flag", ["--events", "--junit"])
def test_the_plan_is_not_written_over(project: Path, flag: str) -> None:
    (project / "link").symlink_to("plan.tiss")
    for path in ("plan.tiss", "./plan.tiss", str(project / "plan.tiss"), "link"):
        assert "FILE already" in refused("run", "plan.tiss", flag, path, cwd=project)
    assert (project / "plan.tiss").read_text(encoding="utf-8") == PLAN
    two = ["--events", "out", "--junit", "./out"]
    assert "--events already" in refused("run", "plan.tiss", *two, cwd=project)


def test_wrong_usage_leaves_an_old_file_alone(project: Path) -> None:
    (project / "e.jsonl").write_text("old")
    flags = ["--events", "e.jsonl", "--junit", "e.xml"]
    refused("run", "plan.tiss", *flags, "--var", "x", cwd=project)
    refused("run", "plan.tiss", *flags, "--timeout", "x", cwd=project)
    refused("run", "missing.tiss", *flags, cwd=project)
    assert (project / "e.jsonl").read_text() == "old"
    assert not (project / "e.xml").exists()


@pytest.mark.parametrize("flag", ["--events", "--junit"])
def test_a_full_disk_is_said_and_the_run_goes_on(project: Path, flag: str) -> None:
    plan = 'STEP "a" { LOG 1 }\nWRITE "made" <<W\nW\n'
    flags = ["--output-format", "json", flag, "/dev/full"]
    done = tiss("run", "-", *flags, cwd=project, stdin=plan)
    assert done.code == 2
    assert json.loads(done.out)["exit_code"] == 0
    assert done.err == "error: cannot write /dev/full: no space left on device\n"
    assert (project / "made").exists()
    done = tiss("run", "plan.tiss", *flags, cwd=project)
    assert done.code == 1  # that of the plan, when it did not pass


@pytest.mark.parametrize("flag", ["--events", "--junit"])
def test_a_pipe(project: Path, flag: str) -> None:
    """A named pipe is opened once, so that its reader sees one whole text."""
    os.mkfifo(project / "pipe")
    with subprocess.Popen(["cat", "pipe"], cwd=project, stdout=subprocess.PIPE, text=True) as cat:
        assert tiss("run", "plan.tiss", flag, "pipe", cwd=project).code == 1
        text = cat.communicate(timeout=20)[0]
    if flag == "--events":
        check_events([json.loads(line) for line in text.splitlines()])
    else:
        ElementTree.fromstring(text.encode())


@pytest.mark.parametrize("flag", ["--events", "--junit"])
def test_a_reader_that_leaves_does_not_stop_the_plan(project: Path, flag: str) -> None:
    os.mkfifo(project / "pipe")
    plan = "".join(f'STEP "{n}" {{ LOG "{"line" * 50}" }}\n' for n in range(2000))
    (project / "plan.tiss").write_text(plan + 'WRITE "end" <<W\nW\n')
    with subprocess.Popen(["head", "-c", "1", "pipe"], cwd=project, stdout=subprocess.PIPE) as head:
        tiss("run", "plan.tiss", flag, "pipe", *NO_SANDBOX, cwd=project)
        head.communicate(timeout=20)
    assert (project / "end").exists()


def test_the_commands_of_a_plan_cannot_lead_them_elsewhere(project: Path) -> None:
    """The files are found before the run: a link that a command puts in their place is no way."""
    (project / "outside").mkdir()
    plan = 'RUN "ln -sfn outside/target j.xml; ln -sfn outside/target e.jsonl"'
    command = [*TISS, "run", "-", "--junit", "j.xml", "--events", "e.jsonl", *NO_SANDBOX]
    subprocess.run(command, cwd=project, input=plan, text=True, capture_output=True, check=True)
    assert list((project / "outside").iterdir()) == []


@pytest.mark.parametrize("flag", ["--events", "--junit"])
def test_a_link_in_the_project_leads_them_nowhere_else(project: Path, flag: str) -> None:
    """A command of an earlier run may have left it there."""
    outside = project.parent / f"outside{flag}"
    outside.write_text("mine")
    (project / "out").symlink_to(outside)
    (project / "gone").symlink_to(f"{outside}.new")
    (project / "fine").symlink_to("inside")
    (project / "nowhere").symlink_to("/dev/null")
    for name in ("out", "gone"):
        assert "leads out of the project" in refused("run", "plan.tiss", flag, name, cwd=project)
    for name in ("fine", "nowhere"):
        assert tiss("run", "plan.tiss", flag, name, cwd=project).code == 1
    assert outside.read_text() == "mine"
    assert (project / "inside").exists()
