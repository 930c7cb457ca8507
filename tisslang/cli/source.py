"""The commands that look at scripts without running them: check, lint, fmt, ast, list."""

from __future__ import annotations

import sys

from tisslang.cli.input import (
    UsageError,
    given_names,
    hidden,
    read_script,
    read_scripts,
    write_script,
)
from tisslang.cli.output import say, say_exactly, say_json, show
from tisslang.exit_codes import EXIT_FOUND, EXIT_PASSED, EXIT_SCRIPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

_SEVERITIES = ("info", "warning", "error")


def check(options: argparse.Namespace) -> int:
    """`tiss check FILE…`: syntax and static errors."""
    from tisslang.syntax import check

    assigned, mask = given_names(options.var, options.secret), hidden(options.secret)
    findings: list[Any] = []
    for _, source, filename in read_scripts(options.files):
        found = check(source, filename, assigned)
        findings += found
        if options.output_format == "text":
            show(found, source, options.color, mask)
            if not found:
                say(f"{_name(filename)}: ok\n", sys.stdout)
    if options.output_format == "json":
        say_json(mask(findings_object(findings, not findings)), sys.stdout)
    return EXIT_SCRIPT if findings else EXIT_PASSED


def lint(options: argparse.Namespace) -> int:
    """`tiss lint FILE…`: all rules."""
    from tisslang.linting import fix, lint

    assigned, mask = given_names(options.var, options.secret), hidden(options.secret)
    choice = [_codes(options.select, "select"), _codes(options.ignore, "ignore")]
    findings: list[Any] = []
    texts: dict[str, str] = {}  # what --fix makes of standard input
    for path, source, filename in read_scripts(options.files):
        try:
            found = lint(source, filename, assigned, *choice)
        except ValueError as error:
            raise UsageError(str(error)) from None
        if options.fix and not any(_is_fatal(finding) for finding in found):
            fixed = fix(source, found)
            if path == "-":
                texts["text"] = fixed
            elif fixed.encode() != source:
                write_script(path, fixed)
            source = fixed.encode()
            found = lint(source, filename, assigned, *choice)
        elif options.fix and path == "-":
            texts["text"] = source.decode("utf-8", "replace")
        findings += found
        if options.output_format == "text":
            show(found, source, options.color, mask)
            if path == "-" and options.fix:
                say_exactly(texts["text"], sys.stdout)
            elif not found:
                say(f"{_name(filename)}: ok\n", sys.stdout)
    least = _SEVERITIES.index(options.fail_on)
    failing = [found for found in findings if _SEVERITIES.index(found.severity) >= least]
    if options.output_format == "json":
        found_object = mask(findings_object(findings, not failing))
        say_json({**found_object, **texts}, sys.stdout)
    if any(_is_fatal(finding) for finding in findings):
        return EXIT_SCRIPT
    return EXIT_FOUND if failing else EXIT_PASSED


def fmt(options: argparse.Namespace) -> int:
    """`tiss fmt FILE…`: lay scripts out in the one style."""
    from tisslang.errors import TissParseError
    from tisslang.formatting import format_source
    from tisslang.syntax.diagnostics import from_error

    findings: list[Any] = []
    changed: list[str] = []
    texts: dict[str, str] = {}  # what standard input becomes
    only_looks = options.check or options.diff
    for path, source, filename in read_scripts(options.files):
        try:
            text = format_source(source, filename)
        except TissParseError as error:
            findings.append(from_error(error))
            if options.output_format == "text":
                show([findings[-1]], source, options.color)
            continue
        is_changed = text.encode() != source
        if is_changed:
            changed.append(filename)
        if path != "-" and is_changed and not only_looks:
            write_script(path, text)
        elif path == "-" and not only_looks:
            texts["text"] = text
        if options.output_format == "text":
            say_exactly(_shown(source, text, filename, options, path == "-"), sys.stdout)
    would_change = bool(only_looks and changed)
    if options.output_format == "json":
        ok = not findings and not would_change
        say_json({**findings_object(findings, ok), "changed": changed, **texts}, sys.stdout)
    if findings:
        return EXIT_SCRIPT
    return EXIT_FOUND if would_change else EXIT_PASSED


def ast(options: argparse.Namespace) -> int:
    """`tiss ast FILE`: the syntax tree as JSON."""
    from tisslang.errors import TissParseError
    from tisslang.syntax import parse
    from tisslang.syntax.diagnostics import from_error

    source, filename = read_script(options.file)
    try:
        tree = parse(source, filename)
    except TissParseError as error:
        return _refused([from_error(error)], source, options)
    say_json(tree, sys.stdout, indent=2)
    return EXIT_PASSED


def list_(options: argparse.Namespace) -> int:
    """`tiss list FILE`: steps, sub-tasks and the variables that a run needs."""
    from tisslang.cli.contents import contents, render
    from tisslang.errors import TissParseError
    from tisslang.syntax.diagnostics import from_error

    source, filename = read_script(options.file)
    try:
        found, findings = contents(source, filename)
    except TissParseError as error:
        return _refused([from_error(error)], source, options)
    if findings:
        return _refused(findings, source, options)
    if options.output_format == "json":
        say_json(found, sys.stdout, indent=2)
    else:
        say(render(found), sys.stdout)
    return EXIT_PASSED


def findings_object(findings: list[Any], ok: bool) -> dict[str, Any]:
    """Diagnostics as a JSON object."""
    return {"ok": ok, "diagnostics": [finding.to_json() for finding in findings]}


def _refused(findings: list[Any], source: bytes, options: argparse.Namespace) -> int:
    """Say what is wrong with the only script of a command."""
    if options.output_format == "json":
        say_json(findings_object(findings, False), sys.stdout)
    else:
        show(findings, source, options.color)
    return EXIT_SCRIPT


def _shown(
    source: bytes, text: str, filename: str, options: argparse.Namespace, from_input: bool
) -> str:
    """What `tiss fmt` prints of a script."""
    if not (options.check or options.diff):
        return text if from_input else ""
    if text.encode() == source:
        return ""
    listed = f"{_name(filename)}\n" if options.check else ""
    return listed + (_diff(source, text, filename) if options.diff else "")


def _codes(given: list[str], option: str) -> list[str]:
    """Codes that were given one by one or with commas between them."""
    codes = [code.strip() for text in given for code in text.split(",")]
    if not all(codes):
        raise UsageError(f"--{option}: a code is missing: write codes such as T2 or T203,T308")
    return codes


def _is_fatal(finding: Any) -> bool:
    """Syntax and static errors."""
    return finding.code.startswith(("T0", "T1"))


def _name(filename: str) -> str:
    """A file's name, without what could steer a terminal."""
    if filename.isprintable():
        return filename
    from tisslang.terminal import one_line

    return one_line(filename)


def _diff(source: bytes, after: str, filename: str) -> str:
    """The change as `diff -u` writes it; in a terminal without what would steer it."""
    import difflib

    from tisslang.terminal import printable

    before = source.decode("utf-8", "replace")
    new = f"{filename} (formatted)"
    lines = difflib.unified_diff(_lines(before), _lines(after), filename, new)
    text = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )
    return printable(text) if sys.stdout.isatty() else text


def _lines(text: str) -> list[str]:
    """The lines with their ends; other than `splitlines` only LF ends one."""
    *whole, last = text.split("\n")
    return [f"{line}\n" for line in whole] + ([last] if last else [])
