"""An editor, as far as `tiss lsp` can tell: pygls' client, over the pipes of a real process.

Its methods wait for the answer, so that a test reads like what somebody does in an editor.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

TISS_LSP = [sys.executable, "-m", "tisslang", "lsp"]
PATIENCE = 60
CAPABILITIES = types.ClientCapabilities(
    text_document=types.TextDocumentClientCapabilities(
        completion=types.CompletionClientCapabilities(
            completion_item=types.ClientCompletionItemOptions(snippet_support=True)
        ),
        rename=types.RenameClientCapabilities(prepare_support=True),
        document_symbol=types.DocumentSymbolClientCapabilities(
            hierarchical_document_symbol_support=True
        ),
    )
)


class Editor:
    """An editor with one server, which runs; `published` is all that it has said unasked."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: LanguageClient) -> None:
        self.loop = loop
        self.client = client
        self.published: list[types.PublishDiagnosticsParams] = []
        self.news = threading.Condition()
        self.versions: dict[str, int] = {}
        self.server_capabilities: types.ServerCapabilities | None = None

    def ask(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """What the server answers."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def tell(self, notify: Callable[[Any], object], params: Any) -> None:
        """Say something to which there is no answer."""
        done = threading.Event()

        def say() -> None:
            notify(params)
            done.set()

        self.loop.call_soon_threadsafe(say)
        assert done.wait(PATIENCE)

    def on_published(self, params: types.PublishDiagnosticsParams) -> None:
        with self.news:
            self.published.append(params)
            self.news.notify_all()

    # What one does

    def initialize(self, folder: Path | None, encodings: list[str] | None) -> None:
        self.folder = folder
        capabilities = CAPABILITIES
        if encodings is not None:
            general = types.GeneralClientCapabilities(position_encodings=encodings)
            capabilities = types.ClientCapabilities(
                text_document=CAPABILITIES.text_document, general=general
            )
        folders = [types.WorkspaceFolder(folder.as_uri(), folder.name)] if folder else None
        params = types.InitializeParams(capabilities=capabilities, workspace_folders=folders)
        found = self.ask(self.client.initialize_async(params))
        self.server_capabilities = found.capabilities
        self.tell(self.client.initialized, types.InitializedParams())

    def open(self, uri: str, text: str, version: int = 1) -> None:
        self.versions[uri] = version
        item = types.TextDocumentItem(uri, "tiss", version, text)
        self.tell(self.client.text_document_did_open, types.DidOpenTextDocumentParams(item))

    def change(self, uri: str, *changes: types.TextDocumentContentChangeEvent) -> int:
        """Send changes as they are; returns the version that the text has now."""
        self.versions[uri] += 1
        identifier = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        params = types.DidChangeTextDocumentParams(identifier, list(changes))
        self.tell(self.client.text_document_did_change, params)
        return self.versions[uri]

    def type_at_once(self, uri: str, line: int, keys: str) -> None:
        """Type keys at the start of a line, so quickly that the server gets them together."""
        place = types.Position(line, 0)
        todo = []
        for key in keys:
            self.versions[uri] += 1
            identifier = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
            change = types.TextDocumentContentChangePartial(types.Range(place, place), key)
            todo.append(types.DidChangeTextDocumentParams(identifier, [change]))
        notify = self.client.text_document_did_change
        self.tell(lambda all_of_them: [*map(notify, all_of_them)], todo)

    def type(self, uri: str, line: int, column: int, text: str, delete: int = 0) -> int:
        """Type a text at a place, over as many columns as are deleted."""
        span = types.Range(types.Position(line, column), types.Position(line, column + delete))
        return self.change(uri, types.TextDocumentContentChangePartial(span, text))

    def close(self, uri: str) -> None:
        identifier = types.TextDocumentIdentifier(uri)
        params = types.DidCloseTextDocumentParams(identifier)
        self.tell(self.client.text_document_did_close, params)

    def problems(self, uri: str, version: int | None = None) -> list[types.Diagnostic]:
        """The problems of a version of a file, by default the latest, as soon as they are there."""
        version = self.versions[uri] if version is None else version

        def latest() -> list[types.PublishDiagnosticsParams]:
            return [each for each in self.published if (each.uri, each.version) == (uri, version)]

        with self.news:
            assert self.news.wait_for(lambda: bool(latest()), PATIENCE)
            return list(latest()[-1].diagnostics)

    def at(self, uri: str, line: int, column: int) -> dict[str, Any]:
        """The parameters of a question about a place."""
        return {
            "text_document": types.TextDocumentIdentifier(uri),
            "position": types.Position(line, column),
        }


@contextmanager
def editor(
    folder: Path | None = None,
    encodings: list[str] | None = None,
    command: list[str] = TISS_LSP,
    cwd: Path | None = None,
) -> Iterator[Editor]:
    """An editor that has started a server, and ends it as the protocol wants it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        client = LanguageClient("editor", "1")
        here = Editor(loop, client)
        heard = client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        heard(lambda params: here.on_published(params))
        here.ask(client.start_io(*command, cwd=cwd))
        process = client._server
        assert process is not None
        try:
            here.initialize(folder, encodings)
            yield here
            here.ask(client.shutdown_async(None))
            here.tell(client.exit, None)
            assert here.ask(process.wait()) == 0
            error = here.ask(process.stderr.read())
            assert error == b"", error.decode()
        finally:
            if process.returncode is None:
                process.kill()
            here.ask(client.stop())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
