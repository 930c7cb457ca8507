"""Where a name gets its value and where it is used, and another name for it everywhere."""

from __future__ import annotations

import re

from tisslang.editing.names import Mention, Names
from tisslang.linting.findings import Edit
from tisslang.syntax.lexer import NAME, RESERVED, Fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.editing.script import Script


class RenameRefused(ValueError):
    """Why a name cannot be changed, or not into this one."""


def definitions(script: Script, offset: int) -> list[Mention]:
    """The places that give the name at an offset its value, or its body."""
    return [each for each in references(script, offset) if each.is_definition]


def references(script: Script, offset: int) -> list[Mention]:
    """All places of the name at an offset."""
    mention = script.names.at(offset)
    return script.names.like(mention) if mention is not None else []


def rename(script: Script, offset: int, new: str) -> list[Edit]:
    """The edits that give the name at an offset another one, everywhere.

    Raises `RenameRefused` where there is no name, where the new one is no name or is taken, and
    where it is not certain what a place means.
    """
    names = script.names
    mention = names.at(offset)
    if mention is None:
        raise RenameRefused("here is no name of a variable or sub-task")
    if new == mention.name:
        return []
    if mention.kind == "task":
        _require_free_task(names, new)
    else:
        _require_free_variable(names, mention, new)
    _require_read(script, mention.name)
    original = script.original_offset
    return [
        Edit(original(start), original(end), text)
        for each in names.like(mention)
        for start, end, text in [_replacement(script, each, new)]
    ]


def _replacement(script: Script, mention: Mention, new: str) -> tuple[int, int, str]:
    if mention.kind == "variable":
        return mention.start, mention.end, new
    if script.text[mention.start - 1] == "'" and "'" not in new:
        return mention.start, mention.end, new
    escaped = new.replace("\\", "\\\\").replace('"', '\\"')
    return mention.start - 1, mention.end + 1, f'"{escaped}"'


def _require_free_task(names: Names, new: str) -> None:
    if not new.strip() or not new.isprintable():
        raise RenameRefused("the name of a sub-task is a text on one line, and not empty")
    if any(each.kind == "task" and each.name == new for each in names.mentions):
        raise RenameRefused(f'there is a sub-task "{new}" already')


def _require_free_variable(names: Names, mention: Mention, new: str) -> None:
    """The new name is one, and nothing else has it where the old one stands."""
    if not re.fullmatch(NAME, new):
        raise RenameRefused(
            f"{new!r} is no name: letters, digits and _, and no digit at the beginning"
        )
    if new in RESERVED:
        raise RenameRefused(f"{new} is a reserved word: choose another name")
    variables = [each for each in names.mentions if each.kind == "variable"]
    ours = names.like(mention)
    if any(each.name == new and each.owner == mention.owner for each in variables):
        raise RenameRefused(f"there is a {new} already")
    if mention.owner is not None:
        _require_no_capture(names, mention, new)
        return
    inside = {each.inside for each in ours}
    for definition in names.definitions:
        if new not in definition.params and mention.name not in definition.params:
            continue
        # What a sub-task calls sees its parameters, as long as it runs.
        for seen in {definition.name, *names.reached(definition.name)} & inside:
            if new in definition.params:
                raise RenameRefused(f'"{definition.name}" has a parameter {new}')
            raise RenameRefused(
                f'in "{seen}" {mention.name} may be this variable, or the parameter'
                f' of "{definition.name}"'
            )


def _require_no_capture(names: Names, param: Mention, new: str) -> None:
    """Nothing that the sub-task's parameters reach has the new name, or may mean this one."""
    assert param.owner is not None
    reached = {param.owner, *names.reached(param.owner)}
    for each in names.mentions:
        if each.kind == "variable" and each.owner is None and each.inside in reached:
            if each.name == new:
                raise RenameRefused(f'in "{each.inside}" there is a variable {new} already')
            if each.name == param.name:
                raise RenameRefused(
                    f'in "{each.inside}" {each.name} may be this parameter, or a variable'
                )


def _require_read(script: Script, name: str) -> None:
    """The name does not stand in what could not be read."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for token in script.tokens:
        if isinstance(token, Fault) and word.search(script.text, token.start, token.resume):
            raise RenameRefused(f"{name} stands in a broken part: mend line {token.line} first")
