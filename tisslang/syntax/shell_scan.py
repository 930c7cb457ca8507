"""The shell context of each reference in a command: one pass over its text.

The scan knows less than a shell. Where two shells could read a text differently, or the scan could
be wrong, the reference is refused (T109): a refusal costs a line of the plan, a mistake the
machine. The tests attack these rules with real shells.
"""

from __future__ import annotations

import enum
import re


class Context(enum.Enum):
    """What surrounds a reference in its command."""

    UNQUOTED = "outside quotes"
    SINGLE = "in single quotes"
    DOUBLE = "in double quotes"
    RAW = "inserted as it is"


class Unsupported:
    """Why no quoting is safe for a reference, and what to write instead."""

    def __init__(self, reason: str, hint: str) -> None:
        self.reason = reason
        self.hint = hint

    def __repr__(self) -> str:
        return f"Unsupported({self.reason!r})"


REFERENCE = "\0"  # stands for a reference in the text that is scanned; no script holds a NUL
_BLANKS = " \t\n"
_SEPARATORS = _BLANKS + ";&|()<>"

_ASSIGN = 'give the value to a shell variable first (x={{name}} on a line of its own, then "$x")'
_TWO_DOLLARS = "write \\$ for the character; put the number of the shell into a variable: pid=$$"
_SCRIPT = 'WRITE a script, and give it the value: RUN "sh script.sh {{name}}"'
_FILE = "write the text to a file with WRITE, and read it from there"

_IN_COMMENT = Unsupported("it stands in a comment of the shell", "LOG the value instead")
_IN_EXPANSION = Unsupported("it stands inside ${…}", _ASSIGN)
_AFTER_BACKSLASH = Unsupported(
    "it stands right after a backslash", "remove the backslash: the value is quoted anyway"
)
_AFTER_DOLLAR = Unsupported(
    "it stands right after a $", "for the character $ write \\\\$ in a string, \\$ in a heredoc"
)

# What makes every reference of a command unsafe: first the texts anywhere outside single quotes,
# then those that count outside all quotes.
_UNSAFE_TEXT = {
    "`": Unsupported("the command has a backtick", "use $( ) for a command in a command"),
    "$'": Unsupported("the command has $'…', which not every shell knows", "use '…'"),
    "$[": Unsupported("the command has $[…]", "calculate in a program of its own"),
    "$$(": Unsupported("the command has $$(, which shells read in two ways", _TWO_DOLLARS),
    "$${": Unsupported("the command has $${, which shells read in two ways", _TWO_DOLLARS),
    "((": Unsupported("the command has ((", "calculate in a program; for ( ( leave a blank"),
    "]=": Unsupported("the command sets an element of an array", _SCRIPT),
    "]+=": Unsupported("the command sets an element of an array", _SCRIPT),
    "\\\n": Unsupported(
        "the command continues a line with a backslash", "write the command on one line"
    ),
}
_UNSAFE_TEXTS = re.compile(r"`|\$['\[]|\$\$[({]|\(\(|\]\+?=|\\\n")
_UNSAFE_BARE = {
    "<<": Unsupported("the command has a here-document of the shell", _FILE),
    "[[": Unsupported("the command has [[, which not every shell knows", "use [ … ] or case"),
    "alias": Unsupported(
        "an alias can change how later lines are read", "use a function: f() { …; }"
    ),
}
_UNSAFE_WORDS = re.compile(rf"<<|(?<![^{_SEPARATORS}])(?:\[\[|\\?alias)(?![^{_SEPARATORS}])")
# bash expands the word behind >& a second time: a value in it, or in a variable there, is run.
_DUPLICATION = re.compile(rf"[<>]&[ \t]*+[^{_SEPARATORS}'\"\\$\0]*+['\"\\$\0]")
_COMPUTED_DUPLICATION = Unsupported(
    "the command has >& or <& before something else than a plain number or name",
    'for a file: >"$file" 2>&1',
)
_CASE = re.compile(rf"(?<![^{_SEPARATORS}])case(?![^{_SEPARATORS}])")
_CASE_BESIDE = Unsupported("the command has case beside a $( )", _SCRIPT)
_QUOTES_IN_EXPANSION = Unsupported("a ${…} of the command holds quotes or expansions", _SCRIPT)

