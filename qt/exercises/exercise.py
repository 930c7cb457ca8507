"""An exercise: a function or class to write, inputs to try it on, the mistakes people make.

A lesson's file holds plain solutions under the decorator `exercise`. The stub is the solution with
its bodies taken out, and a mistake is an edit of the solution: nothing is written down twice.
"""

from __future__ import annotations

import ast
import html
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Exercise:
    """What the learner reads, what the checker runs.

    `cases(rng)` gives tuples of arguments: small ones first, then edges, then random ones. Where
    they hold tensors that require gradients, those are compared too. Each of `mistakes` is (text in
    the solution, what to put there, the cause that the learner is told).
    `run(attempt, *arguments)` is for attempts that are not simply called, such as classes.
    """

    id: str
    solution: Callable[..., Any]
    title: str
    minutes: int
    difficulty: int  # 1 warm-up, 2 think, 3 hard
    todo: str
    hint: str
    cases: Callable[[np.random.Generator], Iterable[tuple[Any, ...]]]
    mistakes: tuple[tuple[str, str, str], ...]
    run: Callable[..., Any] | None = None

    @property
    def lesson(self) -> int:
        """The number of the lesson, from the name of the file that the exercise stands in."""
        return int(self.solution.__module__[-2:])

    @property
    def name(self) -> str:
        return self.solution.__name__

    @property
    def arguments(self) -> list[str]:
        """The names of what a case holds."""
        names = list(inspect.signature(self.run or self.solution).parameters)
        return names[1:] if self.run else names

    @property
    def solution_source(self) -> str:
        """The reference solution, without its decorator."""
        text = textwrap.dedent(inspect.getsource(self.solution))
        return "".join(text.splitlines(keepends=True)[ast.parse(text).body[0].lineno - 1 :])

    @property
    def stub_source(self) -> str:
        """The solution's signatures and docstrings; each body raises `NotImplementedError`."""
        source = self.solution_source
        lines, kept, done = source.splitlines(), [], 0
        top = ast.parse(source).body[0]
        for part in top.body if isinstance(top, ast.ClassDef) else [top]:
            if isinstance(part, ast.FunctionDef):
                docstring = part.body[0]
                indent = " " * docstring.col_offset
                body = [f'raise NotImplementedError("{self.todo}")']
                if len(indent + body[0]) > 100:
                    body = ["raise NotImplementedError(", f'    "{self.todo}"', ")"]
                kept += lines[done : docstring.end_lineno] + [indent + line for line in body]
                done = part.end_lineno or len(lines)
        return "\n".join(kept + lines[done:]) + "\n"

    def wrong_attempts(self) -> Iterator[tuple[Callable[..., Any], str]]:
        """Each known mistake, ready to run, and its cause."""
        source = self.solution_source
        for old, new, cause in self.mistakes:
            namespace = dict(vars(sys.modules[self.solution.__module__]))
            exec(compile(source.replace(old, new), "<known mistake>", "exec"), namespace)
            yield namespace[self.name], cause


def exercise(id: str, **fields: Any) -> Callable[[Callable[..., Any]], Exercise]:
    """Decorator: make an `Exercise` of the solution below it."""
    return lambda solution: Exercise(id, solution, **fields)


class Text(str):
    """Text that shows itself as it is; with a `summary`, a notebook folds it under that."""

    summary = ""

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str | None:
        if not self.summary:
            return None
        head, body = html.escape(self.summary), html.escape(self)
        return f"<details><summary>{head}</summary><pre>{body}</pre></details>"


def folded(summary: str, text: str) -> Text:
    """`text`, which a notebook hides until the reader clicks on `summary`."""
    result = Text(text)
    result.summary = summary
    return result
