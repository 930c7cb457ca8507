"""Random scripts of the whole language, spelled oddly, and damaged ones.

`random_script(random)` is a script without syntax errors and static errors; the same generator in
the same state gives the same script. `mutate(text, random)` damages a text: what comes out may be
a script or not. `scripts()` and `mutated_scripts()` are the same as strategies of hypothesis.
"""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st
from script_phrases import COMMENTS, DURATIONS, KNOWN, NUMBERS, Phrases

HEADER = ("#TISS! Language=Python", "#TISS!  A=1  B=2 ", "#TISS_VERSION >= 1.2")
HEADER += ("#TISS_VERSION<9.0.1", "  #TISS_VERSION == 1.2.0", "# note", "#", "  # about", "#!x")
COMMANDS = ("true", "echo a   b", "echo {}", "printf '%s' '{}'", 'echo \\"{} and {}\\"')
COMMANDS += ("echo {{who|raw}}", "echo $(printf %s {}) {}", "test 1 = 2 # \\{{who}}")
RUN_HEREDOC = ("echo {}", "printf '%s' '{}'", "", "  true", '\techo "{}"', "# no reference")
# What `mutate` puts in.
ODD = (*"{}\"'\\#\n\r\t\0 @|.,=<>-", "\r\n", "{{", "}}", "\ufeff", "\u2028", "\u00a0", "“", "日")
ODD += ("<<W", "<<-'W'", "\nW\n", "$(", "`", "\ud800", "{{x}}", "{{ x | trim }}", "\\{", "# c\n")
ODD += ("TASK ", "IF ", "THEN ", " ELSE ", " CATCH ", "STEP ", "AND", "step", "{\n", "\n}", "?=")


def random_script(random: Random) -> str:
    """A script that `check` has nothing against."""
    return _Author(random).script()


def mutate(text: str, random: Random) -> str:
    """The text with one to four small changes."""
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 0, 1, 2, 8, 40)))
        piece = random.choice((text[start:end] * 2, "", *random.choices(ODD, k=4)))
        if random.random() < 0.1:  # a piece from elsewhere
            other = random.randint(0, len(text))
            piece = text[other : other + random.randint(1, 60)]
        text = text[:start] + piece + text[end:]
    return text


def without_positions(tree: dict[str, Any]) -> Any:
    """A tree to be compared: no positions, and no blanks in what an ASSERT had as its source."""

    def strip(node: dict[str, Any]) -> dict[str, Any]:
        if "source" in node:
            node["source"] = re.sub("[ \t]", "", node["source"])
        return {k: v for k, v in node.items() if k not in ("line", "column", "end_line")}

    return json.loads(json.dumps(tree), object_hook=strip, parse_int=str, parse_float=str)


def scripts() -> st.SearchStrategy[str]:
    """Scripts as `random_script` makes them."""
    return st.builds(random_script, st.randoms(use_true_random=False))


def mutated_scripts() -> st.SearchStrategy[str]:
    """Scripts, damaged."""
    return st.builds(mutate, scripts(), st.randoms(use_true_random=False))


