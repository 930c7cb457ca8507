"""What an editor needs to know about a script while somebody writes it, whichever editor it is.

A broken script is the normal case here: everything works on what is well written, and never raises
for what is not. `problems` says what is wrong and how it can be mended, `complete` what may come
next; the other files are hover, symbols, names and their places, colours and folding. The language
server (`tisslang.lsp`) and the widget of the notebook are built on them.
"""

from __future__ import annotations

from tisslang.editing.completion import Completion, complete
from tisslang.editing.problems import Problem, problems
from tisslang.editing.script import Script

__all__ = ["Completion", "Problem", "Script", "complete", "problems"]
