"""What `tisslang.editing` finds, as the protocol's objects: one function for each question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types

from tisslang.editing.colours import KINDS, pieces
from tisslang.editing.completion import Completion, complete_at
from tisslang.editing.folding import folds
from tisslang.editing.hover import hover
from tisslang.editing.symbols import Symbol, symbols
from tisslang.lsp.documents import Document

MOST_ITEMS = 500

_COMPLETION_KINDS = {
    "keyword": types.CompletionItemKind.Keyword,
    "variable": types.CompletionItemKind.Variable,
    "field": types.CompletionItemKind.Field,
    "task": types.CompletionItemKind.Function,
    "path": types.CompletionItemKind.File,
    "directive": types.CompletionItemKind.Property,
    "filter": types.CompletionItemKind.Method,
    "budget": types.CompletionItemKind.EnumMember,
    "constant": types.CompletionItemKind.Constant,
    "operator": types.CompletionItemKind.Operator,
    "header": types.CompletionItemKind.Text,
}
_SYMBOL_KINDS = {
    "TASK": types.SymbolKind.Module,
    "SETUP": types.SymbolKind.Constructor,
    "STEP": types.SymbolKind.Event,
    "DEFINE_TASK": types.SymbolKind.Function,
    "OPTION": types.SymbolKind.EnumMember,
    "CHOOSE": types.SymbolKind.Enum,
    "PARALLEL": types.SymbolKind.Namespace,
    "ESTIMATE_COST": types.SymbolKind.Namespace,
}
COLOURS = types.SemanticTokensLegend(token_types=[*KINDS], token_modifiers=["definition"])
_COLOUR_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}


def completions(
    document: Document, params: types.CompletionParams, root: Path | None, with_snippets: bool
) -> types.CompletionList:
    """What may be written at a position.

    Of very many only those that begin as the word there, and the editor asks again when it grows.
    A blank and a `{` ask by themselves; they are answered only where one is likely to want it, for
    whoever goes on with the line end would choose the first item.
    """
    script, offset = document.script, document.offset(params.position)
    context = params.context
    asked_by = context.trigger_character if context else None
    found = complete_at(script, offset, root)
    line_start = script.line_starts[script.place(offset)[0] - 1]
    if asked_by in (" ", "{"):
        begins = found[:1] and found[0].start_column
        before = script.text[line_start : line_start + begins - 1] if begins else ""
        is_wanted = before.endswith("{{") if asked_by == "{" else before.strip(" \t") != ""
        found = found if is_wanted else []
    is_cut = len(found) > MOST_ITEMS
    if is_cut:
        word = script.text[line_start + found[0].start_column - 1 : offset].casefold()
        found = [each for each in found if each.label.casefold().startswith(word)][:MOST_ITEMS]
    items = []
    for number, each in enumerate(found):
        start, end = line_start + each.start_column - 1, line_start + each.end_column - 1
        span = document.range(start, end)
        items.append(_item(each, number, span, with_snippets))
    return types.CompletionList(is_incomplete=is_cut, items=items)


def _item(
    each: Completion, number: int, span: types.Range, with_snippets: bool
) -> types.CompletionItem:
    is_snippet = bool(with_snippets and each.snippet)
    kind = _COMPLETION_KINDS[each.kind]
    if each.kind == "path" and each.label.endswith("/"):
        kind = types.CompletionItemKind.Folder
    documentation = None
    if each.documentation:
        documentation = types.MarkupContent(types.MarkupKind.Markdown, each.documentation)
    return types.CompletionItem(
        label=each.label,
        kind=kind,
        detail=each.detail or None,
        documentation=documentation,
        sort_text=f"{number:05}",
        filter_text=each.insert if each.insert.startswith(('"', "'")) else None,
        insert_text_format=types.InsertTextFormat.Snippet if is_snippet else None,
        text_edit=types.TextEdit(span, each.snippet if is_snippet else each.insert),
    )


def hovering(document: Document, position: types.Position) -> types.Hover | None:
    """What there is to say at a position."""
    found = hover(document.script, document.offset(position), document.problems or ())
    if found is None:
        return None
    text = types.MarkupContent(types.MarkupKind.Markdown, found.text)
    return types.Hover(text, document.range(found.start, found.end))


def outline(document: Document) -> list[types.DocumentSymbol]:
    """The tree of steps and sub-tasks."""
    return [_symbol(document, each) for each in symbols(document.script)]


def _symbol(document: Document, symbol: Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=symbol.name.strip() or symbol.kind,
        kind=_SYMBOL_KINDS[symbol.kind],
        detail=symbol.kind if symbol.name != symbol.kind else None,
        range=document.range(symbol.start, symbol.end),
        selection_range=document.range(symbol.name_start, symbol.name_end),
        children=[_symbol(document, each) for each in symbol.children],
    )


def flat_outline(document: Document) -> list[types.SymbolInformation]:
    """The same for editors that know no trees."""
    found: list[types.SymbolInformation] = []
    waiting: list[tuple[Symbol, str | None]] = [
        (symbol, None) for symbol in reversed(symbols(document.script))
    ]
    while waiting:
        symbol, container = waiting.pop()
        location = types.Location(document.uri, document.range(symbol.start, symbol.end))
        name = symbol.name.strip() or symbol.kind
        found.append(
            types.SymbolInformation(
                location, name, _SYMBOL_KINDS[symbol.kind], container_name=container
            )
        )
        waiting += [(child, name) for child in reversed(symbol.children)]
    return found


def folding(document: Document) -> list[types.FoldingRange]:
    """What can be folded away."""
    script = document.script
    found = []
    for fold in folds(script):
        start = document.range(script.line_end(fold.line), script.line_end(fold.end_line))
        kind = types.FoldingRangeKind(fold.kind)
        found.append(types.FoldingRange(start.start.line, start.end.line, kind=kind))
    return found


def colours(document: Document) -> list[int]:
    """The pieces as the protocol numbers them: each relative to the one before."""
    original, position = document.script.original_offset, document.lines.position
    data: list[int] = []
    last_line = last_column = 0
    for piece in pieces(document.script):
        line, column = position(original(piece.start))
        _, end = position(original(piece.end))
        data += (
            line - last_line,
            column - last_column if line == last_line else column,
            end - column,
            _COLOUR_NUMBERS[piece.kind],
            int(piece.is_definition),
        )
        last_line, last_column = line, column
    return data


def change(before: Sequence[int], after: Sequence[int]) -> list[types.SemanticTokensEdit]:
    """The one edit that makes the numbers of the earlier text those of the later one."""
    if before == after:
        return []
    shorter = min(len(before), len(after))
    head = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    most = shorter - head
    tail = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    end = len(after) - tail
    return [types.SemanticTokensEdit(head, len(before) - tail - head, after[head:end])]
