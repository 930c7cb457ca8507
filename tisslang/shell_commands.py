"""The simple commands of a text for the shell, found in one pass over it.

The text alone is read: what a variable, a script or `eval` would run stays unseen.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

# What is skipped in front of a command, with the options that take the next word as their value.
WRAPPERS = {
    "env": "-[^uC-]*[uC]|--unset|--chdir",
    "nohup": "",
    "time": "-[^fo-]*[fo]|--format|--output",
    "nice": "-n|--adjustment",
    "command": "",
    "exec": "-[^a-]*a",
    "timeout": "-[^ks-]*[ks]|--kill-after|--signal",
    "xargs": "-[^adEIJLnPRsS-]*[adEIJLnPRsS]|--arg-file|--delimiter|--max-(args|chars|procs)",
}
RESERVED = frozenset(["if", "then", "else", "elif", "do", "while", "until", "!", "{"])
_ASSIGNMENT = re.compile(r"[^/=]+=")
# A number, or a variable that holds one.
_AMOUNT = re.compile(r"[+-]?\.?\d[\d.]*[smhd]?|\$\{?\w+\}?")
LOOKS_UP = re.compile(r"-p?[vV]")  # `command -v curl` runs nothing


class Command(NamedTuple):
    """A simple command, without what is skipped in front of it."""

    wrappers: list[str]  # the basenames of those in front of it: env, timeout, …
    words: list[str]  # after quote removal; none where a wrapper stands alone
    piped: bool  # a pipe leads to it
    bomb: bool  # in the body of a function of its name, and in the same pipe before


def basename(word: str) -> str:
    """The last part of a path: the name of a command."""
    return word.rpartition("/")[2]


def after_options(words: list[str], place: int, valued: str) -> int:
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


class Frame:
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
        """Begin a group that `closer` ends."""
        self.groups.append((closer, self.function))
        self.bodies.add(self.function)
        self.function = ""

    def leave(self, closer: str) -> bool:
        """End the innermost group, if this is what closes it."""
        closes = bool(self.groups) and self.groups[-1][0] == closer
        if closes:
            self.bodies.discard(self.groups.pop()[1])
        return closes


class Scan:
    """One pass over a text, from left to right; what is open at its end counts as closed there."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0
        self.commands: list[Command] = []
        self.frames = [Frame()]
        while self.place < len(source):
            match = _pieces(self.frames[-1].opened[-1]).match(source, self.place)
            assert match is not None
            self.place = match.end()
            self.take(str(match.lastgroup), match[0], self.frames[-1])
        while self.frames:
            self.end_command("")
            self.frames.pop()

    def take(self, kind: str, piece: str, frame: Frame) -> None:
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
                self.frames.append(Frame())
            case "backtick":  # a text of its own; depth takes twice the backslashes each time
                self.add("$()")
                escaped = r'\\([$`\\"])' if in_double else r"\\([$`\\])"
                inner = re.sub(escaped, r"\1", piece[1:].removesuffix("`"))
                self.commands += Scan(inner).commands
            case "redirection":
                self.end_word()
                frame.operator = piece.lstrip("0123456789")
            case "definition":
                self.end_word()
                name = frame.words.pop() if frame.words else ""
                self.end_command("(")
                frame.function = basename(name)
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
        """What stands before the next newline."""
        end = self.source.find("\n", self.place)
        return self.source[self.place : end if end >= 0 else len(self.source)]

    def begin_line(self, frame: Frame) -> None:
        """A line of a here-document begins: is it the delimiter?"""
        operator, delimiter, _ = frame.documents[0]
        line = self.rest_of_line()
        if (line.lstrip("\t") if operator == "<<-" else line) == delimiter:
            self.place += len(line)
            frame.documents.pop(0)
            frame.opened.pop()

    def end_word(self) -> None:
        """A word ends: of the command, of a redirection, or the delimiter of a here-document."""
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

    def gather(self, words: list[str], frame: Frame) -> bool:
        """Note a simple command, if there is one behind what is skipped."""
        wrappers: list[str] = []
        place = 0
        while place < len(words):
            word, following = words[place], "".join(words[place + 1 : place + 2])
            name = basename(word)
            if word == "{":
                frame.enter("}")
            elif word == "function":
                frame.function = following
                place += 1
            elif name in WRAPPERS and not (name == "command" and LOOKS_UP.match(following)):
                wrappers.append(name)
                place = after_options(words, place + 1, WRAPPERS[name]) - 1
            elif not (
                word in RESERVED
                or _ASSIGNMENT.match(word)
                or (wrappers and _AMOUNT.fullmatch(word))
            ):
                break
            place += 1
        keyword = RESERVED.issuperset(words[:place])  # here `case` is one, too
        words = words[place:]
        if not words and not wrappers:
            return False
        name = basename(words[0]) if words else ""
        bomb = frame.piped and name in frame.pipe and name in frame.bodies
        self.commands.append(Command(wrappers, words, frame.piped, bomb))
        frame.pipe.add(name)
        frame.in_pattern = keyword and name == "case" and "esac" not in words
        if frame.in_pattern:
            frame.enter("esac")
        for word in words:  # ends of groups may follow each other: `} fi esac`
            if word not in ("}", "esac", "fi", "done"):
                break
            frame.leave(word)
        return True
