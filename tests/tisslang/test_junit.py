"""JUnit XML: what a CI server reads says how the run went, and never green for a failed one."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tisslang
from tisslang.junit import junit_file, junit_xml, write_junit

# What Jenkins, GitLab and the reporters for GitHub read: which element holds which, and of the
# attributes those that each of them must have.
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase", "system-out"},
    "testcase": {"skipped", "failure", "error"},
    **{tag: set() for tag in ("skipped", "failure", "error", "system-out")},
}
COUNTS = {"tests", "failures", "errors", "skipped", "time"}
ATTRIBUTES = {
    "testsuites": COUNTS,
    "testsuite": {"name"} | COUNTS,
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": set(),
    "system-out": set(),
}


def read(text: str) -> ElementTree.Element:
    """The `testsuite` of a document whose shape and counts are right."""
    document = ElementTree.fromstring(text.encode())
    assert document.tag == "testsuites"
    assert len(document) == 1
    for element in document.iter():
        assert set(element.keys()) == ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN[element.tag]
        if "time" in element.attrib:
            seconds, point, thousandths = element.attrib["time"].partition(".")
            assert point == "."
            assert seconds.isdigit()
            assert len(thousandths) == 3
    for element in (document, document[0]):
        counted = {
            "tests": len(document.findall(".//testcase")),
            "failures": len(document.findall(".//failure")),
            "errors": len(document.findall(".//error")),
            "skipped": len(document.findall(".//skipped")),
        }
        assert {name: int(element.attrib[name]) for name in counted} == counted
    assert all(len(case) <= 1 for case in document.iter("testcase"))
    return document[0]


def cases(suite: ElementTree.Element) -> list[tuple[str, str]]:
    """The name of each case and how it went."""
    return [
        (case.attrib["name"], case[0].tag if len(case) else "passed")
        for case in suite.iter("testcase")
    ]


def problem(suite: ElementTree.Element, number: int) -> ElementTree.Element:
    """What stands in the case of this number."""
    return list(suite.iter("testcase"))[number][0]


def run(plan: str, root: Path, **options: Any) -> ElementTree.Element:
    """Run a plan that needs no shell; the suite of its report."""
    report = tisslang.run(plan, root, filename="plan.tiss", **options)
    suite = read(junit_xml(report))
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    assert failed or report["exit_code"] == 0
    return suite


def step(name: str | None, status: str = "passed", line: int = 1, kind: str = "STEP") -> Any:
    seconds = 0.25 if status == "passed" else 0.0
    return {
        "kind": kind,
        "description": name,
        "line": line,
        "status": status,
        "attempts": 1,
        "duration_s": seconds,
    }


def error(message: str, *steps: str, line: int = 2, kind: str = "io") -> Any:
    return {
        "kind": kind,
        "code": "E101" if kind == "assert" else "E203",
        "message": message,
        "line": line,
        "column": 5,
        "steps": list(steps),
        "hint": None,
    }


def report(*steps: Any, **fields: Any) -> Any:
    """A report with these steps and fields; of the others those that JUnit reads."""
    exit_code = 4 if fields.get("error") else 0
    nothing: dict[str, Any] = {"caught": [], "suppressed": [], "diagnostics": [], "log": []}
    given = {"script": "plan.tiss", "task": None, "error": None, "exit_code": exit_code}
    return {**given, "duration_s": 1.5, "steps": list(steps), **nothing, **fields}


# Real runs


def test_a_run_that_passes(tmp_path: Path) -> None:
    suite = run(
        'SETUP { LOG "ready" }\nSTEP "Say <it> & \\"more\\"" { LOG "a < b" }\nLOG "end"', tmp_path
    )
    assert suite.attrib["name"] == "plan.tiss"
    assert cases(suite) == [("SETUP", "passed"), ('Say <it> & "more"', "passed")]
    assert suite.findtext("system-out") == "ready\na < b\nend\n"


def test_a_failed_assertion_is_a_failure(tmp_path: Path) -> None:
    plan = """STEP "one" { LOG "1" }
