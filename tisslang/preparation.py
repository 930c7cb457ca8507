"""What is found out before the first effect: commands nobody serves, the agent, the sandbox."""

from typing import Any

from tisslang.errors import TissParseError, TissSecurityError
from tisslang.plan import Node, all_statements
from tisslang.state import State
from tisslang.syntax.checks import check_budget
from tisslang.syntax.directives import fault_of
from tisslang.syntax.findings import Findings
from tisslang.tools import ToolRegistry
from tisslang.tools.run_command import run_command
from tisslang.walk import BLOCKS

MAX_NESTING = 256


def prepare(script: Node, tools: ToolRegistry, state: State) -> dict[str, Any] | None:
    """Refuse what is certain to fail; get the sandbox for RUN. Returns its facts, or None.

    Raises `TissParseError` for a tree that cannot run, `TissSecurityError` where the sandbox is
    refused.
    """
    first_run: Node | None = None
    for node, depth in all_statements(script["body"]):
        _require_known(node, depth, tools)
        if node["type"] == "RUN" and first_run is None:
            first_run = node
        elif node["type"] == "DIRECTIVE":
            _check_directive(node, state)
        elif node["type"] == "SET_BUDGET":
            _check_budget(node, state)
    if state.options.dry_run:
        return None
    if first_run is not None:
        assert state.files is not None  # opened before a command could put a link in its place
    # A user's own tool for RUN starts no process of ours, so it needs no sandbox of ours.
    if first_run is None or tools.get_tool("RUN") is not run_command:
        return None
    try:
        return state.launcher.obtain()
    except TissSecurityError as error:
        error.line, error.column = first_run.get("line"), first_run.get("column")
        raise


def open_agent(script: Node, state: State) -> None:
    """Open the language model, if the plan asks one; `ValueError` when it cannot be had."""
    if state.options.dry_run:
        return
    asking = ("PROMPT_AGENT", "CHOOSE") if state.options.choose_by else ("PROMPT_AGENT",)
    if any(node["type"] in asking for node, _ in all_statements(script["body"])):
        assert state.agent is not None  # opened now, and not in the middle of the run


def _require_known(node: Node, depth: int, tools: ToolRegistry) -> None:
    line, column, kind = node.get("line", 1), node.get("column", 1), node["type"]
    if kind not in BLOCKS and kind not in tools and kind != "CALL":
        raise TissParseError("T002", f"unknown command {kind}", line, column)
    if depth > MAX_NESTING:
        raise TissParseError("T008", f"nesting deeper than {MAX_NESTING}", line, column)


def _check_budget(node: Node, state: State) -> None:
    findings = Findings(state.options.filename)
    check_budget(node, findings)
    for found in findings.in_order():
        raise TissParseError(found.code, found.message, found.line, found.column, found.hint)


def _check_directive(node: Node, state: State) -> None:
    line, column, name = node.get("line", 1), node.get("column", 1), node["name"]
    if fault := fault_of(node):
        raise TissParseError("T107", f"@{name}: {fault[0]}", line, column, fault[1])
    if name == "env" and state.options.sandbox_profile == "strict":
        raise TissSecurityError(
            "@env has no place in the sandbox profile strict",
            line,
            column,
            hint="remove it, or let the operator choose --sandbox-profile standard",
        )