# What makes only the references behind it unsafe, because shells differ in where it ends.
_SUBSCRIPT = Unsupported("a [ before it may begin an array subscript", "quote the [ or close it")
_ARRAY = Unsupported(
    "an array is set before it, and bash reads on in the next line after an error in one",
    'sh has no arrays: use set -- and "$@"',
)
_PAREN_COMMENT = Unsupported("a # before it stands right after a )", "put a blank before the #")
_PATTERN_COMMENT = Unsupported(
    "a comment before it stands after ?( *( +( @( or !(", "move the comment"
)

_UNQUOTED = re.compile(
    r"""
    (?P<escape>       \\ (?: . | \Z ) )
  | (?P<single>       ' [^']*+ '? )
  | (?P<double>       " )
  | (?P<substitution> \$ \( )
  | (?P<expansion>    \$ \{ [^}]*+ \}? )
  | (?P<parameter>    \$ [$@*\#?!0-9-] )
  | (?P<reference>    \0 )
  | (?P<separator>    [ \t\n;&|<>] )
  | (?P<paren>        [()] )
  | (?P<bracket>      [\[\]] )
  | (?P<hash>         \# )
  | (?P<word>         [^\0\\'"$`#\[\]()<>;&|\ \t\n]++ )
  | (?P<other>        . )
    """,
    re.VERBOSE | re.DOTALL,
)
_DOUBLE_QUOTED = re.compile(
    r"""
    (?P<escape>       \\ (?: . | \Z ) )
  | (?P<double>       " )
  | (?P<substitution> \$ \( )
  | (?P<expansion>    \$ \{ [^}]*+ \}? )
  | (?P<parameter>    \$ [$@*\#?!0-9-] )
  | (?P<reference>    \0 )
  | (?P<word>         [^\0\\"$]++ )
  | (?P<other>        . )
    """,
    re.VERBOSE | re.DOTALL,
)


class _Level:
    """The command itself, a `$( )` in it, or, with `quoted`, a string in double quotes."""

    __slots__ = ("brackets", "parens", "quoted")

    def __init__(self, quoted: bool = False) -> None:
        self.quoted = quoted
        self.parens = 0  # open ( besides the one of $(
        self.brackets = 0  # open [ of what may be an array subscript


