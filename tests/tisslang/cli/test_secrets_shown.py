"""--secret: the value reaches the plan, and stands nowhere in what a run shows (section 10.4)."""

import json
import subprocess
from pathlib import Path

import pytest
from tiss_process import NO_SANDBOX, refused, run_plan, tiss

VALUE = 'pa\'ss "wörd"\\7 $HOME'
ENV = {"TOKEN": VALUE}
SECRET = ["--secret", "TOKEN"]

PLAN = """\
TASK "Use the token"
VAR copy = TOKEN
LOG "log {{TOKEN}} and {{copy}} and {{TOKEN|json}}"
WRITE "made.txt" <<W
{{TOKEN}}
W
READ "made.txt" AS back
STEP "print" {
    RUN "printf '%s|%s|' {{TOKEN}} '{{TOKEN}}'; printf '%s' {{TOKEN}} >&2; cat made.txt"
    LOG LAST_RUN.COMMAND
}
ASSERT LAST_RUN.STDOUT == "other {{TOKEN}}"
"""


def forms(value: str) -> list[str]:
    return [
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        value.replace("'", "'\\''"),
    ]


def assert_hidden(text: str, value: str = VALUE) -> None:
    """No form of the value stands in the text, nor in the text that JSON stands for."""
    for form in forms(value):
        assert form not in text
        assert json.dumps(form)[1:-1] not in text
        assert json.dumps(form, ensure_ascii=False)[1:-1] not in text
    for part in ('ss \\"w', 'ss "w', "$HOME"):
        assert part not in text


@pytest.mark.parametrize("format", ["text", "json", "jsonl"])
def test_it_is_masked_everywhere_but_in_files(tmp_path: Path, format: str) -> None:
    (tmp_path / "plan.tiss").write_text(PLAN)
    files = ["--events", "e.jsonl", "--junit", "j.xml"]
    flags = [*NO_SANDBOX, *SECRET, *files, "--output-format", format]
    done = tiss("run", "plan.tiss", *flags, cwd=tmp_path, env=ENV)
    assert done.code == 1
    shown = [done.out, done.err, *((tmp_path / n).read_text() for n in ("e.jsonl", "j.xml"))]
    for text in shown:
        assert_hidden(text)
        assert "***" in text
    assert (tmp_path / "made.txt").read_text() == VALUE + "\n"


def test_the_plan_has_the_true_value(tmp_path: Path) -> None:
    plan = 'RUN "printf %s {{TOKEN}} | cksum"\nLOG LAST_RUN.STDOUT\nASSERT TOKEN CONTAINS "pa"'
    ran = run_plan(plan, *SECRET, cwd=tmp_path, env=ENV)
    wanted = subprocess.run(["cksum"], input=VALUE.encode(), capture_output=True, check=True)
    assert ran.report["log"] == [wanted.stdout.decode()]
    assert ran.report["variables"] == {"TOKEN": "***"}
    assert ran.report["last_run"]["command"] == "printf %s '***' | cksum"


def test_a_value_that_a_cut_goes_through(tmp_path: Path) -> None:
    """--max-output, events, tails, clipped values, variables and summaries cut after masking."""
    value = "SECRET-" + "0123456789" * 3
    env, flags = {"TOKEN": value}, ["--secret", "TOKEN"]
    for kept in (3, 4, 10, 36):  # bytes of the value that stay
        plan = 'RUN "printf \'%90s%s%s\' {{TOKEN}} {{TOKEN}} \\"\\""'
        size = 90 - len(value) + len(value) * 0 + kept
        ran = run_plan(plan, *flags, "--max-output", str(size), cwd=tmp_path, env=env)
        assert value[:4] not in json.dumps([ran.report, ran.events])
    lengths = (500, 2000, 8192, 65_536)
    for length in lengths:
        for back in (1, 5, 20):
            plan = (
                f"RUN \"head -c {length - back} /dev/zero | tr '\\\\0' x; printf %s {{{{TOKEN}}}};"
                f" head -c {length - back} /dev/zero | tr '\\\\0' y\"\n"
                "VAR v = LAST_RUN.STDOUT\nLOG v\nASSERT v == TOKEN"
            )
            ran = run_plan(plan, *flags, cwd=tmp_path, env=env)
            text = json.dumps([ran.report, ran.events]) + ran.err
            assert "SECRET" not in text
            assert "01234" not in text
    plan = f'LOG "{"x" * 100}{{{{TOKEN}}}}"\nRUN "true {"x" * 100} {{{{TOKEN}}}}"'
    assert "SECRET" not in json.dumps(run_plan(plan, *flags, cwd=tmp_path, env=env).events)


