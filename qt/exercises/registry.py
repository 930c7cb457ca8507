"""All exercises, in the order in which a learner meets them."""

from __future__ import annotations

from importlib import import_module

from qt.exercises.collection import Collection
from qt.exercises.exercise import Exercise

LESSONS = {
    1: "tokenization", 2: "autograd", 3: "positions", 4: "attention", 5: "heads", 6: "blocks",
    7: "gpt", 8: "optimizers", 9: "training", 10: "generation", 11: "inside", 12: "build",
    16: "scaling",
}  # fmt: skip

EXERCISES: dict[str, Exercise] = {
    value.id: value
    for lesson in LESSONS
    for value in vars(import_module(f"qt.exercises.lesson_{lesson:02}")).values()
    if isinstance(value, Exercise)
}

_all = Collection("qt.exercises", LESSONS, EXERCISES, "All solved: you have built it all.")
get, hint, stub, solution = _all.get, _all.hint, _all.stub, _all.solution
listing, report = _all.listing, _all.report
