"""§17 of the language reference: what it decides where the public material differs with itself.

Each test has the number of its row.
"""

import json
from pathlib import Path

import pytest
from conformance import Node, bare, body, found, hint, linted, logged, run, stopped_by
from conformance_runs import tiss, write

import tisslang
from tisslang import format_source


@pytest.mark.parametrize("text", ["Hello TissLang\n", "Query=\nx\nENDQuery\n", "W{a}T{b}E{c}\n"])
def test_row_1_the_older_dialect_is_not_this_language(text: str) -> None:
    assert found(text) == ["T002 1:1"]


def test_row_2_at_most_one_task_in_both_forms() -> None:
    for text in ("LOG 1\n", "TASK 't'\nLOG 1\n", "TASK 't' { LOG 1 }\n"):
        assert found(text) == []
        assert bool(linted(text, "T208")) is ("TASK" not in text)
    assert found("TASK 't'\nTASK 'u'\n") == ["T101 2:1"]


def test_row_3_setup_with_and_without_a_description() -> None:
    assert [each["description"] for each in body("SETUP { }\nSETUP 'x' { }\n")] == [None, "x"]


def test_row_4_commands_stand_anywhere(tmp_path: Path) -> None:
    text = "TASK 't'\nSET_BUDGET RUN_COUNT = 5\nRUN 'true'\nSTEP 's' { LOG 1 }\nIF true { LOG 2 }\n"
    assert logged(text, tmp_path) == ["1", "2"]


def test_row_5_a_heredoc_is_closed_by_its_word_alone() -> None:
    assert body("WRITE 'p' <<PY\nx\nPY\n")[0]["content"] == "x\n"
    assert found("WRITE 'p' <<PY\nx\nPY>>\n") == ["T005 1:11"]
    assert found("WRITE 'p' <<PY x PY>>\n") == ["T001 1:16"]


def test_row_6_at_column_1_unless_asked_otherwise() -> None:
    assert body("WRITE 'p' <<PY\n  PY\nPY\n")[0]["content"] == "  PY\n"
    assert body("WRITE 'p' <<-PY\n  x\n  PY\n")[0]["content"] == "x\n"


def test_row_7_every_line_of_a_heredoc_ends_with_a_newline(tmp_path: Path) -> None:
    run("WRITE 'p' <<W\nx\nW\n", tmp_path)
    assert (tmp_path / "p").read_bytes() == b"x\n"


def test_row_8_a_quoted_word_does_not_interpolate(tmp_path: Path) -> None:
    run("VAR x = 'v'\nWRITE 'p' <<W\n{{x}}\nW\nWRITE 'q' <<'W'\n{{x}}\nW\n", tmp_path)
    assert ((tmp_path / "p").read_text(), (tmp_path / "q").read_text()) == ("v\n", "{{x}}\n")


def test_row_9_six_escapes() -> None:
    (log,) = body(r'LOG "\"\\\n\t\r\{"')
    assert log["value"] == '"\\\n\t\r{'
    assert found('LOG "\\`"\n') == ["T004 1:6"]


def test_row_10_single_quotes_everywhere() -> None:
    text = r"""
TASK 't' {
    @persona 'p'
    READ 'p' AS v
    WRITE 'p' <<W
W
    RUN 'c'
    ASSERT 'a' == v
    ASSERT FILE 'p' EXISTS
    LOG '{{none}} \n'
    MKDIR 'd'
    DELETE 'd'
    PAUSE 'p'
    REQUEST_REVIEW 'r'
    PROMPT_AGENT 'p'
    CALL 'd'
    CHOOSE { OPTION 'o' { } }
    STEP 's' { }
}
DEFINE_TASK 'd' { }
"""
    assert found(text) == []


def test_row_11_values_are_quoted_by_their_context(tmp_path: Path) -> None:
    report = run("RUN \"printf '%s,' {{x}} '{{x}}'\"\n", tmp_path, var={"x": "a'; echo b"})
    assert report["last_run"]["stdout"] == "a'; echo b,a'; echo b,"


def test_row_12_the_fields_of_last_run_are_upper_case(tmp_path: Path) -> None:
    assert logged("RUN 'printf o'\nLOG LAST_RUN.STDOUT\n", tmp_path) == ["o"]
    assert found("RUN 'a'\nLOG LAST_RUN.stdout\n") == ["T107 2:5"]
    assert "STDOUT" in hint("RUN 'a'\nLOG LAST_RUN.stdout\n")
    assert logged("VAR LAST_RUN_RESULT = 1\nLOG LAST_RUN_RESULT\n", tmp_path) == ["1"]


