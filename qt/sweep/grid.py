"""Which runs a sweep has: all combinations of a grid's values, of named variants, of seeds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from qt.sweep.parameters import ParameterError, as_file_name, check_names, in_words, typed

Values = dict[str, Any]
SEED = "seed"


@dataclass(frozen=True)
class Run:
    """One run. `point` is its place in the grid; `settings` are all that differ from the notebook.

    Runs that differ in their seed alone are one row of the table.
    """

    variant: str
    point: Values
    settings: Values

    @property
    def name(self) -> str:
        """The name of its folder: other settings, another name."""
        return as_file_name(self.settings, self.words)

    @property
    def row(self) -> tuple[str, str]:
        """What the runs of one row have in common."""
        common = {name: value for name, value in self.settings.items() if name != SEED}
        return self.variant, json.dumps(common, sort_keys=True)

    @property
    def words(self) -> str:
        """The run in words: variant, place in the grid, seed."""
        seed = {SEED: self.settings[SEED]} if SEED in self.settings else {}
        place = in_words(self.point | seed)
        parts = [part for part in (self.variant, place) if part]
        return " ".join(parts) or in_words(self.settings) or "defaults"


def make_runs(
    defaults: Mapping[str, Any], grids: Sequence[str] = (), variants: Sequence[str] = (),
    common: Sequence[str] = (), seeds: int | None = None,
) -> list[Run]:  # fmt: skip
    """The runs that flags ask for, `defaults` being the parameters of the notebook.

    `grids` are texts such as "lr=1e-3,3e-4", `variants` such as "classic:norm=layernorm,bias=True",
    `common` such as "steps=500", which a variant may override. With `seeds` each is run so often,
    with the seeds that follow on the notebook's or on that of `common`. `ParameterError` for what
    cannot be read, a name that the notebook does not have, or one that is given twice.
    """
    fixed = _assignments(common, defaults, "--set")
    axes: dict[str, list[Any]] = {}
    for text in grids:
        name, values = _grid(text, defaults)
        if name in axes or name in fixed:
            raise ParameterError(f"{name} is given twice: a --grid holds all of its values")
        axes[name] = values
    named = _variants(variants, defaults)
    for variant, settings in named.items():
        if both := sorted(settings.keys() & axes.keys()):
            raise ParameterError(f"{both[0]} stands in a --grid and in the variant {variant}")
    if seeds is not None:
        if SEED not in defaults:
            raise ParameterError("--seeds needs a parameter called seed: the notebook has none")
        if SEED in axes or any(SEED in settings for settings in named.values()):
            raise ParameterError("seed is given twice: by --seeds, and in a --grid or --variant")
    runs = []
    places = [dict(zip(axes, values)) for values in product(*axes.values())]
    for (variant, settings), point in product(named.items(), places):
        chosen = {**fixed, **settings, **point}
        first = chosen.get(SEED, defaults.get(SEED)) or 0
        for i in range(seeds or 1):
            seed = {SEED: first + i} if seeds is not None else {}
            runs.append(Run(variant, point, {**chosen, **seed}))
    return runs


def _grid(text: str, defaults: Mapping[str, Any]) -> tuple[str, list[Any]]:
    name, equals, values = text.partition("=")
    name, given = name.strip(), [value.strip() for value in values.split(",")]
    if not equals or not name or not all(given):
        raise ParameterError(f"--grid must be like lr=1e-3,3e-4, not {text!r}")
    check_names([name], defaults)
    made = [_value(value, defaults[name]) for value in given]
    for i, value in enumerate(made):
        if value in made[:i]:
            raise ParameterError(f"--grid {name} has {value} twice")
    return name, made


def _variants(texts: Sequence[str], defaults: Mapping[str, Any]) -> dict[str, Values]:
    named: dict[str, Values] = {}
    for text in texts:
        name, colon, rest = text.partition(":")
        name = name.strip()
        if not colon or not name:
            raise ParameterError(f"--variant must be like classic:norm=layernorm, not {text!r}")
        if name in named:
            raise ParameterError(f"there are two variants called {name}")
        parts = [part for part in rest.split(",") if part.strip()]
        named[name] = _assignments(parts, defaults, f"--variant {name}")
    return named or {"": {}}


def _assignments(texts: Sequence[str], defaults: Mapping[str, Any], flag: str) -> Values:
    settings: Values = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise ParameterError(f"{flag} takes name=value, not {text.strip()!r}")
        check_names([name], defaults)
        if name in settings:
            raise ParameterError(f"{flag} gives {name} twice")
        settings[name] = _value(value, defaults[name])
    return settings


def _value(text: str, default: Any) -> Any:
    """A value of the kind that the notebook has: 1 is 1.0 where that is a float."""
    value = typed(text, default)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and isinstance(default, float) else value