class Scan:
    """One pass over a command's text, from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.levels = [_Level()]
        self.contexts: list[Context | Unsupported] = []
        self.spoiled: Unsupported | None = None  # for every reference from here on
        self.unsafe: Unsupported | None = None  # for every reference of the command
        # The text outside single quotes, and outside all quotes. In both an escape pair is `\\` and
        # a letter or `_`, and a string that is left out leaves its quotes.
        self.visible: list[str] = []
        self.bare: list[str] = []
        self.before = ""  # the last character of the bare text
        self.has_pattern = False

    def run(self) -> list[Context | Unsupported]:
        """The contexts of all references."""
        place = 0
        while place < len(self.text):
            pattern = _DOUBLE_QUOTED if self.levels[-1].quoted else _UNQUOTED
            match = pattern.match(self.text, place)
            assert match is not None
            assert match.lastgroup is not None
            place = match.end()
            if match.lastgroup == "hash":
                place = self.hash(match)
            else:
                getattr(self, match.lastgroup)(match[0], place)
        unsafe = self.unsafe or self.unsafe_text()
        return self.contexts if unsafe is None else [unsafe] * len(self.contexts)

    def unsafe_text(self) -> Unsupported | None:
        """What in the whole command makes every reference unsafe."""
        bare = "".join(self.bare)
        if found := _UNSAFE_TEXTS.search("".join(self.visible)):
            return _UNSAFE_TEXT[found[0]]
        if found := _UNSAFE_WORDS.search(bare):
            return _UNSAFE_BARE[found[0].lstrip("\\")]
        if _DUPLICATION.search(bare):
            return _COMPUTED_DUPLICATION
        if "$(" in bare and _CASE.search(bare):
            return _CASE_BESIDE
        return None

    def see(self, visible: str, bare: str | None = None) -> None:
        """Note a piece of text; in double quotes nothing is bare."""
        self.visible.append(visible)
        if not self.levels[-1].quoted:
            self.bare.append(visible if bare is None else bare)
            self.before = self.bare[-1][-1]

    def refer(self, context: Context | Unsupported, count: int = 1) -> None:
        """Note references with this context."""
        self.contexts += [self.spoiled or context] * count

    def spoil(self, reason: Unsupported) -> None:
        """Refuse every reference from here on."""
        self.spoiled = self.spoiled or reason

    # One method for each kind of piece

    def escape(self, piece: str, end: int) -> None:
        """A backslash takes the next character with it."""
        character = piece[1:]
        if character == REFERENCE:
            self.refer(_AFTER_BACKSLASH)
        keep = character == "\n" or character.isalnum()
        self.see("\\" + (character if keep else "_"))

    def single(self, piece: str, end: int) -> None:
        """Single quotes: every character stands for itself."""
        self.refer(Context.SINGLE, piece.count(REFERENCE))
        self.see("''")

    def double(self, piece: str, end: int) -> None:
        """Double quotes open or close."""
        if self.levels[-1].quoted:
            self.levels.pop()
            self.see(piece)
        else:
            self.see(piece)
            self.levels.append(_Level(quoted=True))

    def substitution(self, piece: str, end: int) -> None:
        """A command in the command; quotes around it do not reach into it."""
        self.levels.append(_Level())
        self.see(piece)

    def expansion(self, piece: str, end: int) -> None:
        """A parameter with braces. Its end is sure only while it holds nothing of interest."""
        self.refer(_IN_EXPANSION, piece.count(REFERENCE))
        inside = piece[2:]
        if any(character in inside for character in "'\"\\$`") or inside[:1] in tuple(" \t\n|("):
            self.unsafe = _QUOTES_IN_EXPANSION
        self.see(piece)

    def reference(self, piece: str, end: int) -> None:
        """A reference outside single quotes, comments and ${…}."""
        if self.levels[-1].quoted:
            self.refer(Context.DOUBLE)
        else:
            self.refer(_AFTER_DOLLAR if self.before == "$" else Context.UNQUOTED)
        self.see(piece)

    def separator(self, piece: str, end: int) -> None:
        """A blank, a newline, or an operator's character: the word ends."""
        self.end_word()
        self.see(piece)

    def paren(self, piece: str, end: int) -> None:
        """A parenthesis outside quotes; the last one closes its `$(`."""
        self.end_word()
        level = self.levels[-1]
        if piece == "(":
            level.parens += 1
            if self.before == "=":
                self.spoil(_ARRAY)
            self.has_pattern = self.has_pattern or self.before in tuple("?*+@!")
            self.see(piece)
        elif level.parens == 0 and len(self.levels) > 1:
            # Behind it the word goes on: what follows is no comment and no word of its own.
            self.see(piece, ")_")
            self.levels.pop()
            if not self.levels[-1].quoted:
                self.before = "_"
        else:
            level.parens = max(0, level.parens - 1)
            self.see(piece)
            # Behind <( ) and @( ) some shells read on in the same word.
            if self.text.startswith("#", end):
                self.spoil(_PAREN_COMMENT)

    def bracket(self, piece: str, end: int) -> None:
        """`name[` may begin a subscript: some shells read up to its `]` whatever stands between."""
        level = self.levels[-1]
        begins = self.before.isalnum() or self.before == "_"
        if piece == "]":
            level.brackets = max(0, level.brackets - 1)
        elif level.brackets or begins:
            level.brackets += 1
        self.see(piece)

    def end_word(self) -> None:
        """A word ends here, unless it is a subscript that goes on."""
        level = self.levels[-1]
        if level.brackets:
            level.brackets = 0
            self.spoil(_SUBSCRIPT)

    def hash(self, match: re.Match[str]) -> int:
        """`#` begins a comment where a word could begin; returns where the scan goes on."""
        if self.before and self.before not in _SEPARATORS:
            self.see("#")
            return match.end()
        end = self.text.find("\n", match.start())
        end = len(self.text) if end < 0 else end
        comment = self.text[match.start() : end]
        self.contexts += [_IN_COMMENT] * comment.count(REFERENCE)
        self.see(comment)
        if self.has_pattern:
            self.spoil(_PATTERN_COMMENT)
        return end

    def word(self, piece: str, end: int) -> None:
        """Characters without a meaning for the scan."""
        self.see(piece)

    other = word  # a $ or a backtick by itself
    parameter = word
