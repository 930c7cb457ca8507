"""Paths: T218 (two branches write one file), T301 (outside the root), T307 (sensitive files)."""

from __future__ import annotations

import posixpath
import re

from tisslang.linting.findings import Report
from tisslang.linting.source import ANY_PATH, ANY_TEXT, Source, span
from tisslang.syntax.tree import literal, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tisslang.syntax.text import Text

_DRIVE = re.compile(r"[A-Za-z]:")
_KEYS = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519")
_ENVIRONMENT = re.compile(r"\.env(?:\.(?!(?:example|sample|template|dist)\Z).*)?\Z")


def check(source: Source, report: Report) -> None:
    """All rules of this file."""
    for statement in source.statements:
        found = statement.path()
        if found is None:
            continue
        token, text = found
        if reason := _refused(text):
            hint = "paths are relative to the project root, with /"
            report.add("T301", span(token), f"this path {reason}", hint)
        reads = statement.kind in ("READ", "WRITE", "DELETE")
        if reads and (name := sensitive(literal(text, ANY_TEXT))):
            hint = "keep secrets out of plans; a value can be given with --secret NAME"
            report.add("T307", span(token), f"{name} is a sensitive file", hint)
    check_branches(source, report)


def _refused(text: Text) -> str | None:
    """Why a run would refuse a path, as far as its literal parts tell."""
    path = literal(text, ANY_PATH)
    if not path:
        return "is empty"
    if path.startswith("/"):
        return "is absolute"
    if path.startswith("~"):
        return "begins with ~, a home directory"
    if "\\" in path:
        return "has a backslash"
    if _DRIVE.match(path):
        return "begins with the letter of a drive"
    place = posixpath.normpath(path)
    return "leaves the project root" if place == ".." or place.startswith("../") else None


def sensitive(path: str) -> str | None:
    """What in a path names a file that usually holds secrets."""
    *directories, name = path.casefold().split("/")
    if ".ssh" in (*directories, name):
        return ".ssh"
    if name in _KEYS or _ENVIRONMENT.match(name):
        return name
    return "*.pem" if name.endswith(".pem") else None


def check_branches(source: Source, report: Report) -> None:
    """T218 at the later WRITE."""
    tokens = {id(each.node): each.tokens[1] for each in source.statements if each.kind == "WRITE"}
    for parallel in source.statements:
        if parallel.kind != "PARALLEL":
            continue
        first: dict[str, tuple[int, int]] = {}  # path → branch, line
        for branch, step in enumerate(parallel.node["body"]):
            for node, _ in walk(step):
                if node["type"] != "WRITE" or not isinstance(node["path"], str):
                    continue
                path = posixpath.normpath(node["path"])
                other, line = first.setdefault(path, (branch, node["line"]))
                if other != branch:
                    message = f"another branch of PARALLEL writes {node['path']} too"
                    hint = f"it does so on line {line}: which one comes last is not certain"
                    report.add("T218", span(tokens[id(node)]), message, hint)
