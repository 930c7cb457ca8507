"""`tiss ast`, `tiss version`, `tiss doctor`, and no command at all."""

import json
from pathlib import Path

import pytest
from tiss_process import refused, tiss

import tisslang


def test_ast(tmp_path: Path) -> None:
    text = 'TASK "é"\nRUN "echo {{x}}"\n'
    (tmp_path / "plan.tiss").write_text(text, encoding="utf-8")
    for flags in ([], ["--output-format", "json"]):
        done = tiss("ast", "plan.tiss", *flags, cwd=tmp_path)
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out) == tisslang.parse(text)
        assert "é" in done.out
    done = tiss("ast", "-", cwd=tmp_path, stdin='LOG "')
    assert (done.code, done.out) == (3, "")
    assert "error[T003]" in done.err
    done = tiss("ast", "-", "--output-format", "json", cwd=tmp_path, stdin='LOG "')
    found = json.loads(done.out)
    assert (done.code, done.err, found["ok"]) == (3, "", False)
    assert [finding["code"] for finding in found["diagnostics"]] == ["T003"]
    assert tiss("ast", "-", cwd=tmp_path, stdin="LOG nope").code == 0  # a tree all the same
    refused("ast", "missing.tiss", cwd=tmp_path)
    refused("ast", "plan.tiss", "plan.tiss", cwd=tmp_path)


def test_version(tmp_path: Path) -> None:
    text = f"tiss {tisslang.__version__}, TissLang 1.2.0\n"
    assert tiss("version", cwd=tmp_path) == (0, text, "")
    assert tiss("--version", cwd=tmp_path) == (0, text, "")
    done = tiss("version", "--output-format", "json", cwd=tmp_path)
    assert json.loads(done.out) == {"package": tisslang.__version__, "language": "1.2.0"}
    refused("version", "x", cwd=tmp_path)


def test_doctor(tmp_path: Path) -> None:
    done = tiss("doctor", "--output-format", "json", cwd=tmp_path)
    findings = json.loads(done.out)
    assert done.code == (0 if findings["ok"] else 5)
    text = tiss("doctor", cwd=tmp_path)
    assert text.code == done.code
    assert "Profile standard: " in text.out
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["ru", "x"], ["--output-format", "json"], ["--verbose"], ["-"]]
)
def test_no_command(tmp_path: Path, arguments: list[str]) -> None:
    line = refused(*arguments, cwd=tmp_path)
    if not arguments:
        assert "run, check, lint, fmt, ast, list, lsp, doctor or version" in line
