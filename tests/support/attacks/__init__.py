"""The hostile suite: attempts to get out of a RUN, each proven to succeed without a sandbox.

It lies below tests/support, where tests can import it as `attacks` whatever their import mode is.
A module of this folder that has a list `ATTACKS` is part of the suite.
"""

import importlib
import pkgutil
from types import ModuleType

from attacks.attack import Attack


def modules() -> list[ModuleType]:
    """The modules of this folder that hold attacks, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"attacks.{name}") for name in names]
    return [module for module in found if hasattr(module, "ATTACKS")]


def all_attacks() -> list[Attack]:
    """Every attack of every module."""
    return [attack for module in modules() for attack in module.ATTACKS]
