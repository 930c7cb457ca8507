"""Lesson 13's exercises: right plans of several shapes pass, wrong ones are told what differs."""

from pathlib import Path

import pytest

import tisslang
from tisslang.exercises import EXERCISES, check, hint, report, solution, stub
from tisslang.exercises import list as listing
from tisslang.exercises.base import PlanExercise, is_stub
from tisslang.exercises.lesson_13 import BROKEN

PLANS = [e for e in EXERCISES.values() if isinstance(e, PlanExercise) and e.lesson == 13]
ALL = pytest.mark.parametrize("exercise", PLANS, ids=lambda e: e.id)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QT_PROGRESS", raising=False)
    monkeypatch.setattr("qt.exercises.progress._this_process", set())


def plan_of(exercise: PlanExercise, source: str) -> str:
    """What a cell binds to the exercise's name."""
    cell: dict[str, str] = {}
    exec(source, cell)
    return cell[exercise.name]


def edited(id: str, *edits: tuple[str, str]) -> str:
    """The solution with some of its text replaced."""
    exercise = EXERCISES[id]
    assert isinstance(exercise, PlanExercise)
    plan = exercise.solution
    for old, new in edits:
        assert old in plan
        plan = plan.replace(old, new)
    return plan


@ALL
def test_the_stub_says_what_to_do(exercise: PlanExercise) -> None:
    stub = plan_of(exercise, exercise.stub_source)
    assert is_stub(stub)
    assert repr(check(exercise.id, stub)).splitlines() == [
        f"✗ {exercise.id}: not written yet",
        f"  to do     {exercise.todo}",
        f"  hint      {exercise.hint}",
    ]
    assert max(map(len, exercise.stub_source.splitlines())) <= 100


@ALL
def test_the_solution_passes_and_is_remembered(exercise: PlanExercise, tmp_path: Path) -> None:
    plan = plan_of(exercise, exercise.solution_source)
    result = check(exercise.id, plan)
    assert result, result
    assert f"✓ {exercise.id}" in listing(13)
    assert [path.name for path in tmp_path.iterdir()] == [".qt-progress.json"]


@ALL
def test_the_solution_is_good_style(exercise: PlanExercise) -> None:
    plan = exercise.solution.strip() + "\n"
    assert tisslang.format_source(plan) == plan
    names = ["file", "first", "second"]  # what operators give
    found = tisslang.lint(plan, assigned=names, ignore=["T209"])
    assert [finding.code for finding in found] == []


def test_exercises_rise() -> None:
    levels = [exercise.difficulty for exercise in PLANS]
    assert levels == sorted(levels)
    assert {exercise.id.split(".")[0] for exercise in PLANS} == {"language"}


