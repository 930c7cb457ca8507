"""Small random plans that do something: as a tree of plain dicts, and as text of the language.

`random_plan(random)` gives a plan: `top` (its statements), `text`, and `answers` for its questions.
A statement is a dict with `do`, what it needs, and the `line` on which it stands. Expressions are
constants, or tuples: ("var", name), ("last_run", field), ("error", field), ("cost", field), and
("text", part, …) whose parts are texts and such tuples.

RUN knows two commands, which only a tool of the test understands: `out CODE WORDS` and `late CODE
WORDS`, which is over its time.
"""

from random import Random
from typing import Any

Statement = dict[str, Any]

NAMES = ("a", "b", "maybe")  # `maybe` has no value at first
FILES = ("there", "missing", "bad", "../outside")
WORDS = ("", "x", "two words", "it's", "7", " 7\n", "-1", "true", "{{a}}")
TASKS = ("first", "second")
BUDGETS = ("RUN_COUNT", "API_CALLS", "TOKEN_COUNT", "COST")


def random_plan(random: Random) -> dict[str, Any]:
    """A plan that may still have static errors."""
    author = _Author(random)
    top = author.whole()
    text = _Printer().text(top)
    answers = random.choices(["", "y", "yes", "1", "2", "no"], [4, 4, 4, 3, 1, 1], k=3)
    return {"top": top, "text": text, "answers": answers[: random.randint(0, 3)]}


