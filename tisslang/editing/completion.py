"""What may be written at a place: words of the language, names of the script, paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tisslang.editing import paths
from tisslang.editing.cursor import Cursor
from tisslang.editing.names import Mention, content
from tisslang.editing.places import statements_allowed, words_behind
from tisslang.editing.script import Script
from tisslang.syntax.lexer import DESCRIBED, RESERVED
from tisslang.vocabulary import BY_NAME, Word, words

_PATHS = frozenset({"READ", "WRITE", "MKDIR", "DELETE", "FILE"})
_GO_ON = {"IF": "ELSE", "TRY": "CATCH"}


@dataclass(frozen=True, slots=True)
class Completion:
    """Something to insert in place of the columns from `start_column` up to `end_column`.

    `insert` is plain text; `snippet`, if any, is the same with LSP's placeholders. `kind` is
    keyword, variable, field, task, path, directive, filter, budget, constant, operator or header.
    """

    label: str
    kind: str
    detail: str
    insert: str
    start_column: int
    end_column: int
    snippet: str = ""
    documentation: str = ""


def complete(
    text: str, line: int, column: int, root: str | os.PathLike[str] | None = None
) -> list[Completion]:
    """What may stand at a line and column and begins as the word there, likely things first.

    Paths need a root.

    >>> [(each.label, each.start_column) for each in complete("ASSERT LAST_RUN.ST", 1, 19)]
    [('STDOUT', 17), ('STDERR', 17)]
    """
    script = Script(text)
    offset = script.offset(line, column)
    written = script.text[:offset].rpartition("\n")[2]

    def goes_on(each: Completion) -> bool:
        return each.label.casefold().startswith(written[each.start_column - 1 :].casefold())

    return [each for each in complete_at(script, offset, root) if goes_on(each)]


def complete_at(
    script: Script, offset: int, root: str | os.PathLike[str] | None = None
) -> list[Completion]:
    """The same at an offset of a script, whatever the word there: editors choose by themselves."""
    return list(_Completer(script, offset, root).find())


class _Completer:
    def __init__(
        self, script: Script, offset: int, root: str | os.PathLike[str] | None = None
    ) -> None:
        self.script = script
        self.root = root
        self.cursor = Cursor(script, offset)

    def find(self) -> Iterator[Completion]:
        """Everything that may stand at the cursor."""
        cursor = self.cursor
        if cursor.place == "comment":
            yield from self.in_comment()
        elif cursor.place == "code":
            yield from self.in_code()
        elif cursor.place == "heredoc" or not self.is_plain():
            if cursor.interpolation is not None:
                yield from self.in_interpolation()
            elif cursor.place == "string":
                yield from self.in_string()
        elif cursor.kinds == ("CALL",):
            for name in self.tasks():
                yield self.item(name, "task", "sub-task", name)

    def is_plain(self) -> bool:
        """Whether nothing is interpolated in the string at the cursor."""
        kinds = self.cursor.kinds
        return len(kinds) == 1 and kinds[0] in DESCRIBED

    def item(self, label: str, kind: str, detail: str, insert: str = "", **more: str) -> Completion:
        """A completion in place of the word at the cursor."""
        line_start = self.script.line_starts[self.cursor.line - 1]
        start, end = self.cursor.start - line_start + 1, self.cursor.end - line_start + 1
        return Completion(label, kind, detail, insert or label, start, end, **more)

    def word(self, word: Word, kind: str, label: str = "", with_snippet: bool = True) -> Completion:
        """A completion for a word of the language."""
        label = label or word.name
        documentation = word.summary + (f"\n\n{word.details}" if word.details else "")
        snippet = word.snippet if with_snippet else ""
        return self.item(
            label, kind, word.form, label, snippet=snippet, documentation=documentation
        )

    # Where the cursor is

    def in_comment(self) -> Iterator[Completion]:
        cursor = self.cursor
        cursor.start = cursor.offset - len(cursor.content)
        for word in words("header"):
            if word.name.startswith(cursor.content):
                yield self.word(word, "header")

    def in_code(self) -> Iterator[Completion]:
        cursor = self.cursor
        kinds = cursor.kinds
        if kinds in ((), ("}",)):
            around, closed = cursor.around()
            if closed in _GO_ON:
                yield self.word(BY_NAME[_GO_ON[closed]], "keyword")
            if not kinds:
                allowed = statements_allowed(around)
                for word in (*words("block"), *words("command")):
                    if word.name in allowed:
                        yield self.word(word, "keyword")
                for word in words("directive"):
                    if word.name != "@":
                        yield self.word(word, "directive")
            return
        for what in words_behind(kinds):
            yield from _SOURCES[what](self) if what in _SOURCES else self.one_word(what)

    def one_word(self, name: str) -> Iterator[Completion]:
        word = BY_NAME.get(name)
        if word is None:
            yield self.item(name, "operator", "")
        else:
            kind = word.kind if word.kind == "constant" else "keyword"
            kind = kind if name[0].isalpha() else "operator"
            yield self.word(word, kind, with_snippet=False)

    def in_interpolation(self) -> Iterator[Completion]:
        match = self.cursor.interpolation
        assert match is not None
        if match["filter"] is not None:
            yield from self.filters()
        elif match["field"] is not None:
            yield from self.fields_of(match["root"])
        else:
            yield from self.variables()
            yield from self.pseudo_variables()

    def in_string(self) -> Iterator[Completion]:
        cursor = self.cursor
        kinds = cursor.kinds
        is_cwd = kinds[:1] == ("@",) and [x.text for x in cursor.before] == ["@", "cwd"]
        if self.root is None or not (is_cwd or _PATHS & {*kinds[-1:]}):
            return
        only_directories = is_cwd or kinds[-1] == "MKDIR"
        written = cursor.content
        cursor.start += len(written.rpartition("/")[0]) + ("/" in written)
        for name, is_directory in paths.entries(self.root, written, only_directories):
            if cursor.quote == "'":
                insert = name if "'" not in name else ""
            else:
                insert = name.replace('"', '\\"').replace("{{", "\\{{")
            if insert:
                slash = "/" if is_directory else ""
                detail = "directory" if is_directory else "file"
                yield self.item(name + slash, "path", detail, insert + slash)

    # What the script has

    def variables(self) -> Iterator[Completion]:
        """The names that have a value here, as far as one can see, the parameters first."""
        names, offset = self.script.names, self.cursor.offset
        here = self.cursor.statement_start
        inside = names.around(offset)
        params = inside.params if inside else []
        for name in params:
            yield self.item(name, "variable", f'parameter of "{inside.name if inside else ""}"')
        seen: dict[str, Mention] = {}
        for each in names.mentions:
            is_value = each.kind == "variable" and each.is_definition and each.owner is None
            is_here = here <= each.start <= offset  # in the statement itself
            if is_value and not is_here and (inside or each.start < offset):
                seen.setdefault(each.name, each)
        for name in sorted(seen.keys() - params):
            line = self.script.place(seen[name].start)[0]
            yield self.item(name, "variable", f"variable, line {line}")

    def tasks(self) -> list[str]:
        """The names of all sub-tasks."""
        return sorted({each.name for each in self.script.names.definitions})

    def quoted_tasks(self) -> Iterator[Completion]:
        """Sub-tasks with their quotes, and what they must be given."""
        params = {each.name: each.params for each in self.script.names.definitions}
        for name in self.tasks():
            quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
            given = [f"{param} = ${{{i}:value}}" for i, param in enumerate(params[name], 1)]
            snippet = _no_snippet(quoted) + (f" WITH {', '.join(given)}" if given else "")
            insert = quoted + (" WITH " if given else "")
            yield self.item(name, "task", "sub-task", insert, snippet=snippet)

    def parameters(self) -> Iterator[Completion]:
        """The parameters that the sub-task of this CALL still needs."""
        before = self.cursor.before
        name = content(before[1]) if before[1:] and before[1].kind == "STRING" else ""
        given = {before[i - 1].text for i, token in enumerate(before) if token.kind == "="}
        for definition in self.script.names.definitions:
            if definition.name == name:
                for param in definition.params:
                    if param not in given:
                        yield self.item(param, "variable", "parameter", f"{param} = ")
                return

    # What the language has

    def operands(self) -> Iterator[Completion]:
        yield from self.variables()
        yield from self.pseudo_variables()
        for word in words("constant"):
            yield self.word(word, "constant")

    def pseudo_variables(self) -> Iterator[Completion]:
        in_catch = "CATCH" in self.cursor.around()[0]
        for word in words("value"):
            if word.name in RESERVED and (word.name != "ERROR" or in_catch):
                yield self.word(word, "variable", with_snippet=False)

    def conditions(self) -> Iterator[Completion]:
        yield self.word(BY_NAME["FILE"], "keyword")
        yield from self.operands()

    def fields(self) -> Iterator[Completion]:
        yield from self.fields_of(self.cursor.before[-2].text)

    def fields_of(self, root: str) -> Iterator[Completion]:
        for word in words("field"):
            owner, _, name = word.name.partition(".")
            if owner == root:
                yield self.word(word, "field", label=name)

    def filters(self) -> Iterator[Completion]:
        for word in words("filter"):
            yield self.word(word, "filter")

    def budgets(self) -> Iterator[Completion]:
        for word in words("budget"):
            yield self.word(word, "budget")

    def directives(self) -> Iterator[Completion]:
        for word in words("directive"):
            if name := word.name[1:]:
                yield self._directive(word, name)

    def _directive(self, word: Word, name: str) -> Completion:
        documentation = word.summary + (f"\n\n{word.details}" if word.details else "")
        return self.item(
            name,
            "directive",
            word.form,
            name,
            snippet=word.snippet.removeprefix("@"),
            documentation=documentation,
        )

    def heredocs(self) -> Iterator[Completion]:
        for opener, detail in _OPENERS.items():
            yield self.item(opener, "operator", detail)


_OPENERS = {
    "<<TEXT": "a heredoc, up to a line TEXT; {{name}} is replaced",
    "<<'TEXT'": "a heredoc, taken as it is",
    "<<-TEXT": "a heredoc that may be indented",
}
_SOURCES: dict[str, Callable[[_Completer], Iterable[Completion]]] = {
    "operand": _Completer.operands,
    "condition": _Completer.conditions,
    "variable": _Completer.variables,
    "task": _Completer.quoted_tasks,
    "parameter": _Completer.parameters,
    "field": _Completer.fields,
    "filter": _Completer.filters,
    "budget": _Completer.budgets,
    "directive": _Completer.directives,
    "heredoc": _Completer.heredocs,
}


def _no_snippet(text: str) -> str:
    """A text in which a snippet has no placeholders."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("}", "\\}")
