"""Layers with weights: `Module`, `Parameter`, `Linear`, `Embedding`, `Dropout`.

A module is an object whose attributes are parameters, other modules, or lists of modules. Their
names, joined by dots, are the keys of `state_dict()`, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from qt import functional as F
from qt.tensor import Array, Tensor, no_grad


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

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def _children(self) -> Iterator[tuple[str, Parameter | Module]]:
        for name, value in vars(self).items():
            if isinstance(value, (Parameter, Module)):
                yield name, value
            elif isinstance(value, (list, tuple)):
                for i, item in enumerate(value):
                    if isinstance(item, (Parameter, Module)):
                        yield f"{name}.{i}", item

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Every parameter once, with its dotted name, in the order in which they were made."""
        for name, child in self._children():
            if isinstance(child, Parameter):
                yield prefix + name, child
            else:
                yield from child.named_parameters(f"{prefix}{name}.")

    def parameters(self) -> list[Parameter]:
        return [parameter for _, parameter in self.named_parameters()]

    def modules(self) -> Iterator[Module]:
        """Yield this module and all those inside it."""
        yield self
        for _, child in self._children():
            if isinstance(child, Module):
                yield from child.modules()

    def num_parameters(self) -> int:
        """How many numbers training can change."""
        return sum(parameter.size for parameter in self.parameters())

    def state_dict(self) -> dict[str, Array]:
        """The arrays of all parameters by name: the arrays themselves, not copies."""
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Copy arrays into the parameters, in their dtype.

        Raises `ValueError` that lists missing and unknown names, or the first shape that differs;
        then no parameter has changed.
        """
        own = dict(self.named_parameters())
        missing, unknown = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
        if missing or unknown:
            raise ValueError(
                f"state does not fit this model: missing {missing or 'nothing'}, "
                f"unknown {unknown or 'nothing'}"
            )
        for name, parameter in own.items():
            if np.shape(state[name]) != parameter.shape:
                raise ValueError(
                    f"{name} has shape {np.shape(state[name])} in the state, "
                    f"but {parameter.shape} in this model"
                )
        for name, parameter in own.items():
            parameter.data[...] = state[name]

    def train(self, mode: bool = True) -> Module:
        """Switch dropout on (`mode=True`) or off in this module and all those inside it."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        return self.train(False)

    def zero_grad(self) -> None:
        for parameter in self.parameters():
            parameter.grad = None

    def astype(self, dtype: Any) -> Module:
        """Convert all parameters in place, for instance to float64 for a gradient check."""
        for parameter in self.parameters():
            parameter.data = parameter.data.astype(dtype)
            parameter.grad = None
        return self


@contextmanager
def inference(module: Module) -> Iterator[None]:
    """Inside a `with` block: no tape and no dropout. Afterwards the module's mode is as before."""
    was_training = module.training
    module.eval()
    try:
        with no_grad():
            yield
    finally:
        module.train(was_training)


def normal(rng: np.random.Generator, shape: tuple[int, ...], std: float) -> Parameter:
    """A float32 parameter drawn from N(0, std²)."""
    return Parameter(rng.standard_normal(shape, dtype=np.float32) * np.float32(std))


class Linear(Module):
    """(…, in_features) -> (…, out_features): x Wᵀ + b with W (out_features, in_features).

    W starts from N(0, std²), b from 0.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        std: float = 0.02,
        rng: np.random.Generator | None = None,
    ) -> None:
        rng = rng or F.default_generator
        self.weight = normal(rng, (out_features, in_features), std)
        self.bias = Parameter(np.zeros(out_features, dtype=np.float32)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)


class Embedding(Module):
    """(…) integer ids -> (…, embedding_dim): one learned row for each id."""

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        std: float = 0.02,
        rng: np.random.Generator | None = None,
    ) -> None:
        rng = rng or F.default_generator
        self.weight = normal(rng, (num_embeddings, embedding_dim), std)

    def forward(self, ids: Any) -> Tensor:
        return F.embedding(ids, self.weight)


class Dropout(Module):
    """Zero a share p of the elements while training; its own generator makes runs repeatable."""

    def __init__(self, p: float = 0.5, seed: int = 0) -> None:
        self.p = p
        self.generator = np.random.default_rng(seed)

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, self.training, self.generator)
