"""The pages of commands, made of the parsers: what `--help` says, a section for each command.

A page writes the directive `command-line` with the name of a function that returns a parser.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def qt() -> argparse.ArgumentParser:
    """The parser of `qt`."""
    from qt.cli import build_parser

    return build_parser()


def tiss() -> argparse.ArgumentParser:
    """The parser of `tiss` with the flags of all commands, which it sets up when they are named."""
    from tisslang.cli import command_parser

    return command_parser([name for name, _ in _commands(command_parser())])


class CommandLine(SphinxDirective):
    """`command-line:: qt` or `command-line:: tiss`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The sections of all commands, those inside of commands too."""
        parser = {"qt": qt, "tiss": tiss}[self.arguments[0]]()
        self.state.document.settings.record_dependencies.add(__file__)
        sections: list[nodes.Node] = [*_prose(parser.description), *_options(parser)]
        for _, command in _all_commands(parser):
            sections.append(self._section(command))
        return [*sections, *_prose(parser.epilog)]

    def _section(self, parser: argparse.ArgumentParser) -> nodes.section:
        name = parser.prog
        section = nodes.section(ids=[nodes.make_id(name)], names=[name])
        self.state.document.note_explicit_target(section)
        usage = parser.format_usage().removeprefix("usage: ").rstrip()
        # argparse lines further ways up below the first, behind "usage: ".
        usage = re.sub(r"^ {7}", "", usage, flags=re.MULTILINE)
        section += [
            nodes.title("", "", nodes.literal(text=name)), *_prose(parser.description),
            _block(usage), *_options(parser), *_prose(parser.epilog),
        ]  # fmt: skip
        return section


def _commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _all_commands(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for name, command in _commands(parser):
        yield name, command
        yield from _all_commands(command)


def _options(parser: argparse.ArgumentParser) -> Iterator[nodes.Node]:
    """A list of definitions for each group, with the group's title where it is not argparse's."""
    formatter = parser._get_formatter()
    for group in parser._action_groups:
        items = nodes.definition_list(classes=["options"])
        for action in _shown(group):
            if isinstance(action, argparse._SubParsersAction):
                continue
            term = nodes.term(
                "", "", nodes.literal(text=formatter._format_action_invocation(action))
            )
            text = formatter._expand_help(action) if action.help else ""
            items += nodes.definition_list_item(
                "", term, nodes.definition("", nodes.paragraph(text=text))
            )
        if len(items):
            if group.title and group.title not in ("options", "positional arguments"):
                yield nodes.rubric(text=group.title)
            yield from _prose(group.description)
            yield items


def _shown(group: argparse._ArgumentGroup) -> list[argparse.Action]:
    return [
        action
        for action in group._group_actions
        if action.help != argparse.SUPPRESS and not isinstance(action, argparse._HelpAction)
    ]


def _prose(text: str | None) -> Iterator[nodes.Node]:
    """Paragraphs; where lines are indented, as in examples, the text as it is."""
    for block in (text or "").strip("\n").split("\n\n"):
        head, _, rest = block.partition("\n")
        if re.search(r"^ ", block, re.MULTILINE):
            if not head.startswith(" "):
                yield _paragraph(head)
                block = rest
            yield _block(_dedented(block))
        elif block.strip():
            yield _paragraph(" ".join(block.split()))


def _paragraph(text: str) -> nodes.paragraph:
    """Text with `code` and flags as code."""
    paragraph = nodes.paragraph()
    for i, part in enumerate(re.split(r"(`[^`]+`|(?<!\S)--[a-z][\w-]*)", text)):
        paragraph += nodes.literal(text=part.strip("`")) if i % 2 else nodes.Text(part)
    return paragraph


def _dedented(block: str) -> str:
    lines = block.splitlines()
    margin = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[margin:] for line in lines)


def _block(text: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language="text")
