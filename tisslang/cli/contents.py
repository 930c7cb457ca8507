"""What a plan holds: its steps and sub-tasks; and what a run of it needs from the operator."""

from collections.abc import Iterator
from typing import Any

from tisslang.command_policy import judge
from tisslang.plan import is_step, top_level_statements
from tisslang.summary import expression_text, summary
from tisslang.syntax import check, parse
from tisslang.syntax.flow import analyse, line_of
from tisslang.syntax.subtasks import Subtasks
from tisslang.syntax.tree import blocks, literal, walk
from tisslang.terminal import one_line, step_title

Contents = dict[str, Any]
Node = dict[str, Any]

# A use of a name without a value: here no error, but what the operator must give.
_NEEDED = "T110"
# What a run may ask, and under which heading.
_NEEDS = {
    "PROMPT_AGENT": "agent",
    "PAUSE": "questions",
    "REQUEST_REVIEW": "questions",
    "CHOOSE": "questions",
}
# What stands for a value in a command; a command of this name needs no approval.
_SOME_WORD = "value"
_VERDICTS = {"ask": "approvals", "deny": "denied"}


def contents(source: str | bytes, filename: str = "<script>") -> tuple[Contents, list[Any]]:
    """The contents of a script, and what is wrong with it: its static errors but those that a
    `--var` mends. Raises `TissParseError` at a syntax error.
    """
    script = parse(source, filename)
    findings = check(script, filename)
    tasks = [node for node in script["body"] if node["type"] == "TASK"]
    found = {
        "task": tasks[0]["description"] if tasks else None,
        "steps": list(_steps(script["body"], {id(node) for node in top_level_statements(script)})),
        "subtasks": [
            {"name": node["name"], "params": node["params"], "line": node["line"]}
            for node, _ in walk(script)
            if node["type"] == "DEFINE_TASK"
        ],
        "variables": _variables(script),
        "needs": _needs(script),
    }
    return found, [finding for finding in findings if finding.code != _NEEDED]


def render(found: Contents) -> str:
    """The contents for people."""
    needs = found["needs"]
    tables = {
        "steps": [(node["line"], _title(node)) for node in found["steps"]],
        "sub-tasks": [(node["line"], _signature(node)) for node in found["subtasks"]],
        "variables": [(node["line"], _variable(node)) for node in found["variables"]],
        "asks the agent (--agent)": _summaries(needs["agent"]),
        "asks a person (--answer, --yes)": _summaries(needs["questions"]),
        "asks whether to run (--yes, --allow-command)": _summaries(needs["approvals"]),
        "is refused to run": _summaries(needs["denied"]),
    }
    lines = [one_line(found["task"])] if found["task"] else []
    width = max((len(str(line)) for rows in tables.values() for line, _ in rows), default=1)
    for heading, rows in tables.items():
        if rows:
            lines.append(f"{heading}:")
            lines += [f"  {line:>{width}}  {text}" for line, text in rows]
    if needs["sandbox"]:
        lines.append("runs commands: in the sandbox")
    return "\n".join(lines or ["nothing: the plan holds no steps and needs nothing"]) + "\n"


def _steps(body: list[Node], top_level: set[int], depth: int = 0) -> Iterator[Contents]:
    """The steps but those of sub-tasks; `depth` is the number of steps around each."""
    for node in body:
        if node["type"] == "DEFINE_TASK":
            continue
        if is_step(node):
            yield {
                "kind": node["type"],
                "description": node["description"],
                "line": node["line"],
                "depth": depth,
                "top_level": id(node) in top_level,
            }
        for block in blocks(node):
            yield from _steps(block, top_level, depth + is_step(node))


def _variables(script: Node) -> list[Contents]:
    """The variables that a run needs a value of, and those that the plan has a default for."""
    found: dict[str, Contents] = {}

    def note(name: str, line: int, needed: bool, default: str | None) -> None:
        here = {"name": name, "line": line, "needed": needed, "default": default}
        found.setdefault(name, here)

    for code, reference, *_ in analyse(script, Subtasks(script), ()):
        if code == _NEEDED:
            note(reference["var"], line_of(reference), True, None)
    for node, _ in walk(script):
        if node["type"] == "VAR" and node["default"]:
            note(node["name"], node["line"], False, expression_text(node["value"]))
    return sorted(found.values(), key=lambda variable: variable["line"])


def _needs(script: Node) -> Contents:
    """What a run asks of whom, if it comes to that statement."""
    needs: Contents = {
        "sandbox": False,
        "agent": [],
        "questions": [],
        "approvals": [],
        "denied": [],
    }
    for node, _ in walk(script, estimates=False):
        kind = node["type"]
        need = {"line": node["line"], "type": kind, "summary": summary(node)}
        if kind in _NEEDS:
            needs[_NEEDS[kind]].append(need)
        elif kind == "RUN":
            needs["sandbox"] = True
            verdict = judge(literal(node["command"], _SOME_WORD))
            if verdict.action in _VERDICTS:
                reason = {"command": verdict.command, "reason": verdict.reason}
                needs[_VERDICTS[verdict.action]].append({**need, **reason})
    return needs


def _summaries(needs: list[Contents]) -> list[tuple[int, str]]:
    rows = []
    for need in needs:
        reason = f"  ({need['reason']})" if "reason" in need else ""
        rows.append((need["line"], one_line(need["summary"] + reason)))
    return rows


def _title(step: Contents) -> str:
    return "  " * step["depth"] + step_title(step)


def _signature(node: Contents) -> str:
    params = f" WITH {', '.join(node['params'])}" if node["params"] else ""
    return one_line(node["name"]) + params


def _variable(node: Contents) -> str:
    if node["needed"]:
        return f"{node['name']}  needed: --var {node['name']}=…"
    return f"{node['name']}  {one_line(node['default'])} unless --var {node['name']}=…"
