"""The exercises of lesson 14: right answers of several shapes pass, wrong ones hear why."""

import ast
import doctest
import inspect
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import tisslang
import tisslang.exercises as exercises
from qt.exercises import Exercise
from tisslang.exercises import lesson_14
from tisslang.exercises.trials_14 import Reader, read_operand, try_walk

OURS: dict[str, Exercise] = {
    e.id: e for e in exercises.EXERCISES.values() if isinstance(e, Exercise) and e.lesson == 14
}
MISTAKES = [(e, i) for e in OURS.values() for i in range(len(e.mistakes))]
ALL = pytest.mark.parametrize("exercise", OURS.values(), ids=lambda e: e.id)


@pytest.fixture(autouse=True)
def _no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_PROGRESS", "")


def run_source(source: str, exercise: Exercise) -> Callable[..., Any]:
    """What a learner's cell defines, with the imports of the lesson."""
    namespace: dict[str, Any] = {"Any": Any, "Callable": Callable, "re": re, "tisslang": tisslang}
    exec(compile(source, "<cell>", "exec", dont_inherit=True), namespace)
    return namespace[exercise.name]


def test_there_are_six() -> None:
    assert list(OURS) == [
        "engine.call", "engine.walk", "engine.tool", "engine.catch", "engine.quote", "engine.holes",
    ]  # fmt: skip


@ALL
def test_stub_says_what_to_do_and_the_solution_passes(exercise: Exercise) -> None:
    stub = run_source(exercise.stub_source, exercise)
    result = exercises.check(exercise.id, stub)
    assert not result
    assert repr(result).splitlines() == [
        f"✗ {exercise.id}: not written yet",
        f"  to do     {exercise.todo}",
        f"  hint      {exercise.hint}",
    ]
    assert exercises.check(exercise.id, run_source(exercise.solution_source, exercise))


@ALL
def test_exercise_is_complete(exercise: Exercise) -> None:
    assert exercise.minutes in (5, 10, 15, 20)
    assert exercise.difficulty in (1, 2, 3)
    assert len(exercise.mistakes) >= 2
    assert len(list(exercise.cases(np.random.default_rng(0)))) >= 3
    assert max(map(len, exercise.stub_source.splitlines())) <= 100
    assert inspect.getdoc(exercise.solution)
    assert len(ast.parse(exercise.stub_source).body) == 1
    causes = [cause for _, _, cause in exercise.mistakes]
    assert len({*causes}) == len(causes)


@pytest.mark.parametrize(
    ("exercise", "number"), MISTAKES, ids=[f"{e.id}-{number}" for e, number in MISTAKES]
)
def test_known_mistake_is_told_its_cause(exercise: Exercise, number: int) -> None:
    old, new, cause = exercise.mistakes[number]
    assert exercise.solution_source.count(old) >= 1
    namespace = dict(vars(lesson_14))
    exec(exercise.solution_source.replace(old, new), namespace)
    result = exercises.check(exercise.id, namespace[exercise.name])
    assert not result
    assert repr(result).splitlines()[-1] == f"  likely    {cause}", result


# Right answers of other shapes


def call_by_recursion(parser: Any, operand: Callable[[Any], Any]) -> dict[str, Any]:
    def rest() -> dict[str, Any]:
        name = parser.take("WORD").text
        parser.take("=")
        first = {name: operand(parser)}
        return first | rest() if parser.skip(",") else first

    name = parser.take("STRING").text[1:-1]
    return {"args": rest() if parser.skip("WITH") else {}, "name": name}


def walk_with_a_stack(body: list[dict[str, Any]], holds: Callable[..., bool]) -> list[int]:
    lines, waiting = [], list(reversed(body))
    while waiting:
        node = waiting.pop()
        if "condition" in node and node["type"] == "IF":
            chosen = node["then"] if holds(node["condition"]) else (node["else"] or [])
            waiting += reversed(chosen)
        elif "body" in node:
            waiting += reversed(node["body"])
        else:
            lines += [node["line"]]
    return lines


def words_by_pattern(state: Any, args: dict[str, Any]) -> None:
    try:
        text = str(state.files.read(args["path"]), "utf-8")
    except UnicodeError as error:
        raise tisslang.TissCommandError("decode", str(error)) from error
    state.variables.update({args["variable"]: len(re.findall(r"\S+", text))})


def try_with_a_flag(node: Any, state: Any, run_body: Any) -> None:
    caught = None
    try:
        run_body(node["body"])
    except tisslang.TissError as error:
        if isinstance(error, (tisslang.TissSecurityError, tisslang.TissBudgetError)):
            raise
        caught = error
    if caught:
        before = state.error
        state.error = {"KIND": caught.kind, "MESSAGE": str(caught)}
        try:
            run_body(node["catch"])
        except tisslang.TissError:
            state.error = before
            raise
        state.error = before


