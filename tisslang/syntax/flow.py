"""Which names have a value where: a walk along every way that a run can take.

A use is certain to fail when no way to it assigns the name (T110; T111 for LAST_RUN), and may fail
when only some ways do (T201, T202). Every branch is taken as possible, and the body of a TRY as cut
short before or behind any of its statements.
"""

from __future__ import annotations

import functools

from tisslang.syntax import trampoline
from tisslang.syntax.names import Names
from tisslang.syntax.suggestions import Suggestions
from tisslang.syntax.tree import blocks, bound_name, is_repeated, references, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from tisslang.syntax.subtasks import Subtasks
    from tisslang.syntax.trampoline import Deep

    Node = dict[str, Any]
    # code, the reference, its statement, message, hint
    Use = tuple[str, Node, Node, str, str | None]


def analyse(script: Node, subtasks: Subtasks, assigned: Iterable[str]) -> list[Use]:
    """The uses of names that must fail (T110, T111) or may fail (T201, T202).

    `assigned` are the names that the operator gives values to.
    """
    flow = _Flow(script, subtasks, subtasks.names.bits(assigned))
    flow.visit_definitions()
    trampoline.run(flow.visit(script["body"], Known(flow.assigned, flow.assigned)))
    return flow.uses


class Known:
    """What may and what must have a value by now: names as bits; `run_…` say so of LAST_RUN.

    `ran` and `held` look back to the start of the innermost TRY: whether LAST_RUN may have had a
    value at some point since, and whether it must have had one at every point.
    """

    __slots__ = ("held", "may", "must", "ran", "run_may", "run_must")

    def __init__(self, may: int, must: int, run_may: bool = False, run_must: bool = False) -> None:
        self.may, self.must = may, must
        self.run_may, self.run_must = run_may, run_must
        self.ran, self.held = run_may, run_must

    def copy(self) -> Known:
        """The same at the start of a branch."""
        branch = Known(self.may, self.must, self.run_may, self.run_must)
        branch.ran, branch.held = self.ran, self.held
        return branch

    def assign(self, may: int, must: int) -> None:
        """These names may, and those must, have a value from here on."""
        self.may |= may | must
        self.must |= must

    def last_run(self, may: bool, must: bool) -> None:
        """LAST_RUN may, or must, have a value from here on; else it has none."""
        self.run_may, self.run_must = may, must
        self.ran, self.held = self.ran or may, self.held and must

    def join(self, other: Known) -> None:
        """Go on behind two branches of which one was taken."""
        self.may |= other.may
        self.must &= other.must
        self.run_may, self.run_must = (
            self.run_may or other.run_may,
            self.run_must and other.run_must,
        )
        self.ran, self.held = self.ran or other.ran, self.held and other.held

    def become(self, other: Known) -> None:
        """Go on behind a branch that was taken for certain."""
        self.may, self.must = other.may, other.must
        self.run_may, self.run_must = other.run_may, other.run_must
        self.ran, self.held = other.ran, other.held


class Effect:
    """What a sub-task leaves behind: names, and LAST_RUN if that had no value before, or had one.

    A script may have very many of them, so they are kept small.
    """

    __slots__ = ("may", "must", "unset", "was_set")

    def __init__(self, unset: Known, was_set: Known) -> None:
        self.may = Names.pack(unset.may)
        self.must = self.may if unset.must == unset.may else Names.pack(unset.must)
        self.unset, self.was_set = unset, was_set
        unset.may = unset.must = was_set.may = was_set.must = 0  # the names are the same in both