class _Author:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.in_catch = self.in_branch = self.in_task = False
        self.names: tuple[str, ...] = NAMES
        self.assigned: tuple[str, ...] = NAMES  # those that may be assigned here
        self.callable: tuple[str, ...] = ()
        self.left = 0  # statements that may still be written

    def whole(self) -> list[Statement]:
        """The plan: names and results that may be missing, sub-tasks, then anything."""
        no = {"op": "==", "left": 1, "right": 2, "negated": False}
        missing = [
            {"do": "var", "name": "maybe", "default": False, "value": 1},
            {"do": "run", "word": "out", "code": 0, "words": ("text", "first")},
        ]
        top: list[Statement] = [
            {"do": "var", "name": "a", "default": True, "value": 1},
            {"do": "var", "name": "b", "default": True, "value": "x"},
            {"do": "if", "condition": no, "then": missing, "else": None},
        ]
        for name in TASKS:
            self.left = self.random.randint(1, 8)
            top.append(self.task(name))
            self.callable += (name,)
        self.left = self.random.randint(10, 60)
        while self.left > 0:
            kind = self.random.choice(("step", "step", "step", "any"))
            top.append(self.step(3) if kind == "step" else self.statement(3))
        return top

    def task(self, name: str) -> Statement:
        outer = self.names
        self.names, self.in_task = (*NAMES, "p"), True
        body = self.body(2)
        self.names, self.in_task = outer, False
        return {"do": "define", "name": name, "body": body}

    def body(self, depth: int) -> list[Statement]:
        """Some statements, perhaps behind a directive."""
        body: list[Statement] = []
        if self.chance(0.1):
            body.append({"do": "persona", "value": self.template()})
        while self.left > 0 and self.chance(0.85):
            body.append(self.statement(depth))
        return body

    def statement(self, depth: int) -> Statement:
        self.left -= 1
        commands = [self.log, self.var, self.run, self.check, self.read, self.prompt]
        blocks = [self.if_, self.try_, self.try_, self.estimate, self.step]
        if self.callable:
            commands.append(self.call)
        if not self.in_branch and not self.in_task:
            commands += [self.budget, self.pause]
            blocks += [self.choose, self.parallel, self.parallel]
        if depth > 0 and self.chance(0.5):
            return self.random.choice(blocks)(depth - 1)
        return self.random.choice(commands)()

    # Commands

    def log(self) -> Statement:
        return {"do": "log", "value": self.operand()}

    def var(self) -> Statement:
        return {
            "do": "var",
            "name": self.random.choice(self.assigned),
            "default": self.chance(0.2),
            "value": self.operand(),
        }

    def run(self) -> Statement:
        word = self.random.choice(("out", "out", "out", "late"))
        return {"do": "run", "word": word, "code": self.pick(0, 0, 1, 3), "words": self.template()}

    def check(self) -> Statement:
        return {"do": "assert", "condition": self.condition()}

    def read(self) -> Statement:
        path = self.random.choices(FILES, [8, 6, 3, 2])[0]
        return {"do": "read", "path": path, "name": self.random.choice(self.assigned)}

    def prompt(self) -> Statement:
        into = self.random.choice((*self.assigned, None))
        return {"do": "prompt", "prompt": self.template(), "into": into}

    def budget(self) -> Statement:
        name = self.random.choice(BUDGETS)
        most = {"RUN_COUNT": 6, "API_CALLS": 3, "TOKEN_COUNT": 600, "COST": 3}[name]
        return {"do": "budget", "name": name, "value": self.random.randint(0, most)}

    def pause(self) -> Statement:
        return {"do": "pause"}

    def call(self) -> Statement:
        return {"do": "call", "name": self.random.choice(self.callable), "p": self.operand()}

    # Blocks

    def if_(self, depth: int) -> Statement:
        other = self.body(depth) if self.chance(0.6) else None
        return {"do": "if", "condition": self.condition(), "then": self.body(depth), "else": other}

    def try_(self, depth: int) -> Statement:
        body = self.body(depth)
        outer, self.in_catch = self.in_catch, True
        catch = self.body(depth)
        self.in_catch = outer
        return {"do": "try", "body": body, "catch": catch}

    def estimate(self, depth: int) -> Statement:
        commands = [self.log, self.run, self.prompt, *([self.call] if self.callable else [])]
        body = [self.random.choice(commands)() for _ in range(self.random.randint(0, 3))]
        if depth > 0 and self.chance(0.5):
            body.append({**self.if_(0), "then": [self.prompt()]})
        into = self.random.choice((*self.assigned, None))
        return {"do": "estimate", "into": into, "body": body}

    def step(self, depth: int) -> Statement:
        retry = self.random.choices([None, 0, 1, 2], [6, 1, 2, 1])[0]
        name = f"step {self.random.randint(0, 99)}"
        return {"do": "step", "name": name, "retry": retry, "body": self.body(depth)}

    def choose(self, depth: int) -> Statement:
        options = []
        all_estimated = self.chance(0.5)
        for number in range(self.random.randint(1, 3)):
            body = self.body(depth)
            if all_estimated or self.chance(0.2):
                body.insert(self.random.randint(0, len(body)), self.estimate(0))
            options.append({"label": f"option {number}", "body": body})
        return {"do": "choose", "options": options}

    def parallel(self, depth: int) -> Statement:
        """Each branch assigns names of its own, and sub-tasks may assign any: none are called."""
        outer = self.assigned, self.callable
        self.in_branch, self.callable = True, ()
        branches = []
        for number in range(self.random.randint(0, 4)):
            self.assigned = (("a",), ("b", "maybe"), ("c",), ("d",))[number]
            branches.append(self.step(depth))
        self.in_branch = False
        self.assigned, self.callable = outer
        return {"do": "parallel", "branches": branches}

    # Expressions

    def condition(self) -> dict[str, Any]:
        op = self.random.choice(("==", "!=", "!=", "<", ">=", "CONTAINS", "IS_EMPTY", "TRUTH"))
        right = None if op in ("IS_EMPTY", "TRUTH") else self.operand()
        negated = op in ("CONTAINS", "IS_EMPTY") and self.chance(0.4)
        left = self.pick(True, True, False) if op == "TRUTH" else self.operand()
        if self.chance(0.5):  # two sides that can be compared
            left, right = (left, right) if op == "TRUTH" else (self.template(), self.template())
            right = None if op in ("IS_EMPTY", "TRUTH") else self.pick(right, *WORDS)
            op = {"<": "==", ">=": "!="}.get(op, op)
        return {"op": op, "negated": negated, "left": left, "right": right}

    def operand(self) -> Any:
        kind = self.random.randint(0, 9)
        if kind < 3:
            return self.reference()
        if kind < 5:
            return self.template()
        return self.pick(0, 1, 7, -1, True, *WORDS[:-1])

    def template(self) -> Any:
        parts = [self.reference() if self.chance(0.5) else self.pick(*WORDS) for _ in range(3)]
        return ("text", *parts)

    def reference(self) -> Any:
        names = (*self.names, *self.names[:2], *self.names[:2])
        choices: list[Any] = [("var", self.random.choice(names)) for _ in range(5)]
        choices.append(("last_run", self.pick("STDOUT", "EXIT_CODE", "COMMAND")))
        if self.in_catch and not self.in_task:
            choices += [("error", "KIND"), ("error", "LINE")]
        if not self.in_branch and not self.in_task:
            choices.append(("cost", self.pick("TOTAL", "RUNS", "TOKENS", "API_CALLS")))
        return self.random.choice(choices)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, *values: Any) -> Any:
        return self.random.choice(values)


