"""The page of the widget: its program and its style, as one text each, without what nobody runs."""

import re
from importlib.resources import files

# Notebooks save the program with every widget: comments and indentation are left out of it.
_SAVED_IN_VAIN = re.compile(
    r"^[ \t]*/\*.*?\*/[ \t]*\n|^[ \t]*//[^\n]*\n|^[ \t]*\n|^[ \t]+", re.MULTILINE | re.DOTALL
)

# The picture of the last state is for where no widget lives; it stands in the same output area.
_NO_PICTURE = (
    ".jp-OutputArea:has(.tiss-widget)>.jp-OutputArea-child:has(.tiss-picture){display:none}"
)


def script() -> str:
    """One JavaScript module, made of files that do not import one another."""
    colours, *others = (_text(f"{name}.js") for name in ("colours", "editor", "panels", "widget"))
    # The colours are for others, too; a module of anywidget has one export.
    return "".join([re.sub(r"^export ", "", colours, flags=re.MULTILINE), *others])


def style() -> str:
    """The style sheet."""
    return _text("widget.css") + _NO_PICTURE


def _text(name: str) -> str:
    place = files("tisslang.jupyter") / "static" / name
    return _SAVED_IN_VAIN.sub("", place.read_text(encoding="utf-8"))
