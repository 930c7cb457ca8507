"""Writes syntaxes/tiss.tmLanguage.json, the grammar by which VS Code colours plans.

The words come from tisslang.vocabulary. Run it as `python editors/vscode/make/grammar.py` after a
change; a test fails while the file is not what this script makes.
"""

from __future__ import annotations

import json
from pathlib import Path

from heredoc_languages import LANGUAGES, body_scope
from rules import Rule, any_of, captures, match, scope

from tisslang.vocabulary import WORDS, words

FILE = Path(__file__).parents[1] / "syntaxes" / "tiss.tmLanguage.json"

# What a word is to the eye. Themes know the beginnings of these names.
DECLARATIONS = ("TASK", "SETUP", "STEP", "DEFINE_TASK")
DECLARATION, CONTROL = "storage.type.tiss", "keyword.control.tiss"
COMMAND, CLAUSE = "keyword.other.command.tiss", "keyword.other.clause.tiss"
CONTROL_CLAUSES = ("THEN", "ELSE", "CATCH")

END = "(?![A-Za-z0-9_])"  # a word ends here; where it begins follows from reading left to right
NAME = "[A-Za-z_][A-Za-z0-9_]*"


def grammar() -> Rule:
    """The whole grammar, as VS Code reads it."""
    return {
        "information_for_contributors": ["Made by editors/vscode/make/grammar.py: edit that."],
        "name": "TissLang",
        "scopeName": "source.tiss",
        "fileTypes": ["tiss"],
        "patterns": [{"include": "#header-zone"}, {"include": "#code"}],
        "repository": {
            "header-zone": header_zone(),
            "comment": comment(),
            "code": {"patterns": code()},
            "double-quoted": string('"', ["#escape", "#interpolation"]),
            "single-quoted": string("'", []),
            "escape": escape(),
            "interpolation": interpolation(),
            "heredocs": {"patterns": heredocs()},
        },
        # Into whatever language the body is in: a grammar of its own knows nothing of ours.
        "injections": {f"L:{INTERPOLATED}": {"patterns": in_heredoc()}},
    }


# ----------------------------------------------------------------------------- header, comments


def header_zone() -> Rule:
    """The comments before the first statement: only there do headers mean something."""
    version = r"(?:>=|==|<)[ \t]*[0-9]{1,9}\.[0-9]{1,9}(?:\.[0-9]{1,9})?[ \t]*$"
    shebang, header, pragma = (rf"({x})" for x in ("#!", "#TISS!", f"#TISS_VERSION{END}"))
    return {
        "begin": r"\A(?=[ \t]*(?:#|$))",
        "end": r"^(?=[ \t]*[^ \t\n#])",
        "patterns": [
            match(rf"\A{shebang}.*$", "comment.line.shebang.tiss"),
            {
                "begin": header,
                "beginCaptures": captures("keyword.control.directive.tiss"),
                "end": "$",
                "name": "meta.header.tiss",
                "patterns": [
                    match(
                        r"([A-Za-z_][A-Za-z0-9_]*)(=)(\S+)",
                        None,
                        "variable.parameter.tiss",
                        "keyword.operator.assignment.tiss",
                        "string.unquoted.tiss",
                    )
                ],
            },
            match(
                rf"{pragma}[ \t]*({version})",
                "meta.header.tiss",
                "keyword.control.directive.tiss",
                "constant.numeric.version.tiss",
            ),
            match(
                rf"{pragma}(.*)$",
                "meta.header.tiss",
                "keyword.control.directive.tiss",
                "invalid.illegal.tiss",
            ),
            {"include": "#comment"},
        ],
    }


def comment() -> Rule:
    """A comment, in which `tiss: ignore T203` stands out."""
    ignore = r"[ \t]*(tiss:[ \t]*ignore)[ \t]+(T[0-9]{3}(?:[ \t]*,[ \t]*T[0-9]{3})*)(?!\w)"
    return match(
        rf"(#)(?:{ignore})?.*$",
        "comment.line.number-sign.tiss",
        "punctuation.definition.comment.tiss",
        "keyword.other.suppression.tiss",
        "constant.other.rule.tiss",
    )


# ------------------------------------------------------------------------------------ code


