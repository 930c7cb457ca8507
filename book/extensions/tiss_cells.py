"""Colours for TissLang: cells that begin with `%%tiss`, files that a cell writes, examples."""

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from pygments.lexer import Lexer
from pygments.token import Name, Whitespace
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from tisslang.highlighting import TissLexer

MAGIC = re.compile(r"%%tiss\b|%%writefile .*\.tiss$", re.MULTILINE)


class TissCellLexer(Lexer):
    """A line for IPython, then a plan."""

    name = "TissLang in a cell"

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """The magic, and what TissLang's own lexer says of the rest."""
        magic, _, plan = text.partition("\n")
        yield 0, Name.Builtin, magic
        yield len(magic), Whitespace, "\n"
        for start, kind, value in TissLexer().get_tokens_unprocessed(plan):
            yield len(magic) + 1 + start, kind, value


class TissCells(SphinxTransform):
    """Choose the lexer. Examples of mistakes are marked where they are wrong, without a warning."""

    default_priority = 500

    def apply(self, **_: object) -> None:
        """Look at each block of code."""
        for block in self.document.findall(nodes.literal_block):
            if MAGIC.match(block.astext()):
                block["language"] = "tiss-cell"
            if block.get("language") in ("tiss", "tiss-cell"):
                block["force"] = True


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of both."""
    app.add_lexer("tiss-cell", TissCellLexer)
    app.add_transform(TissCells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
