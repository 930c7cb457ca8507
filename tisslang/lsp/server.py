"""The server: which question of an editor goes to which function."""

from __future__ import annotations

import inspect
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from tisslang import __version__
from tisslang.editing import occurrences
from tisslang.editing.layout import layout_edits
from tisslang.lsp import answers, fixes
from tisslang.lsp.checking import Checker
from tisslang.lsp.documents import Document, Documents, root_of
from tisslang.lsp.protocol import Protocol

TRIGGERS = [".", "|", "@", "{", '"', "'", "/", " "]
_REQUEST_FAILED = -32803


class TissServer(LanguageServer):
    """A language server for TissLang."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__(
            "tiss", __version__, protocol_cls=Protocol, converter_factory=get_converter
        )
        self.documents = Documents()
        self.checker = Checker(self.protocol.notify_plain)
        for method, handler, options in _FEATURES:
            self.feature(method, options)(_bound(self, handler))

    def can(self, capability: str) -> bool:
        """Whether the editor can do something; `capability` is its path in what the editor said."""
        found: Any = self.client_capabilities
        for name in capability.split("."):
            found = getattr(found, name, None)
        return bool(found)

    def folders(self) -> list[str]:
        """The addresses of the folders that are open in the editor."""
        found = [folder.uri for folder in self.workspace.folders.values()]
        return found or [uri for uri in (self.workspace.root_uri,) if uri]


# Keeping up with the editor


def opened(server: TissServer, params: types.DidOpenTextDocumentParams) -> None:
    """A file is open now."""
    encoding = types.PositionEncodingKind(server.workspace.position_encoding or "utf-16").value
    document = server.documents.open(params.text_document, encoding)
    server.checker.start(document, pause=0)


def changed(server: TissServer, params: types.DidChangeTextDocumentParams) -> None:
    """The text of a file has changed."""
    document = server.documents.get(params.text_document.uri)
    if document is not None:
        document.change(params)
        server.checker.start(document)


def closed(server: TissServer, params: types.DidCloseTextDocumentParams) -> None:
    """A file is closed."""
    server.documents.close(params.text_document.uri)
    server.checker.clear(params.text_document.uri)


def ended(server: TissServer, params: Any) -> None:
    """The conversation comes to its end."""
    server.checker.stop_all()


# Questions


def completion(
    server: TissServer, document: Document, params: types.CompletionParams
) -> types.CompletionList:
    """What may be written here."""
    snippets = server.can("text_document.completion.completion_item.snippet_support")
    return answers.completions(document, params, root_of(document.uri, server.folders()), snippets)


def hover(server: TissServer, document: Document, params: types.HoverParams) -> types.Hover | None:
    """What this means."""
    return answers.hovering(document, params.position)


def symbols(server: TissServer, document: Document, params: Any) -> list[Any]:
    """The outline."""
    if server.can("text_document.document_symbol.hierarchical_document_symbol_support"):
        return [*answers.outline(document)]
    return [*answers.flat_outline(document)]


def definition(
    server: TissServer, document: Document, params: types.DefinitionParams
) -> list[types.Location]:
    """Where this gets its value."""
    offset = document.offset(params.position)
    found = occurrences.definitions(document.script, offset)
    return [types.Location(document.uri, document.range(x.start, x.end)) for x in found]


def references(
    server: TissServer, document: Document, params: types.ReferenceParams
) -> list[types.Location]:
    """Where this is used."""
    found = occurrences.references(document.script, document.offset(params.position))
    if not params.context.include_declaration:
        found = [each for each in found if not each.is_definition]
    return [types.Location(document.uri, document.range(x.start, x.end)) for x in found]


def highlight(
    server: TissServer, document: Document, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight]:
    """The same, to be marked."""
    kinds = types.DocumentHighlightKind
    return [
        types.DocumentHighlight(
            document.range(each.start, each.end), kinds.Write if each.is_definition else kinds.Read
        )
        for each in occurrences.references(document.script, document.offset(params.position))
    ]


def prepare_rename(
    server: TissServer, document: Document, params: types.PrepareRenameParams
) -> types.Range | None:
    """What can have another name here."""
    mention = document.script.names.at(document.offset(params.position))
    return None if mention is None else document.range(mention.start, mention.end)


def rename(
    server: TissServer, document: Document, params: types.RenameParams
) -> types.WorkspaceEdit:
    """Another name, everywhere."""
    offset = document.offset(params.position)
    try:
        edits = occurrences.rename(document.script, offset, params.new_name)
    except occurrences.RenameRefused as refused:
        raise JsonRpcException(str(refused), code=_REQUEST_FAILED) from None
    return fixes.workspace_edit(document, edits)


def formatting(server: TissServer, document: Document, params: Any) -> list[types.TextEdit]:
    """The one style."""
    return [document.edit(edit) for edit in layout_edits(document.script)]


def folding(server: TissServer, document: Document, params: Any) -> list[types.FoldingRange]:
    """What can be folded away."""
    return answers.folding(document)


def colours(server: TissServer, document: Document, params: Any) -> types.SemanticTokens:
    """What each piece of the text is."""
    data = answers.colours(document)
    document.sent_colours = str(document.version), data
    return types.SemanticTokens(data, result_id=str(document.version))


def changed_colours(
    server: TissServer, document: Document, params: types.SemanticTokensDeltaParams
) -> types.SemanticTokens | types.SemanticTokensDelta:
    """The same, as what has changed since."""
    known, before = document.sent_colours
    tokens = colours(server, document, params)
    if params.previous_result_id != known:
        return tokens
    return types.SemanticTokensDelta([*answers.change(before, tokens.data)], tokens.result_id)


async def code_action(
    server: TissServer, document: Document, params: types.CodeActionParams
) -> list[types.CodeAction]:
    """What can be done about the problems here."""
    found = await server.checker.problems(document)
    return list(fixes.code_actions(document, params, found))


_FEATURES: list[tuple[str, Any, Any]] = [
    (types.TEXT_DOCUMENT_DID_OPEN, opened, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, changed, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, closed, None),
    (types.SHUTDOWN, ended, None),
    (types.TEXT_DOCUMENT_COMPLETION, completion, types.CompletionOptions(TRIGGERS)),
    (types.TEXT_DOCUMENT_HOVER, hover, None),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, symbols, None),
    (types.TEXT_DOCUMENT_DEFINITION, definition, None),
    (types.TEXT_DOCUMENT_REFERENCES, references, None),
    (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, highlight, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, prepare_rename, None),
    (types.TEXT_DOCUMENT_RENAME, rename, None),
    (types.TEXT_DOCUMENT_FORMATTING, formatting, None),
    (types.TEXT_DOCUMENT_FOLDING_RANGE, folding, None),
    (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, colours, answers.COLOURS),
    (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, changed_colours, answers.COLOURS),
    (types.TEXT_DOCUMENT_CODE_ACTION, code_action, types.CodeActionOptions(fixes.KINDS)),
]


def _bound(server: TissServer, handler: Any) -> Any:
    """The handler of a message: about an open file, where it is a question about one."""
    if handler in (opened, changed, closed, ended):

        def notified(params: Any) -> None:
            handler(server, params)

        return notified

    if inspect.iscoroutinefunction(handler):

        async def answered_later(params: Any) -> Any:
            document = server.documents.get(params.text_document.uri)
            return None if document is None else await handler(server, document, params)

        return answered_later

    def answered(params: Any) -> Any:
        document = server.documents.get(params.text_document.uri)
        return None if document is None else handler(server, document, params)

    return answered
