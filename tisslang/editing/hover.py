"""What a word means: of the language, of the script, or a code of a diagnostic."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tisslang.editing.names import Mention, interpolations_in, text_span
from tisslang.rules import RULES
from tisslang.terminal import one_line
from tisslang.vocabulary import BY_NAME, Word, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.problems import Problem
    from tisslang.editing.script import Script
    from tisslang.syntax.lexer import Token

MOST_LINES = 8
_CODE = re.compile(r"[TE]\d{3}\b")
_RULES = {rule.code: rule for rule in RULES}


class Hover(NamedTuple):
    """What is shown, as Markdown, for the span from `start` to `end`."""

    text: str
    start: int
    end: int


def hover(script: Script, offset: int, found: Sequence[Problem] = ()) -> Hover | None:
    """What there is to say at an offset; with the meaning of the problems that are there."""
    here = _in_comment(script, offset) or _word(script, offset) or _name(script, offset)
    parts = [here.text] if here else []
    spans = [(here.start, here.end)] if here else []
    for problem in found:
        start = script.offset(problem.line, problem.column)
        end = script.offset(problem.end_line, problem.end_column)
        if start <= offset <= end:
            meaning = about_code(problem.code)
            if meaning not in parts:
                parts.append(meaning)
                spans.append((start, end))
    return Hover("\n\n---\n\n".join(parts), *spans[0]) if parts else None


def about_word(word: Word) -> str:
    """A word of the language, as Markdown."""
    text = f"```tiss\n{word.form}\n```\n\n{word.summary}"
    if word.details:
        text += f"\n\n{word.details}"
    if word.example:
        text += f"\n\n```tiss\n{word.example.rstrip()}\n```"
    return text


def about_code(code: str) -> str:
    """The meaning of a diagnostic's code, as Markdown."""
    rule = _RULES.get(code)
    return f"**{rule.code}**: {rule.title}\n\n{rule.meaning}" if rule else f"**{code}**"


def _in_comment(script: Script, offset: int) -> Hover | None:
    for comment in script.comments:
        end = comment.start + len(comment.text)
        if comment.start <= offset <= end:
            for match in _CODE.finditer(script.text, comment.start, end):
                if match.start() <= offset <= match.end() and match[0] in _RULES:
                    return Hover(about_code(match[0]), *match.span())
            for word in words("header"):
                start = comment.start
                if comment.text.startswith(word.name) and offset <= start + len(word.name):
                    return Hover(about_word(word), start, start + len(word.name))
    return None


def _word(script: Script, offset: int) -> Hover | None:
    """A word of the language, in the code or in an interpolation."""
    heredoc = script.heredoc_at(offset)
    token = heredoc[0] if heredoc else script.token_at(offset)
    if token is None:
        return None
    if token.kind in ("STRING", "HEREDOC"):
        return next(_in_interpolations(script, token, offset), None)
    word = _word_of(script, token)
    end = token.start + len(token.text)
    return Hover(about_word(word), token.start, end) if word else None


def _word_of(script: Script, token: Token) -> Word | None:
    """The word of the language that a token is."""
    index = bisect_left(script.tokens, token.start, key=lambda each: each.start)
    tokens = script.tokens[max(index - 2, 0) : index + 1]
    before = tokens[-2] if tokens[1:] else None
    if token.kind == "@" or before is None:
        following = script.tokens[index + 1].text if token.kind == "@" else ""
        return BY_NAME.get(token.text + following)
    if before.kind == "@":
        return BY_NAME.get("@" + token.text)
    if before.kind == "." and tokens[2:]:
        return BY_NAME.get(f"{tokens[0].text}.{token.text}")
    if before.kind == "|":
        return BY_NAME.get(token.text) if token.text in _names_of("filter") else None
    if before.kind == "SET_BUDGET":
        return next((word for word in words("budget") if word.name == token.text), None)
    return BY_NAME.get(token.text) if token.kind != "NAME" else None


def _names_of(kind: str) -> set[str]:
    return {word.name for word in words(kind)}


def _in_interpolations(script: Script, token: Token, offset: int) -> Iterator[Hover]:
    start, end = text_span(script, token)
    if not start <= offset <= end:
        return
    for _, match in interpolations_in(script, token):
        for group in ("field", "filter", "root"):
            if match[group] is not None and match.start(group) <= offset <= match.end(group):
                name = f"{match['root']}.{match['field']}" if group == "field" else match[group]
                if word := BY_NAME.get(name):
                    yield Hover(about_word(word), *match.span(group))


def _name(script: Script, offset: int) -> Hover | None:
    """A name of the script: where it gets its value, and where it is used."""
    mention = script.names.at(offset)
    if mention is None:
        return None
    text = _about_task(script, mention) if mention.kind == "task" else _about(script, mention)
    return Hover(text, mention.start, mention.end)


def _about(script: Script, mention: Mention) -> str:
    all_of_them = script.names.like(mention)
    gets = _lines(script, [each for each in all_of_them if each.is_definition])
    uses = _lines(script, [each for each in all_of_them if not each.is_definition])
    if mention.owner is not None:
        text = f'`{mention.name}`: a parameter of the sub-task "{_shown(mention.owner)}"'
        return f"{text}\n\nIt is used {uses}." if uses else f"{text}\n\nNothing uses it."
    text = f"`{mention.name}`: a variable"
    text += f"\n\nIt gets its value {gets}." if gets else "\n\nNo statement gives it a value."
    return text + (f" It is used {uses}." if uses else " Nothing uses it.")


def _about_task(script: Script, mention: Mention) -> str:
    names = script.names
    definition = next((each for each in names.definitions if each.name == mention.name), None)
    calls = [each for each in names.like(mention) if not each.is_definition]
    if definition is None:
        return f'"{_shown(mention.name)}": a sub-task that is not defined'
    params = f" WITH {', '.join(definition.params)}" if definition.params else ""
    line = script.place(definition.start)[0]
    name = one_line(mention.name)  # a second line could end the block of code
    form = f'```tiss\nDEFINE_TASK "{name}"{params}\n```\n\n'
    called = f" It is called {_lines(script, calls)}." if calls else " Nothing calls it."
    return f"{form}A sub-task, defined on line {line}.{called}"


def _lines(script: Script, mentions: Sequence[Mention]) -> str:
    """`on line 3`, `on lines 3, 5 and 9`, `on lines 3, 5, 9 and 12 more`; empty without any."""
    numbers = list(dict.fromkeys(script.place(each.start)[0] for each in mentions))
    shown = [str(number) for number in numbers[:MOST_LINES]]
    if len(numbers) > MOST_LINES:
        shown.append(f"{len(numbers) - MOST_LINES} more")
    if not shown:
        return ""
    if len(shown) == 1:
        return f"on line {shown[0]}"
    return f"on lines {', '.join(shown[:-1])} and {shown[-1]}"


def _shown(name: str) -> str:
    """A name of the script that is text for Markdown, whatever stands in it."""
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", one_line(name))
