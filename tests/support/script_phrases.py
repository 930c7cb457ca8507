"""The parts of random statements: words, strings, references, heredocs, spelled oddly."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

# Variables that have values from the first line on; braces in text hold no other names.
KNOWN = ("who", "n", "_flag", "Path2")
NUMBERS = ("0", "1", "-1", "007", "3.50", "-0.0", "12345678901234567890")
DURATIONS = ("500ms", "1.5s", "5m", "2h", "0s")
FILTERS = ("trim", "json", "raw")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
FIELDS = {
    "LAST_RUN": ("STDOUT", "STDERR", "EXIT_CODE", "EXECUTION_TIME", "COMMAND"),
    "ERROR": ("KIND", "MESSAGE", "LINE"),
    "COST": ("TOTAL", "API_CALLS", "TOKENS", "TIME", "RUNS"),
}
COMMENTS = ("#", "# note", "#note  \t", '# "quoted" {', "## }", "# tiss: ignore T203", "# é日\t.")
COMMENTS += ("#!not/first", "#TISS_VERSIONS are plain comments", "# <<W", "#\u00a0\u2028.")

# What strings hold
PLAIN = (" ", "  ", "a", "Ada O'Neil", "é", "日本", "😀", "#", "# x", "{", "}", "}}", "<<W", "\t")
ESCAPED = ('\\"', "\\\\", "\\n", "\\t", "\\r", "\\{", "\\{{who}}", "\\\\\\{{ n }}")
BRACES = ("{{", "{{ a + b }}", "${{ a.b }}", "{{}}", "{{LAST_RUN}}", "{{ who . n }}", "{{1}}")
DESCRIPTIONS = ("a", "", "{{ who }}", 'it \\"is\\"', "# {", "日本", "\\{{x}}", "two  words ")
PATHS = ("a.txt", "dir/b c.txt", "./d", "dir/../e", "日本.txt", "#f", "sub/g{}.txt")

# Heredocs: <<W <<'W' <<-W <<-'W'. A `{}` is a place for an interpolation.
KINDS = ("", "'", "-", "-'")
WORDS = ("W", "PYTHON", "_x1", "EOF", "json", "IF")
BODY = ("", " ", "text", "    indented", "\ttab", 'it\'s "quoted" \\ \\n', "# no comment", "{ } }")
BODY += ("<<OTHER", "W;", "xW", " \t ", "\\{{who}}", "a\\{b", "日本 ", "{{ a + b }}", "  STEP {")


class Phrases:
    """Makes parts of statements; `names`, `has_run` and `around` say what they may name here."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.pick = random.choice
        self.names = list(KNOWN)  # that have a value here
        self.has_run = False  # does LAST_RUN have one?
        self.around: tuple[str, ...] = ()  # the keywords of the blocks around

    def chance(self, probability: float) -> bool:
        return self.random.random() >= 1 - probability  # 0, the simplest number, means no

    def gap(self) -> str:
        return self.pick(("", "", " ", "  ", "\t", " \t "))

    def condition(self) -> list[str]:
        negation = ["NOT"] if self.chance(0.3) else []
        left, right = self.operand(), self.operand()
        return self.pick(
            (
                ["FILE", self.path(), *negation, "EXISTS"],
                [*left, *negation, "IS_EMPTY"],
                [*left, *negation, "CONTAINS", *right],
                [*left, self.pick(COMPARISONS), *right],
                left,
            )
        )

    def operand(self) -> list[str]:
        if self.chance(0.4):
            return [self.string()]
        if self.chance(0.3):
            return [self.pick((*NUMBERS, *DURATIONS, "true", "false"))]
        tokens = self.reference()
        return [*tokens, "|", self.pick(FILTERS)] if self.chance(0.3) else tokens

    def reference(self) -> list[str]:
        roots = ["", "", "COST", *(["LAST_RUN"] if self.has_run else [])]
        root = self.pick([*roots, "ERROR"] if "CATCH" in self.around else roots)
        if not root:
            return [self.pick(self.names)]
        if root == "COST" and self.chance(0.3):
            return [root]
        return [root, ".", self.pick(FIELDS[root])]

    def interpolation(self) -> str:
        text = "{{" + self.gap() + "".join(self.reference()) + self.gap()
        if self.chance(0.3):
            text += "|" + self.gap() + self.pick(FILTERS[:2]) + self.gap()
        return text + "}}"

    def fill(self, text: str, raw: bool = False) -> str:
        while "{}" in text:
            text = text.replace("{}", "x" if raw else self.interpolation(), 1)
        return text

    def string(self) -> str:
        if self.chance(0.2):
            pieces = self.random.choices((*PLAIN, *ESCAPED, *BRACES), k=self.random.randint(0, 3))
            return "'" + "".join(pieces).replace("'", "") + "'"
        pieces = []
        for _ in range(self.random.randint(0, 4)):
            pieces.append(self.pick((*PLAIN, *ESCAPED, *BRACES)))
            if self.chance(0.5):
                pieces.append(self.interpolation())
        return '"' + "".join(pieces) + '"'

    def description(self) -> str:
        return f'"{self.pick(DESCRIPTIONS)}"'

    def path(self) -> str:
        return f'"{self.fill(self.pick(PATHS))}"'

    def text_line(self, raw: bool) -> str:
        if raw and self.chance(0.3):
            return "{{ undefined }} {{LAST_RUN.NONE}}"
        return self.pick(BODY) + ("" if raw or self.chance(0.5) else self.interpolation())

    def with_heredoc(self, head: tuple[str, ...], line: Callable[[bool], str]) -> str:
        kind, word = self.pick(KINDS), self.pick(WORDS)
        raw, indented = "'" in kind, "-" in kind
        quote = "'" if raw else ""
        opener = f"<<{'-' if indented else ''}{quote}{word}{quote}"
        margin = self.pick(("", "  ", "\t", "        ")) if indented else ""
        lines = [margin + line(raw) for _ in range(self.pick((0, 1, 2, 4)))]
        if not indented and "RUN" not in head and self.chance(0.2):
            lines.append(f"  {word}")  # content, since it is indented
        before = self.gap() if indented else ""
        text = self.spell((*head, opener)) + self.gap() + self.pick(("", "", *COMMENTS)) + "\n"
        return text + "".join(x + "\n" for x in lines) + before + word + self.gap() + "\n"

    def spell(self, tokens: Sequence[str]) -> str:
        """The tokens on one line, with as few blanks as may be, or with more."""
        text = tokens[0]
        for before, token in pairwise(tokens):
            needed = _is_word(before[-1]) and _is_word(token[0])
            text += self.pick((" ", " ", "   ", "\t", " " if needed else "")) + token
        return text


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_-"
