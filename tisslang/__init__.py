"""TissLang: a small declarative language for plans, and the engine that runs them.

`syntax` makes a tree of a script and says what is certain to fail in it. `engine` runs the tree:
`walk` hands each statement to a function of `control` or to one of the `tools`, or, in a `dry_run`,
only writes down what would happen. `report` tells what came of it. `linting` and `formatting` look
at the script alone. `cli` and `jupyter` are for people.

Names are loaded when first used, so that `import tisslang` and the command line start at once.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.engine import ExecutionEngine, run
    from tisslang.errors import (
        TissAssertionError,
        TissBudgetError,
        TissCommandError,
        TissError,
        TissHumanError,
        TissParseError,
        TissSecurityError,
    )
    from tisslang.formatting import format_source
    from tisslang.jupyter.widget import TissWidget  # noqa: F401
    from tisslang.linting import lint
    from tisslang.state import State
    from tisslang.syntax import check, parse
    from tisslang.tools import ToolRegistry

__version__ = "0.1.0"

__all__ = [
    "ExecutionEngine",
    "State",
    "TissAssertionError",
    "TissBudgetError",
    "TissCommandError",
    "TissError",
    "TissHumanError",
    "TissParseError",
    "TissSecurityError",
    "ToolRegistry",
    "check",
    "format_source",
    "lint",
    "load_ipython_extension",
    "parse",
    "run",
]

_HOMES = {
    "parse": "tisslang.syntax",
    "check": "tisslang.syntax",
    "lint": "tisslang.linting",
    "format_source": "tisslang.formatting",
    "run": "tisslang.engine",
    "ExecutionEngine": "tisslang.engine",
    "State": "tisslang.state",
    "ToolRegistry": "tisslang.tools",
    # Not in `__all__`: `from tisslang import *` must not need anywidget.
    "TissWidget": "tisslang.jupyter.widget",
}


def __getattr__(name: str) -> object:
    if name not in __all__ and name not in _HOMES:
        raise AttributeError(f"module 'tisslang' has no attribute {name!r}")
    from importlib import import_module

    home = import_module(_HOMES.get(name, "tisslang.errors"))
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_HOMES})


def load_ipython_extension(shell: object) -> None:
    """What `%load_ext tisslang` calls: adds the magics `%tiss` and `%%tiss`."""
    from tisslang.jupyter.magic import register

    register(shell)
