"""What `check` says, what it remembers, and what `report` makes of it."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import qt.exercises
from qt.exercises import EXERCISES, Exercise, check, progress
from qt.exercises.compare import Difference, first_difference, short
from qt.exercises.gradients import gradients_of


@pytest.fixture(autouse=True)
def progress_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("QT_PROGRESS", raising=False)
    monkeypatch.setattr(progress, "_this_process", set())
    return tmp_path / ".qt-progress.json"


def message(id: str, attempt: Any, **settings: Any) -> list[str]:
    """The lines of a check that must fail."""
    result = check(id, attempt, **settings)
    assert not result
    assert result.passed is False
    assert "Traceback" not in repr(result)
    return repr(result).splitlines()


# Where two results differ

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=5)
    | st.floats(allow_nan=False)
    | hnp.arrays(st.sampled_from([np.float64, np.float32, np.int64, bool]),
                 hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(value=values)
@settings(max_examples=60)
def test_a_value_is_equal_to_itself(value: Any) -> None:
    assert first_difference(value, value) is None
    assert first_difference([value], (value,)) is None
    assert "\n" not in short(value)


@given(
    array=hnp.arrays(
        st.sampled_from([np.float64, np.float32, np.int64]),
        hnp.array_shapes(max_dims=3, max_side=4),
        elements=st.integers(-9, 9),
    ),
    data=st.data(),
)
@settings(max_examples=40)
def test_the_first_of_all_differences_is_named(array: np.ndarray, data: st.DataObject) -> None:
    places = list(np.ndindex(array.shape))
    changed = data.draw(st.sets(st.sampled_from(places), min_size=1))
    found = array.copy()
    for place in changed:
        found[place] += 1
    difference = first_difference(array, found)
    assert difference is not None
    first = min(changed)
    where = "[" + ", ".join(map(str, first)) + "]"
    if len(changed) > 1:
        where += f", the first of {len(changed)} places"
    assert difference == Difference(where, str(int(array[first])), str(int(found[first])))


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        (np.ones(2), [1.0, 1.0], ("the type", "an array", "a list")),
        (np.ones(2), None, ("the type", "an array", "None")),
        (1, 1.0, ("the type", "a whole number", "a number")),
        (1, True, ("the type", "a whole number", "True or False")),
        (1.0, np.ones(1), ("the type", "a number", "an array")),
        (1.0, 1j, ("the type", "a number", "an object of class complex")),
        ([1, "a"], [1, b"a"], ("the type of [1]", "a text", "bytes")),
        (np.ones((2, 3)), np.ones((3, 2)), ("the shape", "(2, 3)", "(3, 2)")),
        ((1, np.ones(1)), (1, np.ones(2)), ("the shape of [1]", "(1,)", "(2,)")),
        (np.ones(1, np.float32), np.ones(1), ("the dtype", "float32", "float64")),
        (np.ones(1, bool), np.ones(1), ("the dtype", "bool", "float64")),
        (np.ones(2), np.array([1.0, np.nan]), ("[1]", "1", "nan (not a number)")),
        (1.0, float("nan"), ("", "1", "nan (not a number)")),
        (1.0, 1.000001, ("", "1.0", "1.000001")),
        (1.0, 10**400, ("", "1", "1" + "0" * 58 + "…")),
        ([1, 2], [1], ("the length", "2", "1")),
        ([[1], [2, 3]], [[1], [2]], ("the length of [1]", "2", "1")),
        ([1, 2], [3], ("[0]", "1", "3")),
        ({"a": 1}, {}, ("['a']", "1", "nothing")),
        ({}, {"a": 1}, ("['a']", "nothing", "1")),
        ({"a": [1]}, {"a": [2]}, ("['a'][0]", "1", "2")),
        ("abc", "abd", ("", "'abc'", "'abd'")),
    ],
)
def test_difference_is_named(expected: Any, found: Any, difference: tuple[str, str, str]) -> None:
    assert first_difference(expected, found) == Difference(*difference)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (1.0, 1),
        (0.3, 0.1 + 0.2),
        (1.5, np.float32(1.5)),
        (3, np.int32(3)),
        (2.0, qt.Tensor(2.0)),
        (np.ones(2), qt.Tensor(np.ones(2))),
        (np.ones(1, np.int64), np.ones(1, np.int32)),
        (np.ones(1, np.float32), np.full(1, 1.00001, np.float32)),
        ([1, 2], (1, 2)),
        (float("inf"), np.inf),
    ],
)
def test_what_counts_as_equal(expected: Any, found: Any) -> None:
    assert first_difference(expected, found) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.array([[1.0, 0.5]]), "[[1, 0.5]]"),
        (np.zeros((4, 5), np.float32), "float32 array of shape (4, 5)"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …]"),
        ({(2, 1): [0.25], (1, 2): "x"}, "{(2, 1): [0.25], (1, 2): 'x'}"),
        ("a" * 99, "'" + "a" * 58 + "…"),
        (short, "short"),
    ],
)
def test_values_are_shown_short(value: Any, text: str) -> None:
    assert short(value) == text


# What a failing attempt is told


def test_a_wrong_value_is_shown_with_its_likely_cause() -> None:
    assert message("attention.scores", lambda q, k: q @ k.T / q.shape[-1]) == [
        "✗ attention.scores: case 1 of 4 fails",
        "  called    attention_scores(q=[[1, 2, 0, 1], [0, 1, 1, 3]], "
        "k=[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])",
        "  expected  [[2.5, 10.5, 18.5], [6, 16, 26]]",
        "  found     [[1.25, 5.25, 9.25], [3, 8, 13]]",
        "  differs   at [0, 0], the first of 6 places: expected 2.5, found 1.25",
        "  likely    you divided by D, not by √D",
    ]


def test_no_cause_is_made_up() -> None:
    lines = message("attention.scores", lambda q, k: q @ k.T / 3)
    assert lines[-1].startswith("  differs   at [0, 0]")


def test_wrong_shape_dtype_and_type() -> None:
    scores = EXERCISES["attention.scores"].solution
    assert message("attention.scores", lambda q, k: scores(q, k)[:1])[-1] == (
        "  differs   the shape: expected (2, 3), found (1, 3)"
    )
    assert message("attention.scores", lambda q, k: scores(q, k).astype(np.float32))[-1] == (
        "  differs   the dtype: expected float64, found float32"
    )
    assert message("attention.scores", lambda q, k: None)[-2:] == [
        "  differs   the type: expected an array, found None",
        "  likely    nothing comes back: is there a `return` in each branch?",
    ]


def test_nan_is_named() -> None:
    """And NumPy's warning about it does not reach the learner: warnings are errors here."""
    lines = message("attention.softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True))
    assert lines[0] == "✗ attention.softmax: case 2 of 4 fails"
    assert "found nan (not a number)" in lines[-2]
    assert lines[-1] == "  likely    exp overflows above 709: take each row's maximum off first"


def test_tensors_are_results_too() -> None:
    scores = EXERCISES["attention.scores"].solution
    assert check("attention.scores", lambda q, k: qt.Tensor(scores(q, k)))


def test_a_changed_input_is_named() -> None:
    def softmax(scores: np.ndarray) -> np.ndarray:
        scores -= scores.max(axis=-1, keepdims=True)
        return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)

    assert message("attention.softmax", softmax)[-2:] == [
        "  changed   after the call, scores is [[-3, -2, 0], [-5, -5, 0]]",
        "  likely    you changed your input: work on a copy of scores",
    ]