STEP "two" {
    VAR n = 2
    ASSERT n == 3
}
STEP "three" { }
"""
    suite = run(plan, tmp_path)
    assert cases(suite) == [("one", "passed"), ("two", "failure"), ("three", "skipped")]
    failure = problem(suite, 1)
    assert failure.attrib["type"] == "assert"
    assert "expected n == 3, but it was 2" in failure.attrib["message"]
    text = failure.text or ""
    for part in ("plan.tiss:4:5: error[E101]: ", "in: two", "ASSERT n == 3", "n is 2"):
        assert part in text


def test_any_other_error_is_an_error(tmp_path: Path) -> None:
    suite = run('STEP "two" { READ "missing" AS x }', tmp_path)
    assert cases(suite) == [("two", "error")]
    assert problem(suite, 0).attrib["type"] == "io"


def test_an_error_outside_every_step_is_a_case(tmp_path: Path) -> None:
    suite = run('STEP "one" { LOG "1" }\nREAD "missing" AS x', tmp_path)
    assert cases(suite) == [("one", "passed"), ("plan.tiss", "error")]
    suite = run("ASSERT 1 == 2", tmp_path)
    assert cases(suite) == [("plan.tiss", "failure")]


@pytest.mark.parametrize(
    ("plan", "parts"),
    [
        ('STEP "one" { LOG "1" }\nBOGUS', ["plan.tiss:2:1: error[T002]"]),
        (
            'STEP "one" { LOG x }\nSTEP "two" { LOG y }',
            ["plan.tiss:1:18: error[T110]", "plan.tiss:2:18: error[T110]"],
        ),
    ],
)
def test_a_refused_script_is_a_case(plan: str, parts: list[str], tmp_path: Path) -> None:
    suite = run(plan, tmp_path)
    assert cases(suite)[-1] == ("plan.tiss", "error")
    assert {how for _, how in cases(suite)[:-1]} <= {"skipped"}
    text = problem(suite, -1).text or ""
    assert all(part in text for part in parts)


def test_every_step_has_its_own_error(tmp_path: Path) -> None:
    plan = """STEP "a" { READ "1" AS x }