def test_row_13_file_exists_is_two_words() -> None:
    assert found("ASSERT FILE 'p' EXISTS\n") == []
    assert found("ASSERT FILE_EXISTS 'p'\n")[0].startswith("T001")
    assert "EXISTS" in hint("ASSERT FILE_EXISTS 'p'\n")


def test_row_14_then_is_read_and_goes() -> None:
    assert bare(body("IF true THEN { LOG 1 }\n")) == bare(body("IF true { LOG 1 }\n"))
    assert "THEN" not in format_source("IF true THEN { LOG 1 }\n")
    assert found('IF "c"\nLOG 1\nENDIF\n')[0].startswith("T001 1:")


def test_row_15_a_failed_assertion_halts_unless_told_to_go_on(tmp_path: Path) -> None:
    text = "STEP 'a' { ASSERT false\nLOG 1 }\nSTEP 'b' { LOG 2 }\n"
    for going, log in ((False, []), (True, ["2"])):
        report = run(text, tmp_path, keep_going=going)
        assert (report["exit_code"], report["log"]) == (1, log)


def test_row_16_errors_of_files_are_caught_and_security_is_not(tmp_path: Path) -> None:
    report = run(
        "TRY { READ 'none' AS x } CATCH { LOG 1 }\nTRY { READ '..' AS x } CATCH { LOG 2 }", tmp_path
    )
    assert (report["log"], report["exit_code"]) == (["1"], 5)


def test_row_17_a_non_zero_exit_is_data(tmp_path: Path) -> None:
    assert logged("RUN 'exit 3'\nASSERT LAST_RUN.EXIT_CODE == 3\n", tmp_path) == []


def test_row_18_security_is_outside_the_catchable_family() -> None:
    assert not issubclass(tisslang.TissSecurityError, tisslang.TissCommandError)
    assert issubclass(tisslang.TissSecurityError, tisslang.TissError)


def test_row_19_how_an_option_is_chosen(tmp_path: Path) -> None:
    estimated = """\
CHOOSE {
    OPTION 'a' { ESTIMATE_COST { PROMPT_AGENT 'x' }
        LOG 'a' }
    OPTION 'b' { ESTIMATE_COST { LOG 1 }
        LOG 'b' }
}
"""
    assert logged(estimated, tmp_path) == ["b"]
    assert logged(estimated, tmp_path, answer=["a"]) == ["a"]
    plain = "CHOOSE { OPTION 'a' { LOG 'a' }\nOPTION '2' { LOG 'b' } }\n"
    assert stopped_by(run(plain, tmp_path, agent="echo")) == "human"
    assert "OPTION" in hint("CHOOSE { STEP 's' { } }\n")


def test_row_20_an_estimate_stands_anywhere(tmp_path: Path) -> None:
    assert logged("ESTIMATE_COST INTO c { RUN 'touch made' }\nLOG c\n", tmp_path) == ["0"]
    assert list(tmp_path.iterdir()) == []


def test_row_21_an_agent_sees_only_what_the_prompt_names(tmp_path: Path) -> None:
    text = "VAR a = 'shown'\nVAR b = 'kept'\nPROMPT_AGENT \"say {{a}}\" INTO r\nLOG r\n"
    assert logged(text, tmp_path, agent="echo") == ["say shown"]


def test_row_22_into_is_optional(tmp_path: Path) -> None:
    report = run("PROMPT_AGENT 'a'\n", tmp_path, agent="echo")
    assert (report["exit_code"], report["variables"]) == (0, {})


def test_row_23_budgets_take_durations_and_numbers() -> None:
    for value in ("5m", "300"):
        assert found(f"SET_BUDGET EXECUTION_TIME = {value}\nSET_BUDGET TOKEN_COUNT = 5\n") == []
    assert found("SET_BUDGET EXECUTION_TIME = '5m'\n") == ["T001 1:29"]


def test_row_24_cost_has_a_unit(tmp_path: Path) -> None:
    text = "PROMPT_AGENT 'one two three'\nASSERT COST == 1.006\nASSERT COST.TOTAL == COST\n"
    assert logged(text, tmp_path, agent="echo") == []


