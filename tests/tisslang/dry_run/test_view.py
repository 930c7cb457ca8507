"""The plan as a person sees it who reviews it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dry_runs import EVERYTHING

from tisslang import ExecutionEngine
from tisslang.cli.plan_view import render_plan
from tisslang.dry_run import outline_of


def view(text: str, root: Path, **options: Any) -> str:
    engine = ExecutionEngine(root=root, dry_run=True, **options)
    report = engine.run(text)
    assert len(outline_of(engine.state)) == len(report["plan"])
    return render_plan(report, outline=outline_of(engine.state))


def test_a_plan_with_everything(tmp_path: Path) -> None:
    golden = Path(__file__).with_name("everything.txt").read_text(encoding="utf-8")
    assert view(EVERYTHING, tmp_path) + "\n" == golden


def test_the_view_of_a_report_alone(tmp_path: Path) -> None:
    text = 'STEP "s" {\nRUN "x"\nIF LAST_RUN.STDOUT IS_EMPTY {\nLOG 1\n}\nASSERT 1 == 2\n}\n'
    report = ExecutionEngine(root=tmp_path, dry_run=True).run(text)
    assert (
        render_plan(report, "|")
        == """\
    s
2     RUN x
3 ?   IF LAST_RUN.STDOUT IS_EMPTY  not known: all ways are shown
      in some cases:
4     | LOG 1
6 x   ASSERT 1 == 2                would fail

x would fail: line 6
? not known before a run: line 3
runs a command: line 2"""
    )


@pytest.mark.parametrize("text", ["", 'STEP "s" { }\n', "ASSERT\n"])
def test_an_empty_plan(text: str, tmp_path: Path) -> None:
    assert view(text, tmp_path) == "nothing: the plan has no commands"


def test_a_command_is_shown_whole(tmp_path: Path) -> None:
    """What stands on its second line, or far to the right, is what a reviewer must not miss."""
    seen = view("VAR x = 'it'\nRUN <<S\necho ok\nrm {{x}}\nS\n", tmp_path)
    assert seen.splitlines()[1:4] == ["2   RUN echo ok …", "        > echo ok", "        > rm 'it'"]
    far = view(f'RUN "echo {"a" * 300}; rm it"\n', tmp_path)
    assert "; rm it" in far
    assert max(map(len, far.splitlines())) < 140
    long = view("RUN <<S\n" + "true\n" * 50 + "S\n", tmp_path)
    assert "    … 30 more lines" in long


def test_nothing_that_a_plan_says_is_taken_for_a_line_of_the_view(tmp_path: Path) -> None:
    forged = r"ok\n 9   LOG \"forged\"\n"
    text = f"""STEP "{forged}" {{
    RUN "echo {forged}"
    WRITE "{forged}" <<W
W
    ASSERT "{forged}" == "x"
}}
"""
    seen = view(text, tmp_path)
    assert not any(line.startswith(" 9   LOG") for line in seen.splitlines())
    steering = view('LOG "\x1b[2J\u202eabc"\nSTEP "\x9b2J" { LOG 1 }\n', tmp_path)
    assert not {"\x1b", "\u202e", "\x9b"} & set(steering)


def test_paths_that_read_like_several(tmp_path: Path) -> None:
    text = 'WRITE "a, b (perhaps)" <<W\nW\nWRITE "c" <<W\nW\n'
    assert 'writes: "a, b (perhaps)", c' in view(text, tmp_path)


def test_secrets_are_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret-value")
    text = """STEP "the s3cret-value" {
    RUN "curl -H {{TOKEN}} http://127.0.0.1/"
    WRITE "{{TOKEN}}.txt" <<W
{{TOKEN}}
W
    ASSERT TOKEN == "x"
}
"""
    seen = view(text, tmp_path, secret=["TOKEN"])
    assert "s3cret" not in seen
    assert "runs curl -H '***' http://127.0.0.1/" in seen


def test_why_something_would_fail(tmp_path: Path) -> None:
    text = 'DEFINE_TASK "t" { READ "../x" AS x }\nSTEP "s" { CALL "t" }\n'
    lines = view(text, tmp_path).splitlines()
    assert lines[1].split() == ["2", "x", "CALL", '"t"', "would", "fail"]
    assert "would fail: path '../x' leads outside the project root" in lines[3]


def test_a_decided_choice_says_who_decided(tmp_path: Path) -> None:
    text = 'CHOOSE {\nOPTION "a" { LOG 1 }\nOPTION "b" { LOG 2 }\n}\n'
    assert 'decided by --answer: "b"' in view(text, tmp_path, answer=["b"])


def test_the_command_line_shows_it(tmp_path: Path) -> None:
    plan = tmp_path / "plan.tiss"
    plan.write_text('TASK "t"\nSTEP "s" {\nRUN "sudo x"\n}\n')
    done = subprocess.run(
        [sys.executable, "-m", "tisslang", "run", str(plan), "--dry-run", "--root", str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "RUN sudo x" in done.stdout
    assert "runs a command: line 3" in done.stdout
    assert "a dry run: nothing was done" in done.stdout


def test_where_a_command_runs_and_with_what(tmp_path: Path) -> None:
    text = 'VAR x = "1; holds"\n@cwd "sub"\n@env "A={{x}}"\nSTEP "s" {\n@env "B=2"\nRUN "make"\n}\n'
    assert 'RUN make  in "sub"; with "A=1; holds"; with "B=2"\n' in view(text, tmp_path)


def test_a_long_line_of_a_command_is_told_from_two_lines(tmp_path: Path) -> None:
    comment = "# ".ljust(120, "x")
    one = view(f"RUN <<W\ntrue\n{comment}rm f\nW\n", tmp_path)
    two = view(f"RUN <<W\ntrue\n{comment}\nrm f\nW\n", tmp_path)
    assert "\n          rm f\n" in one
    assert "\n        > rm f\n" in two


def test_what_cannot_be_seen_is_shown(tmp_path: Path) -> None:
    shown = view('WRITE "a\u200bb" <<W\nW\nRUN "c\u200fd \u2028 e\u200d"\n', tmp_path)
    assert "writes: a\\u200bb\n" in shown
    assert "c\\u200fd \\u2028 e\\u200d" in shown
    assert "नमस्\u200dते 1\ufe0f\u20e3" in view('LOG "नमस्\u200dते 1\ufe0f\u20e3"', tmp_path)


def test_a_secret_in_the_label_of_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "hunter22")
    text = 'CHOOSE {\nOPTION "hunter22" { LOG 1 }\n}'
    assert 'decided by --answer: "***"' in view(text, tmp_path, secret=["KEY"], answer=["1"])


def test_where_a_link_leads(tmp_path: Path) -> None:
    (tmp_path / "main.py").touch()
    (tmp_path / "notes").symlink_to("main.py")
    shown = view('WRITE "notes" <<W\nW\nDELETE "notes"\nWRITE "./a//b" <<W\nW\n', tmp_path)
    assert 'WRITE "notes"   0 lines, 0 bytes; which leads to main.py\n' in shown
    assert "writes: main.py, ./a//b\ndeletes: notes" in shown