def test_trimmed_and_other_forms(tmp_path: Path) -> None:
    env = {"TOKEN": "  spaced value \n"}
    plan = (
        'LOG TOKEN|trim\nLOG TOKEN\nLOG TOKEN|json\nRUN "echo {{TOKEN|trim}}"\nLOG LAST_RUN.STDOUT'
    )
    ran = run_plan(plan, *SECRET, cwd=tmp_path, env=env)
    assert ran.report["log"] == ["***", "***", '"***"', "***\n"]


def test_errors_and_diagnostics_are_masked(tmp_path: Path) -> None:
    env = {"TOKEN": "hunter2hunter2"}
    (tmp_path / "plan.tiss").write_text('VAR x = "hunter2hunter2"\nLOG nope\n# hunter2hunter2 {\n')
    for plan in ('LOG "hunter2hunter2 {{nope}}"', "hunter2hunter2", 'READ "hunter2hunter2" AS x'):
        ran = run_plan(plan, *SECRET, cwd=tmp_path, env=env)
        assert ran.code in (3, 4)
        assert "hunter2" not in json.dumps([ran.report, ran.events]) + ran.err
    ran = run_plan('REQUEST_REVIEW "is {{TOKEN}} right?"', *SECRET, cwd=tmp_path, env=env)
    assert "is *** right?" in ran.report["error"]["message"]
    assert "hunter2" not in ran.err


def test_a_message_that_quotes_a_path(tmp_path: Path) -> None:
    ran = run_plan('READ "a/{{TOKEN}}" AS x', *SECRET, cwd=tmp_path, env=ENV)
    assert_hidden(json.dumps([ran.report, ran.events]) + ran.err)


def test_names_and_numbers_stay(tmp_path: Path) -> None:
    """A value that looks like a field's name or a number hides neither."""
    plan = 'STEP "x" { ASSERT 1234 == 1235 }'
    ran = run_plan(plan, *SECRET, cwd=tmp_path, env={"TOKEN": "1234"})
    assert ran.report["error"]["left"]["value"] == 1234
    ran = run_plan(plan, *SECRET, cwd=tmp_path, env={"TOKEN": "steps"})
    assert "steps" in ran.report


def test_a_dry_run_is_masked(tmp_path: Path) -> None:
    plan = 'RUN "echo {{TOKEN}}"\nLOG "x {{TOKEN}}"\nASSERT TOKEN == "x"'
    (tmp_path / "plan.tiss").write_text(plan)
    for format in ("text", "json"):
        flags = ["--dry-run", *SECRET, "--output-format", format]
        done = tiss("run", "plan.tiss", *flags, cwd=tmp_path, env=ENV)
        assert_hidden(done.out + done.err)


@pytest.mark.parametrize("command", ["check", "lint"])
def test_check_and_lint_mask_it_where_it_is_set(tmp_path: Path, command: str) -> None:
    """They need its name alone; but a plan may hold the value, and so may what is said of it."""
    text = 'STEP "hunter2hunter2" { LOG "{{nope}} hunter2hunter2" }'
    for format in ("text", "json"):
        flags = [*SECRET, "--output-format", format]
        done = tiss(command, "-", *flags, cwd=tmp_path, stdin=text, env={"TOKEN": "hunter2hunter2"})
        assert done.code == 3
        assert "hunter2" not in done.out + done.err
        assert tiss(command, "-", *flags, cwd=tmp_path, stdin=text).code == 3


def test_a_list_of_steps_is_masked(tmp_path: Path) -> None:
    plan = 'STEP "hunter2hunter2" { }'
    flags = ["--step", "other", *SECRET]
    env = {"TOKEN": "hunter2hunter2"}
    assert "'***'" in refused("run", "-", *flags, cwd=tmp_path, stdin=plan, env=env)


def test_a_short_one_is_not_masked_and_that_is_said(tmp_path: Path) -> None:
    ran = run_plan("LOG TOKEN", *SECRET, cwd=tmp_path, env={"TOKEN": "abc"})
    assert ran.report["log"] == ["abc"]
    assert "warning: --secret TOKEN: shorter than 4 characters, so not masked" in ran.err


@pytest.mark.parametrize(
    ("flags", "env", "said"),
    [
        (["--secret", "NOT_SET_ANYWHERE"], {}, "NOT_SET_ANYWHERE is not set"),
        (["--secret", "1x"], {"1x": "value"}, "'1x' is not a name"),
        (["--secret", "STEP"], {"STEP": "value"}, "a word of the language"),
        (["--secret", "T", "--var", "T=x"], {"T": "value"}, "--var"),
        (["--secret", ""], {}, "is not a name"),
        (["--secret", "A=b"], {}, "is not a name"),
    ],
)
def test_a_bad_one_is_exit_2(
    tmp_path: Path, flags: list[str], env: dict[str, str], said: str
) -> None:
    line = refused("run", "-", *flags, cwd=tmp_path, env=env)
    assert line.startswith("error: --secret: ")
    assert said in line
    assert "value" not in line.replace("=VALUE", "")