def test_a_changed_tensor_is_named() -> None:
    def norm(x: qt.Tensor, weight: qt.Tensor, eps: float) -> qt.Tensor:
        y = EXERCISES["build.rms_norm"].solution(x, weight, eps)
        x.data *= 2
        return y

    assert message("build.rms_norm", norm)[-2:] == [
        "  changed   after the call, x is [[6, 8], [2, 0]]",
        "  likely    you changed your input: work on a copy of x",
    ]


# Of tensors, gradients are compared too

ON_THE_TAPE = [e for e in EXERCISES.values() if e.lesson == 12 and not e.run]
TAPE_ENDS = "  likely    the tape ends: use Tensor operations, not .data"


def test_a_tape_that_ends_is_shown_with_its_cause() -> None:
    def norm(x: qt.Tensor, weight: qt.Tensor, eps: float) -> qt.Tensor:
        root = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
        return qt.Tensor(x.data / root) * weight

    lines = message("build.rms_norm", norm)
    assert lines[1] == "  called    rms_norm(x=[[3, 4], [1, 0]], weight=[1, 2], eps=0.1)"
    assert lines[2].startswith("  expected  gradients {'x': [[0.")
    assert lines[3].startswith("  found     gradients {'x': None, 'weight': [")
    assert lines[4:] == [
        "  differs   the type of gradients['x']: expected an array, found None", TAPE_ENDS
    ]  # fmt: skip