def code() -> list[Rule]:
    """What may stand outside strings, comments and heredocs. The first rule that fits wins."""
    blocks = [x for x in names("block") if x not in DECLARATIONS]
    clauses = [x for x in names("clause") if x not in CONTROL_CLAUSES]
    return [
        {"include": "#comment"},
        {"include": "#heredocs"},
        *described(DECLARATION, ("TASK", "SETUP", "STEP"), "entity.name.section.tiss"),
        *described(CONTROL, ("OPTION",), "entity.name.section.tiss"),
        *described(DECLARATION, ("DEFINE_TASK",), "entity.name.function.tiss"),
        *described(COMMAND, ("CALL",), "entity.name.function.tiss"),
        {"include": "#double-quoted"},
        {"include": "#single-quoted"},
        match(
            rf"(SET_BUDGET)[ \t]*({any_of(names('budget'))}){END}",
            None,
            COMMAND,
            "support.constant.budget.tiss",
        ),
        match(any_of(DECLARATIONS) + END, DECLARATION),
        match(any_of((*blocks, *CONTROL_CLAUSES)) + END, CONTROL),
        match(any_of(names("command")) + END, COMMAND),
        match(any_of(clauses) + END, CLAUSE),
        match(any_of(names("condition")) + END, "keyword.operator.wordlike.tiss"),
        match(any_of(names("constant")) + END, "constant.language.boolean.tiss"),
        match(any_of(names("reserved")) + END, "invalid.illegal.reserved.tiss"),
        *fields(),
        match(any_of(names("value")) + END, "variable.language.tiss"),
        *directives(),
        match(
            rf"(\|)[ \t]*({any_of(names('filter'))}){END}",
            None,
            "keyword.operator.filter.tiss",
            "support.function.filter.tiss",
        ),
        match(
            rf"([0-9]+(?:\.[0-9]+)?)(ms|[smh]){END}",
            "constant.numeric.duration.tiss",
            None,
            "keyword.other.unit.tiss",
        ),
        match(r"-?[0-9]+(?:\.[0-9]+)?", "constant.numeric.tiss"),
        match(NAME, "variable.other.readwrite.tiss"),
        match(any_of(marks("condition")), "keyword.operator.comparison.tiss"),
        match(any_of(marks("clause")), "keyword.operator.assignment.tiss"),
        match(r"\|", "keyword.operator.filter.tiss"),
        match(r"\{", "punctuation.section.block.begin.tiss"),
        match(r"\}", "punctuation.section.block.end.tiss"),
        match(r"\.", "punctuation.accessor.tiss"),
        match(",", "punctuation.separator.tiss"),
    ]


def fields() -> list[Rule]:
    """`LAST_RUN.STDOUT`: for each value the fields that it has."""
    found = []
    for value in names("value"):
        own = [x.partition(".")[2] for x in names("field") if x.startswith(f"{value}.")]
        rule = rf"({value})[ \t]*(\.)[ \t]*({any_of(own)}){END}"
        scopes = ("variable.language.tiss", "punctuation.accessor.tiss")
        found.append(match(rule, None, *scopes, "variable.other.property.tiss"))
    return found


def directives() -> list[Rule]:
    """The known ones, and those that are kept for the agent."""
    known = [x[1:] for x in names("directive") if x != "@"]
    at = "punctuation.definition.decorator.tiss"
    return [
        match(rf"(@)[ \t]*({any_of(known)}){END}", None, at, "entity.name.function.decorator.tiss"),
        match(rf"(@)[ \t]*({not_reserved()}{NAME})", None, at, "variable.parameter.tiss"),
        match("@", at),
    ]


# ------------------------------------------------------------------------------------ strings


def string(quote: str, patterns: list[str]) -> Rule:
    """A string, which ends with its line at the latest."""
    name = {'"': "double", "'": "single"}[quote]
    return {
        "begin": quote,
        "beginCaptures": {"0": scope("punctuation.definition.string.begin.tiss")},
        "end": f"({quote})|$",
        "endCaptures": captures("punctuation.definition.string.end.tiss"),
        "name": f"string.quoted.{name}.tiss",
        "patterns": [{"include": pattern} for pattern in patterns],
    }


def described(keyword_scope: str, keywords: tuple[str, ...], content: str) -> list[Rule]:
    """Such a statement and its description or name, in which `{{` is text."""
    found = []
    for quote, kind in (('"', "double"), ("'", "single")):
        around = f"string.quoted.{kind}.tiss"
        edge = f"{around} punctuation.definition.string"
        found.append(
            {
                "begin": rf"({any_of(keywords)})[ \t]*({quote})",
                "beginCaptures": captures(keyword_scope, f"{edge}.begin.tiss"),
                "end": f"({quote})|$",
                "endCaptures": captures(f"{edge}.end.tiss"),
                "contentName": f"{around} {content}",
                "patterns": [{"include": "#escape"}] if quote == '"' else [],
            }
        )
    return found


