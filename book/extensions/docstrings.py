"""Docstrings and signatures as pages show them.

The docstrings of this project are plain text: `code` in single backticks, indented blocks for
diagrams and examples, `>>>` sessions, lists of "- ". Sphinx reads reStructuredText, in which `*`,
`_` and `|` of a formula mean something else. This turns the one into the other.

Signatures keep their annotations as the source writes them: `Array | None` says more than what
this alias stands for in NumPy.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.inspect import stringify_signature
from sphinx.util.typing import stringify_annotation

_CODE = re.compile(r"`([^`]+)`")
_SPECIAL = re.compile(r"([\\*_|`])")  # what begins markup inside a line
_EMPHASIS = re.compile(r"(?<!\S)\\\*(\w+)\\\*(?!\w)")  # *word*, once its signs are escaped
_ORIGINS = ("qt", "tisslang", "builtins")
_DRAWN = re.compile(r"[─│┌┐└┘├┤┬┴┼]")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_transform(Unescaped)
    app.connect("autodoc-process-docstring", _process_docstring)
    app.connect("autodoc-process-signature", _process_signature)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class Unescaped(SphinxTransform):
    """Texts without the signs that escapes leave in them: unseen, but in the way of a search."""

    default_priority = 5

    def apply(self, **_: object) -> None:
        """Run before whatever looks for words in texts."""
        for text in list(self.document.findall(nodes.Text)):
            if "\x00" in text:
                text.parent.replace(text, nodes.Text(text.astext()))


def _skip(
    app: Sphinx, what: str, name: str, value: object, skip: bool, options: object
) -> bool | None:
    """The fields of a NamedTuple stand in its signature."""
    return True if str(value.__doc__).startswith("Alias for field number") else None


def _process_docstring(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    if (
        what in ("data", "attribute")
        and " ".join(lines).split() == str(type(value).__doc__).split()
    ):
        lines.clear()  # says what a dict is; the page says what this one holds
    lines[:] = to_rst(lines)
    if isinstance(value, type) and (bases := list(_public_bases(value))):
        names = ", ".join(f":py:class:`~{base.__module__}.{base.__qualname__}`" for base in bases)
        lines += [f"Base class: {names.replace('~builtins.', '')}.", ""]


def _public_bases(cls: type) -> Iterator[type]:
    """The classes of ours and of Python that a class is made of; a private one by its own."""
    for base in cls.__bases__:
        if base.__name__.startswith("_"):
            yield from _public_bases(base)
        elif base is not object and base.__module__.partition(".")[0] in _ORIGINS:
            yield base


def _process_signature(
    app: Sphinx, what: str, name: str, value: Any, options: object, text: str, returns: str
) -> tuple[str, str] | None:
    if not text:
        return None
    if getattr(value, "_is_protocol", False):
        return "", ""  # nobody makes one
    signature = inspect.signature(getattr(value, "__func__", value))
    parameters = list(signature.parameters.values())
    first = parameters[0].name if parameters else ""
    is_bound = what == "method" and not text.lstrip("(*").startswith(first)
    if first in ("self", "cls") or is_bound:
        signature = signature.replace(parameters=parameters[1:])
    if what in ("class", "exception") or signature.return_annotation is signature.empty:
        returns = ""
    else:
        returns = stringify_annotation(signature.return_annotation, "smart")
    made = stringify_signature(signature, show_return_annotation=False, unqualified_typehints=True)
    return made, returns


def to_rst(lines: list[str]) -> list[str]:
    """The lines of a plain docstring as lines of reStructuredText."""
    made: list[str] = []
    for block in _blocks(lines):
        if block[0].startswith(" ") or any(map(_DRAWN.search, block)):
            language = "python" if _is_python(block) else "text"
            made += [f".. code-block:: {language}", "", *(f"    {line}" for line in block)]
        elif block[0].startswith(">>> "):
            made += block
        elif block[0].startswith("- "):
            for item in _items(block):
                made += [f"- {_inline(item)}", ""]
        else:
            made.append(_inline(" ".join(block)))
        made.append("")
    return made


def _is_python(block: list[str]) -> bool:
    try:
        ast.parse(textwrap.dedent("\n".join(block)))
    except SyntaxError:
        return False
    return True


def _blocks(lines: list[str]) -> list[list[str]]:
    """The runs of lines between blank ones."""
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line.rstrip())
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _items(block: list[str]) -> list[str]:
    items: list[str] = []
    for line in block:
        if line.startswith("- "):
            items.append(line[2:])
        else:
            items[-1] += " " + line.strip()
    return items


def _inline(text: str) -> str:
    """A paragraph on one line: its code as literals, every other sign as what it is."""
    parts = _CODE.split(text)  # text, code, text, code, … text
    made = _plain(parts[0], at_start=True)
    for code, after in zip(parts[1::2], parts[2::2]):
        # A literal ends at a space; the escaped space that is put there is not shown.
        glue = "\\ " if made and not made.endswith(" ") else ""
        made += f"{glue}``{code.strip()}``"
        made += "\\ " * (not after.startswith(" ") and after != "") + _plain(after)
    return made


def _plain(text: str, at_start: bool = False) -> str:
    escaped = _SPECIAL.sub(r"\\\1", text).replace("::", ":\\:")
    escaped = _EMPHASIS.sub(r"*\1*", escaped)
    # At the start of a paragraph "1.", "--flag" or ":name:" would begin a list: not when escaped.
    return f"\\{escaped}" if at_start and escaped and escaped[0] not in "\\*" else escaped
