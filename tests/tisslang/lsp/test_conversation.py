"""What an editor asks, and what the server's process answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from editor import Editor, editor
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tisslang.lsp.documents import root_of

PLAN = """\
#TISS! Language=Python

TASK "Greet"

STEP "Say it" {
    VAR who = "Ada"
    RUN "echo 'Hi {{who}}'"
    ASSERT LAST_RUN.EXIT_CODE == 0
    CALL "log" WITH text = who
}

DEFINE_TASK "log" WITH text {
    LOG "{{text}}"
}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("folder")
    (folder / "notes.txt").write_text("")
    (folder / "plans").mkdir()
    (folder / "plans" / "beside.txt").write_text("")
    with editor(folder) as one:
        yield one


@pytest.fixture
def uri(here: Editor, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name
    uri = f"file:///plans/{name}.tiss"
    here.open(uri, PLAN)
    yield uri
    here.close(uri)


def spans(ranges: list[types.Range]) -> list[str]:
    return [str(each) for each in ranges]


def document(uri: str) -> types.TextDocumentIdentifier:
    return types.TextDocumentIdentifier(uri)


def completions(here: Editor, uri: str, line: int, column: int, key: str = "") -> list[str]:
    context = None
    if key:
        kind = types.CompletionTriggerKind.TriggerCharacter
        context = types.CompletionContext(kind, key)
    params = types.CompletionParams(**here.at(uri, line, column), context=context)
    found = here.ask(here.client.text_document_completion_async(params))
    return [each.label for each in found.items]


def test_problems_as_one_types(here: Editor, uri: str) -> None:
    assert here.problems(uri) == []
    here.type(uri, 12, 4, "LGO 1\n    ")
    (found,) = here.problems(uri)
    assert (found.code, str(found.range), found.source) == ("T002", "12:4-12:7", "tiss")
    assert found.severity == types.DiagnosticSeverity.Error
    assert found.message == "unknown command LGO\nhint: did you mean LOG?"
    here.type(uri, 12, 4, "LOG", 3)
    assert here.problems(uri) == []
    here.type(uri, 12, 4, 'VAR x = "{{who}}" ', 0)
    here.type(uri, 12, 4, "# ", 0)
    assert here.problems(uri) == []


def test_only_the_latest_of_quick_edits_is_published(here: Editor, uri: str) -> None:
    here.problems(uri)
    first = here.versions[uri] + 1
    here.type_at_once(uri, 3, "x" * 20)
    (found,) = here.problems(uri)
    assert str(found.range) == "3:0-3:20"
    versions = [each.version for each in here.published if each.uri == uri]
    assert versions == sorted(versions)
    assert len([version for version in versions if version >= first]) < 20


def test_a_closed_file_has_no_problems(here: Editor) -> None:
    uri = "file:///closed.tiss"
    here.open(uri, "LGO 1")
    here.problems(uri)
    here.close(uri)
    with here.news:
        assert here.news.wait_for(lambda: here.published[-1].version is None, 30)
    assert (here.published[-1].uri, list(here.published[-1].diagnostics)) == (uri, [])


def test_a_whole_new_text(here: Editor, uri: str) -> None:
    here.change(uri, types.TextDocumentContentChangeWholeDocument("LGO"))
    assert "T002" in [each.code for each in here.problems(uri)]
    here.change(
        uri,
        types.TextDocumentContentChangeWholeDocument("LOG 1\nLOG 2\n"),
        types.TextDocumentContentChangePartial(
            types.Range(types.Position(1, 4), types.Position(1, 5)), "x"
        ),
    )
    assert "T110" in [each.code for each in here.problems(uri)]


def test_quick_fixes(here: Editor, uri: str) -> None:
    here.type(uri, 12, 4, "LGO 1\n    IF true THEN { LOG 2 }\n    ")
    found = here.problems(uri)
    assert [each.code for each in found] == ["T002", "T206", "T214"]

    def actions(line: int, only: list[str] | None = None) -> list[types.CodeAction]:
        span = types.Range(types.Position(line, 0), types.Position(line, 30))
        context = types.CodeActionContext(found, only=only)
        params = types.CodeActionParams(document(uri), span, context)
        return list(here.ask(here.client.text_document_code_action_async(params)) or [])

    first = actions(12)[0]
    assert (first.title, first.kind, first.is_preferred) == ("Change to LOG", "quickfix", True)
    assert [each.code for each in first.diagnostics or []] == ["T002"]
    (edit,) = first.edit.changes[uri]
    assert (str(edit.range), edit.new_text) == ("12:4-12:7", "LOG")
    assert [each.title for each in actions(13)] == [
        *("Remove THEN", "Silence T206 here", "Silence T214 here", "Mend all that is safe to mend")
    ]
    for only in (["source.fixAll"], ["source"], ["source.fixAll.tiss"]):
        (everything,) = actions(0, only)
        (edit,) = everything.edit.changes[uri]
        assert (str(edit.range), edit.new_text) == ("13:11-13:16", "")
    assert actions(13, ["refactor"]) == []
    assert [each.kind for each in actions(0)] == ["source.fixAll.tiss"]


def test_quick_fixes_wait_for_the_problems(here: Editor, uri: str) -> None:
    here.type(uri, 12, 4, "LGO 1\n    ")
    span = types.Range(types.Position(12, 4), types.Position(12, 4))
    params = types.CodeActionParams(document(uri), span, types.CodeActionContext([]))
    found = here.ask(here.client.text_document_code_action_async(params))
    assert [each.title for each in found] == ["Change to LOG"]


def test_formatting(here: Editor, uri: str) -> None:
    params = types.DocumentFormattingParams(document(uri), types.FormattingOptions(8, False))
    assert list(here.ask(here.client.text_document_formatting_async(params))) == []
    here.type(uri, 5, 4, "   ")
    (edit,) = here.ask(here.client.text_document_formatting_async(params))
    assert (edit.range.start.line, edit.new_text) == (5, "")
    here.type(uri, 6, 4, "RUN")
    assert list(here.ask(here.client.text_document_formatting_async(params))) == []


def test_hover(here: Editor, uri: str) -> None:
    params = types.HoverParams(**here.at(uri, 6, 5))
    found = here.ask(here.client.text_document_hover_async(params))
    assert found.contents.value.startswith('```tiss\nRUN "command"')
    assert str(found.range) == "6:4-6:7"
    params = types.HoverParams(**here.at(uri, 6, 20))
    found = here.ask(here.client.text_document_hover_async(params))
    assert "It gets its value on line 6." in found.contents.value
    params = types.HoverParams(**here.at(uri, 1, 0))
    assert here.ask(here.client.text_document_hover_async(params)) is None


def test_completion(here: Editor, uri: str) -> None:
    assert completions(here, uri, 7, 20)[:2] == ["STDOUT", "STDERR"]
    assert completions(here, uri, 6, 20) == ["who", "LAST_RUN", "COST"]
    params = types.CompletionParams(**here.at(uri, 10, 0))
    found = here.ask(here.client.text_document_completion_async(params))
    read = next(each for each in found.items if each.label == "READ")
    assert read.insert_text_format == types.InsertTextFormat.Snippet
    assert (str(read.text_edit.range), read.text_edit.new_text) == (
        *("10:0-10:0", 'READ "${1:path}" AS ${2:name}'),
    )
    assert "file" in read.documentation.value


def test_a_blank_or_brace_asks_only_where_one_may_want_it(here: Editor, uri: str) -> None:
    here.type(uri, 10, 0, 'IF true {\n    LOG  \n    LOG "{{"\n    \n}\n')
    assert completions(here, uri, 10, 9, "{") == []
    assert completions(here, uri, 11, 8, " ")[:1] == ["who"]
    assert completions(here, uri, 12, 11, "{")[:1] == ["who"]
    assert completions(here, uri, 13, 4, " ") == []
    assert "RUN" in completions(here, uri, 13, 4)


def test_paths_below_the_folder_that_is_open(here: Editor, tmp_path: Path) -> None:
    folder = here.folder
    assert folder is not None
    for uri, names in (
        ((folder / "plan.tiss").as_uri(), ["notes.txt", "plans/"]),
        ((folder / "plans" / "plan.tiss").as_uri(), ["notes.txt", "plans/"]),
        ("untitled:plan", ["notes.txt", "plans/"]),
        ((tmp_path / "plan.tiss").as_uri(), ["alone.txt"]),
    ):
        (tmp_path / "alone.txt").write_text("")
        here.open(uri, 'READ "')
        assert completions(here, uri, 0, 6, '"') == names
        here.close(uri)


def test_symbols_folding_and_highlights(here: Editor, uri: str) -> None:
    params = types.DocumentSymbolParams(document(uri))
    (task,) = here.ask(here.client.text_document_document_symbol_async(params))
    assert [each.name for each in task.children] == ["Say it", "log"]
    assert str(task.children[0].range) == "4:0-9:1"
    folding = types.FoldingRangeParams(document(uri))
    found = here.ask(here.client.text_document_folding_range_async(folding))
    assert [(each.start_line, each.end_line) for each in found] == [(4, 8), (11, 12)]
    marks = types.DocumentHighlightParams(**here.at(uri, 5, 9))
    found = here.ask(here.client.text_document_document_highlight_async(marks))
    assert [str(each.range) for each in found] == ["5:8-5:11", "6:20-6:23", "8:27-8:30"]


def test_definition_references_and_rename(here: Editor, uri: str) -> None:
    definition = types.DefinitionParams(**here.at(uri, 6, 21))
    (found,) = here.ask(here.client.text_document_definition_async(definition))
    assert (found.uri, str(found.range)) == (uri, "5:8-5:11")
    definition = types.DefinitionParams(**here.at(uri, 8, 11))
    (found,) = here.ask(here.client.text_document_definition_async(definition))
    assert str(found.range) == "11:13-11:16"
    for with_it, expected in ((True, ["8:20-8:24", "11:23-11:27", "12:11-12:15"]), (False, 2)):
        context = types.ReferenceContext(with_it)
        params = types.ReferenceParams(context=context, **here.at(uri, 12, 12))
        ranges = spans(
            [x.range for x in here.ask(here.client.text_document_references_async(params))]
        )
        assert ranges == expected or len(ranges) == expected
    prepare = types.PrepareRenameParams(**here.at(uri, 6, 21))
    assert str(here.ask(here.client.text_document_prepare_rename_async(prepare))) == "6:20-6:23"
    prepare = types.PrepareRenameParams(**here.at(uri, 6, 4))
    assert here.ask(here.client.text_document_prepare_rename_async(prepare)) is None
    rename = types.RenameParams(new_name="name", **here.at(uri, 6, 21))
    found = here.ask(here.client.text_document_rename_async(rename))
    assert [str(x.range) for x in found.changes[uri]] == ["5:8-5:11", "6:20-6:23", "8:27-8:30"]
    rename = types.RenameParams(new_name="STEP", **here.at(uri, 6, 21))
    with pytest.raises(JsonRpcException, match="STEP is a reserved word: choose another name"):
        here.ask(here.client.text_document_rename_async(rename))


def test_colours_and_what_has_changed_in_them(here: Editor, uri: str) -> None:
    def whole() -> types.SemanticTokens:
        params = types.SemanticTokensParams(document(uri))
        return here.ask(here.client.text_document_semantic_tokens_full_async(params))

    first = whole()
    assert len(first.data) % 5 == 0
    assert list(first.data[:10]) == [0, 0, 22, 1, 0, 2, 0, 4, 0, 0]
    here.type(uri, 5, 8, "a")
    params = types.SemanticTokensDeltaParams(document(uri), first.result_id)
    change = here.ask(here.client.text_document_semantic_tokens_full_delta_async(params))
    data = list(first.data)
    for edit in change.edits:
        data[edit.start : edit.start + edit.delete_count] = edit.data
    again = whole()
    assert data == list(again.data)
    assert data != list(first.data)
    params = types.SemanticTokensDeltaParams(document(uri), "another")
    found = here.ask(here.client.text_document_semantic_tokens_full_delta_async(params))
    assert list(found.data) == data


def test_a_file_that_is_not_open_has_no_answers(here: Editor) -> None:
    params = types.HoverParams(**here.at("file:///nowhere.tiss", 0, 0))
    assert here.ask(here.client.text_document_hover_async(params)) is None
    here.versions["file:///nowhere.tiss"] = 1
    here.type("file:///nowhere.tiss", 0, 0, "x")
    assert here.ask(here.client.text_document_hover_async(params)) is None


def test_folders_with_odd_names_and_the_innermost_of_two(tmp_path: Path) -> None:
    outer, inner = tmp_path / "100%25 é", tmp_path / "100%25 é" / "a b"
    inner.mkdir(parents=True)
    (inner / "here.txt").write_text("")
    assert root_of((inner / "plan.tiss").as_uri(), [outer.as_uri(), inner.as_uri()]) == inner
    assert root_of((outer / "plan.tiss").as_uri(), [inner.as_uri(), outer.as_uri()]) == outer
    assert root_of("untitled:1", []) is None
    with editor(inner) as here:
        uri = (inner / "plan.tiss").as_uri()
        here.open(uri, 'READ "')
        assert completions(here, uri, 0, 6, '"') == ["here.txt"]


def test_very_many_names_are_narrowed_down_by_the_word_that_is_there(
    here: Editor, uri: str
) -> None:
    here.change(
        uri,
        types.TextDocumentContentChangeWholeDocument(
            "".join(f"VAR name_{i} = {i}\n" for i in range(1000)) + "LOG name_99"
        ),
    )
    params = types.CompletionParams(**here.at(uri, 1000, 11))
    found = here.ask(here.client.text_document_completion_async(params))
    assert [x.label for x in found.items] == ["name_99", *(f"name_99{i}" for i in range(10))]
    assert found.is_incomplete