def test_a_gradient_of_which_a_part_is_missing() -> None:
    def norm(x: qt.Tensor, weight: qt.Tensor, eps: float) -> qt.Tensor:
        return x / np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps) * weight

    lines = message("build.rms_norm", norm)
    assert lines[-2].startswith("  differs   gradients['x'][0, 0], the first of 3 places: ")
    assert lines[-1] == TAPE_ENDS


@pytest.mark.parametrize("exercise", ON_THE_TAPE, ids=lambda e: e.id)
def test_right_values_without_a_tape_do_not_pass(exercise: Exercise) -> None:
    """Neither as a tensor nor as an array, nor when one of the arguments alone is cut off."""

    def cut_off(name: str) -> Callable[..., Any]:
        def cut(key: str, value: Any) -> Any:
            if isinstance(value, dict):
                return {k: cut(k, v) for k, v in value.items()}
            return value.detach() if key == name else value

        return lambda *case: exercise.solution(*map(cut, exercise.arguments, case))

    case = next(iter(exercise.cases(np.random.default_rng(0))))
    names = gradients_of(None, dict(zip(exercise.arguments, case, strict=True)))
    assert names
    for attempt in (
        lambda *case: exercise.solution(*case).detach(),
        lambda *case: exercise.solution(*case).data,
        *map(cut_off, names),
    ):
        assert message(exercise.id, attempt)[-1] == TAPE_ENDS


def test_a_known_mistake_is_told_its_cause_without_a_tape_too() -> None:
    def norm(x: qt.Tensor, weight: qt.Tensor, eps: float) -> qt.Tensor:
        return qt.Tensor(x.data / np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps))

    assert message("build.rms_norm", norm)[-1] == "  likely    the weight is missing"


def test_cases_are_not_spoilt_by_an_attempt() -> None:
    """Each call gets its own copies, whatever an earlier attempt did to its own."""

    def spoil(ids: list[int], pair: tuple[int, int], new_id: int) -> list[int]:
        ids.clear()
        return ids

    first = message("tokenization.merge", spoil)
    assert message("tokenization.merge", spoil) == first
    assert check("tokenization.merge", EXERCISES["tokenization.merge"].solution)


