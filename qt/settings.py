"""Checks that two dataclasses of settings share: `GPTConfig` and `TrainingConfig`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any


def check_settings(
    settings: Any, choices: Mapping[str, Collection[str]], from_zero: Collection[str] = ()
) -> None:
    """Hold every field to its annotation: `int`, `float`, `bool`, perhaps `| None`, or a choice.

    Whole numbers begin at 1, or at 0 for the names `from_zero`; other numbers at 0. A field may be
    None if that is its default or its annotation says so. `ValueError` that names the field, the
    value, and what is expected.
    """
    for field in fields(settings):
        name, kind, value = field.name, str(field.type).split()[0], getattr(settings, field.name)
        if value is None and (field.default is None or "None" in str(field.type)):
            continue
        if kind in ("int", "float"):
            whole, least = kind == "int", 1 if kind == "int" and name not in from_zero else 0
            number = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
            if not (number and least <= value < math.inf):  # NaN fits nowhere
                wanted = f"a {'whole ' * whole}number of at least {least}"
                raise ValueError(f"{name} must be {wanted}, not {value!r}")
            object.__setattr__(settings, name, int(value) if whole else float(value))
        elif kind == "bool" and not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False, not {value!r}")
        elif name in choices and value not in choices[name]:
            raise ValueError(f"{name} must be {' or '.join(choices[name])}, not {value!r}")


def check_shares(settings: Any, *names: str) -> None:
    """Hold fields to the range from 0 to below 1."""
    for name in names:
        if not getattr(settings, name) < 1:
            raise ValueError(f"{name} must be in [0, 1), not {getattr(settings, name)}")
