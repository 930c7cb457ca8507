"""`tiss list`: what a plan holds, and what a run of it needs from the operator."""

import json
from pathlib import Path

import pytest
from tiss_process import refused, run_plan, tiss

PLAN = """\
TASK "Everything"
DEFINE_TASK "compile" WITH file, flags {
    RUN "cc {{file}} {{flags}} {{compiler}}"
    STEP "not in the list" { }
}
DEFINE_TASK "tidy" { }
SETUP {
    VAR who ?= "Ada"
    VAR token ?= base
}
STEP "first\\n{{x}}" {
    LOG "one {{who}} {{late}}"
    CHOOSE {
        OPTION "a" { }
        OPTION "b" { PROMPT_AGENT "improve {{who}}" }
    }
    ESTIMATE_COST { PROMPT_AGENT "only estimated" }
}
VAR late = 1
STEP "get" {
    STEP "inner" { RUN "curl {{url}}" }
    RUN "sudo ls"
    RUN "rm -rf /"
    PAUSE "ok?"
    REQUEST_REVIEW "fine, {{who}}?"
}
PARALLEL {
    STEP "side" { RUN "true" }
}
"""
TEXT = """\
Everything
steps:
   7  setup
  11  first\\n{{x}}
  20  get
  21    inner
  28  side
sub-tasks:
   2  compile WITH file, flags
   6  tidy
variables:
   3  compiler  needed: --var compiler=…
   8  who  "Ada" unless --var who=…
   9  base  needed: --var base=…
   9  token  base unless --var token=…
  12  late  needed: --var late=…
  21  url  needed: --var url=…
asks the agent (--agent):
  15  PROMPT_AGENT improve {{who}}
asks a person (--answer, --yes):
  13  CHOOSE a | b
  24  PAUSE ok?
  25  REQUEST_REVIEW fine, {{who}}?
asks whether to run (--yes, --allow-command):
  21  RUN curl {{url}}  (curl talks to other machines)
  22  RUN sudo ls  (sudo runs a command as another user)
is refused to run:
  23  RUN rm -rf /  (rm with a recursive flag on a path that leaves the project root)
runs commands: in the sandbox
"""


def test_the_text(tmp_path: Path) -> None:
    assert tiss("list", "-", cwd=tmp_path, stdin=PLAN) == (0, TEXT, "")
    empty = "nothing: the plan holds no steps and needs nothing\n"
    assert tiss("list", "-", cwd=tmp_path, stdin="LOG 1") == (0, empty, "")


def test_the_json(tmp_path: Path) -> None:
    done = tiss("list", "-", "--output-format", "json", cwd=tmp_path, stdin=PLAN)
    found = json.loads(done.out)
    assert found.keys() == {"task", "steps", "subtasks", "variables", "needs"}
    assert found["task"] == "Everything"
    assert found["steps"][1] == {
        "kind": "STEP",
        "description": "first\n{{x}}",
        "line": 11,
        "depth": 0,
        "top_level": True,
    }
    chosen = [step["description"] for step in found["steps"] if step["top_level"]]
    assert chosen == [None, "first\n{{x}}", "get"]
    assert found["subtasks"][0] == {"name": "compile", "params": ["file", "flags"], "line": 2}
    assert found["variables"][:2] == [
        {"name": "compiler", "line": 3, "needed": True, "default": None},
        {"name": "who", "line": 8, "needed": False, "default": '"Ada"'},
    ]
    needs = found["needs"]
    assert needs.keys() == {"sandbox", "agent", "questions", "approvals", "denied"}
    assert needs["sandbox"] is True
    assert [need["line"] for need in needs["agent"]] == [15]
    assert [need["type"] for need in needs["questions"]] == ["CHOOSE", "PAUSE", "REQUEST_REVIEW"]
    assert [need["command"] for need in needs["approvals"]] == ["curl", "sudo"]


def test_what_it_names_is_what_a_run_needs(tmp_path: Path) -> None:
    plan = 'VAR b ?= a\nLOG "{{b}} {{c}}"\nVAR c = 1\nIF b == "x" { VAR d = 1 }\nLOG b'
    found = json.loads(tiss("list", "-", "--output-format", "json", cwd=tmp_path, stdin=plan).out)
    needed = [variable["name"] for variable in found["variables"] if variable["needed"]]
    assert needed == ["a", "c"]
    assert run_plan(plan, cwd=tmp_path).code == 3
    assert run_plan(plan, *(f"--var={name}=1" for name in needed), cwd=tmp_path).code == 0


def test_what_no_value_mends_is_an_error(tmp_path: Path) -> None:
    for text, code in (('STEP "x" {', "T006"), ("LOG ERROR.KIND", "T102"), ("CALL 'x'", "T103")):
        done = tiss("list", "-", cwd=tmp_path, stdin=text)
        assert (done.code, done.out) == (3, "")
        assert f"error[{code}]" in done.err
        done = tiss("list", "-", "--output-format", "json", cwd=tmp_path, stdin=text)
        found = json.loads(done.out)
        assert (done.code, done.err, found["ok"]) == (3, "", False)
        assert [finding["code"] for finding in found["diagnostics"]] == [code]
    assert tiss("list", "-", cwd=tmp_path, stdin="LOG nope").code == 0


@pytest.mark.parametrize("arguments", [["missing.tiss"], [], ["a", "b"], ["-", "--lines"]])
def test_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    refused("list", *arguments, cwd=tmp_path)
