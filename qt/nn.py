"""Layers with weights.

A module's attributes are parameters, other modules, or lists of them. Their names, joined by dots,
are the keys of `state_dict()`, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Self, TypeAlias

import numpy as np

from qt import functional as F
from qt.tensor import Array, Tensor, no_grad

Rng: TypeAlias = "np.random.Generator | None"  # None: `functional.default_generator()`


class Parameter(Tensor):
    """A tensor that training changes. `name` is its full name in the model that owns it."""

    __slots__ = ("name",)

    def __init__(self, data: Any, name: str = "") -> None:
        super().__init__(data, requires_grad=True)
        self.name = name

    def __repr__(self) -> str:
        return f"Parameter({self.name or 'unnamed'}, shape={self.shape}, dtype={self.dtype})"


class Module:
    """Base class of all layers: subclasses set attributes in `__init__` and define `forward`."""

    training: bool = True
    _hooks: Mapping[object, Callable[..., Any]] = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        output = self.forward(*args, **kwargs)
        for hook in tuple(self._hooks.values()) if self._hooks else ():
            replaced = hook(self, args, output)
            output = output if replaced is None else replaced
        return output

    def register_forward_hook(self, hook: Callable[..., Any]) -> SimpleNamespace:
        """Call `hook(module, args, output)` after each forward pass until the result's `.remove()`.

        What it returns, if not None, replaces the output.
        """
        key, hooks = object(), vars(self).setdefault("_hooks", {})
        hooks[key] = hook
        return SimpleNamespace(remove=lambda: hooks.pop(key, None))

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """The module itself, named "", and all those inside it, each once, with dotted names."""
        yield from _named(self, Module, "", set())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its dotted name, in the order in which they were made."""
        yield from _named(self, Parameter, "", set())

    def modules(self) -> Iterator[Module]:
        return (module for _, module in self.named_modules())

    def parameters(self) -> list[Parameter]:
        return [parameter for _, parameter in self.named_parameters()]

    def num_parameters(self) -> int:
        """How many numbers training can change."""
        return sum(parameter.size for parameter in self.parameters())

    def state_dict(self) -> dict[str, Array]:
        """The arrays of all parameters by name: the arrays themselves, not copies."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Copy arrays into the parameters, in their dtype.

        Changes nothing but raises `ValueError` if names are missing or unknown, or a shape differs.
        """
        own = dict(self.named_parameters())
        missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or unknown:
            lists = f"missing {missing or 'nothing'}, unknown {unknown or 'nothing'}"
            raise ValueError(f"state does not fit this model: {lists}")
        for name, p in own.items():
            if (shape := np.shape(state[name])) != p.shape:
                raise ValueError(f"{name} has shape {shape}, but this model needs {p.shape}")
        for name, parameter in own.items():
            parameter.data[...] = state[name]

    def train(self, mode: bool = True) -> Self:
        """Switch dropout on or off in this module and all those inside it."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        return self.train(False)

    def zero_grad(self) -> None:
        for parameter in self.parameters():
            parameter.grad = None

    def astype(self, dtype: Any) -> Self:
        """Convert all parameters in place, for instance to float64 for a gradient check."""
        for parameter in self.parameters():
            parameter.data, parameter.grad = parameter.data.astype(dtype), None
        return self


def _named(value: Any, kind: type, name: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Everything of a kind in a module, and in (nested) lists and dicts of modules."""
    if id(value) in seen:  # shared: known by its first name
        return
    if isinstance(value, Module | Parameter):
        seen.add(id(value))
    if isinstance(value, kind):
        yield name, value
    children: Any = vars(value) if isinstance(value, Module) else value
    if isinstance(children, list | tuple):
        children = dict(enumerate(children))
    for key, child in () if isinstance(value, Parameter) else children.items():
        if isinstance(child, Module | Parameter | dict | list | tuple):
            yield from _named(child, kind, f"{name}.{key}" if name else f"{key}", seen)


@contextmanager
def inference(module: Module) -> Iterator[None]:
    """Inside a `with` block: no tape and no dropout. Afterwards the module's mode is as before."""
    modules, was_training = list(module.modules()), module.training
    try:
        for inner in modules:
            inner.training = False
        with no_grad():
            yield
    finally:
        for inner in modules:
            inner.training = was_training


def _normal(rng: Rng, *shape: int) -> Parameter:
    """A float32 parameter drawn from N(0, 0.02²), as GPT-2's (Radford et al. 2019)."""
    drawn = (rng or F.default_generator()).standard_normal(shape, dtype=np.float32)
    return Parameter(drawn * np.float32(0.02))


class Linear(Module):
    """(…, in) -> (…, out): x Wᵀ + b; W (out, in) starts from N(0, 0.02²), b from 0."""

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, rng: Rng = None
    ) -> None:
        self.weight = _normal(rng, out_features, in_features)
        self.bias = Parameter(np.zeros(out_features, dtype=np.float32)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class Embedding(Module):
    """(…) integer ids -> (…, embedding_dim): one learned row for each id, from N(0, 0.02²)."""

    def __init__(self, num_embeddings: int, embedding_dim: int, rng: Rng = None) -> None:
        self.weight = _normal(rng, num_embeddings, embedding_dim)

    def forward(self, ids: Any) -> Tensor:
        return F.embedding(ids, self.weight)


class Dropout(Module):
    """Zero a share p of the elements while training; its own generator makes runs repeatable."""

    def __init__(self, p: float = 0.5, seed: int = 0) -> None:
        self.p = p
        self.generator = np.random.default_rng(seed)

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, self.training, self.generator)


class Identity(Module):
    """What goes in comes out: a place for a hook."""

    def forward(self, x: Any) -> Any:
        return x
