"""The open files: each one's text, equal to the editor's, and what is known about it so far."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types
from pygls.uris import to_fs_path

from tisslang.editing import Problem, Script
from tisslang.linting import Edit
from tisslang.lsp.lines import Lines


class Document:
    """An open file. `problems` are those of its text, None as long as they are not known."""

    def __init__(self, item: types.TextDocumentItem, encoding: str) -> None:
        self.uri = item.uri
        self.version = item.version
        self.encoding = encoding
        self.lines = Lines(item.text, encoding)
        self.problems: list[Problem] | None = None
        # The colours that the editor got last: their name, and the numbers themselves.
        self.sent_colours: tuple[str, Sequence[int]] = ("", [])

    @property
    def text(self) -> str:
        """The whole text."""
        return self.script.original

    @functools.cached_property
    def script(self) -> Script:
        """The text as a script."""
        return Script(self.lines.text, self.uri)

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether both sides count alike: no CR, and nothing beyond ASCII."""
        return self.text.isascii() and "\r" not in self.text

    def change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Make the changes of one notification, one after the other."""
        for change in params.content_changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                start, end = change.range.start, change.range.end
                self.lines.replace(
                    (start.line, start.character), (end.line, end.character), change.text
                )
            else:
                self.lines = Lines(change.text, self.encoding)
        self.version = params.text_document.version
        self.problems = None
        for name in ("script", "is_plain"):
            self.__dict__.pop(name, None)

    # Places: an editor's position, an offset of the script, an offset of the text as it is

    def offset(self, position: types.Position) -> int:
        """The offset in the script of an editor's position."""
        original = self.lines.offset((position.line, position.character))
        return self.script.offset_of_original(original)

    def range(self, start: int, end: int) -> types.Range:
        """The editor's range of a span of the script."""
        original = self.script.original_offset
        return self._range(original(start), original(end))

    def position(self, line: int, column: int) -> tuple[int, int]:
        """The editor's position of a line and column of the script."""
        if self.is_plain:
            return line - 1, column - 1
        script = self.script
        return self.lines.position(script.original_offset(script.offset(line, column)))

    def edit(self, edit: Edit) -> types.TextEdit:
        """An edit of the text for the editor."""
        return types.TextEdit(self._range(edit.start, edit.end), edit.replacement)

    def problem_span(self, problem: Problem) -> tuple[int, int]:
        """Where in the script a problem stands."""
        offset = self.script.offset
        return (offset(problem.line, problem.column), offset(problem.end_line, problem.end_column))

    def _range(self, start: int, end: int) -> types.Range:
        position = self.lines.position
        return types.Range(types.Position(*position(start)), types.Position(*position(end)))


class Documents:
    """All open files, by their addresses."""

    def __init__(self) -> None:
        self.by_uri: dict[str, Document] = {}

    def open(self, item: types.TextDocumentItem, encoding: str) -> Document:
        """A file is open now."""
        document = self.by_uri[item.uri] = Document(item, encoding)
        return document

    def close(self, uri: str) -> None:
        """A file is closed."""
        self.by_uri.pop(uri, None)

    def get(self, uri: str) -> Document | None:
        """The open file of an address."""
        return self.by_uri.get(uri)


def root_of(uri: str, folders: list[str]) -> Path | None:
    """The root that a plan has in an editor: the innermost folder of the workspace that it is in,
    else its own directory; None for a text that is no file and a workspace without folders.
    """
    path = to_fs_path(uri) if uri.startswith("file:") else None
    roots = [Path(found) for folder in folders if (found := to_fs_path(folder))]
    if path is None:
        return roots[0] if roots else None
    around = [root for root in roots if Path(path).is_relative_to(root)]
    return max(around, key=lambda root: len(root.parts), default=Path(path).parent)