def fails_inside(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    return helper(q, k)


def helper(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    return q.no_such_method(k)


def test_an_exception_is_one_line_with_the_line_of_the_learners_code() -> None:
    number = helper.__code__.co_firstlineno + 1
    assert message("attention.scores", fails_inside)[-1] == (
        "  found     AttributeError: 'numpy.ndarray' object has no attribute 'no_such_method', "
        f"in line {number} of your code: return q.no_such_method(k)"
    )


def test_an_exception_inside_numpy_names_the_learners_line() -> None:
    def scores(q: np.ndarray, k: np.ndarray) -> np.ndarray:
        return np.stack([q, k])

    number = scores.__code__.co_firstlineno + 1
    line = message("attention.scores", scores)[-1]
    assert line.endswith(f", in line {number} of your code: return np.stack([q, k])")


def test_an_exception_of_many_lines_is_one_line() -> None:
    def scores(q: np.ndarray, k: np.ndarray) -> np.ndarray:
        raise RuntimeError("one\n  two")

    line = message("attention.scores", scores)[-1]
    assert line.startswith("  found     RuntimeError: one two, in line ")


def test_wrong_number_of_arguments() -> None:
    def scores(q: np.ndarray) -> np.ndarray:
        return q

    line = message("attention.scores", scores)[-1]
    assert line.startswith("  found     TypeError: ")
    assert line.endswith("scores() takes 1 positional argument but 2 were given")


def test_recursion_is_explained() -> None:
    def count(ids: list[int]) -> Any:
        return count(ids)

    lines = message("tokenization.pairs", count)
    assert lines[-2].startswith("  found     RecursionError: ")
    assert lines[-1] == (
        "  likely    the function calls itself too deeply: use a loop and a list of what is left"
    )


def test_an_error_that_is_asked_for() -> None:
    class Cache:
        def __init__(self, max_len: int, head_dim: int) -> None:
            self.rows = np.zeros((0, head_dim))

        def append(self, new: np.ndarray) -> np.ndarray:
            self.rows = np.concatenate([self.rows, new])
            return self.rows

    assert message("generation.cache", Cache) == [
        "✗ generation.cache: case 3 of 4 fails",
        "  called    Cache(max_len=2, chunks=[[[1, 1]], [[1, 1], [1, 1]]])",
        "  expected  ValueError: 3 rows do not fit into a cache of 2",
        "  found     [[[1, 1]], [[1, 1], [1, 1], [1, 1]]]",
        "  likely    the cache is full: refuse with a ValueError",
    ]


def test_a_class_without_the_method() -> None:
    class Cache:
        def __init__(self, max_len: int, head_dim: int) -> None:
            pass

    assert "AttributeError: 'Cache' object has no attribute 'append'" in message(
        "generation.cache", Cache
    )[-1]  # fmt: skip


def test_an_attempt_that_only_raises_not_implemented_is_told_what_to_do() -> None:
    def scores(q: np.ndarray, k: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    exercise = EXERCISES["attention.scores"]
    assert message("attention.scores", scores) == [
        "✗ attention.scores: not written yet",
        f"  to do     {exercise.todo}",
        f"  hint      {exercise.hint}",
    ]


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no alarm signal")
def test_an_endless_loop_is_cut() -> None:
    def loop(*arguments: Any) -> None:
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    before = signal.getsignal(signal.SIGALRM)
    assert message("gpt.flops", loop, seconds=0.2)[2:] == [
        "  found     nothing after 0.2 seconds",
        "  likely    a loop that never ends, or far too much work",
    ]
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_check_works_in_another_thread() -> None:
    results = []
    solution = EXERCISES["gpt.flops"].solution
    thread = threading.Thread(target=lambda: results.append(check("gpt.flops", solution)))
    thread.start()
    thread.join()
    assert results[0]


def test_wrong_use_of_check() -> None:
    with pytest.raises(ValueError, match=r"no exercise 'atention.score': did you mean attention"):
        check("atention.score", len)
    with pytest.raises(ValueError, match=r"^there is no exercise 'ZZZ': qt.exercises.list\(\) sho"):
        qt.exercises.hint("ZZZ")
    with pytest.raises(
        TypeError,
        match=r'function itself, not \[1, 2\]: check\("attention.scores", attention_scores\)',
    ):
        check("attention.scores", np.array([1, 2]))  # type: ignore[arg-type]


# What is remembered


def solve(id: str) -> None:
    assert check(id, EXERCISES[id].solution)


def test_solved_exercises_are_kept_for_tomorrow(
    progress_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solve("attention.scores")
    solve("gpt.flops")
    assert json.loads(progress_file.read_text(encoding="utf-8")) == {
        "solved": ["attention.scores", "gpt.flops"]
    }
    monkeypatch.setattr(progress, "_this_process", set())  # tomorrow
    assert progress.solved() == {"attention.scores", "gpt.flops"}
    message("gpt.flops", lambda *a: 0)  # a later failure does not take it back
    assert progress.solved() == {"attention.scores", "gpt.flops"}
    progress_file.unlink()
    assert progress.solved() == set()


def test_another_place_or_none(progress_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = progress_file.with_name("mine.json")
    monkeypatch.setenv("QT_PROGRESS", str(elsewhere))
    solve("gpt.flops")
    assert elsewhere.exists()
    monkeypatch.setenv("QT_PROGRESS", "")
    solve("gpt.loss")
    assert progress.solved() == {"gpt.flops", "gpt.loss"}
    assert "gpt.loss" not in elsewhere.read_text(encoding="utf-8")
    assert not progress_file.exists()


@pytest.mark.parametrize("content", [b"\xff", b"{", b"[]", b"3", b'{"solved": 3}', b'{"a": 1}'])
def test_a_file_that_is_not_ours_is_left_alone(progress_file: Path, content: bytes) -> None:
    progress_file.write_bytes(content)
    solve("gpt.flops")
    assert progress_file.read_bytes() == content
    assert progress.solved() == {"gpt.flops"}


def test_a_place_that_cannot_be_written_is_no_error(
    progress_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_PROGRESS", str(progress_file.parent / "missing" / "p.json"))
    solve("gpt.flops")
    assert progress.solved() == {"gpt.flops"}
    monkeypatch.setenv("QT_PROGRESS", str(progress_file.parent))  # a folder
    solve("gpt.loss")
    assert progress.solved() == {"gpt.flops", "gpt.loss"}


# What is shown


def test_report_by_lesson() -> None:
    lines = repr(qt.exercises.report()).splitlines()
    total = len(EXERCISES)
    minutes = sum(e.minutes for e in EXERCISES.values())
    assert lines[0] == "lesson              solved  minutes left"
    assert lines[4] == "04 attention           0/4            35"
    assert lines[-2] == f"all                   0/{total}           {minutes}"
    assert lines[-1] == "next: tokenization.pairs, Count the pairs (5 minutes)"
    for id in ("tokenization.pairs", "attention.scores", "attention.softmax"):
        solve(id)
    lines = repr(qt.exercises.report()).splitlines()
    assert lines[4] == "04 attention           2/4            20"
    assert lines[-2] == f"all                   3/{total}           {minutes - 20}"
    assert lines[-1] == "next: tokenization.merge, Merge one pair (10 minutes)"


def test_report_when_all_is_solved() -> None:
    for id in EXERCISES:
        solve(id)
    lines = repr(qt.exercises.report()).splitlines()
    assert lines[-1] == "All solved: you have built it all."
    assert all(line.split()[-1] == "0" for line in lines[1:-1])


def test_an_id_of_yesterday_does_not_count(progress_file: Path) -> None:
    progress_file.write_text('{"solved": ["removed.since"]}', encoding="utf-8")
    assert f" 0/{len(EXERCISES)} " in qt.exercises.report()


def test_list_shows_a_lesson_or_all() -> None:
    solve("attention.scores")
    lines = qt.exercises.list(4).splitlines()
    assert lines[1] == "✓ attention.scores            *     5 min  Scaled scores"
    assert lines[0].startswith("· attention.softmax ")
    assert len(qt.exercises.list().splitlines()) == len(EXERCISES)
    assert qt.exercises.list(13) == ""


def test_hints_and_solutions_are_folded_in_a_notebook() -> None:
    solution = qt.exercises.solution("attention.scores")
    assert repr(solution).startswith("def attention_scores(q: np.ndarray")
    html = solution._repr_html_()
    assert html is not None
    assert html.startswith("<details><summary>Solution</summary><pre>def attention_scores(")
    assert "-&gt;" in html
    hint = qt.exercises.hint("attention.scores")
    assert repr(hint) == EXERCISES["attention.scores"].hint
    assert "<summary>Hint</summary>" in str(hint._repr_html_())
    stub = qt.exercises.stub("attention.scores")
    assert "raise NotImplementedError(" in stub
    assert stub._repr_html_() is None


def test_qt_alone_does_not_load_the_exercises() -> None:
    code = "import sys, qt; print(any(name.startswith('qt.exercises') for name in sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"
