"""Section 11: the dry run."""

import os
from pathlib import Path
from typing import Any

import pytest
from conformance import run, stopped_by
from conformance_runs import events_of, tiss, write

KNOWN = "VAR x = 1\n"
UNKNOWN = 'READ "f" AS u\n'


def dry(text: str, root: Path, **options: Any) -> dict[str, Any]:
    return run(text, root, dry_run=True, **options)


def listed(text: str, root: Path, **options: Any) -> list[tuple[str, int, str]]:
    """The plan of a dry run that passes: type, line and status; `?` behind what is conditional."""
    report = dry(text, root, **options)
    assert report["error"] is None
    return [
        (entry["type"], entry["line"], entry["status"] + "?" * entry["conditional"])
        for entry in report["plan"]
    ]


def log(text: str, root: Path, **options: Any) -> list[str]:
    report = dry(text, root, **options)
    assert report["error"] is None
    return report["log"]


# no effect

EFFECTS = """TASK "everything that a plan can do"
WRITE "w/x" <<W
new
W
WRITE "old" <<W
new
W
MKDIR "m"
DELETE "gone"
RUN "touch ran"
READ "fifo" AS f
READ "missing" AS n
PROMPT_AGENT "x" INTO p
PAUSE "wait"
REQUEST_REVIEW "look"
RUN "curl http://localhost"
PARALLEL { STEP "a" { RUN "touch a" }
    STEP "b" { MKDIR "b" } }
LOG "end"
"""


def test_no_effect(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "gone").write_text("")
    os.mkfifo(tmp_path / "fifo")  # whoever opened it would wait
    before = {path.name: path.lstat().st_mtime_ns for path in tmp_path.iterdir()}
    report = dry(EFFECTS, tmp_path)
    assert {path.name: path.lstat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert (tmp_path / "old").read_text() == "old"
    assert (report["exit_code"], report["status"], report["dry_run"]) == (0, "passed", True)
    assert report["log"] == ["end"]
    assert report["cost"]["API_CALLS"] in (0, 1)


def test_no_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("xyzzy")
    report = dry(UNKNOWN + "LOG u", tmp_path)
    assert "xyzzy" not in str(report)


def test_a_plan_that_is_wrong_is_refused(tmp_path: Path) -> None:
    report = dry("LOG x", tmp_path)
    assert (report["exit_code"], report["dry_run"], report["plan"]) in (
        (3, True, []),
        (3, True, None),
    )


@pytest.mark.parametrize(
    "text",
    [
        *('READ "../x" AS v', 'WRITE "/x" <<W\nW', 'MKDIR ".git"', 'DELETE "."', 'READ "out" AS v'),
        *('IF FILE "out" EXISTS { }', '@cwd "out"\nRUN "true"', 'RUN "rm -rf /"'),
        'VAR p = ".."\nREAD "{{p}}/x" AS v',
        'IF FILE "f" EXISTS { READ "../x" AS v }',  # a conditional branch saves nothing
        'TRY { READ "../x" AS v } CATCH { }',
        'TRY { } CATCH { RUN "rm -rf /" }',
    ],
)
def test_what_safety_refuses_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "out").symlink_to("/etc")
    report = dry(text, tmp_path)
    assert (stopped_by(report), report["exit_code"]) == ("security", 5)


@pytest.mark.parametrize("options", [{}, {"answer": ["no"]}])
def test_a_command_that_needs_approval_is_listed_and_taken_as_approved(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    if not options:
        assert listed('RUN "sudo ls"\nLOG 1', tmp_path)[0][:2] == ("RUN", 1)
    assert listed('RUN "sudo ls"', tmp_path, **options) == [("RUN", 1, "would_run")]


# unknown values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("LOG u", "<unknown:u>"),
        ('LOG "a {{u}} b"', "a <unknown:u> b"),
        ('VAR v = "<{{u}}>"\nLOG v', "<<unknown:u>>"),
        ("LOG u|trim", "<unknown:u>"),
        ('RUN "x"\nLOG LAST_RUN.STDOUT', "<unknown:LAST_RUN.STDOUT>"),
        ('RUN "x"\nLOG "{{LAST_RUN.EXIT_CODE}}"', "<unknown:LAST_RUN.EXIT_CODE>"),
    ],
)
def test_an_unknown_value_spreads_and_prints_as_its_name(
    tmp_path: Path, text: str, said: str
) -> None:
    """A name that it was copied to may stand there instead of the first."""
    (line,) = log(UNKNOWN + text, tmp_path)
    assert line in (
        said,
        said.replace("unknown:u", "unknown:v"),
        said.replace("<<unknown:u>>", "<unknown:v>"),
    )


