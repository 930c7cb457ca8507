"""What a person sees of a run as it goes on, in a terminal and in a pipe."""

import re
from pathlib import Path

import pytest
from screen import in_terminal, screen
from tiss_process import NO_SANDBOX, TISS, tiss

PLAN = """\
TASK "Greet"
SETUP "prepare" { VAR who ?= "Ada" }
STEP "Write" {
    WRITE "name.txt" <<W
{{who}}
W
}
STEP "Check" {
    STEP "first part" { RUN "cat name.txt; echo warned >&2" }
    LOG "checked"
    ASSERT LAST_RUN.STDOUT|trim == "Ada"
}
STEP "Last" { }
"""


def plain(text: str) -> list[str]:
    """The lines, with `T` for every time."""
    return re.sub(r"\d+\.\d\d s", "T", text).splitlines()


def quick(lines: list[str]) -> list[str]:
    """Without what only a slow machine gets to see: that something takes long."""
    return [line for line in lines if not re.search(r"▸ \d+ s  ", line)]


def test_a_plan_that_passes_in_a_pipe(tmp_path: Path) -> None:
    done = tiss("run", "-", *NO_SANDBOX, cwd=tmp_path, stdin=PLAN)
    assert done.code == 0
    assert quick(plain(done.out)) == [
        "Greet",
        "✓ setup: prepare  T",
        "✓ Write  T",
        "▸ Check",
        "  ✓ first part  T",
        "  checked",
        "✓ Check  T",
        "✓ Last  T",
        "passed: 4 of 4 steps passed, T",
    ]
    banner = "tiss: no sandbox: the commands of this plan run with all your rights "
    assert done.err == banner + "(--sandbox-profile none)\n"


def test_a_plan_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "plan.tiss").write_text(PLAN)
    flags = ["--var", "who=Bo\x1b[31mb", *NO_SANDBOX]
    done = tiss("run", "plan.tiss", *flags, cwd=tmp_path)
    assert done.code == 1
    assert quick(plain(done.out))[-4:] == [
        "✗ Check  T",
        "- Last  skipped",
        "failed: 2 of 4 steps passed, T, exit 1",
        "next: mend this step, then go on from it with --from-step Check",
    ]
    assert done.err.splitlines()[1:] == [
        'error[E101]: expected LAST_RUN.STDOUT|trim == "Ada", but it was "Bo\\u001b[31mb"',
        "   --> plan.tiss:11:5",
        "    |",
        ' 11 |     ASSERT LAST_RUN.STDOUT|trim == "Ada"',
        "    |     ^",
        "  in: Check",
        "  the command was: cat name.txt; echo warned >&2",
        "  its exit code: 0",
        "  its stdout:",
        "  │ Bo\\x1b[31mb",
        "  its stderr:",
        "  │ warned",
    ]


def test_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    plan = (
        'TASK "t\x1b[2J"\nSTEP "a\x1b[2J\u202eb\\nc" {\nRUN "printf \'\\\\033[2Jx\\\\r\\\\007\'"\n'
    )
    plan += 'LOG LAST_RUN.STDOUT\nASSERT LAST_RUN.STDOUT == "y"\n}'
    for flags in (["text"], ["json"], ["jsonl"], ["text", "--dry-run"]):
        done = tiss("run", "-", *NO_SANDBOX, "--output-format", *flags, cwd=tmp_path, stdin=plan)
        assert done.code == (0 if "--dry-run" in flags else 1)
        assert all(character.isprintable() for character in (done.out + done.err).replace("\n", ""))
    shown = tiss("run", "-", *NO_SANDBOX, cwd=tmp_path, stdin=plan)
    assert "✗ a\\x1b[2J\\u202eb\\nc  " in shown.out
    assert "\\x1b[2Jx" in shown.err


def test_long_output_is_folded_to_its_end(tmp_path: Path) -> None:
    plan = "RUN <<W\nseq 1000\nseq 5 >&2\nexit 3\nW\nASSERT LAST_RUN.EXIT_CODE == 0"
    done = tiss("run", "-", *NO_SANDBOX, cwd=tmp_path, stdin=plan)
    lines = done.err.splitlines()
    assert "  the command was: seq 1000 … (3 lines)" in lines
    start = lines.index("  the end of its stdout:")
    assert lines[start + 1 : start + 21] == [f"  │ {n}" for n in range(981, 1001)]
    assert lines[start + 21 :] == ["  its stderr:", *(f"  │ {n}" for n in range(1, 6))]
    wide = "RUN \"head -c 100000 /dev/zero | tr '\\\\0' x; exit 1\"\nASSERT LAST_RUN.EXIT_CODE == 0"
    assert len(tiss("run", "-", *NO_SANDBOX, cwd=tmp_path, stdin=wide).err) < 3000


def test_the_output_of_what_took_too_long(tmp_path: Path) -> None:
    plan = 'STEP "a" { RUN "echo tick; sleep 60" }\nSTEP "b" { RUN "echo other" }'
    flags = ["--timeout", "300ms", *NO_SANDBOX]
    assert "  │ tick" in tiss("run", "-", *flags, cwd=tmp_path, stdin=plan).err
    done = tiss("run", "-", *flags, "--keep-going", cwd=tmp_path, stdin=plan)
    assert "other" not in done.err  # that is the output of another command