class _Flow:
    def __init__(self, script: Node, subtasks: Subtasks, assigned: int) -> None:
        self.script = script
        self.subtasks = subtasks
        self.names = subtasks.names
        self.assigned = assigned
        self.uses: list[Use] = []
        self.quiet = False  # while only the effects of a block are of interest
        self.suggestions = Suggestions()
        self.effects: dict[str, Effect] = {}

    def visit_definitions(self) -> None:
        """Find what each sub-task leaves behind; its body sees every name of the script."""
        for name in self.subtasks.order:  # callees first
            self.effects[name] = Effect(self.effect(name, False), self.effect(name, True))
        happens = [statement for statement, _ in walk(self.script, estimates=False)]
        everything = self.assigned | self.names.bits(filter(None, map(bound_name, happens)))
        runs = any(node["type"] == "RUN" for node in happens)
        for node in [*self.subtasks.definitions.values(), *self.subtasks.again]:
            params = self.names.bits(node["params"])
            around = self.names.unpack(self.subtasks.params_around.get(node["name"], (0, 0)))
            visible = everything | params | around
            known = Known(visible, visible, runs, runs)
            trampoline.run(self.visit(node["body"], known))

    def effect(self, name: str, last_run: bool) -> Known:
        """What a sub-task leaves behind, when LAST_RUN has a value before it or has none."""
        definition = self.subtasks.definitions[name]
        known = Known(0, 0, last_run, last_run)
        self.quiet = True
        trampoline.run(self.visit(definition["body"], known))
        self.quiet = False
        params = self.names.bits(definition["params"])
        known.may &= ~params
        known.must &= ~params
        return known

    def visit(self, body: list[Node], known: Known) -> Deep:
        """Go through a block, and let `known` grow."""
        for statement in body:
            if not self.quiet:
                self.judge(statement, known)
            kind = statement["type"]
            if kind in _BRANCHES:
                yield _BRANCHES[kind](self, statement, known)
            elif kind == "RUN":
                known.last_run(True, True)
            elif kind == "CALL":
                self.call(statement, known)
            elif kind not in _NOT_NOW:
                if is_repeated(statement):
                    self.repeat(statement, known)
                for block in blocks(statement):
                    yield self.visit(block, known)
            if name := bound_name(statement):
                known.assign(0, self.names.bit(name))

    def if_(self, statement: Node, known: Known) -> Deep:
        """One branch is taken."""
        other = known.copy()
        yield self.visit(statement["then"], known)
        yield self.visit(statement.get("else") or [], other)
        known.join(other)

    def try_(self, statement: Node, known: Known) -> Deep:
        """The body to its end, or cut short somewhere, and then CATCH."""
        body = Known(known.may, known.must, known.run_may, known.run_must)
        yield self.visit(statement["body"], body)
        caught = Known(body.may, known.must, body.ran, body.held)
        yield self.visit(statement["catch"], caught)
        ran, held = known.ran, known.held
        known.become(body)
        known.join(caught)
        known.ran, known.held = known.ran or ran, known.held and held

    def choose(self, statement: Node, known: Known) -> Deep:
        """One option is taken."""
        before, joined = known.copy(), None
        for option in statement["options"]:
            known.become(before)
            yield self.visit([option], known)
            if joined is None:
                joined = known.copy()
            else:
                joined.join(known)
        if joined is not None:
            known.become(joined)

    def parallel(self, statement: Node, known: Known) -> Deep:
        """Every branch to its end, each from the same state; LAST_RUN is unset behind them."""
        may = must = 0
        for step in statement["body"]:
            branch = known.copy()
            yield self.visit([step], branch)
            may |= branch.may
            must |= branch.must
        known.assign(may, must)
        known.last_run(False, False)

    def call(self, statement: Node, known: Known) -> None:
        """What the sub-task leaves behind."""
        effect = self.effects.get(statement["name"])
        if effect is None:
            return
        known.assign(Names.unpack(effect.may), Names.unpack(effect.must))
        may = effect.was_set if known.run_may else effect.unset
        must = effect.was_set if known.run_must else effect.unset
        known.ran, known.held = known.ran or may.ran, known.held and must.held
        known.run_may, known.run_must = may.run_may, must.run_must

    def repeat(self, step: Node, known: Known) -> None:
        """The body may have been cut short before: @retry begins it again."""
        known.assign(self.subtasks.assigned_in(step["body"]), 0)
        kinds = {node["type"] for node, _ in walk(step, estimates=False)}
        known.last_run(
            known.run_may or not kinds.isdisjoint({"RUN", "CALL"}),
            known.run_must and kinds.isdisjoint({"PARALLEL", "CALL"}),
        )

    def judge(self, statement: Node, known: Known) -> None:
        """Note the references of a statement to what cannot have a value, or need not."""
        for reference in references(statement):
            if "var" in reference:
                self.use(reference, statement, known)
            elif "last_run" in reference:
                self.use_last_run(reference, statement, known)

    def use(self, reference: Node, statement: Node, known: Known) -> None:
        """Judge a reference to a variable."""
        name = reference["var"]
        if not self.names.has(known.may, name):
            message = f"variable {name} has no value here"
            hint = self.hint(reference, name, known)
            self.uses.append(("T110", reference, statement, message, hint))
        elif not self.names.has(known.must, name):
            message = f"variable {name} may have no value here: only some ways give it one"
            hint = f"give it one on every way, or a default before: VAR {name} ?= …"
            self.uses.append(("T201", reference, statement, message, hint))

    def use_last_run(self, reference: Node, statement: Node, known: Known) -> None:
        """Judge a reference to LAST_RUN."""
        if not known.run_may:
            message = "LAST_RUN has no value here"
            hint = "nothing has run yet: a RUN must come before"
            if self.has_parallel:
                hint += "; a PARALLEL leaves none"
            self.uses.append(("T111", reference, statement, message, hint))
        elif not known.run_must:
            message = "LAST_RUN may have no value here: only some ways have a RUN"
            hint = "look at it where the RUN is, or keep what you need in a variable"
            self.uses.append(("T202", reference, statement, message, hint))

    def hint(self, reference: Node, name: str, known: Known) -> str:
        """What may have been meant by a name without a value."""
        verbatim = getattr(reference, "heredoc", None)
        if verbatim is not None:
            similar = self.suggestions.nearest(name, lambda: self.names.listed(known.may))
            hint = f"where {{{{ is meant as text, write \\{{{{ or open the heredoc with {verbatim}"
            return f"{similar} Or, {hint}" if similar else hint
        line = self.bound_on.get(name)
        if line is not None and line > line_of(reference):
            return f"it gets its value only later, on line {line}"
        if line is not None:
            return f"it gets a value on line {line}, but not on the way to here"
        if similar := self.suggestions.nearest(name, lambda: self.names.listed(known.may)):
            return similar
        hint = f"give it one with VAR, READ … AS or --var {name}=VALUE"
        is_bare = getattr(reference, "end_column", 0) - getattr(reference, "column", 0) == len(name)
        return hint + (f'; a text stands in quotes: "{name}"' if is_bare else "")

    @functools.cached_property
    def bound_on(self) -> dict[str, int]:
        """The line on which each name first gets a value."""
        lines: dict[str, int] = {}
        for statement, _ in walk(self.script):
            if name := bound_name(statement):
                lines.setdefault(name, statement.get("line", 1))
        return lines

    @functools.cached_property
    def has_parallel(self) -> bool:
        """Whether the script has a PARALLEL."""
        return any(statement["type"] == "PARALLEL" for statement, _ in walk(self.script))


def line_of(reference: Node) -> int:
    """The line of a reference; 0 in a tree that came as JSON."""
    return getattr(reference, "line", 0)


_BRANCHES = {"IF": _Flow.if_, "TRY": _Flow.try_, "CHOOSE": _Flow.choose, "PARALLEL": _Flow.parallel}
# Nothing in an estimate happens; a definition happens where it is called.
_NOT_NOW = ("DEFINE_TASK", "ESTIMATE_COST")
