"""`tiss lint`: which findings fail, which are looked for, and what --fix does."""

import json
import os
from pathlib import Path

import pytest
from report_shape import DIAGNOSTIC, fits
from tiss_process import refused, tiss

JSON = ["--output-format", "json"]
CLEAN = '#TISS! Language=Python\n\nTASK "x"\n\nLOG "hello"\n'
WARNING = CLEAN + "VAR unused = 1\n"  # T203
INFO = CLEAN.partition("\n\n")[2]  # T209
ERROR = CLEAN + 'RUN "rm -rf /"\nASSERT LAST_RUN.EXIT_CODE == 0\n'  # T302
FIXABLE = CLEAN + 'VAR x = "y"\nIF x == "y" THEN { LOG x }\n'  # T214, info


@pytest.mark.parametrize(
    ("text", "fails_on"),
    [(CLEAN, ""), (INFO, "info"), (WARNING, "info warning"), (ERROR, "info warning error")],
)
def test_fail_on(tmp_path: Path, text: str, fails_on: str) -> None:
    (tmp_path / "p.tiss").write_text(text)
    for level in ("info", "warning", "error"):
        expected = int(level in fails_on)
        done = tiss("lint", "p.tiss", "--fail-on", level, cwd=tmp_path)
        assert done.code == expected
        assert (done.out == "p.tiss: ok\n") == (text == CLEAN)
        done = tiss("lint", "p.tiss", *JSON, "--fail-on", level, cwd=tmp_path)
        found = json.loads(done.out)
        assert (done.code, found["ok"]) == (expected, not expected)
        assert done.err == ""
        for diagnostic in found["diagnostics"]:
            fits(diagnostic, DIAGNOSTIC, "diagnostic")
    assert tiss("lint", "p.tiss", cwd=tmp_path).code == int("warning" in fails_on)


def test_syntax_and_static_errors_are_3_whatever_is_chosen(tmp_path: Path) -> None:
    for text in ('STEP "x" {', "LOG nope"):
        for flags in ([], ["--select", "T209"], ["--ignore", "T"], ["--fail-on", "error"]):
            done = tiss("lint", "-", *flags, cwd=tmp_path, stdin=text)
            assert done.code == 3
            assert done.err.startswith(("error[T006]", "error[T110]", "warning", "info"))
    assert tiss("lint", "-", "--var", "nope=1", cwd=tmp_path, stdin=CLEAN + "LOG nope").code == 0


def test_select_and_ignore(tmp_path: Path) -> None:
    (tmp_path / "p.tiss").write_text(INFO + 'VAR unused = 1\nRUN "rm -rf /"\n')

    def codes(*flags: str) -> list[str]:
        done = tiss("lint", "p.tiss", "--output-format", "json", *flags, cwd=tmp_path)
        return sorted(finding["code"] for finding in json.loads(done.out)["diagnostics"])

    assert codes() == ["T203", "T207", "T209", "T302"]
    assert codes("--select", "T203") == ["T203"]
    assert codes("--select", "T203, T3") == ["T203", "T302"]
    assert codes("--select", "T2", "--select", "T302", "--ignore", "T20") == ["T302"]
    assert codes("--ignore", "T207", "--ignore", "T3") == ["T203", "T209"]
    assert tiss("lint", "p.tiss", "--ignore", "T2,T3", cwd=tmp_path).code == 0
    for codes_given in ("T9", "", "T203,", "x", "t203"):
        refused("lint", "p.tiss", "--select", codes_given, cwd=tmp_path)
    for flags in (["--fail-on", "fatal"], ["--fail"], ["--sel", "T2"]):
        refused("lint", "p.tiss", *flags, cwd=tmp_path)


def test_fix(tmp_path: Path) -> None:
    path = tmp_path / "p.tiss"
    path.write_text(FIXABLE)
    path.chmod(0o640)
    (tmp_path / "link.tiss").symlink_to("p.tiss")
    assert tiss("lint", "--fail-on", "info", "link.tiss", cwd=tmp_path).code == 1
    done = tiss("lint", "--fail-on", "info", "--fix", "link.tiss", cwd=tmp_path)
    assert done == (0, "link.tiss: ok\n", "")
    assert path.read_text() == FIXABLE.replace(" THEN", "")
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link.tiss").is_symlink()
    before = os.stat(path)
    assert tiss("lint", "--fix", "p.tiss", cwd=tmp_path).code == 0
    assert os.stat(path).st_ino == before.st_ino  # nothing to do: the file is not touched


def test_fix_of_standard_input(tmp_path: Path) -> None:
    fixed = FIXABLE.replace(" THEN", "")
    done = tiss("lint", "--fix", "-", cwd=tmp_path, stdin=FIXABLE)
    assert done == (0, fixed, "")
    done = tiss("lint", "--fix", "-", *JSON, cwd=tmp_path, stdin=FIXABLE)
    assert json.loads(done.out) == {"ok": True, "diagnostics": [], "text": fixed}


def test_fix_changes_nothing_that_does_not_parse(tmp_path: Path) -> None:
    for text in ("IF true THEN {", "IF nope THEN { }"):
        (tmp_path / "p.tiss").write_text(text)
        assert tiss("lint", "--fix", "p.tiss", cwd=tmp_path).code == 3
        assert (tmp_path / "p.tiss").read_text() == text
        done = tiss("lint", "--fix", "-", cwd=tmp_path, stdin=text)
        assert (done.code, done.out) == (3, text)


def test_several_files(tmp_path: Path) -> None:
    (tmp_path / "a.tiss").write_text(CLEAN)
    (tmp_path / "b.tiss").write_text(WARNING)
    done = tiss("lint", "a.tiss", "b.tiss", "-", cwd=tmp_path, stdin="STEP")
    assert done.code == 3
    assert done.out == "a.tiss: ok\n"
    assert "b.tiss:6:5" in done.err
    assert "<stdin>:1:" in done.err
    refused("lint", "a.tiss", "missing.tiss", cwd=tmp_path)
