"""Problems as one types: published when the typing pauses, given up when it goes on.

The analysis of a long plan takes a while, so it is made of pieces. Between them the server reads
what has come in; when that is a newer edit, the rest is not worth doing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from lsprotocol import types

from tisslang.editing.problems import Problem, problems_of
from tisslang.lsp.documents import Document

PAUSE = 0.03  # seconds: keys that come quicker belong together

_SEVERITIES = {"error": 1, "warning": 2, "info": 3}
Send = Callable[[str, dict[str, Any]], None]


class Checker:
    """Looks for the problems of open files, the latest text of each."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.running: dict[str, asyncio.Task[None]] = {}

    def start(self, document: Document, pause: float = PAUSE) -> None:
        """Look for the problems of a new text, and for those of the one before no longer."""
        self.stop(document.uri)
        self.running[document.uri] = asyncio.create_task(self._check(document, pause))

    def stop(self, uri: str) -> None:
        """Look no longer for the problems of a file."""
        task = self.running.pop(uri, None)
        if task is not None:
            task.cancel()

    def stop_all(self) -> None:
        """Look for nothing any more."""
        for uri in [*self.running]:
            self.stop(uri)

    def clear(self, uri: str) -> None:
        """A file has no problems to show any more."""
        self.stop(uri)
        self.send(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, {"uri": uri, "diagnostics": []})

    async def problems(self, document: Document) -> list[Problem]:
        """The problems of a file's text, as soon as they are known."""
        while document.problems is None:
            task = self.running.get(document.uri)
            if task is None or task.done():  # it is closed, or the analysis has failed
                return []
            await asyncio.wait([task])
        return document.problems

    async def _check(self, document: Document, pause: float) -> None:
        await asyncio.sleep(pause)
        found: list[Problem] = []
        for part in problems_of(document.script):
            found = part
            await asyncio.sleep(0)
        document.problems = found
        content = {
            "uri": document.uri,
            "version": document.version,
            "diagnostics": [diagnostic(document, problem) for problem in found],
        }
        self.send(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, content)


def diagnostic(document: Document, problem: Problem) -> dict[str, Any]:
    """A problem as the protocol has it. It is plain JSON, because there may be thousands."""
    line, column = document.position(problem.line, problem.column)
    end_line, end_column = document.position(problem.end_line, problem.end_column)
    message = problem.message + (f"\nhint: {problem.hint}" if problem.hint else "")
    content: dict[str, Any] = {
        "range": {
            "start": {"line": line, "character": column},
            "end": {"line": end_line, "character": end_column},
        },
        "severity": _SEVERITIES[problem.severity],
        "code": problem.code,
        "source": "tiss",
        "message": message,
    }
    if problem.code in ("T203", "T204", "T205", "T214"):
        content["tags"] = [1]  # unnecessary: editors show it faded
    return content