@pytest.mark.parametrize("value", ["[1, 2]", '{ "a": 1 }', "[]", "{}", "null", "{ }"])
def test_row_25_there_are_no_lists_and_no_objects(value: str) -> None:
    code = "T110" if value == "null" else "T001"  # null is a name like any other
    assert found(f"VAR x = {value}\n")[0].split()[0] == code


def test_row_26_sub_tasks_are_called_with_parameters(tmp_path: Path) -> None:
    text = "DEFINE_TASK 'd' WITH p { LOG p }\nCALL 'd' WITH p = 1\n"
    assert logged(text, tmp_path) == ["1"]


def test_row_27_a_dry_run_looks_at_paths_alone(tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff")
    report = run("READ 'bad' AS x\nREAD 'none' AS y\nWRITE 'p' <<W\nW\n", tmp_path, dry_run=True)
    assert report["error"] is None
    assert [each.name for each in tmp_path.iterdir()] == ["bad"]
    assert run("VAR x = '..'\nREAD \"{{x}}\" AS y\n", tmp_path, dry_run=True)["exit_code"] == 5


def test_row_28_execute_takes_a_tree_and_a_list(tmp_path: Path) -> None:
    tree = tisslang.parse("LOG 1\n")
    assert tree["type"] == "SCRIPT"
    for plan in (tree, tree["body"], json.loads(json.dumps(tree))):
        engine = tisslang.ExecutionEngine(tools=tisslang.ToolRegistry.default(), root=str(tmp_path))
        assert engine.execute(plan)["log"] == ["1"]


def test_row_29_tokens_and_not_lines_decide() -> None:
    assert bare(body("STEP 's'{IF true{LOG 1}}")) == bare(
        body("STEP 's' {\nIF true {\nLOG 1\n}\n}\n")
    )


def test_row_30_the_header_and_the_directive_name_a_language() -> None:
    tree: Node = tisslang.parse("#TISS! Language=Python\n@language 'py'\nLOG 1\n")
    assert tree["header"] == {"Language": "Python"}
    assert tree["body"][0]["values"] == ["py"]


def test_row_31_the_report_states_which_sandbox_was_obtained(tmp_path: Path) -> None:
    assert run("LOG 1\n", tmp_path)["sandbox"] is None
    assert run("RUN 'true'\n", tmp_path)["sandbox"]["profile"] == "none"


def test_row_32_output_saves_nothing(tmp_path: Path) -> None:
    report = run("@output 'report.md'\nPROMPT_AGENT 'a' INTO x\n", tmp_path, agent="echo")
    assert (report["exit_code"], report["files_written"]) == (0, [])
    assert list(tmp_path.iterdir()) == []


def test_row_33_an_escaped_brace_stays_literal(tmp_path: Path) -> None:
    printed = 'VAR x = "v"\nWRITE "p" <<W\nRUN "{{x}}"\nLOG "{{LAST_RUN_RESULT}}"\nW\n'
    assert found(printed) == ["T110 4:6"]
    run(printed.replace("{{LAST", "\\{{LAST"), tmp_path)
    assert (tmp_path / "p").read_text() == 'RUN "v"\nLOG "{{LAST_RUN_RESULT}}"\n'


def test_row_34_descriptions_may_be_empty(tmp_path: Path) -> None:
    text = """\
TASK ''
SETUP '' { LOG 1 }
STEP '' { CALL '' }
DEFINE_TASK '' { LOG 2 }
CHOOSE { OPTION '' { LOG 3 } }
"""
    assert logged(text, tmp_path, answer=["1"]) == ["1", "2", "3"]


def test_the_introduction_s_example(tmp_path: Path) -> None:
    plan = write(
        tmp_path,
        """\
#TISS! Language=Python

TASK "Create and check a greeting script"

STEP "Write it" {
    WRITE "hello.py" <<PYTHON
import sys
print(f"Hello, {sys.argv[1]}!")
PYTHON
}

STEP "Run it" {
    VAR who = "Ada O'Neil"
    RUN "python3 hello.py {{who}}"
    ASSERT LAST_RUN.EXIT_CODE == 0
    ASSERT LAST_RUN.STDOUT CONTAINS "Hello, {{who}}!"
}
""",
    )
    done = tiss("run", plan, "--sandbox-profile", "none", "--output-format", "json", cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["last_run"]["stdout"] == "Hello, Ada O'Neil!\n"
    assert (tmp_path / plan).read_text() == format_source((tmp_path / plan).read_text())