def escape() -> Rule:
    """What a backslash makes of the character behind it."""
    return match(
        r"(\\[\"\\ntr{])|(\\.)",
        None,
        "constant.character.escape.tiss",
        "invalid.illegal.escape.tiss",
    )


def interpolation() -> Rule:
    """`{{name|filter}}`. What only looks like it is text."""
    name = not_reserved() + NAME
    value = rf"(LAST_RUN|ERROR|COST)(\.)({name})|(COST)|({name})"
    edge = "punctuation.definition.template-expression"
    return match(
        rf"(\{{\{{)[ \t]*(?:{value})[ \t]*(?:(\|)[ \t]*({name})[ \t]*)?(\}}\}})",
        "meta.interpolation.tiss meta.template.expression.tiss",
        f"{edge}.begin.tiss",
        *("variable.language.tiss", "punctuation.accessor.tiss", "variable.other.property.tiss"),
        *("variable.language.tiss", "variable.other.readwrite.tiss"),
        *("keyword.operator.filter.tiss", "support.function.filter.tiss"),
        f"{edge}.end.tiss",
    )


# ------------------------------------------------------------------------------------ heredocs

INTERPOLATED, RAW = "meta.heredoc.interpolated.tiss", "meta.heredoc.raw.tiss"


def in_heredoc() -> list[Rule]:
    r"""Interpolations, and `\{` where it keeps one from beginning."""
    return [
        # Of several backslashes the last one counts, also where the body's language pairs them.
        match(r"\\+(?=\\\{\{)", None),
        match(r"\\\{(?=\{)", "constant.character.escape.tiss"),
        {"include": "#interpolation"},
    ]


def heredocs() -> list[Rule]:
    """RUN's heredoc is a shell script whatever its word is; then by word; then all others."""
    found = []
    for quote in ("", "'"):
        shell = (body_scope("shellscript"), "source.shell")
        found.append(heredoc(quote, NAME, *shell, before="(RUN)[ \t]*"))
        for name, included, own in LANGUAGES:
            found.append(heredoc(quote, f"(?i:{'|'.join(own)}){END}", body_scope(name), included))
        found.append(heredoc(quote, NAME, "string.unquoted.heredoc.tiss", None))
    return found


def heredoc(quote: str, word: str, body: str, included: str | None, before: str = "") -> Rule:
    r"""A heredoc with such a word, from its opener to its terminator.

    The inner rule holds while no line is the terminator: so it ends what the body's language left
    open, as a rule with an `end` could not. The outer one is there to colour the terminator. Both
    find the word by themselves, the outer one by looking ahead.

    `(?:(?!\1)[ \t]*)?` is white space behind `<<-` alone: \1 stands for the dash or for nothing,
    and `(?!)` fits nowhere.
    """
    dash, own_word = (2, 3) if before else (1, 2)
    opener = "punctuation.definition.string.begin.tiss"
    mark, token = "keyword.operator.heredoc.tiss", "keyword.control.heredoc-token.tiss"
    return {
        "begin": rf"{before}(?=<<(-?){quote}({word}){quote})",
        "beginCaptures": captures(COMMAND) if before else {},
        "end": rf"^(?:(?!\{dash})[ \t]*)?(\{own_word})[ \t]*$",
        "endCaptures": captures(token),
        "patterns": [
            {
                "begin": rf"(<<(-?))({quote})({NAME})({quote})[ \t]*(?:(#.*)|([^ \t\n].*))?$",
                "beginCaptures": captures(
                    *(mark, None, opener, token, opener),
                    "comment.line.number-sign.tiss",
                    "invalid.illegal.tiss",
                ),
                "while": r"^(?!(?:(?!\2)[ \t]*)?\4[ \t]*$)",
                "contentName": f"{RAW if quote else INTERPOLATED} {body}",
                "patterns": [{"include": included}] if included else [],
            }
        ],
    }


# ------------------------------------------------------------------------------------ helpers


def names(kind: str) -> list[str]:
    """The words of a kind that are written with letters; those with a mark before them too."""
    return [word.name for word in words(kind) if word.name[-1].isalpha()]


def marks(kind: str) -> list[str]:
    """The words of a kind that are marks, the longest first."""
    found = [word.name for word in words(kind) if not word.name[-1].isalpha()]
    return sorted(found, key=len, reverse=True)


def not_reserved() -> str:
    """What stands before a name: no word of the language may be one."""
    kinds = ("block", "command", "clause", "condition", "constant", "value", "reserved")
    return f"(?!{any_of([w.name for w in WORDS if w.kind in kinds and w.name[0].isalpha()])}{END})"


def text() -> str:
    """The file's text."""
    return json.dumps(grammar(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8", newline="\n")
