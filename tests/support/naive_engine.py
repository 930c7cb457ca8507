"""What a plan of `small_plans` must do: a plain interpreter, written from the reference alone.

It has one thread and no speed, and shares no code with the engine.
"""

import re
from typing import Any

FILES = {"there": "there\r\n", "missing": "io", "bad": "decode", "../outside": "security"}
EXIT = {"assert": 1, "security": 5, "budget": 6, "human": 7}
FINAL = ("security", "budget", "human")
NUMBER = re.compile(r"\s*(-?[0-9]+(\.[0-9]+)?)\s*\Z")


class Failed(Exception):
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.line: int | None = None
        self.steps: list[str] = []


class Naive:
    """Runs a plan; what is compared afterwards stands in its attributes."""

    def __init__(self, plan: dict[str, Any], keep_going: bool) -> None:
        self.tasks = {n["name"]: n for n in plan["top"] if n["do"] == "define"}
        self.answers = list(plan["answers"])
        self.variables: dict[str, Any] = {}
        self.last_run: dict[str, Any] | None = None
        self.error_fields: dict[str, Any] = {}
        self.persona: str | None = None
        self.counts = {"RUNS": 0, "API_CALLS": 0, "TOKENS": 0}
        self.budgets: dict[str, float] = {}
        self.path: list[str] = []
        self.log: list[str] = []
        self.steps: list[dict[str, Any]] = []
        self.caught: list[tuple[str, int | None]] = []
        self.suppressed: list[tuple[str, int | None]] = []
        self.error: Failed | None = None
        self.order_matters = False  # with several jobs it could have gone another way
        self.top_level(plan["top"], keep_going)

    @property
    def exit_code(self) -> int:
        return 0 if self.error is None else EXIT.get(self.error.kind, 4)

    def top_level(self, top: list[Any], keep_going: bool) -> None:
        is_over = is_skipping = False
        for node in top:
            is_step = node["do"] == "step"
            if is_step and not is_over:
                is_skipping = False
            if is_over or is_skipping:
                if is_step:
                    self.steps.append({"name": node["name"], "status": "skipped", "attempts": 0})
                continue
            try:
                self.statement(node)
            except Failed as failed:
                if self.error is None:
                    self.error = failed
                else:
                    self.suppressed.append((failed.kind, failed.line))
                is_skipping = keep_going and failed.kind not in FINAL
                is_over = not is_skipping

    def body(self, body: list[Any]) -> None:
        outer = self.persona
        try:
            for node in body:
                self.statement(node)
        finally:
            self.persona = outer

    def statement(self, node: Any) -> None:
        try:
            getattr(self, "do_" + node["do"])(node)
        except Failed as failed:
            if failed.line is None:
                failed.line, failed.steps = node["line"], list(self.path)
            raise

    # Commands

    def do_define(self, node: Any) -> None:
        pass

    def do_log(self, node: Any) -> None:
        self.log.append(text(self.value(node["value"])))

    def do_var(self, node: Any) -> None:
        value = self.value(node["value"])
        if not (node["default"] and node["name"] in self.variables):
            self.variables[node["name"]] = value

    def do_run(self, node: Any) -> None:
        parts = [
            part.replace("'", "")
            if isinstance(part, str)
            else "'" + text(self.value(part)).replace("'", "'\\''") + "'"
            for part in node["words"][1:]
        ]
        command = f"{node['word']} {node['code']} {''.join(parts)}"
        self.require("RUN_COUNT", self.counts["RUNS"] + 1)
        self.counts["RUNS"] += 1
        self.last_run = {
            "COMMAND": command,
            "STDOUT": f"{command}|{self.persona}",
            "EXIT_CODE": 124 if node["word"] == "late" else node["code"],
        }
        if node["word"] == "late":
            raise Failed("timeout")

    def do_assert(self, node: Any) -> None:
        if not self.holds(node["condition"]):
            raise Failed("assert")

    def do_read(self, node: Any) -> None:
        content = FILES[node["path"]]
        if content != "there\r\n":
            raise Failed(content)
        self.variables[node["name"]] = content

    def do_prompt(self, node: Any) -> None:
        prompt = self.value(node["prompt"])
        calls = self.counts["API_CALLS"] + 1
        tokens = self.counts["TOKENS"] + prompt_tokens(node)
        self.require("API_CALLS", calls)
        self.require("TOKEN_COUNT", tokens)
        self.require("COST", (calls * 1000 + tokens) / 1000)
        self.counts["API_CALLS"] += 1
        self.counts["TOKENS"] += 2 * len(prompt.split())
        if node["into"]:
            self.variables[node["into"]] = prompt

    def do_budget(self, node: Any) -> None:
        self.budgets[node["name"]] = node["value"]

    def do_pause(self, node: Any) -> None:
        if not self.answers or self.answers.pop(0) not in ("", "y", "yes"):
            raise Failed("human")

    def do_persona(self, node: Any) -> None:
        self.persona = self.value(node["value"])

    def do_call(self, node: Any) -> None:
        argument = self.value(node["p"])
        before = dict(self.variables)
        self.variables["p"] = argument
        self.path.append(node["name"])
        try:
            self.body(self.tasks[node["name"]]["body"])
        finally:
            self.path.pop()
            del self.variables["p"]
            if "p" in before:
                self.variables["p"] = before["p"]

    def require(self, budget: str, count: float) -> None:
        if count > self.budgets.get(budget, count):
            raise Failed("budget")

    # Blocks

    def do_if(self, node: Any) -> None:
        self.body(node["then"] if self.holds(node["condition"]) else node["else"] or [])

    def do_try(self, node: Any) -> None:
        try:
            self.body(node["body"])
        except Failed as failed:
            if failed.kind in FINAL:
                raise
            self.caught.append((failed.kind, failed.line))
            outer = self.error_fields
            self.error_fields = {"KIND": failed.kind, "LINE": failed.line}
            try:
                self.body(node["catch"])
            finally:
                self.error_fields = outer

    def do_step(self, node: Any) -> None:
        entry = {"name": node["name"], "status": "failed", "attempts": 0}
        self.steps.append(entry)
        for left in range(node["retry"] or 0, -1, -1):
            entry["attempts"] += 1
            self.path.append(node["name"])
            try:
                self.body(node["body"])
                entry["status"] = "passed"
                return
            except Failed as failed:
                if failed.kind in FINAL or left == 0:
                    raise
            finally:
                self.path.pop()

    def do_estimate(self, node: Any) -> None:
        total = self.estimate(node["body"])
        if node["into"]:
            self.variables[node["into"]] = thousandths(total)

    def do_choose(self, node: Any) -> None:
        options = node["options"]
        if self.answers:
            answer = self.answers.pop(0)
            if answer not in [str(number + 1) for number in range(len(options))]:
                raise Failed("human")
            chosen = options[int(answer) - 1]
        else:
            estimates = []
            for option in options:
                found = [n for n in option["body"] if n["do"] == "estimate"]
                if not found:
                    raise Failed("human")
                estimates.append(sum(self.estimate(n["body"]) for n in found))
            chosen = options[estimates.index(min(estimates))]
        self.body(chosen["body"])

    def do_parallel(self, node: Any) -> None:
        self.order_matters |= bool(self.budgets)
        before, last_run = dict(self.variables), self.last_run
        merged = dict(before)
        errors: list[Failed] = []
        for branch in node["branches"]:
            self.variables, self.last_run = dict(before), last_run
            try:
                self.statement(branch)
                merged |= {
                    name: value
                    for name, value in self.variables.items()
                    if name not in before or value is not before[name]
                }
            except Failed as failed:
                errors.append(failed)
                if failed.kind in FINAL:
                    self.order_matters = True
                    break
        self.variables, self.last_run = dict(before), None
        if errors:
            raised = errors.pop(-1 if errors[-1].kind in FINAL else 0)
            self.suppressed += [(failed.kind, failed.line) for failed in errors]
            raise raised
        self.variables = merged

    def estimate(self, body: list[Any]) -> int:
        """In thousandths."""
        total = 0
        for node in body:
            if node["do"] == "prompt":
                total += 1000 + prompt_tokens(node)
            elif node["do"] == "call":
                total += self.estimate(self.tasks[node["name"]]["body"])
            elif node["do"] == "if":
                total += max(self.estimate(node["then"]), self.estimate(node["else"] or []))
            elif node["do"] == "try":
                total += self.estimate(node["body"]) + self.estimate(node["catch"])
            elif node["do"] == "step":
                total += self.estimate(node["body"])
        return total

    # Values

    def value(self, expression: Any) -> Any:
        if not isinstance(expression, tuple):
            return expression
        kind, *parts = expression
        if kind == "text":
            return "".join(p if isinstance(p, str) else text(self.value(p)) for p in parts)
        if kind == "cost":
            total = self.counts["API_CALLS"] * 1000 + self.counts["TOKENS"]
            return thousandths(total) if parts[0] == "TOTAL" else self.counts[parts[0]]
        where = {"var": self.variables, "last_run": self.last_run, "error": self.error_fields}
        values = where[kind] or {}
        if parts[0] not in values:
            raise Failed("undefined")
        return values[parts[0]]

    def holds(self, condition: Any) -> bool:
        op, left = condition["op"], self.value(condition["left"])
        right = self.value(condition["right"])
        if op == "TRUTH":
            if not isinstance(left, bool):
                raise Failed("type")
            return left
        if op == "IS_EMPTY":
            if not isinstance(left, str):
                raise Failed("type")
            return (left.strip() == "") != condition["negated"]
        if op == "CONTAINS":
            if not (isinstance(left, str) and isinstance(right, str)):
                raise Failed("type")
            return (right in left) != condition["negated"]
        if is_number(left) != is_number(right):
            left, right = as_number(left), as_number(right)
        if op in ("<", ">="):
            if not (is_number(left) and is_number(right)):
                raise Failed("type")
            return bool(left < right if op == "<" else left >= right)
        same_type = (
            (is_number(left) and is_number(right))
            or (isinstance(left, str) and isinstance(right, str))
            or (isinstance(left, bool) and isinstance(right, bool))
        )
        if not same_type:
            raise Failed("type")
        return bool((left == right) == (op == "=="))


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def is_number(value: Any) -> bool:
    return type(value) in (int, float)


def as_number(value: Any) -> Any:
    match = NUMBER.match(value) if isinstance(value, str) else None
    if match is None:
        return value
    return float(match[1]) if match[2] else int(match[1])


def thousandths(count: int) -> int | float:
    return count // 1000 if count % 1000 == 0 else count / 1000


def prompt_tokens(node: Any) -> int:
    """256, and the words of the template, a reference being a word or a part of one."""
    parts = [part if isinstance(part, str) else "{{x}}" for part in node["prompt"][1:]]
    return 256 + len("".join(parts).split())