def quote_with_backslashes(value: str) -> str:
    return re.sub(r'(["$`\\])', r"\\\1", value)


def quote_each_character(value: str) -> str:
    return "".join("\\" + c if c in '"$`\\' else c for c in value)


def one_path_for_two() -> tuple[str, ...]:
    return "old/secret.txt", "./old/./secret.txt", "../party-2023/../party-2023/secret.txt"


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("engine.call", call_by_recursion), ("engine.walk", walk_with_a_stack),
        ("engine.tool", words_by_pattern), ("engine.catch", try_with_a_flag),
        ("engine.quote", quote_with_backslashes), ("engine.quote", quote_each_character),
        ("engine.holes", one_path_for_two),
    ],
)  # fmt: skip
def test_another_right_answer_passes(id: str, answer: Callable[..., Any]) -> None:
    result = exercises.check(id, answer)
    assert result, result


# Wrong answers of other shapes: the message names what differs


def one_argument_too_many(parser: Any, operand: Callable[[Any], Any]) -> dict[str, Any]:
    fields = {"name": parser.take("STRING").text[1:-1], "args": {}}
    while parser.take("WITH", ",", "END").kind != "END":
        name = parser.take("WORD").text
        parser.take("=")
        fields["args"][name] = operand(parser)
    return fields


def nothing_comes_back(state: Any, args: dict[str, Any]) -> None:
    len(state.files.read(args["path"]).split())


def catches_nothing(node: Any, state: Any, run_body: Any) -> None:
    run_body(node["body"])


def everything_is_caught(node: Any, state: Any, run_body: Any) -> None:
    with suppress(Exception):
        run_body(node["body"])


def two_paths() -> list[str]:
    return ["a", "b"]


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("engine.call", one_argument_too_many, "is no WITH or , or END"),
        ("engine.walk", lambda body, holds: None, "nothing comes back"),
        (
            "engine.walk",
            lambda body, holds: [n["line"] for n in body],
            "at [1]: expected 3, found 2",
        ),
        ("engine.tool", nothing_comes_back, "['variables']['words']: expected 2, found nothing"),
        ("engine.catch", catches_nothing, "['ran']: expected 2, found 1"),
        ("engine.catch", everything_is_caught, "differs"),
        ("engine.quote", lambda value: None, "nothing comes back"),
        ("engine.quote", lambda value: value.replace("'", ""), "expected"),
        ("engine.holes", two_paths, "expected"),
        ("engine.holes", lambda: ["/etc/passwd"] * 3, "guard 1 looks at how a path begins"),
    ],
)
def test_a_wrong_answer_is_told_what_differs(id: str, answer: Any, said: str) -> None:
    result = exercises.check(id, answer)
    assert not result
    text = repr(result)
    assert "Traceback" not in text
    assert said in text, text


# What the exercises say is what the language does


def test_the_example_in_a_docstring_is_true() -> None:
    solution = OURS["engine.walk"].solution
    names = {"lines_run": solution}
    test = doctest.DocTestParser().get_doctest(solution.__doc__ or "", names, "walk", None, 0)
    assert len(test.examples) == 2
    assert doctest.DocTestRunner().run(test).failed == 0


def test_what_is_written_as_an_example_is_what_comes_out() -> None:
    reader = Reader('"greet" WITH who = "Ada", times = 3')
    fields = OURS["engine.call"].solution(reader, read_operand)
    assert repr(fields).replace("'", '"') in (OURS["engine.call"].solution.__doc__ or "")
    tool = OURS["engine.tool"].solution
    assert lesson_14.try_tool(tool, b"Ada Grace") == {"variables": {"words": 2}, "error": None}


def test_calls_are_read_as_the_house_reads_them() -> None:
    for (behind,) in lesson_14.call_cases(None):
        try:
            node = tisslang.parse("CALL " + behind)["body"][0]
        except tisslang.TissParseError:
            with pytest.raises(SyntaxError):
                OURS["engine.call"].solution(Reader(behind), read_operand)
            continue
        fields = OURS["engine.call"].solution(Reader(behind), read_operand)
        assert fields == {"name": node["name"], "args": node["args"]}


def test_the_walk_is_that_of_a_run(tmp_path: Any) -> None:
    for (plan,) in lesson_14.walk_cases(None):
        lines: list[int] = []

        def note(event: dict[str, Any], lines: list[int] = lines) -> None:
            if event["event"] == "command_start":
                lines.append(event["line"])

        tisslang.run(plan, tmp_path, on_event=note)
        assert try_walk(OURS["engine.walk"].solution, plan) == lines
