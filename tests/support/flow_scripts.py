"""Small random scripts in which names often have no value, for the tests of the flow analysis."""

from random import Random


class Author:
    """Writes one script. Each use stands on a line of its own."""

    def __init__(self, random: Random, retry: bool) -> None:
        self.random = random
        self.retry = retry
        self.left = random.randint(8, 40)
        self.subtasks: list[tuple[str, list[str]]] = []

    def script(self) -> str:
        definitions = []
        for index in range(self.random.randint(0, 3)):
            params = self.random.sample(["a", "b", "p"], self.random.randint(0, 2))
            head = f'DEFINE_TASK "s{index}"' + (" WITH " + ", ".join(params) if params else "")
            self.left += 3
            definitions.append(self.block(head, 2))
            self.subtasks.append((f"s{index}", params))
        body = self.statements(0)
        place = self.random.randint(0, len(body))
        return "\n".join([*body[:place], *definitions, *body[place:]])

    def statements(self, depth: int) -> list[str]:
        found = []
        while self.left > 0 and self.random.random() < 0.85:
            self.left -= 1
            found.append(self.statement(depth))
        return found

    def block(self, head: str, depth: int, first: str = "") -> str:
        return "\n".join([head + " {", first, *self.statements(depth + 1), "}"])

    def value(self) -> str:
        return self.random.choice(["1", "1", "a", "b", "c", "p", "LAST_RUN.STDOUT"])

    def statement(self, depth: int) -> str:
        kinds = ["var", "var", "log", "log", "run", "call", "assert"]
        if depth < 4:
            kinds += ["if", "if", "try", "try", "choose", "parallel", "estimate", "step"]
        kind = self.random.choice(kinds)
        name = self.random.choice("abc")
        if kind == "var":
            return f"VAR {name} {self.random.choice(['=', '?='])} {self.value()}"
        if kind == "log":
            return f"LOG {self.value()}"
        if kind == "assert":
            return f"ASSERT {self.random.choice(['true', 'false'])}"
        if kind == "run" or (kind == "call" and not self.subtasks):
            return "RUN 'true'"
        if kind == "call":
            task, params = self.random.choice(self.subtasks)
            args = ", ".join(f"{param} = {self.value()}" for param in params)
            return f'CALL "{task}"' + (f" WITH {args}" if args else "")
        if kind == "step":
            again = self.retry and self.random.random() < 0.5
            return self.block('STEP "s"', depth, "@retry 1" if again else "")
        if kind == "estimate":
            into = f" INTO {name}" if self.random.random() < 0.5 else ""
            return self.block("ESTIMATE_COST" + into, depth)
        if kind == "if":
            text = self.block(f"IF {self.random.choice(['true', 'false'])}", depth)
            return text + (self.block(" ELSE", depth) if self.random.random() < 0.5 else "")
        if kind == "try":
            return self.block("TRY", depth) + self.block(" CATCH", depth)
        inner = 'OPTION "o"' if kind == "choose" else 'STEP "s"'
        blocks = [self.block(inner, depth + 1) for _ in range(self.random.randint(1, 2))]
        return "\n".join([kind.upper() + " {", *blocks, "}"])