class _Printer:
    """Writes a plan, each statement on a line of its own, and notes the lines in the tree."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def text(self, top: list[Statement]) -> str:
        self.body(top)
        return "\n".join(self.lines) + "\n"

    def body(self, body: list[Statement]) -> None:
        for statement in body:
            self.statement(statement)

    def block(self, head: str, body: list[Statement], first: str = "") -> None:
        self.lines.append(f"{head} {{")
        if first:
            self.lines.append(first)
        self.body(body)
        self.lines.append("}")

    def statement(self, node: Statement) -> None:
        node["line"] = len(self.lines) + 1
        kind = node["do"]
        if kind == "if":
            self.block(f"IF {condition_text(node['condition'])}", node["then"])
            if node["else"] is not None:
                self.block("ELSE", node["else"])
        elif kind == "try":
            self.block("TRY", node["body"])
            self.block("CATCH", node["catch"])
        elif kind == "step":
            retry = "" if node["retry"] is None else f"@retry {node['retry']}"
            self.block(f'STEP "{node["name"]}"', node["body"], retry)
        elif kind == "define":
            self.block(f'DEFINE_TASK "{node["name"]}" WITH p', node["body"])
        elif kind == "estimate":
            self.block("ESTIMATE_COST" + _into(node["into"]), node["body"])
        elif kind == "parallel":
            self.block("PARALLEL", node["branches"])
        elif kind == "choose":
            self.lines.append("CHOOSE {")
            for option in node["options"]:
                self.block(f'OPTION "{option["label"]}"', option["body"])
            self.lines.append("}")
        else:
            self.lines.append(_COMMANDS[kind](node))


def _into(name: str | None) -> str:
    return f" INTO {name}" if name else ""


def condition_text(condition: dict[str, Any]) -> str:
    left = expression_text(condition["left"])
    if condition["op"] == "TRUTH":
        return left
    negation = "NOT " if condition["negated"] else ""
    right = "" if condition["right"] is None else " " + expression_text(condition["right"])
    return f"{left} {negation}{condition['op']}{right}"


def expression_text(value: Any) -> str:
    if isinstance(value, tuple):
        if value[0] != "text":
            return reference_text(value)
        parts = [
            _escaped(p) if isinstance(p, str) else f"{{{{{reference_text(p)}}}}}" for p in value[1:]
        ]
        return f'"{"".join(parts)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else f'"{_escaped(value)}"'


def reference_text(reference: Any) -> str:
    kind, name = reference
    return name if kind == "var" else f"{kind.upper()}.{name}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("{{", "\\{{")


def _command(node: Statement) -> str:
    words = expression_text(node["words"])[1:]
    # The quote is one of the shell's too, so that a value stands beside it as in any command.
    return f'RUN "{node["word"]} {node["code"]} {words}'.replace("'", "")


_COMMANDS = {
    "log": lambda node: f"LOG {expression_text(node['value'])}",
    "var": lambda node: (
        f"VAR {node['name']} {'?=' if node['default'] else '='} {expression_text(node['value'])}"
    ),
    "run": _command,
    "assert": lambda node: f"ASSERT {condition_text(node['condition'])}",
    "read": lambda node: f'READ "{node["path"]}" AS {node["name"]}',
    "prompt": lambda node: f"PROMPT_AGENT {expression_text(node['prompt'])}{_into(node['into'])}",
    "budget": lambda node: f"SET_BUDGET {node['name']} = {node['value']}",
    "pause": lambda node: 'PAUSE "go on?"',
    "call": lambda node: f'CALL "{node["name"]}" WITH p = {expression_text(node["p"])}',
    "persona": lambda node: f"@persona {expression_text(node['value'])}",
}
