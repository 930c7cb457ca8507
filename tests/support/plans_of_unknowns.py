"""Random small plans about a few names and files, in which much depends on what is not known."""

from collections.abc import Callable, Sequence
from random import Random

VARIABLES = ("a", "b", "c")
FILES = ("f", "g", "d/x", "d")
TEXTS = ("0", "1", "x")


class PlansOfUnknowns:
    """Writes plans with each kind of statement; ask for another when `check` refuses one."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.left = 0
        self.names = list(VARIABLES)  # that may be read
        self.own = list(VARIABLES)  # that may be assigned
        self.depth = 0
        self.in_branch = False
        self.is_callable = False
        # A plan about one theme, with few files, has more that hangs together.
        self.theme: str | None = None
        self.files: Sequence[str] = FILES

    def plan(self) -> str:
        self.left = self.random.randint(1, 14)
        self.files = self.random.sample(FILES, self.random.choice((1, 1, 2, 4)))
        self.theme = self.random.choice(("files", "names", "costs", None))
        head = [f'VAR {name} = "{self.text()}"' for name in ("a", "b")]
        perhaps = f'TRY {{\nREAD "{self.path()}" AS c\n}} CATCH {{\n}}'
        head.append(self.random.choice(('VAR c = "1"', 'RUN "x"\nVAR c = "x"', perhaps)))
        if self.chance(0.8):
            head.append('RUN "x"')
        self.is_callable = self.chance(0.5)  # from a PARALLEL, too
        self.in_branch = self.is_callable
        task = self.block('DEFINE_TASK "t" WITH p', self.statements, ["p", *VARIABLES])
        self.in_branch = False
        while self.left > 0:
            if self.chance(0.3):
                head.append(self.block('STEP "s"', self.statements))
            else:
                head += self.statements()
        return "\n".join([task, *head]) + "\n"

    def text(self) -> str:
        return self.random.choice(TEXTS)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def block(
        self,
        head: str,
        body: Callable[[], list[str]],
        names: list[str] | None = None,
        own: list[str] | None = None,
    ) -> str:
        before = self.names, self.own
        self.names, self.own = names or self.names, own or names or self.own
        self.depth += 1
        lines = body()
        self.depth -= 1
        self.names, self.own = before
        return "\n".join([head + " {", *lines, "}"])

    def statements(self) -> list[str]:
        return [self.statement() for _ in range(self.random.choice((0, 1, 1, 2, 3)))]

    def statement(self) -> str:
        self.left -= 1
        kinds = [self.command, self.command, self.command, self.if_, self.try_]
        if not self.in_branch:
            kinds += [self.choose, self.parallel]
        return self.command() if self.depth > 4 else self.random.choice(kinds)()

    def value(self) -> str:
        name = self.random.choice(self.names)
        texts = [f'"{self.text()}"', f'"{self.text()}"', name, f'"{{{{{name}}}}}"'] * 3
        return self.random.choice([*texts, "LAST_RUN.EXIT_CODE"])

    def path(self) -> str:
        if self.chance(0.1):
            return f"{{{{{self.random.choice(self.names)}}}}}"
        return self.random.choice(self.files)

    def of_theme(self, themes: dict[str, list[str]]) -> list[str]:
        return themes[self.theme] if self.theme else [t for texts in themes.values() for t in texts]

    def condition(self) -> str:
        negated, name = self.random.choice(("", "NOT ")), self.random.choice(self.names)
        trimmed = f'{name}|trim == "{self.text()}"'
        themes = {
            "files": [f'FILE "{self.path()}" {negated}EXISTS'] * 2 + [trimmed],
            "names": [f"{self.value()} == {self.value()}", trimmed, f'{name} CONTAINS "1"'],
            "costs": [
                f"COST.RUNS < {self.random.randint(0, 3)}",
                f"COST.API_CALLS == {self.random.randint(0, 1)}",
            ],
        }
        unknown = f"LAST_RUN.STDOUT {negated}IS_EMPTY"
        return self.random.choice([*self.of_theme(themes), unknown])

    def command(self) -> str:
        name, read = self.random.choice(self.own), self.random.choice(self.names)
        themes = {
            "files": [
                f'READ "{self.path()}" AS {name}',
                f'READ "{self.path()}" AS {name}',
                f'WRITE "{self.path()}" <<W\n{self.text()}{{{{{read}}}}}\nW',
                f'WRITE "{self.path()}" <<W\n{self.text()}\nW',
                f'WRITE "{self.path()}" <<W\n{self.text()}\nW',
                f'MKDIR "{self.path()}"',
                f'DELETE "{self.path()}"',
            ],
            "names": [
                f"VAR {name} = {self.value()}",
                f"VAR {name} = {self.value()}",
                f"VAR {name} ?= {self.value()}",
                f"LOG {self.value()}",
            ],
            "costs": [
                f'PROMPT_AGENT "say {{{{{read}}}}}" INTO {name}',
                f'ESTIMATE_COST INTO {name} {{\nRUN "x"\n}}',
                'LOG "-"' if self.in_branch else 'PAUSE "look"',
            ],
        }
        if self.chance(0.1) and "p" not in self.names and self.is_callable >= self.in_branch:
            return f'CALL "t" WITH p = {self.value()}'
        if self.chance(0.3):
            return f"ASSERT {self.condition()}"
        if self.chance(0.2) and self.depth < 5:
            return self.probe(name)
        return self.random.choice([*self.of_theme(themes), 'RUN "x"'])

    def probe(self, name: str) -> str:
        """Something is set, something happens, and then it is looked at."""
        text, path = self.text(), self.random.choice(self.files)
        between = self.random.choice((self.statement, lambda: 'RUN "x"'))()
        if self.theme == "names":
            return f'VAR {name} = "{text}"\n{between}\nASSERT {name} == "{text}"'
        look = f'READ "{path}" AS {name}\nASSERT {name}|trim == "{text}"'
        look = self.random.choice((look, f'ASSERT FILE "{path}" EXISTS'))
        return f'WRITE "{path}" <<W\n{text}\nW\n{between}\n{look}'

    def if_(self) -> str:
        text = self.block(f"IF {self.condition()}", self.statements)
        return text + (self.block(" ELSE", self.statements) if self.chance(0.6) else "")

    def try_(self) -> str:
        return self.block("TRY", self.statements) + self.block(" CATCH", self.caught)

    def caught(self) -> list[str]:
        kind = self.random.choice(("assert", "undefined", "io"))
        first = [f'ASSERT ERROR.KIND == "{kind}"'] if self.chance(0.6) else []
        return [*first, *self.statements()]

    def choose(self) -> str:
        estimate = self.chance(0.3)

        def option() -> list[str]:
            runs = ['RUN "x"'] * self.random.randint(0, 2)
            cost = [self.block("ESTIMATE_COST", lambda: runs)] if estimate else []
            return [*cost, *self.statements()]

        return self.block(
            "CHOOSE", lambda: [self.block(f'OPTION "{n}"', option) for n in ("one", "two")]
        )

    def parallel(self) -> str:
        self.in_branch = True
        try:
            return self.block(
                "PARALLEL",
                lambda: [
                    self.block(f'STEP "{name}"', self.statements, None, [name, f"own_{name}"])
                    for name in ("a", "b")
                ],
            )
        finally:
            self.in_branch = False
