"""Which commands are denied, and about which a person is asked, before a `RUN` starts.

This is a guard against accidents; the sandbox is the boundary. The rules are section 10.3 of the
language reference.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import NamedTuple

from tisslang.shell_commands import Command, Scan, after_options, basename


class Verdict(NamedTuple):
    """What to do (`allow`, `ask` a person or `deny`), the name that decided, and why."""

    action: str
    command: str  # empty for `allow`, as is the reason
    reason: str


_ALLOW = Verdict("allow", "", "")
_SEVERITY = {"allow": 0, "ask": 1, "deny": 2}

_GIT = "-[Cc]|--git-dir|--work-tree|--namespace|--config-env|--attr-source"
_HOME = re.compile(r"~|\$\{?HOME\b")
_DEVICE = re.compile(r"of=/+dev/")
_HALT = ("shutdown", "reboot", "halt", "poweroff")
_USER = ("sudo", "su", "doas")
_NETWORK = ("curl", "wget", "nc", "ssh", "scp", "rsync", "ftp", "telnet")


def judge(
    command: str, *, cwd: str = "", allowed: Iterable[str] = (), denied: Iterable[str] = ()
) -> Verdict:
    """The worst verdict on the simple commands of `command`, the final text for `/bin/sh -c`.

    `cwd` is the working directory, relative to the project root. Names in `allowed` are taken off
    the lists, those in `denied` are denied whatever they do; `denied` wins. Of equals the first is
    reported; a command in a `$( )` comes before the one around it, as it does in a shell.
    """
    allowed, denied = frozenset(allowed), frozenset(denied)
    worst = _ALLOW
    for simple in Scan(command).commands:
        verdict = _judge_simple(simple, cwd, allowed, denied)
        if _SEVERITY[verdict.action] > _SEVERITY[worst.action]:
            worst = verdict
    return worst


def _judge_simple(
    simple: Command, cwd: str, allowed: frozenset[str], denied: frozenset[str]
) -> Verdict:
    name = basename(simple.words[0]) if simple.words else ""
    for each in (*simple.wrappers, name):
        if each and each in denied:
            return Verdict("deny", each, f"{each} is denied by --deny-command")
    if name and name not in allowed:
        if reason := _why_deny(name, simple, cwd):
            return Verdict("deny", name, reason)
        if reason := _why_ask(name, simple):
            return Verdict("ask", name, reason)
    return _ALLOW


def _why_deny(name: str, simple: Command, cwd: str) -> str:
    if simple.bomb:
        return "a function that pipes into itself (a fork bomb)"
    if name == "rm":
        for path in _recursive_operands(simple.words, "rR"):
            if where := _why_keep(path, cwd):
                return f"rm with a recursive flag on {where}"
    if name in ("chmod", "chown"):
        for path in _recursive_operands(simple.words, "R"):
            if path.startswith("/") and not posixpath.normpath(path).strip("/"):
                return f"{name} with a recursive flag on /"
    if name.startswith("mkfs"):
        return f"{name} erases a file system"
    if name == "dd" and any(map(_DEVICE.match, simple.words)):
        return "dd with a device as its output"
    return f"{name} stops the machine" if name in _HALT else ""


def _why_ask(name: str, simple: Command) -> str:
    if name in _USER:
        return f"{name} runs a command as another user"
    if name in _NETWORK:
        return f"{name} talks to other machines"
    if name == "git" and simple.words[after_options(simple.words, 1, _GIT) :][:1] == ["push"]:
        return "git push sends commits to another repository"
    if simple.piped and (name in ("sh", "bash", "zsh") or name.startswith("python")):
        return f"{name} runs what is piped into it"
    return ""


def _recursive_operands(words: list[str], letters: str) -> list[str]:
    """The operands of a command that descends into directories; of another none."""
    end = words.index("--") if "--" in words else len(words)
    options = [word for word in words[1:end] if word.startswith("-")]
    operands = [word for word in words[1:end] if not word.startswith("-")] + words[end + 1 :]
    recursive = re.compile(rf"-[^-]*[{letters}].*|--r(e(c\w*)?)?")  # it may be shortened
    return operands if any(map(recursive.fullmatch, options)) else []


def _why_keep(path: str, cwd: str) -> str:
    """What `path` is, where it must not be removed with all that it holds."""
    place = posixpath.normpath(posixpath.join(cwd, path))
    if _HOME.match(path):
        return "a path in a home directory"
    if path.rstrip("/") in (".", ".."):
        return "the working directory or the one above it"
    if path.startswith("/") or place == ".." or place.startswith("../"):
        return "a path that leaves the project root"
    return "the project root" if path and place == "." else ""