OTHER_SHAPES = {
    "a plan of two lines": (
        "language.greeting",
        'VAR who ?= "world"\nWRITE "hello.txt" <<X\nHello, {{ who }}!\nX\n'
        'READ "hello.txt" AS text\nASSERT text == "Hello, {{who}}!\\n"\n',
    ),
    "by a command": (
        "language.greeting",
        'VAR who ?= \'world\'\nRUN "printf \'Hello, %s!\\\\n\' {{who}} > hello.txt"\n'
        "ASSERT LAST_RUN.EXIT_CODE == 0\n",
    ),
    "a variable in between": (
        "language.count",
        edited(
            "language.count",
            ("ASSERT LAST_RUN.STDOUT > 0", "VAR n = LAST_RUN.STDOUT|trim\n    ASSERT n != 0"),
            ("{{LAST_RUN.STDOUT|trim}}", "{{n}}"),
        ),
    ),
    "cat as a pipe": ("language.count", edited("language.count", ("wc -l <", "cat -- "), (
        '{{file}}"', '{{file}} > /dev/null && cat -- {{file}} | wc -l"'))),
    "asks whether it is there": (
        "language.recover",
        'IF FILE "settings.txt" EXISTS {\n READ "settings.txt" AS mode\n} ELSE {\n'
        ' VAR mode = "plain\\n"\n}\nIF mode|trim == "loud" {\n} ELSE {\n'
        ' ASSERT mode|trim == "plain"\n}\nWRITE "mode.txt" <<M\n{{mode|trim}}\nM\n',
    ),
    "reads from standard input": (
        "language.mend",
        edited("language.mend", ("sort -- {{file}}", "sort < {{file}}")),
    ),
    "a name before the word": (
        "language.mend",
        edited("language.mend", ("sort -- {{file}}", "sort ./{{file}}")),
    ),
    "assert inside the sub-task, caught": (
        "language.verdicts",
        edited(
            "language.verdicts",
            ("IF LAST_RUN.EXIT_CODE == 0 {", "TRY {\n        ASSERT LAST_RUN.EXIT_CODE == 0"),
            ("ELSE", "CATCH"),
        ),
    ),
    "an option of the operator's": (
        "language.review",
        edited("language.review", ('STEP "Ask" {\n    ', ""), ('txt?"\n}', 'txt?"')),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("id", "plan"), OTHER_SHAPES.values(), ids=OTHER_SHAPES)
def test_other_right_plans_pass(id: str, plan: str) -> None:
    result = check(id, plan)
    assert result, result


WRONG = {
    "a typo": ("language.greeting", [("STEP", "STPE")], "did you mean STEP?"),
    "no default": (
        "language.greeting", [('VAR who ?= "world"\n', "")], "variable who has no value here",
    ),
    "always the default": (
        "language.greeting", [("?=", "=")],
        "VAR who = … replaces the operator's value: write VAR who ?= …",
    ),
    "not filled in": (
        "language.greeting", [("<<TEXT", "<<'TEXT'")],
        "<<'WORD' keeps {{who}} as it stands: write <<WORD",
    ),
    "an empty line": (
        "language.greeting", [("!\nTEXT", "!\n\nTEXT")],
        "each line of a heredoc ends by itself: no empty line",
    ),
    "another file": (
        "language.greeting", [("hello.txt", "hallo.txt")], "no such file (there are: hallo.txt)",
    ),
    "nothing asserted": (
        "language.greeting", [("    ASSERT", "    # ASSERT")],
        "say what must be true at the end: ASSERT FILE … EXISTS",
    ),
    "not trimmed": (
        "language.count", [("|trim", "")],
        "the output ends with a line end of its own: |trim takes it off",
    ),
    "the name is printed": (
        "language.count", [("wc -l <", "wc -l"), ("    ASSERT LAST_RUN.STDOUT > 0\n", "")],
        "wc was told the name, and prints it: let it read with <",
    ),
    "the command is not checked": (
        "language.count", [("    ASSERT LAST_RUN.EXIT_CODE == 0\n", "")],
        "a command that fails stops nothing by itself: ASSERT LAST_RUN.EXIT_CODE == 0",
    ),
    "no lines are enough": (
        "language.count", [("    ASSERT LAST_RUN.STDOUT > 0\n", "")],
        "0 is a number: ASSERT … > 0 compares it",
    ),
    "found out by READ": (
        "language.count", [("    RUN", '    READ "{{file}}" AS _text\n    RUN')],
        "READ ends with exit code 4 when there is no file: let RUN find out, and ASSERT",
    ),
    "nothing is caught": (
        "language.recover", [("TRY {", "IF true {"), ("} CATCH {", "} ELSE {"),
                             ("{{ERROR.KIND}}", "io")],
        "READ raises io when there is no file: TRY { READ … } CATCH { … }",
    ),
    "a line end too many": (
        "language.recover", [("        VAR mode = mode|trim\n", "")],
        "the file's line end came with it: VAR mode = mode|trim",
    ),
    "the assertion is caught": (
        "language.recover", [("VAR mode = mode|trim", 'VAR mode = mode|trim\n'
                              'IF mode != "loud" { ASSERT mode == "plain" }')],
        "did your TRY catch the ASSERT too? Put nothing but READ into it",
    ),
    "an option": ("language.mend", [("sort -- ", "sort ")], "sort: invalid option"),
    "one style": (
        "language.mend", [("{{first}}.txt\" <<TEXT", "{{first}}.txt\"  <<TEXT")],
        "print(tisslang.format_source(mend)) shows the one style: take it over",
    ),
    "a finding is left": (
        "language.mend", [("VAR first", "VAR second = 2\n    VAR first")], "T203 in line 10",
    ),
    "the second verdict twice": (
        "language.verdicts", [("    VAR one = verdict\n", ""), ("{{one}}", "{{verdict}}")],
        "a name belongs to the whole plan: keep the first verdict before the second CALL",
    ),
    "a broken file stops it": (
        "language.verdicts", [("    IF LAST", "    ASSERT LAST_RUN.EXIT_CODE == 0\n    IF LAST")],
        "a broken file is no failure of this plan: ask with IF",
    ),
    "no sub-task": (
        "language.verdicts",
        [('DEFINE_TASK "compile" WITH file {', 'STEP "Ask first" {'), ("{{file}}", "{{first}}"),
         ('    CALL "compile" WITH file = first\n', ""),
         ('CALL "compile" WITH file = second', 'RUN "python3 -m py_compile ./{{second}}"'),
         ("VAR two = verdict", 'VAR two = "broken"\n    IF LAST_RUN.EXIT_CODE == 0 {\n'
                               '        VAR two = "ok"\n    }')],
        "the question stands once, in a sub-task",
    ),
    "nobody is asked": (
        "language.review", [('    REQUEST_REVIEW "May draft.txt replace page.txt?"\n', "")],
        "REQUEST_REVIEW asks, and ends the plan when the answer is no",
    ),
    "asked too late": (
        "language.review",
        [('STEP "Ask" {\n    REQUEST_REVIEW "May draft.txt replace page.txt?"\n}\n', ""),
         ('DELETE "draft.txt"', 'DELETE "draft.txt"\n    REQUEST_REVIEW "Was that right?"')],
        "the question comes too late: ask before anything is changed",
    ),
    "the draft stays": (
        "language.review", [('    DELETE "draft.txt"\n', "")], "draft.txt 'new\\n', page.old.txt",
    ),
    "no assertion": (
        "language.review", [('    ASSERT FILE "draft.txt" EXISTS\n', "")],
        'ASSERT FILE "draft.txt" EXISTS comes before READ',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("id", "edits", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_plan_is_told_what_differs(
    id: str, edits: list[tuple[str, str]], told: str, tmp_path: Path
) -> None:
    result = check(id, edited(id, *edits))
    assert not result
    assert told in repr(result)
    assert "Traceback" not in repr(result)
    assert list(tmp_path.iterdir()) == []


def test_the_broken_plan_breaks_rules_of_every_kind() -> None:
    assert not check("language.mend", BROKEN)
    mended = BROKEN.replace("flie", "file").replace("LAST_RUN.stdout", "LAST_RUN.STDOUT")
    found = {finding.code for finding in tisslang.lint(mended)}
    assert {"T203", "T207", "T219", "T305", "T310"} <= found


def test_an_answer_of_another_kind_is_named() -> None:
    with pytest.raises(TypeError, match=r"give check the plan, a text, not dict"):
        check("language.greeting", tisslang.parse("LOG 1"))
    with pytest.raises(ValueError, match=r"did you mean language\.greeting"):
        check("language.greetings", "")


def test_options_of_the_run_are_passed_on() -> None:
    result = check("language.count", edited("language.count"), deny_command=["wc"])
    assert "error[E301]" in repr(result)


def test_a_command_that_never_ends_is_told() -> None:
    plan = edited("language.greeting") + 'RUN "sleep 600"\n'
    assert "error[E205]" in repr(check("language.greeting", plan, timeout=0.5))


def test_what_is_done_and_what_is_left() -> None:
    assert str(report()).splitlines()[1] == "13 language            0/6            60"
    check("language.greeting", edited("language.greeting"))
    lines = str(report()).splitlines()
    assert lines[1] == "13 language            1/6            55"
    assert lines[-1] == "next: language.count, Count, and believe nothing (10 minutes)"


def test_stub_hint_and_solution_can_be_asked_for() -> None:
    assert str(stub("language.count")).startswith('count = r"""\n# The operator gives')
    assert "wc -l" in hint("language.count")
    assert "<details>" in (solution("language.count")._repr_html_() or "")