STEP "b" { ASSERT 1 == 2 }
READ "3" AS x
STEP "c" { STEP "d" { READ "4" AS x } }
"""
    suite = run(plan, tmp_path, keep_going=True)
    assert sorted(cases(suite)) == [
        *(("a", "error"), ("b", "failure"), ("c", "error"), ("d", "error"))
    ] + [("plan.tiss", "error")] * (len(cases(suite)) - 4)
    assert "'1'" in problem(suite, 0).attrib["message"]
    assert "'4'" in problem(suite, 2).attrib["message"]
    assert "'4'" in problem(suite, 3).attrib["message"]


# Reports of every kind


def test_the_last_command_stands_with_the_failure() -> None:
    failed = error("expected LAST_RUN.EXIT_CODE == 0, but it was 1", "t", kind="assert") | {
        "source": "LAST_RUN.EXIT_CODE == 0",
        "left": {"text": "LAST_RUN.EXIT_CODE", "value": 1, "clipped": False},
        "right": {"text": "0", "value": 0, "clipped": False},
        "hint": "read the output",
        "last_run": {
            "command": "pytest -q",
            "exit_code": 1,
            "execution_time": 0.84,
            "stdout_tail": "\x1b[31m1 failed\x1b[0m\n",
            "stderr_tail": "",
        },
    }
    suite = read(junit_xml(report(step("t", "failed"), error=failed)))
    text = problem(suite, 0).text or ""
    for part in (
        "RUN pytest -q",
        "exit code 1",
        "end of stdout:\n\ufffd[31m1 failed",
        "hint: read",
    ):
        assert part in text
    assert "stderr" not in text


def test_which_error_belongs_to_which_step() -> None:
    steps = [step("outer", "failed"), step("in try", "failed", 3), step("x", "failed", 8)]
    steps += [step("x", "failed", 12), step("killed", "failed", 20), step(None, kind="SETUP")]
    caught = [error("caught", "outer", "in try", line=4)]
    suppressed = [error("late", "x", line=14)]
    ended = error("fatal", "outer", "x", line=9, kind="assert")
    suite = read(junit_xml(report(*steps, error=ended, caught=caught, suppressed=suppressed)))
    messages = [case[0].attrib["message"] for case in suite.iter("testcase") if len(case)]
    assert messages[:4] == ["fatal", "caught", "fatal", "late"]
    assert "before its time" in messages[4]
    assert cases(suite)[-1] == ("SETUP", "passed")


def test_a_step_of_a_task_that_is_called_often() -> None:
    steps = [step("x", "failed", 3) for _ in range(3)]
    caught = [error(str(number), "task", "x", line=4) for number in range(3)]
    suite = read(junit_xml(report(*steps, caught=caught)))
    assert [case[0].attrib["message"] for case in suite.iter("testcase")] == ["0", "1", "2"]


def test_an_exit_code_without_an_error_is_not_green() -> None:
    suite = read(junit_xml(report(step("a"), exit_code=70)))
    assert cases(suite) == [("a", "passed"), ("plan.tiss", "error")]
    assert "70" in problem(suite, 1).attrib["message"]


STATUS = st.sampled_from(["passed", "failed", "skipped"])
ANY_TEXT = st.text(st.characters(), max_size=20)
NAMES = st.sampled_from(["a", "b", "c"])
ERRORS = st.builds(
    lambda text, steps, line, kind: error(text, *steps, line=line, kind=kind),
    ANY_TEXT,
    st.lists(NAMES, max_size=3),
    st.integers(1, 30),
    st.sampled_from(["assert", "io", "budget"]),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    steps=st.lists(
        st.builds(step, st.one_of(NAMES, ANY_TEXT), STATUS, st.integers(1, 30)), max_size=6
    ),
    ended=st.one_of(st.none(), ERRORS),
    suppressed=st.lists(ERRORS, max_size=2),
    caught=st.lists(ERRORS, max_size=2),
    log=st.lists(ANY_TEXT, max_size=3),
    script=ANY_TEXT,
    exit_code=st.integers(0, 7),
)
def test_any_report_can_be_read_back(
    steps: list[Any],
    ended: Any,
    suppressed: list[Any],
    caught: list[Any],
    log: list[str],
    script: str,
    exit_code: int,
) -> None:
    fields = {"suppressed": suppressed, "caught": caught, "log": log, "script": script}
    code = exit_code if ended is None else exit_code or 4
    suite = read(junit_xml(report(*steps, error=ended, exit_code=code, **fields)))
    found = cases(suite)
    status = {"passed": "passed", "skipped": "skipped"}
    for entry, (_, how) in zip(steps, found):
        assert status.get(entry["status"], how) == how
        assert how != "passed" or entry["status"] == "passed"
    assert len(found) >= len(steps)
    failed = [how for _, how in found if how in ("failure", "error")]
    assert failed or code == 0
    # What ended the run stands somewhere, in a step or in a case of its own.
    if ended:
        texts = [case[0].text or "" for case in suite.iter("testcase") if len(case)]
        assert any(f":{ended['line']}:5: error[{ended['code']}]" in text for text in texts)


# Files


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "out.xml"
    path.write_text("old")
    path.chmod(0o640)
    write_junit(path, report(step("ä\ud800")))
    assert cases(read(path.read_text(encoding="utf-8"))) == [("ä\ufffd", "passed")]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["out.xml"]
    write_junit(str(tmp_path / "new.xml"), report())
    assert read((tmp_path / "new.xml").read_text(encoding="utf-8")).attrib["tests"] == "0"


def test_a_link_of_the_operator_is_followed_one_of_the_run_is_not(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "victim").write_text("mine")
    link = tmp_path / "link.xml"
    link.symlink_to("reports/real.xml")
    write_junit(link, report())
    assert link.is_symlink()
    read((tmp_path / "reports/real.xml").read_text(encoding="utf-8"))

    with junit_file(tmp_path / "reports/real.xml") as write:
        (tmp_path / "reports/real.xml").unlink()
        (tmp_path / "reports/real.xml").symlink_to("../victim")
        (tmp_path / "reports").rename(tmp_path / "moved")
        (tmp_path / "reports").symlink_to(tmp_path)
        write(report())
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "real.xml").exists()
    read((tmp_path / "moved/real.xml").read_text(encoding="utf-8"))


def test_what_cannot_be_written_is_known_before_the_run(tmp_path: Path) -> None:
    for path in (tmp_path / "missing/out.xml", tmp_path):
        with pytest.raises(OSError, match=r"No such|directory"), junit_file(path):
            pytest.fail("the run began")


def test_devices_and_pipes_are_written_to_not_replaced() -> None:
    write_junit("/dev/null", report())
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    code = (
        "import json, sys; from tisslang.junit import write_junit;"
        "write_junit('/dev/stdout', json.loads(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, json.dumps(report(step("a")))]
    done = subprocess.run(command, capture_output=True, check=True)
    assert cases(read(done.stdout.decode())) == [("a", "passed")]
