"""The report of a run as JUnit XML, which CI servers read: the script a suite, each step a case."""

import contextlib
import json
import os
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

from tisslang.path_walk import HOLD_DIRECTORY
from tisslang.paths import ProjectFiles, open_project, replace_file

Report = dict[str, Any]
Error = dict[str, Any]

# What XML 1.0 has no way to write, not even as a reference.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> str:
    """One `testsuite` for the script, with a `testcase` for each entry of `report["steps"]`.

    A step that failed holds its error: a `failure` for a failed ASSERT, an `error` for all else. An
    error that ended the run outside every step is a case of its own, so that a run with an exit
    code other than 0 never looks as if it had passed.
    """
    script = report.get("script") or "script"
    suite = ElementTree.Element("testsuite", name=_xml(script))
    error_of_step, elsewhere = _assign_errors(report)
    for index, step in enumerate(report["steps"]):
        case = _add_case(suite, _name(step), script, step["duration_s"])
        if step["status"] == "skipped":
            ElementTree.SubElement(case, "skipped")
        elif step["status"] == "failed":
            _add_error(case, error_of_step.get(index, _UNFINISHED), report)
    for error in elsewhere:
        _add_error(_add_case(suite, script, script, 0.0), error, report)
    if report["log"]:
        log = ElementTree.SubElement(suite, "system-out")
        log.text = _xml("".join(f"{line}\n" for line in report["log"]))

    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    for counts in (suites, suite):
        counts.set("tests", str(len(suite.findall("testcase"))))
        counts.set("failures", str(len(suite.findall("testcase/failure"))))
        counts.set("errors", str(len(suite.findall("testcase/error"))))
        counts.set("skipped", str(len(suite.findall("testcase/skipped"))))
        counts.set("time", f"{report['duration_s']:.3f}")
    ElementTree.indent(suites)
    text = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def write_junit(path: str | os.PathLike[str], report: Report) -> None:
    """Write the report to a file, in one step."""
    with junit_file(path) as write:
        write(report)


@contextlib.contextmanager
def junit_file(path: str | os.PathLike[str]) -> Iterator[Callable[[Report], object]]:
    """What writes a report to `path`. Entered before the run, it finds out in time that there is no
    such directory, and the run cannot put a link in the way that leads the report elsewhere.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # a terminal, a pipe, /dev/null
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            yield lambda report: file.write(junit_xml(report))
        return
    real = os.path.realpath(path)
    if open_project is not ProjectFiles:  # a platform without directory descriptors
        yield lambda report: replace_file(None, real, junit_xml(report).encode())
        return
    directory, name = os.path.split(real)
    descriptor = os.open(directory, HOLD_DIRECTORY)
    try:
        yield lambda report: replace_file(descriptor, name, junit_xml(report).encode())
    finally:
        os.close(descriptor)


# A step that was ended from outside: another branch of its PARALLEL failed for good.
_UNFINISHED: Error = {"kind": "unfinished", "message": "the step was ended before its time"}


def _assign_errors(report: Report) -> tuple[dict[int, Error], list[Error]]:
    """The error of each failed step, by its index, and the errors that ended the run elsewhere."""
    ended_by = [error for error in (report["error"], *report["suppressed"]) if error]
    if not ended_by and report["exit_code"] != 0:
        message = f"the run ended with exit code {report['exit_code']}"
        ended_by = [{"kind": "internal", "message": message}]
    failed = _failed_steps(report["steps"])
    error_of_step: dict[int, Error] = {}
    elsewhere = []
    # Those that were caught come last: a step around the TRY failed by another one.
    for number, error in enumerate([*ended_by, *report["caught"]]):
        names = [name for name in error.get("steps") or [] if name in failed]
        for name in names:
            error_of_step.setdefault(_step_of(error, failed[name]), error)
        if not names and number < len(ended_by):
            elsewhere.append(error)
    return error_of_step, elsewhere


def _failed_steps(steps: list[dict[str, Any]]) -> dict[str, list[tuple[int, int]]]:
    """Line and index of the failed steps of each name, sorted."""
    failed: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for index, step in enumerate(steps):
        if step["status"] == "failed":
            failed[_name(step)].append((step.get("line") or 0, index))
    return {name: sorted(places) for name, places in failed.items()}


def _step_of(error: Error, places: list[tuple[int, int]]) -> int:
    """The step in which an error came up. The report names it, no more: of several with one name it
    is the one that begins last before the line of the error. Where that is one step of a sub-task
    that was called often, the errors are given to its calls in turn.
    """
    after = max(1, bisect_right(places, error.get("line") or 0, key=_line))
    first = bisect_left(places, _line(places[after - 1]), key=_line)
    place = places.pop(first) if after - first > 1 else places[first]
    return place[1]


def _line(place: tuple[int, int]) -> int:
    return place[0]


def _add_case(
    suite: ElementTree.Element, name: str, script: str, seconds: float
) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", name=_xml(name), classname=_xml(script), time=f"{seconds:.3f}"
    )


def _add_error(case: ElementTree.Element, error: Error, report: Report) -> None:
    tag = "failure" if error["kind"] == "assert" else "error"
    element = ElementTree.SubElement(
        case, tag, type=_xml(error["kind"]), message=_xml(error["message"])
    )
    element.text = _xml("\n".join(_details(error, report)))


def _details(error: Error, report: Report) -> Iterator[str]:
    """What a person needs to act on the error, line by line."""
    diagnostics = report["diagnostics"] if error["kind"] in ("parse", "static") else []
    for problem in diagnostics or [error]:
        place = (report.get("script"), problem.get("line"), problem.get("column"))
        where = ":".join(str(part) for part in place if part is not None)
        code = f"[{problem['code']}]" if problem.get("code") else ""
        severity = problem.get("severity") or "error"
        yield f"{where}: {severity}{code}: {problem['message']}"
        if problem.get("hint"):
            yield f"hint: {problem['hint']}"
    if error.get("steps"):
        yield f"in: {' > '.join(error['steps'])}"
    if error.get("source"):
        yield f"ASSERT {error['source']}"
    for side in ("left", "right"):
        if error.get(side):
            value = json.dumps(error[side]["value"], ensure_ascii=False)
            yield f"{error[side]['text']} is {value}{'…' if error[side].get('clipped') else ''}"
    last_run = error.get("last_run")
    if last_run:
        yield f"RUN {last_run['command']}"
        yield f"exit code {last_run['exit_code']} after {last_run['execution_time']} s"
        for stream in ("stdout", "stderr"):
            if last_run.get(f"{stream}_tail"):
                yield f"end of {stream}:\n{last_run[f'{stream}_tail']}"


def _name(step: dict[str, Any]) -> str:
    return step.get("description") or step["kind"]


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