def test_branches_in_a_pipe_are_told_apart(tmp_path: Path) -> None:
    plan = """\
STEP "all" {
    PARALLEL {
        STEP "a" { STEP "in a" { LOG "one\\ntwo" } }
        STEP "b" { ASSERT 1 == 2 }
    }
}
"""
    done = tiss("run", "-", "--jobs", "1", cwd=tmp_path, stdin=plan)
    assert quick(plain(done.out)) == [
        "▸ all",
        "    a / in a: one",
        "    two",
        "  ✓ a / in a  T",
        "  ✓ a  T",
        "  ✗ b  T",
        "✗ all  T",
        "failed: 0 of 1 steps passed, T, exit 1",
    ]
    assert "  in: all / b\n" in done.err


def test_the_next_step_is_offered_only_where_it_would_work(tmp_path: Path) -> None:
    (tmp_path / "p.tiss").write_text('STEP "it\'s a" { LOG x }\nSTEP "b c" { READ "nope" AS y }')
    done = tiss("run", "p.tiss", "--var", "x=1", cwd=tmp_path)
    assert done.out.endswith("--from-step 'b c'\n")
    for plan in (
        'STEP "a" { VAR x = 1 }\nSTEP "b" { READ "nope" AS y }',  # x would be missing
        'STEP "a" { READ "nope" AS y }\nSTEP "b" { }',  # the whole plan
        'STEP "a" { }\nREAD "nope" AS y',  # no step
        'STEP "a" { }\nSTEP "b" { READ "/x" AS y }',  # refused
        'STEP "b" { }\nSTEP "b" { READ "nope" AS y }',  # which of them?
        'STEP "a" { }\nPARALLEL {\nSTEP "b" { READ "nope" AS y }\n}',
    ):
        out = tiss("run", "-", cwd=tmp_path, stdin=plan).out
        assert "next" not in out


def test_in_a_terminal(tmp_path: Path) -> None:
    """The screen is that of the pipe, with colours; the running step stands there meanwhile."""
    (tmp_path / "plan.tiss").write_text(PLAN)
    for columns in (80, 20):
        code, shown = in_terminal([*TISS, "run", "plan.tiss", *NO_SANDBOX], tmp_path, columns)
        assert code == 0
        assert "▸ Write\r\x1b[K" in shown
        assert "\x1b[32m✓\x1b[0m Write" in shown
        lines = plain("\n".join(screen(shown, columns)))
        if columns == 80:
            assert lines[lines.index("Greet") :] == [
                "Greet",
                "✓ setup: prepare  T",
                "✓ Write  T",
                "▸ Check",
                "  ✓ first part  T",
                "  checked",
                "✓ Check  T",
                "✓ Last  T",
                "passed: 4 of 4 steps passed, T",
            ]
        else:
            assert "✓ Write  T" in lines
            assert not any("▸ Write" in line for line in lines)


WIDE = f"""\
STEP "日本語の長い名前のステップ、とても長い" {{ RUN "true" }}
STEP "{"long " * 30}" {{ STEP "{"deep " * 30}" {{ LOG 1 }} }}
STEP "e\u0301\u0301 combining" {{ }}
"""


@pytest.mark.parametrize("columns", [1, 2, 10, 20, 41, 200])
def test_nothing_is_garbled_in_a_narrow_terminal(tmp_path: Path, columns: int) -> None:
    """What was written over is gone: no live line was so long that it wrapped."""
    (tmp_path / "plan.tiss").write_text(WIDE, encoding="utf-8")
    code, shown = in_terminal([*TISS, "run", "plan.tiss", *NO_SANDBOX], tmp_path, columns)
    assert code == 0
    for live in re.findall(r"\r\x1b\[K([^\r\n\x1b]*)\r\x1b\[K", shown):
        assert len(screen(live, columns)) == 1
    text = "".join(line.ljust(columns) for line in screen(shown, columns) if line)
    assert text.count("✓") == 4


def test_a_dumb_terminal_gets_lines_only(tmp_path: Path) -> None:
    (tmp_path / "plan.tiss").write_text(PLAN)
    command = [*TISS, "run", "plan.tiss", *NO_SANDBOX]
    shown = in_terminal(command, tmp_path, TERM="dumb")[1]
    assert "\x1b" not in shown
    assert "\r" not in shown.replace("\r\n", "\n")


def test_a_question_stands_on_a_line_of_its_own(tmp_path: Path) -> None:
    """Below the step that asks; nothing is written over it while the person thinks."""
    (tmp_path / "plan.tiss").write_text('STEP "a" { RUN "true"\nREQUEST_REVIEW "really?" }')
    waits = 0

    def person(shown: str) -> str | None:
        nonlocal waits
        waits += 1
        return "y\n" if shown.endswith("really? [y/n] ") else None

    code, shown = in_terminal([*TISS, "run", "plan.tiss", *NO_SANDBOX], tmp_path, until=person)
    assert code == 0
    lines = plain("\n".join(screen(shown, 80)))
    assert lines[lines.index("▸ a") :] == [
        "▸ a",
        "really? [y/n] y",
        "✓ a  T",
        "passed: 1 of 1 steps passed, T",
    ]
