"""The walk that only writes down what a run would do."""

import contextlib
from collections.abc import Iterator
from typing import Any

from tisslang.conditions import Verdict, judge
from tisslang.dry_run.changes import DryCosts, DryQuestions, Facts, Journal, Mark, Way, join_facts
from tisslang.dry_run.commands import COMMANDS, may_fail
from tisslang.dry_run.files import PlannedFiles
from tisslang.dry_run.outline import Entry, Heading, outline_of
from tisslang.dry_run.remarks import remark
from tisslang.dry_run.statements import STATEMENTS
from tisslang.errors import TissBudgetError, TissCommandError, TissError
from tisslang.estimates import cost_of_prompt
from tisslang.evaluation import arguments
from tisslang.plan import Node
from tisslang.summary import summary
from tisslang.values import Unknown, Value
from tisslang.walk import Walk

MAX_ENTRIES = 250_000  # sub-tasks that call others twice would make a plan of any size


class DryWalk(Walk):
    """A walk that only writes down what a run would do.

    Every change of what is known goes through `journal`, so that it can be taken back. `uncertain`
    marks the first place since the last handler at which a run may have met a catchable error that
    a dry run cannot know of.
    """

    blocks = STATEMENTS

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        state = self.state
        if not isinstance(state.costs, DryCosts):  # else a branch, which shares them
            state.costs = DryCosts(state.options.budget, state.options.rates)
            state.questions = DryQuestions(state.options)
        self.journal = Journal()
        self.files = PlannedFiles(state, self.journal)
        self.conditional = False
        self.outline = outline_of(state)
        self.around: list[Heading] = []
        self.uncertain: Mark | None = None

    @property
    def costs(self) -> DryCosts:
        """The costs, as a dry run counts them."""
        assert isinstance(self.state.costs, DryCosts)
        return self.state.costs

    @property
    def questions(self) -> DryQuestions:
        """The prepared answers."""
        assert isinstance(self.state.questions, DryQuestions)
        return self.state.questions

    def branch(self, number: int) -> "DryWalk":
        """See `Walk.branch`."""
        branch = super().branch(number)
        assert isinstance(branch, DryWalk)
        branch.conditional = self.conditional
        branch.around = list(self.around)
        branch.outline = self.outline
        return branch

    # One statement

    @contextlib.contextmanager
    def entry(self, node: Node) -> Iterator[Entry]:
        """Add the entry of a statement to the plan; an error while this lasts is its own."""
        mask = self.state.secrets.mask
        fields = {
            "line": node.get("line"),
            "type": node["type"],
            "summary": " ".join(summary(node, mask).splitlines()),
            "conditional": self.conditional,
            "status": "would_run",
            "steps": list(self.state.steps),
        }
        assert self.record.plan is not None
        if len(self.record.plan) >= MAX_ENTRIES:
            raise TissBudgetError(f"the plan would have more than {MAX_ENTRIES:,} entries")
        self.record.plan.append(fields)
        entry = Entry(fields, self.around)
        self.outline.append(entry)
        try:
            yield entry
        except TissError as error:
            fields["status"] = "would_fail"
            if error.steps is None:  # it does not come from a statement inside
                entry.remarks.append(mask(error.message))
            raise

    @contextlib.contextmanager
    def under(self, text: str, is_way: bool = False) -> Iterator[None]:
        """While this lasts, entries lie below a heading in the outline."""
        self.around.append(Heading(self.state.secrets.mask(text), is_way))
        try:
            yield
        finally:
            self.around.pop()

    @contextlib.contextmanager
    def named(self, name: str) -> Iterator[None]:
        """See `Walk.named`."""
        with super().named(name), self.under(name):
            yield

    def command(self, node: Node) -> None:
        """Write down one command."""
        before = self.mark() if self.uncertain is None else None
        kind = node["type"]
        with self.entry(node) as entry:
            self._require_time()
            args = arguments(node, self.state)
            if "path" in args:
                writing = kind in ("WRITE", "MKDIR")
                args["place"] = self.place(args["path"], writing, kind == "DELETE")
            if kind == "PROMPT_AGENT":
                args["estimate"] = cost_of_prompt(node["prompt"])
            if kind == "RUN":
                args["template"] = node["command"]
            remark(entry, node, args, self.state.secrets.mask)
            fails = may_fail(self, node, args)
            status = COMMANDS[kind](self, entry, args) if kind in COMMANDS else "would_run"
            entry.fields["status"] = status
        if fails and before is not None:
            self.uncertain = before

    def _require_time(self) -> None:
        """How long a run takes is not known, but a budget of no time is spent at once."""
        if self.costs.budgets.get("EXECUTION_TIME", 1) <= 0:
            raise self.costs.out_of_time()

    def assign(self, name: str | None, value: Value) -> None:
        """Give a name a value."""
        if name:
            self.journal.change(self.state.variables, name, value)

    def place(self, path: Value, writing: bool = False, deleting: bool = False) -> str | None:
        """Where a path leads, below the root; it is checked. None for an unknown path."""
        if isinstance(path, Unknown):
            return None
        return self.files.place(str(path), writing, deleting)

    def judge(self, condition: Node) -> Verdict | None:
        """The verdict on a condition whose operands are values; None when it is unknown."""
        if condition["op"] == "EXISTS":
            found = self.files.exists(self.place(condition["path"]))
            return None if found is None else judge(condition, lambda _: found)
        if any(isinstance(condition.get(side), Unknown) for side in ("left", "right")):
            return None
        return judge(condition, lambda _: False)

    # Ways of which it is not known which one is taken

    def either(self, bodies: dict[str, list[Node]]) -> None:
        """Walk several ways as conditional, each from here; behind them is known what all share.

        Each way has its heading.
        """
        here = self.mark()
        self.uncertain = self.uncertain or here
        ways = []
        for heading, body in bodies.items():
            with self.under(heading, is_way=True):
                self._attempt(body)
            ways.append(self.take_back(here))
        self.join(ways)

    def _attempt(self, body: list[Node]) -> None:
        """Walk a block as conditional; a catchable error ends it and nothing else."""
        outer, self.conditional = self.conditional, True
        try:
            self.body(body)
        except TissCommandError:
            pass  # its entry says would_fail
        finally:
            self.conditional = outer

    def mark(self) -> Mark:
        """A mark of this place in the walk."""
        costs = self.costs
        facts = Facts(
            self.state.last_run_result,
            dict(costs.counts),
            dict(costs.budgets),
            costs.unsure,
            self.questions.used,
        )
        return Mark(len(self.journal.entries), facts)

    def changes_since(self, start: int) -> Way:
        """What was changed since the journal had `start` entries."""
        return Way(
            self.journal.since(start, self.state.variables),
            self.files.changes_since(start),
            self.journal.since(start, self.files.gone_links),
            self.mark().facts,
        )

    def take_back(self, mark: Mark) -> Way:
        """Go back to a place; returns what was different here."""
        way = self.changes_since(mark.changes)
        self.journal.take_back(mark.changes)
        self._set_facts(mark.facts)
        return way

    def join(self, ways: list[Way], cut_short: bool = False) -> None:
        """Go on behind several ways: names that one of them assigns are unknown, costs the dearest.

        With `cut_short` each may also have ended at any place before its end.
        """
        for name in sorted(set().union(*(way.names for way in ways))):
            self.assign(name, Unknown.of(name))
        self.files.join([way.files for way in ways], cut_short)
        self.files.take_over({}, set().union(*(way.gone_links for way in ways)))
        self._set_facts(join_facts([way.facts for way in ways]))

    def _set_facts(self, facts: Facts) -> None:
        self.state.last_run_result = facts.last_run
        self.costs.counts, self.costs.budgets = dict(facts.counts), dict(facts.budgets)
        self.costs.unsure, self.questions.used = facts.unsure, facts.answers

    def allow_for_errors(self) -> bool:
        """Behind what may have been cut short by an error, forget what would depend on it.

        Returns whether there was any such place.
        """
        mark, self.uncertain = self.uncertain, None
        if mark is None:
            return False
        nothing = Way(set(), {}, set(), mark.facts)
        self.join([self.take_back(mark), nothing], cut_short=True)
        return True