class _Author(Phrases):
    """Writes one script. A statement that ends its own line, as a heredoc does, ends in "\\n"."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.left = random.choice((0, 1, 3, 8, 20, 40))  # statements that may still be written
        self.new_names = 0
        self.subtasks: list[tuple[str, list[str]]] = []  # that are defined so far, with parameters

    # The whole

    def script(self) -> str:
        if self.chance(0.1):
            return self.odd_ends(self.zone())  # comments alone, or nothing
        before = self.many(lambda: self.directive('"a careful {writer}"'), 0.2)
        body = [self.spell(("VAR", name, "?=", self.pick(NUMBERS))) for name in KNOWN]
        behind: list[str] = []
        for index in range(self.pick((0, 0, 1, 2))):
            block = self.pick((before, body, body, behind))
            block.insert(self.random.randint(0, len(block)), self.definition(f"sub {index}"))
        if self.chance(0.3):
            head = ("SETUP", self.description()) if self.chance(0.5) else ("SETUP",)
            body.append(self.block(head, self.any_statement))
        body += self.body(self.any_statement)
        form = self.pick(("fragment", "open", "block"))
        if form == "open":
            body = [self.spell(("TASK", self.description())), *body]
        elif form == "block":
            head = self.spell(("TASK", self.description(), "{"))
            body = [head + self.inside(body) + "}"]
        return self.odd_ends(self.zone() + self.lines([*before, *body, *behind]))

    def odd_ends(self, text: str) -> str:
        """The text with a byte order mark, CRLF here or everywhere, or without its last newline."""
        if self.chance(0.3):
            text = text.removesuffix("\n")
        if self.chance(0.2):
            text = "\ufeff" + text
        if self.chance(0.2):
            share = self.pick((1.0, 0.5))
            text = re.sub("\n", lambda _: "\r\n" if self.chance(share) else "\n", text)
        return text

    def zone(self) -> str:
        lines = self.many(lambda: self.pick(HEADER) + "\n" * self.pick((1, 1, 2, 3)), 0.5)
        if self.chance(0.1):
            lines.insert(0, "#!/usr/bin/env tiss\n")
        return "".join(lines)

    def definition(self, name: str) -> str:
        params = [f"p{i}" for i in range(self.pick((0, 1, 2)))]
        head = ["DEFINE_TASK", f'"{name}"']
        for index, param in enumerate(params):
            head += ["," if index else "WITH", param]
        names, self.names = self.names, [*self.names, *params]
        text = self.block(head, self.any_statement)
        self.names = names
        self.subtasks.append((name, params))
        return text

    # Lines and blocks

    def lines(self, statements: list[str]) -> str:
        return "".join(text + self.line_end(text) for text in statements)

    def line_end(self, text: str = "") -> str:
        """The end of a statement's line, and lines without a statement."""
        end = "" if text.endswith("\n") else self.gap() + self.pick(("", "", "", *COMMENTS)) + "\n"
        while self.chance(0.25):
            end += self.gap() + self.pick(("", "", *COMMENTS)) + "\n"
        return end + self.gap()

    def block(self, head: Sequence[str], item: Callable[[], str], first: Sequence[str] = ()) -> str:
        """A statement with one block of such items, behind `first`. LAST_RUN may get lost in it."""
        around, had_run, self.around = self.around, self.has_run, (*self.around, head[0])
        text = self.spell((*head, "{")) + self.inside([*first, *self.body(item)]) + "}"
        self.around, self.has_run = around, had_run and self.has_run
        return text

    def body(self, item: Callable[[], str]) -> list[str]:
        found = []
        while self.left > 0 and self.chance(0.8):
            self.left -= 1
            found.append(item())
        return found

    def inside(self, statements: list[str]) -> str:
        text = self.line_end() if self.chance(0.7) else self.gap()
        text += self.lines(statements[:-1])
        if not statements:
            return text
        last = statements[-1]
        on_one_line = not last.endswith("\n") and self.chance(0.3)
        return text + last + (self.gap() if on_one_line else self.line_end(last))

    def between(self) -> str:
        """What may stand before ELSE and CATCH."""
        return self.line_end() if self.chance(0.3) else self.gap()

    def many(self, item: Callable[[], str], probability: float) -> list[str]:
        found = []
        while self.chance(probability):
            found.append(item())
        return found

    # Statements

    def any_statement(self) -> str:
        if len(self.around) > 5 or self.chance(0.6):
            return self.command()
        kinds = [self.if_, self.try_]
        if not {"SETUP", "ESTIMATE_COST"} & {*self.around}:
            kinds += [self.step, self.step]
            if "PARALLEL" not in self.around:
                kinds += [self.parallel, self.choose, self.estimate]
        return self.pick(kinds)()

    def step(self) -> str:
        retry = [self.spell(("@", "retry", "2"))] if self.chance(0.1) else []
        return self.block(("STEP", self.description()), self.any_statement, retry)

    def if_(self) -> str:
        names = list(self.names)
        text = self.block(("IF", *self.condition(), *self.then()), self.any_statement)
        while self.chance(0.3):
            self.names = list(names)
            head = ("ELSE", "IF", *self.condition(), *self.then())
            text += self.between() + self.block(head, self.any_statement)
        self.names = list(names)
        if self.chance(0.4):
            text += self.between() + self.block(("ELSE",), self.any_statement)
        self.names = names
        return text

    def then(self) -> tuple[str, ...]:
        return ("THEN",) if self.chance(0.3) else ()

    def try_(self) -> str:
        names = list(self.names)
        text = self.block(("TRY",), self.any_statement) + self.between()
        self.names = list(names)
        text += self.block(("CATCH",), self.any_statement)
        self.names = names
        return text

    def parallel(self) -> str:
        names = list(self.names)

        def branch() -> str:
            self.names, self.has_run = list(names), False
            return self.step()

        text = self.block(("PARALLEL",), branch)
        self.names, self.has_run = names, False
        return text

    def choose(self) -> str:
        names = list(self.names)

        def option() -> str:
            self.names = list(names)
            return self.block(("OPTION", self.description()), self.any_statement)

        around, self.around = self.around, (*self.around, "CHOOSE")
        options = [option(), *self.many(option, 0.4)]
        text = self.spell(("CHOOSE", "{")) + self.inside(options) + "}"
        self.names, self.around = names, around
        return text

    def estimate(self) -> str:
        names = list(self.names)
        into = self.new_name() if self.chance(0.5) else ""
        text = self.block(("ESTIMATE_COST", *(("INTO", into) if into else ())), self.any_statement)
        self.names = [*names, into] if into else names
        return text

    def new_name(self) -> str:
        self.new_names += 1
        return f"v{self.new_names}"

    def binding(self, name: str, text: str) -> str:
        """A statement that gives a name a value, from here on."""
        if "ESTIMATE_COST" not in self.around:
            self.names.append(name)
        return text

    def command(self) -> str:
        kinds = [self.read, self.write, self.run, self.assert_, self.var, self.log, self.files]
        kinds += [self.prompt, self.call, lambda: self.directive(self.string())]
        if "PARALLEL" not in self.around:
            kinds += [self.question, self.budget]
        return self.pick(kinds)()

    def read(self) -> str:
        name = self.new_name()
        return self.binding(name, self.spell(("READ", self.path(), "AS", name)))

    def write(self) -> str:
        return self.with_heredoc(("WRITE", self.path()), self.text_line)

    def run(self) -> str:
        if self.chance(0.2):
            text = self.with_heredoc(("RUN",), lambda raw: self.fill(self.pick(RUN_HEREDOC), raw))
        else:
            command = self.pick(COMMANDS)
            text = self.spell(("RUN", '"' + self.fill(command) + '"'))
        self.has_run = "ESTIMATE_COST" not in self.around
        return text

    def assert_(self) -> str:
        return self.spell(("ASSERT", *self.condition()))

    def var(self) -> str:
        name = self.new_name()
        head = ("VAR", name, self.pick(("=", "?=")))
        if self.chance(0.2):
            return self.binding(name, self.with_heredoc(head, self.text_line))
        return self.binding(name, self.spell((*head, *self.operand())))

    def log(self) -> str:
        return self.spell(("LOG", *self.operand()))

    def files(self) -> str:
        return self.spell((self.pick(("MKDIR", "DELETE")), self.path()))

    def call(self) -> str:
        if not self.subtasks or "PARALLEL" in self.around:
            return self.log()
        name, params = self.pick(self.subtasks)
        tokens = ["CALL", f"'{name}'" if self.chance(0.2) else f'"{name}"']
        for index, param in enumerate(self.random.sample(params, len(params))):
            tokens += ["," if index else "WITH", param, "=", *self.operand()]
        self.has_run = False
        return self.spell(tokens)

    def prompt(self) -> str:
        name = self.new_name()
        into = ("INTO", name) if self.chance(0.5) else ()
        if self.chance(0.4):
            text = self.with_heredoc(("PROMPT_AGENT", *into), self.text_line)
        else:
            text = self.spell(("PROMPT_AGENT", self.string(), *into))
        return self.binding(name, text) if into else text

    def question(self) -> str:
        return self.spell((self.pick(("PAUSE", "REQUEST_REVIEW")), self.string()))

    def budget(self) -> str:
        resource = self.pick(("API_CALLS", "TOKEN_COUNT", "RUN_COUNT", "COST", "EXECUTION_TIME"))
        value = self.pick(("5m", "300")) if resource == "EXECUTION_TIME" else "1000"
        return self.spell(("SET_BUDGET", resource, "=", value))

    def directive(self, text: str) -> str:
        anything = ('"x"', "'y z'", "true", "word", *NUMBERS, *DURATIONS)
        values = {
            "persona": (text,),
            "language": ("py",),
            "speed": self.random.choices(anything, k=self.random.randint(1, 3)),
            "timeout": (self.pick(DURATIONS),),
            "cwd": ('"."',),
            "env": ('"NAME= a b"',),
        }
        name = self.pick([*values])
        return self.spell(("@", name, *values[name]))
