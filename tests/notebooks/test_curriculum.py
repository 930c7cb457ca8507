"""No lesson uses what a later one teaches, and every public name of `qt` is taught in one."""

import ast
import inspect
from types import ModuleType
from typing import Any

import pytest
from lessons import LESSONS, ROOT, Lesson

import qt
from qt import (
    attention,
    checkpoint,
    data,
    feedforward,
    functional,
    generation,
    model,
    nn,
    norms,
    optim,
    parallel,
    positions,
    tensor,
    tokenizers,
    training,
)  # fmt: skip
from qt.distributed import cost_model, process_group, trainer

# Used before they are taught, each with a link forward: name -> (where, who teaches it).
BORROWED = {
    "qt.data.load": ("01_tokenization", "09_training"),
    "qt.optim.AdamW": ("07_gpt", "08_optimizers"),
}
FREE = ("qt.viz", "qt.exercises")  # never taught, used everywhere

ROOMS: list[ModuleType] = [
    tensor, functional, nn, tokenizers, positions, attention, norms, feedforward, model, optim,
    data, training, checkpoint, generation, parallel, cost_model, process_group, trainer,
]  # fmt: skip
# Public for other rooms of the library, and of no use in a lesson.
MACHINERY = {
    "qt.tensor.operation", "qt.functional.default_generator", "qt.functional.regroup",
    "qt.functional.rotate", "qt.scaled_dot_product.packed_attention",
    "qt.scaled_dot_product.attend", "qt.scaled_dot_product.unpack",
    "qt.scaled_dot_product.side_by_side", "qt.positions.rope_turns", "qt.positions.turn",
    "qt.model.make_norm", "qt.optim.first_bad_gradient", "qt.optim.scheduled",
    "qt.generation.check_dials", "qt.checkpoint.prune", "qt.training.TrainingError",
    "qt.data.DataError", "qt.checkpoint.CheckpointError", "qt.parallel.use_one_blas_thread",
    "qt.parallel.keep_freed_memory", "qt.parallel.side_by_side",
    "qt.distributed.process_group.is_initialized", "qt.distributed.process_group.set_exit_code",
    "qt.distributed.process_group.processes_started", "qt.distributed.process_group.started_rank",
}  # fmt: skip

ALL = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def teachers() -> dict[str, list[int]]:
    """Public name -> the lessons whose table lists it."""
    found: dict[str, list[int]] = {}
    for lesson in LESSONS:
        for name in lesson.taught:
            found.setdefault(name, []).append(lesson.number)
    return found


def public_names() -> set[str]:
    """What `qt` offers: its classes and functions, by where they are defined."""
    values: list[Any] = [getattr(qt, name) for name in qt.__all__]
    for room in ROOMS:
        values += [value for name, value in vars(room).items() if not name.startswith("_")]
    names = {
        f"{value.__module__}.{value.__name__}"
        for value in values
        if (
            (inspect.isclass(value) or inspect.isfunction(value))
            and value.__module__ in {room.__name__ for room in ROOMS} | {"qt.scaled_dot_product"}
        )
        or (
            getattr(value, "__module__", "").startswith(("qt.tokenizers.", "qt.stories"))
            and value.__name__
            in (*tokenizers.__all__, *qt.__all__, "stories_entropy", "stories_nats")
        )
    }
    return names - MACHINERY


def test_what_is_borrowed_is_little() -> None:
    assert len(BORROWED) <= 3
    for name, (where, teacher) in BORROWED.items():
        lesson = next((lesson for lesson in LESSONS if lesson.name == where), None)
        assert lesson
        assert name in lesson.names, f"{where} no longer borrows {name}"
        assert f"]({teacher}.ipynb)" in lesson.text, f"{where} has no link forward for {name}"


@ALL
def test_it_uses_nothing_that_a_later_one_teaches(lesson: Lesson) -> None:
    first = {name: min(numbers) for name, numbers in teachers().items()}
    for name in sorted(lesson.names):
        if name.startswith(FREE) or BORROWED.get(name, ("",))[0] == lesson.name:
            continue
        assert name in first, f"{lesson.name} uses {name}, which no lesson teaches"
        assert first[name] <= lesson.number, f"{name} is taught in lesson {first[name]}"


@ALL
def test_what_its_table_lists_is_used_in_it_and_linked(lesson: Lesson) -> None:
    for name, link in lesson.taught.items():
        if name.startswith(FREE):
            continue
        assert name in lesson.names, f"{name} stands in the table, but no cell uses it"
        module = name.rsplit(".", 1)[0].replace(".", "/") + ".py"
        assert link == module, f"{name} is defined in {module}, and linked to {link}"
        defined = {
            node.name
            for node in ast.parse((ROOT / link).read_text(encoding="utf-8")).body
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        }
        assert name.rsplit(".", 1)[1] in defined or name.rsplit(".", 1)[1].isupper()


def test_every_public_name_is_taught() -> None:
    assert sorted(public_names() - teachers().keys()) == []
