"""One judge for any text: each part of TissLang takes it, and raises our errors only.

`python fuzzing.py FIRST LAST` judges the scripts of these seeds, and prints how many of them were
plans that could run.
"""

import json
import os
import sys
import tempfile
from random import Random
from typing import Any

import pytest
from script_style import format_and_judge
from scripts import mutate, random_script

import tisslang
from tisslang.errors import TissParseError
from tisslang.linting import fix
from tisslang.syntax import check, parse
from tisslang.syntax.diagnostics import Diagnostic, render
from tisslang.syntax.recovery import parse_all

EXITS = frozenset({0, 1, 3, 4, 5, 6, 7})


def seeded(seed: int) -> str:
    """The script of a seed: a good one in four, else a damaged one."""
    random = Random(seed)
    script = random_script(random)
    return script if seed % 4 == 0 else mutate(script, random)


def judge(source: str | bytes, root: str) -> int:
    """Take a text through every part; returns the exit code of its dry run in `root`."""
    shown = source if isinstance(source, str) else source.decode("utf-8", "replace")
    lines = shown.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    try:
        tree = parse(source)
    except TissParseError as error:
        judge_refused(source, error, lines)
        return 3
    recovered, errors = parse_all(source, "<script>")
    assert errors == []
    assert recovered == tree
    json.dumps(tree)
    found = check(source)
    judge_places(found, lines)
    linted = tisslang.lint(source)
    judge_places(linted, lines)
    assert {(f.code, f.line, f.column) for f in found} <= {
        (f.code, f.line, f.column) for f in linted
    }
    for finding in linted[:20]:
        render(finding, shown)
    format_and_judge(source)
    parse(fix(source, linted))
    return judge_dry_run(source, found, root)


def judge_refused(source: str | bytes, error: TissParseError, lines: list[str]) -> None:
    """A syntax error is the same for every part, and stands inside the file."""
    assert error.code in {f"T{number:03}" for number in range(1, 11)}
    for part in (check, tisslang.lint):
        findings = part(source)
        assert [(f.code, f.line, f.column) for f in findings] == [
            (error.code, error.line, error.column)
        ]
        judge_places(findings, lines)
    with pytest.raises(TissParseError) as caught:
        tisslang.format_source(source)
    again = caught.value
    assert (again.code, again.line, again.column) == (error.code, error.line, error.column)
    if error.code != "T009":  # with which there is no text to go on in
        _, errors = parse_all(source, "<script>")
        first = errors[0]
        assert (first.code, first.line, first.column) == (error.code, error.line, error.column)
        for each in errors:
            judge_place(each.line, each.column, lines)


def judge_places(findings: list[Diagnostic], lines: list[str]) -> None:
    """Every diagnostic lies inside the file, and all are in its order."""
    assert findings == sorted(findings, key=lambda f: (f.line, f.column, f.code))
    for finding in findings:
        judge_place(finding.line, finding.column, lines)
        assert (finding.end_line, finding.end_column) > (finding.line, finding.column)


def judge_place(line: int, column: int, lines: list[str]) -> None:
    assert 1 <= line <= len(lines)
    assert 1 <= column <= len(lines[line - 1]) + 1


def judge_dry_run(source: str | bytes, found: list[Diagnostic], root: str) -> int:
    """A dry run ends with a code of the language, and does nothing."""
    report: dict[str, Any] = tisslang.run(source, root=root, dry_run=True, non_interactive=True)
    assert report["exit_code"] in EXITS, report["error"]
    assert (report["exit_code"] == 3) == bool(found)
    assert os.listdir(root) == []
    assert report["files_written"] == []
    json.dumps(report, allow_nan=False)
    return int(report["exit_code"])


def judge_seeds(first: int, last: int) -> dict[int, int]:
    """Judge the scripts of these seeds; how often each exit code came."""
    codes: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as root:
        for seed in range(first, last):
            try:
                code = judge(seeded(seed), root)
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise
            codes[code] = codes.get(code, 0) + 1
    return codes


if __name__ == "__main__":
    print(json.dumps(judge_seeds(int(sys.argv[1]), int(sys.argv[2])), sort_keys=True))