def test_a_path_that_is_unknown_passes(tmp_path: Path) -> None:
    text = (
        UNKNOWN
        + 'READ "{{u}}" AS a\nWRITE "x/{{u}}" <<W\nW\nMKDIR "../{{u}}"\nDELETE "{{u}}/../.."'
    )
    assert [status for _, _, status in listed(text, tmp_path)] == ["would_run"] * 5


# WRITE, MKDIR, DELETE, READ, EXISTS


@pytest.mark.parametrize("path", ["a", "./a", "b/../a", ".//a"])
def test_a_written_file_is_known_until_the_next_run(tmp_path: Path, path: str) -> None:
    text = KNOWN + f'WRITE "a" <<W\nx is {{{{x}}}}\nW\nREAD "{path}" AS v\nLOG v\n'
    assert log(text, tmp_path) == ["x is 1\n"]
    (_, after) = log(text + f'RUN "true"\nREAD "{path}" AS w\nLOG w', tmp_path)
    assert after.startswith("<unknown:")


def test_what_was_written_last_is_known(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    text = 'WRITE "a" <<W\n1\nW\nWRITE "a" <<W\n2\nW\nREAD "a" AS v\nLOG v|trim'
    assert log(text, tmp_path) == ["2"]


def test_unknown_text_that_was_written_is_unknown(tmp_path: Path) -> None:
    (said,) = log(UNKNOWN + 'WRITE "a" <<W\n{{u}}\nW\nREAD "a" AS v\nLOG v', tmp_path)
    assert "<unknown:" in said


EXISTS = 'IF FILE "{path}" EXISTS {{ LOG "yes" }} ELSE {{ LOG "no" }}'


@pytest.mark.parametrize(
    ("before", "path", "said"),
    [
        ('WRITE "a" <<W\nW', "a", ["yes"]),
        ('WRITE "d/a" <<W\nW', "d", ["yes"]),
        ('MKDIR "d"', "d", ["yes"]),
        ('MKDIR "d/e"', "d/e", ["yes"]),
        ('MKDIR "d"\nDELETE "d"', "d", ["no"]),
        ('DELETE "there"', "there", ["no"]),
        ('DELETE "there"\nWRITE "there" <<W\nW', "there", ["yes"]),
        ("LOG 1", "there", ["1", "yes", "no"]),  # nothing remembered: both
        ('WRITE "a" <<W\nW\nRUN "true"', "a", ["yes", "no"]),
        ('DELETE "there"\nRUN "true"', "there", ["yes", "no"]),
    ],
)
def test_what_exists_is_known_when_it_is_remembered(
    tmp_path: Path, before: str, path: str, said: list[str]
) -> None:
    (tmp_path / "there").write_text("")
    assert log(f"{before}\n{EXISTS.format(path=path)}", tmp_path) == said


def test_read_of_a_file_that_was_deleted(tmp_path: Path) -> None:
    """What is remembered is that it is gone."""
    (tmp_path / "a").write_text("old")
    report = dry('DELETE "a"\nREAD "a" AS v', tmp_path)
    assert report["exit_code"] in (0, 4)
    assert "old" not in str(report["variables"])


# RUN


def test_a_run_makes_last_run_unknown(tmp_path: Path) -> None:
    text = 'RUN "true"\nASSERT LAST_RUN.EXIT_CODE == 0\nIF LAST_RUN.STDOUT CONTAINS "x" { LOG 1 }'
    assert listed(text, tmp_path) == [
        ("RUN", 1, "would_run"),
        ("ASSERT", 2, "unknown"),
        ("IF", 3, "unknown"),
        ("LOG", 3, "would_run?"),
    ]


# ASSERT


def test_an_assertion_that_is_known_is_decided(tmp_path: Path) -> None:
    assert listed(KNOWN + "ASSERT x == 1", tmp_path) == [
        ("VAR", 1, "would_run"),
        ("ASSERT", 2, "would_pass"),
    ]
    report = dry(KNOWN + "ASSERT x == 2\nLOG 1", tmp_path)
    assert (stopped_by(report), report["exit_code"], report["log"]) == ("assert", 1, [])
    assert report["error"]["left"]["value"] == 1


def test_an_assertion_that_is_unknown_is_listed_and_passes(tmp_path: Path) -> None:
    assert listed(UNKNOWN + 'ASSERT u == "a"\nASSERT FILE "f" EXISTS', tmp_path)[1:] == [
        ("ASSERT", 2, "unknown"),
        ("ASSERT", 3, "unknown"),
    ]


# IF


def test_a_known_if_walks_its_branch(tmp_path: Path) -> None:
    text = KNOWN + 'IF x == 1 { LOG "a" } ELSE { LOG "b"\nASSERT false }'
    assert listed(text, tmp_path)[1:] == [("IF", 2, "would_run"), ("LOG", 2, "would_run")]


BOTH = """VAR x = "before"
VAR same = "s"
READ "f" AS u
IF u CONTAINS "a" {
    LOG x
    VAR x = "then"
    VAR new = 1
    LOG x
} ELSE {
    LOG x
    VAR x = "else"
    LOG x
}
LOG x
LOG same
"""


def test_an_unknown_if_walks_both_branches_from_the_state_before(tmp_path: Path) -> None:
    assert log(BOTH, tmp_path) == ["before", "then", "before", "else", "<unknown:x>", "s"]
    plan = listed(BOTH, tmp_path)
    assert plan[3:] == [
        ("IF", 4, "unknown"),
        ("LOG", 5, "would_run?"),
        ("VAR", 6, "would_run?"),
        ("VAR", 7, "would_run?"),
        ("LOG", 8, "would_run?"),
        ("LOG", 10, "would_run?"),
        ("VAR", 11, "would_run?"),
        ("LOG", 12, "would_run?"),
        ("LOG", 14, "would_run"),
        ("LOG", 15, "would_run"),
    ]


def test_a_name_of_one_branch_alone_is_unknown_too(tmp_path: Path) -> None:
    assert log(f"{BOTH}LOG new", tmp_path)[-1] == "<unknown:new>"


def test_what_one_branch_remembers_the_other_does_not(tmp_path: Path) -> None:
    text = f"""{UNKNOWN}IF u == "a" {{ WRITE "w" <<W
1
W
        {EXISTS.format(path="w")} }} ELSE {{ {EXISTS.format(path="w")} }}
    {EXISTS.format(path="w")}"""
    assert log(text, tmp_path) == ["yes", "yes", "no", "yes", "no"]


def test_a_run_in_one_branch_makes_last_run_unknown(tmp_path: Path) -> None:
    text = f'{UNKNOWN}RUN "a"\nIF u == "a" {{ RUN "b" }}\nLOG LAST_RUN.STDOUT\nWRITE "w" <<W\nW'
    assert log(text, tmp_path) == ["<unknown:LAST_RUN.STDOUT>"]


# TRY


def test_try_walks_its_body_then_catch_as_conditional(tmp_path: Path) -> None:
    text = 'TRY { LOG "a" } CATCH { LOG "b"\nLOG ERROR.KIND }\nLOG "c"'
    assert listed(text, tmp_path) == [
        ("LOG", 1, "would_run"),
        ("LOG", 1, "would_run?"),
        ("LOG", 2, "would_run?"),
        ("LOG", 3, "would_run"),
    ]
    assert log(text, tmp_path) == ["a", "b", "<unknown:ERROR.KIND>", "c"]


def test_what_an_error_is_is_unknown_in_a_catch(tmp_path: Path) -> None:
    for field in ("KIND", "MESSAGE", "LINE"):
        text = f'TRY {{ RUN "true" }} CATCH {{ LOG "{{{{ERROR.{field}}}}}" }}'
        assert log(text, tmp_path) == [f"<unknown:ERROR.{field}>"]


def test_names_that_catch_assigns_become_unknown(tmp_path: Path) -> None:
    text = 'VAR x = 1\nTRY { RUN "true" } CATCH { VAR x = 2 }\nLOG x'
    assert log(text, tmp_path) == ["<unknown:x>"]


def test_an_error_that_try_would_catch_does_not_end_the_walk(tmp_path: Path) -> None:
    text = 'TRY { ASSERT false\nLOG "never" } CATCH { LOG "b" }\nLOG "c"'
    assert listed(text, tmp_path)[0] == ("ASSERT", 1, "would_fail")
    assert log(text, tmp_path) == ["b", "c"]


# would_fail


@pytest.mark.parametrize("failing", ["ASSERT 1 == 2", 'ASSERT 1 == "a"', 'LOG "{{n}}"'])
def test_an_error_in_a_conditional_branch_ends_that_branch_only(
    tmp_path: Path, failing: str
) -> None:
    text = f"""VAR no = false
IF no {{ VAR n = 1 }}
READ "f" AS u
IF u == "a" {{
    LOG "before"
    {failing}
    LOG "never"
}} ELSE {{
    LOG "other"
}}
LOG "after\""""
    plan = listed(text, tmp_path)
    assert plan[3:] == [
        ("IF", 4, "unknown"),
        ("LOG", 5, "would_run?"),
        (failing.split()[0], 6, "would_fail?"),
        ("LOG", 9, "would_run?"),
        ("LOG", 11, "would_run"),
    ]
    assert log(text, tmp_path) == ["before", "other", "after"]


def test_an_error_of_a_catch_ends_that_catch_only(tmp_path: Path) -> None:
    text = 'TRY { RUN "true" } CATCH { ASSERT false\nLOG "never" }\nLOG "after"'
    assert log(text, tmp_path) == ["after"]


def test_an_error_in_a_step_of_a_conditional_branch(tmp_path: Path) -> None:
    text = (
        f'{UNKNOWN}IF u == "a" {{ STEP "s" {{ STEP "t" {{ ASSERT false }} }}\nLOG "never" }}\nLOG 1'
    )
    assert log(text, tmp_path) == ["1"]


# CHOOSE

COLOURS = 'CHOOSE { OPTION "red" { LOG "r" }\nOPTION "green" { LOG "g" } }'


def test_a_choice_that_is_known(tmp_path: Path) -> None:
    assert log(COLOURS, tmp_path, answer=["green"]) == ["g"]
    assert listed(COLOURS, tmp_path, answer=["2"]) == [
        ("CHOOSE", 1, "would_run"),
        ("LOG", 2, "would_run"),
    ]
    priced = COLOURS.replace("LOG", 'ESTIMATE_COST { PROMPT_AGENT "x" }\nLOG')
    assert log(priced, tmp_path) == ["r"]


def test_a_choice_that_is_open_walks_all_options(tmp_path: Path) -> None:
    for options in ({}, {"yes": True}, {"choose_by": "agent", "agent": "echo"}):
        assert listed(COLOURS, tmp_path, **options) == [
            ("CHOOSE", 1, "unknown"),
            ("LOG", 1, "would_run?"),
            ("LOG", 2, "would_run?"),
        ]


# PROMPT_AGENT, PAUSE, REQUEST_REVIEW


def test_the_reply_of_an_agent_is_unknown(tmp_path: Path) -> None:
    for agent in ("none", "echo"):
        text = 'PROMPT_AGENT "x" INTO v\nLOG v'
        assert log(text, tmp_path, agent=agent) == ["<unknown:v>"]


def test_a_prompt_counts_against_api_calls(tmp_path: Path) -> None:
    text = 'SET_BUDGET API_CALLS = 1\nPROMPT_AGENT "x"\nLOG 1\nPROMPT_AGENT "x"'
    report = dry(text, tmp_path)
    assert (report["exit_code"], report["log"]) == (6, ["1"])


@pytest.mark.parametrize("question", ["PAUSE", "REQUEST_REVIEW"])
def test_questions_are_listed_and_taken_as_answered(tmp_path: Path, question: str) -> None:
    text = f'{question} "really?"\nLOG "after"'
    for options in ({}, {"answer": ["no"]}, {"yes": True}):
        plan = listed(text, tmp_path, **options)
        assert plan == [(question, 1, "would_run"), ("LOG", 2, "would_run")]


# LOG, VAR, CALL, PARALLEL, SET_BUDGET


def test_the_rest_is_as_in_a_run(tmp_path: Path) -> None:
    text = """VAR x = 1
    CALL "f" WITH y = 2
    PARALLEL {
        STEP "a" { VAR a = 3
            LOG "a" }
        STEP "b" { LOG "b" }
    }
    LOG "{{x}} {{z}} {{a}}"
    SET_BUDGET RUN_COUNT = 0
    DEFINE_TASK "f" WITH y { VAR z = y
        LOG "{{y}}" }"""
    assert log(text, tmp_path) == ["2", "a", "b", "1 2 3"]
    assert [kind for kind, _, _ in listed(text, tmp_path)] == [
        *("VAR", "CALL", "VAR", "LOG", "VAR", "LOG", "LOG", "LOG", "SET_BUDGET")
    ]
    report = dry(f'{text}\nRUN "true"', tmp_path)
    assert (stopped_by(report), report["exit_code"]) == ("budget", 6)


def test_last_run_is_unset_after_parallel(tmp_path: Path) -> None:
    text = 'PARALLEL { STEP "a" { RUN "x" } }\nIF FILE "f" EXISTS { RUN "y" }\nLOG LAST_RUN.STDOUT'
    assert log(text, tmp_path) == ["<unknown:LAST_RUN.STDOUT>"]


# the report


def test_an_entry_for_each_command_and_each_if_and_choose(tmp_path: Path) -> None:
    text = """TASK "t"
@timeout 5s
SETUP { LOG 1 }
STEP "outer" {
    STEP "inner" { VAR x = 1 }
    TRY { LOG 2 } CATCH { LOG 3 }
    ESTIMATE_COST { RUN "never" }
    IF x == 1 { LOG 4 } ELSE IF x == 2 { LOG 5 }
}
"""
    report = dry(text, tmp_path)
    assert [(e["type"], e["line"], e["steps"]) for e in report["plan"]] == [
        ("LOG", 3, report["plan"][0]["steps"]),
        ("VAR", 5, ["outer", "inner"]),
        ("LOG", 6, ["outer"]),
        ("LOG", 6, ["outer"]),
        ("IF", 8, ["outer"]),
        ("LOG", 8, ["outer"]),
    ]
    assert len(report["plan"][0]["steps"]) == 1
    for entry in report["plan"]:
        assert entry.keys() == {"line", "type", "summary", "conditional", "status", "steps"}


@pytest.mark.parametrize(
    "command",
    [
        *('RUN "{0}"', 'LOG "{0}"', 'VAR x = "{0}"', 'READ "{0}" AS v', 'ASSERT "{0}" == "{0}"'),
        *('IF "{0}" CONTAINS "a" {{ }}', 'WRITE "f" <<W\n{0}\nW', "RUN <<W\necho\n{0}\necho\nW"),
    ],
)
def test_a_summary_is_one_line_of_120_characters_at_most(tmp_path: Path, command: str) -> None:
    for text in ("short", "é" * 200, "word " * 60):
        (entry, *_) = dry(command.format(text), tmp_path)["plan"]
        assert 0 < len(entry["summary"]) <= 120
        assert len(entry["summary"].splitlines()) == 1


def test_a_run_has_no_plan(tmp_path: Path) -> None:
    report = run("LOG 1", tmp_path)
    assert (report["plan"], report["dry_run"]) == (None, False)


def test_two_events_only(tmp_path: Path) -> None:
    text = f"""{EFFECTS}{COLOURS}
STEP "s" {{ TRY {{ ASSERT false }} CATCH {{ ESTIMATE_COST {{ RUN "x" }} }} }}
CALL "f"
DEFINE_TASK "f" {{ LOG 1 }}"""
    events = events_of(text, tmp_path, dry_run=True)
    assert [event["event"] for event in events] == ["run_start", "run_end"]
    assert events[0]["dry_run"] is True


def test_as_a_process(tmp_path: Path) -> None:
    write(tmp_path, EFFECTS)
    done = tiss("run", "--dry-run", "plan.tiss", cwd=tmp_path)
    assert done.returncode == 0
    assert os.listdir(tmp_path) == ["plan.tiss"]
    assert "no sandbox" not in done.stderr
    for word in ("touch ran", "curl", "PAUSE"):
        assert word in done.stdout


def test_the_answers_go_to_the_same_questions_as_in_a_run(tmp_path: Path) -> None:
    text = f'PAUSE "x"\nRUN "curl --version || true"\n{COLOURS}'
    options = {"answer": ["continue", "y", "green"]}
    assert run(text, tmp_path, **options)["log"] == ["g"]
    assert log(text, tmp_path, **options) == ["g"]
