"""Which commands are denied, and about which a person is asked, before a `RUN` starts.

This is a guard against accidents; the sandbox is the boundary. The text alone is read: what a
variable, a script or `eval` would run stays unseen. The rules are section 10.3 of the language
reference. `_Scan` gathers the simple commands of a text; the functions before it judge one each.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple


class Verdict(NamedTuple):
    """What to do (`allow`, `ask` a person or `deny`), the name that decided, and why."""

    action: str
    command: str  # empty for `allow`, as is the reason
    reason: str


class _Command(NamedTuple):
    """A simple command, without what is skipped in front of it."""

    wrappers: list[str]  # the basenames of those in front of it: env, timeout, …
    words: list[str]  # after quote removal; none where a wrapper stands alone
    piped: bool  # a pipe leads to it
    bomb: bool  # in the body of a function of its name, and in the same pipe before


_ALLOW = Verdict("allow", "", "")
_SEVERITY = {"allow": 0, "ask": 1, "deny": 2}

# What is skipped in front of a command, with the options that take the next word as their value.
_WRAPPERS = {
    "env": "-[^uC-]*[uC]|--unset|--chdir",
    "nohup": "",
    "time": "-[^fo-]*[fo]|--format|--output",
    "nice": "-n|--adjustment",
    "command": "",
    "exec": "-[^a-]*a",
    "timeout": "-[^ks-]*[ks]|--kill-after|--signal",
    "xargs": "-[^adEIJLnPRsS-]*[adEIJLnPRsS]|--arg-file|--delimiter|--max-(args|chars|procs)",
}
_GIT = "-[Cc]|--git-dir|--work-tree|--namespace|--config-env|--attr-source"
_RESERVED = frozenset(["if", "then", "else", "elif", "do", "while", "until", "!", "{"])
_ASSIGNMENT = re.compile(r"[^/=]+=")
_AMOUNT = re.compile(
    r"[+-]?\.?\d[\d.]*[smhd]?|\$\{?\w+\}?"
)  # a number, or a variable that holds one
_LOOKS_UP = re.compile(r"-p?[vV]")  # `command -v curl` runs nothing

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
    for simple in _Scan(command).commands:
        verdict = _judge_simple(simple, cwd, allowed, denied)
        if _SEVERITY[verdict.action] > _SEVERITY[worst.action]:
            worst = verdict
    return worst


def _judge_simple(
    simple: _Command, cwd: str, allowed: frozenset[str], denied: frozenset[str]
) -> Verdict:
    name = _basename(simple.words[0]) if simple.words else ""
    for each in (*simple.wrappers, name):
        if each and each in denied:
            return Verdict("deny", each, f"{each} is denied by --deny-command")
    if name and name not in allowed:
        if reason := _why_deny(name, simple, cwd):
            return Verdict("deny", name, reason)
        if reason := _why_ask(name, simple):
            return Verdict("ask", name, reason)
    return _ALLOW


def _why_deny(name: str, simple: _Command, cwd: str) -> str:
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


def _why_ask(name: str, simple: _Command) -> str:
    if name in _USER:
        return f"{name} runs a command as another user"
    if name in _NETWORK:
        return f"{name} talks to other machines"
    if name == "git" and simple.words[_after_options(simple.words, 1, _GIT) :][:1] == ["push"]:
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


def _basename(word: str) -> str:
    return word.rpartition("/")[2]


def _after_options(words: list[str], place: int, valued: str) -> int:
    """Where in `words` the options end that begin at `place`; `valued` ones take the next word."""
    while place < len(words) and words[place].startswith("-"):
        place += 2 if re.fullmatch(valued, words[place]) else 1
    return place


# How a text is cut into pieces, by what is open: nothing, `"`, `${`, a `${` inside `"`, or a
# here-document, whose delimiter is plain or quoted.
_ESCAPES = r"(?P<escape> \\ (?: . | \Z ) ) | (?P<backtick> ` (?: [^`\\]++ | \\. )*+ `? )"
_DOLLAR = r"| (?P<substitution> \$\( )"
_OPENED = r'| (?P<double> " ) | (?P<expansion> \$\{ )'
_SINGLE = r"| (?P<single> ' [^']*+ '? | \$' (?: [^'\\]++ | \\. )*+ '? )"
_OPERATORS = r"""
  | (?P<substitution> [$<>] \( )
  | (?P<redirection>  [0-9]*+ (?: &>>? | <<[-<]? | >[>|&]? | <[>&]? ) )
  | (?P<definition>   \( [ \t]*+ \) (?: [ \t]*+ \{ )? )
  | (?P<open>         \( )
  | (?P<close>        \) )
  | (?P<separator>    && | \|[|&]? | ;;?&? | [&\n] )
  | (?P<blank>        [ \t]++ )
  | (?P<hash>         \# )
"""
_PIECES = {
    "": (_ESCAPES + _OPENED + _SINGLE + _OPERATORS, r"\\'\"`$<>()&|;# \t\n"),
    '"': (_ESCAPES + _DOLLAR + _OPENED, r"\\\"`$"),
    "${": (_ESCAPES + _DOLLAR + _OPENED + _SINGLE + r"| (?P<brace> \} )", r"\\'\"`$}"),
    '"${': (_ESCAPES + _DOLLAR + _OPENED + r"| (?P<brace> \} )", r"\\\"`$}"),
    "<<": (_ESCAPES + _DOLLAR + r"| (?P<line> \n )", r"\\`$\n"),
    "<<'": (r"(?P<line> \n )", r"\n"),
}


@cache  # compiled when first needed: together they take some milliseconds
def _pieces(opened: str) -> re.Pattern[str]:
    special, plain = _PIECES[opened]
    return re.compile(rf"{special} | (?P<text> \$?+ [^{plain}]++ | . )", re.VERBOSE | re.DOTALL)


class _Frame:
    """The commands of a text, or of a `$( )` in it, as far as they are read."""

    def __init__(self) -> None:
        self.opened = [""]  # keys of _PIECES, the innermost last
        self.word: list[str] | None = None  # its pieces
        self.quoted = False  # the word has quotes
        self.operator = ""  # a redirection, if the next word is its target
        self.words: list[str] = []
        self.piped = False  # a pipe leads to the next command
        self.pipe: set[str] = set()  # the commands of this pipe so far
        self.function = ""  # the next group is its body
        self.groups: list[tuple[str, str]] = []  # what closes it, and whose body it is
        self.bodies: set[str] = set()  # the functions whose bodies are open
        self.in_pattern = False  # of a `case`, up to its `)`
        self.documents: list[tuple[str, str, str]] = []  # operator, delimiter, key of _PIECES

    def enter(self, closer: str) -> None:
        self.groups.append((closer, self.function))
        self.bodies.add(self.function)
        self.function = ""

    def leave(self, closer: str) -> bool:
        """End the innermost group, if this is what closes it."""
        closes = bool(self.groups) and self.groups[-1][0] == closer
        if closes:
            self.bodies.discard(self.groups.pop()[1])
        return closes


class _Scan:
    """One pass over a text, from left to right; what is open at its end counts as closed there."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0
        self.commands: list[_Command] = []
        self.frames = [_Frame()]
        while self.place < len(source):
            match = _pieces(self.frames[-1].opened[-1]).match(source, self.place)
            assert match is not None
            self.place = match.end()
            self.take(str(match.lastgroup), match[0], self.frames[-1])
        while self.frames:
            self.end_command("")
            self.frames.pop()

    def take(self, kind: str, piece: str, frame: _Frame) -> None:
        """Take the next piece; `kind` is its group in the pattern."""
        opened = frame.opened
        in_double = opened[-1].startswith('"')
        match kind:
            case "escape" if piece == "\\\n":  # the line goes on
                pass
            case "escape":
                self.add(piece if in_double and piece[1:] not in '$`"\\' else piece[1:], True)
            case "single":
                self.add(piece.lstrip("$").strip("'"), True)
            case "double":
                self.add("", True)
                if opened[-1] == '"':
                    opened.pop()
                else:
                    opened.append('"')
            case "expansion":
                self.add(piece)
                opened.append('"${' if in_double else "${")
            case "brace":
                self.add(piece)
                opened.pop()
            case "substitution":
                self.add(piece + ")")
                self.frames.append(_Frame())
            case "backtick":  # a text of its own; depth takes twice the backslashes each time
                self.add("$()")
                escaped = r'\\([$`\\"])' if in_double else r"\\([$`\\])"
                inner = re.sub(escaped, r"\1", piece[1:].removesuffix("`"))
                self.commands += _Scan(inner).commands
            case "redirection":
                self.end_word()
                frame.operator = piece.lstrip("0123456789")
            case "definition":
                self.end_word()
                name = frame.words.pop() if frame.words else ""
                self.end_command("(")
                frame.function = _basename(name)
                if piece.endswith("{"):
                    frame.enter("}")
            case "open":
                self.end_command("(")
                frame.enter(")")
            case "close":
                self.end_command(")")
                while frame.leave("}"):
                    pass
                if frame.groups:
                    frame.leave(")")  # a pattern ends in a `)` that closes nothing
                    frame.in_pattern = False
                elif len(self.frames) > 1:
                    self.frames.pop()
            case "separator":
                self.end_command(piece)
                if piece in (";;", ";&", ";;&"):
                    frame.in_pattern = bool(frame.groups) and frame.groups[-1][0] == "esac"
                if piece == "\n" and frame.documents:
                    opened.append(frame.documents[0][2])
                    self.begin_line(frame)
            case "line":
                self.begin_line(frame)
            case "blank":
                self.end_word()
            case "hash" if frame.word is None:  # a comment
                self.place += len(self.rest_of_line())
            case _:
                self.add(piece)

    def add(self, piece: str, quoted: bool = False) -> None:
        """Add to the word; a here-document has none."""
        frame = self.frames[-1]
        if not frame.opened[-1].startswith("<<"):
            frame.word = frame.word or []
            frame.word.append(piece)
            frame.quoted = frame.quoted or quoted

    def rest_of_line(self) -> str:
        end = self.source.find("\n", self.place)
        return self.source[self.place : end if end >= 0 else len(self.source)]

    def begin_line(self, frame: _Frame) -> None:
        """A line of a here-document begins: is it the delimiter?"""
        operator, delimiter, _ = frame.documents[0]
        line = self.rest_of_line()
        if (line.lstrip("\t") if operator == "<<-" else line) == delimiter:
            self.place += len(line)
            frame.documents.pop(0)
            frame.opened.pop()

    def end_word(self) -> None:
        frame = self.frames[-1]
        if frame.word is not None:
            word = "".join(frame.word)
            if frame.operator in ("<<", "<<-"):
                frame.documents.append((frame.operator, word, "<<'" if frame.quoted else "<<"))
            elif not frame.operator:
                frame.words.append(word)
            frame.word, frame.quoted, frame.operator = None, False, ""

    def end_command(self, separator: str) -> None:
        """A simple command ends; a pipe leads on over newlines and into parentheses."""
        self.end_word()
        frame = self.frames[-1]
        words, frame.words, frame.operator = frame.words, [], ""
        found = (not frame.in_pattern or words[:1] == ["esac"]) and self.gather(words, frame)
        if separator in ("|", "|&"):
            frame.piped = True
        elif found or separator not in ("\n", "("):
            frame.piped = False
            frame.pipe = set()

    def gather(self, words: list[str], frame: _Frame) -> bool:
        """Note a simple command, if there is one behind what is skipped."""
        wrappers: list[str] = []
        place = 0
        while place < len(words):
            word, following = words[place], "".join(words[place + 1 : place + 2])
            name = _basename(word)
            if word == "{":
                frame.enter("}")
            elif word == "function":
                frame.function = following
                place += 1
            elif name in _WRAPPERS and not (name == "command" and _LOOKS_UP.match(following)):
                wrappers.append(name)
                place = _after_options(words, place + 1, _WRAPPERS[name]) - 1
            elif not (
                word in _RESERVED
                or _ASSIGNMENT.match(word)
                or (wrappers and _AMOUNT.fullmatch(word))
            ):
                break
            place += 1
        keyword = _RESERVED.issuperset(words[:place])  # here `case` is one, too
        words = words[place:]
        if not words and not wrappers:
            return False
        name = _basename(words[0]) if words else ""
        bomb = frame.piped and name in frame.pipe and name in frame.bodies
        self.commands.append(_Command(wrappers, words, frame.piped, bomb))
        frame.pipe.add(name)
        frame.in_pattern = keyword and name == "case" and "esac" not in words
        if frame.in_pattern:
            frame.enter("esac")
        for word in words:  # ends of groups may follow each other: `} fi esac`
            if word not in ("}", "esac", "fi", "done"):
                break
            frame.leave(word)
        return True
