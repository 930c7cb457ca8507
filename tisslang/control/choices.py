"""CHOOSE and ESTIMATE_COST: one option of several, and what each would cost."""

from typing import TYPE_CHECKING

from tisslang.errors import TissCommandError, TissHumanError, TissParseError
from tisslang.estimates import Counts, Estimator, cost_of_prompt
from tisslang.plan import Node
from tisslang.question import choice_text
from tisslang.terminal import one_line
from tisslang.tools.prompt_agent import ask_agent

if TYPE_CHECKING:
    from tisslang.walk import Walk

_HINT = "name it with --answer LABEL, or run the plan in a terminal"


def estimate_cost(walk: "Walk", node: Node) -> None:
    """Add up what the block would cost, and bind the total. Nothing in it is executed."""
    costs = walk.state.costs
    cost = costs.total(_estimator(walk).of(node["body"]))
    if node.get("into"):
        walk.state.variables[node["into"]] = cost
    walk.state.events.send("estimate", line=node.get("line"), cost=cost)


def choose(walk: "Walk", node: Node) -> None:
    """Run exactly one option."""
    option, by = pick(walk, node)
    label = option["description"]
    walk.state.events.send("choose", line=node.get("line"), option=label, by=by)
    walk.body(option["body"])


def misplaced_option(walk: "Walk", node: Node) -> None:
    """Refuse an OPTION outside of CHOOSE, which `check` finds before a run."""
    line, column = node.get("line", 1), node.get("column", 1)
    raise TissParseError("T102", "OPTION may stand only in CHOOSE", line, column)


def pick(walk: "Walk", node: Node) -> tuple[Node, str]:
    """The option and who decided: `answer`, `cost`, `agent` or `person`; else `human` is raised."""
    decided = pick_without_asking(walk, node)
    if decided is not None:
        return decided
    options, questions = node["options"], walk.state.questions
    if walk.state.options.choose_by == "agent":
        return _ask_agent(walk, node), "agent"
    if questions.can_ask():
        answer = questions.choose(
            _labels(options), node.get("line"), lambda text: _find(options, text) is not None
        )
        option = None if answer is None else _find(options, answer)
        if option is not None:
            return option, "person"
    raise TissHumanError(f"nobody is here to choose: {_quoted(options)}", hint=_HINT)


def pick_without_asking(walk: "Walk", node: Node) -> tuple[Node, str] | None:
    """The option that `--answer` or the estimates decide; None when neither does."""
    options = node["options"]
    answer = walk.state.questions.prepared_answer()
    if answer is not None:
        option = _find(options, answer)
        if option is None:
            message = f"{answer!r} is none of the options: {_quoted(options)}"
            raise TissHumanError(message, hint="answer with a label, or a number from 1")
        return option, "answer"
    estimates = [_estimate(walk, option) for option in options]
    if options and None not in estimates:
        total = walk.state.costs.total
        cheapest = min(range(len(options)), key=lambda index: total(estimates[index] or {}))
        return options[cheapest], "cost"
    return None


def _ask_agent(walk: "Walk", node: Node) -> Node:
    options = node["options"]
    prompt = f"{choice_text(_labels(options))}\nAnswer with one label and nothing else."
    walk.state.costs.require_time()
    with walk.state.costs.held(cost_of_prompt(prompt), API_CALLS=1):
        reply = ask_agent(walk.state, prompt, node.get("line")).strip()
    option = _find(options, reply)
    if option is None:
        shown = walk.state.secrets.mask(reply)[:80]
        message = f"the agent chose {shown!r}, which is none of: {_quoted(options)}"
        raise TissCommandError("agent", message, hint=_HINT)
    return option


def _find(options: list[Node], answer: str | int) -> Node | None:
    """The option of a label, or of a number from 1; an integer is no label."""
    if isinstance(answer, int):
        return options[answer - 1]
    for option in options:
        if option["description"] == answer:
            return option
    text = answer.strip()
    for option in options:
        if text in (option["description"].strip(), one_line(option["description"])):
            return option
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(options):
        return options[int(text) - 1]
    return None


def _estimate(walk: "Walk", option: Node) -> Counts | None:
    """What the ESTIMATE_COST blocks directly in an option come to; None when there is none."""
    found = [node for node in option["body"] if node["type"] == "ESTIMATE_COST"]
    if not found:
        return None
    return _estimator(walk).of([inner for node in found for inner in node["body"]])


def _estimator(walk: "Walk") -> Estimator:
    return Estimator(walk.definitions, walk.state.costs.total)


def _labels(options: list[Node]) -> list[str]:
    """What each option is called, on one line: a label of two lines would look like two."""
    return [one_line(option["description"]) for option in options]


def _quoted(options: list[Node]) -> str:
    return ", ".join(f'"{label}"' for label in _labels(options))
