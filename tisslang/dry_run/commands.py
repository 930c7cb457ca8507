"""What each command leads to in a dry run, as far as that is known."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tisslang.command_policy import Verdict
from tisslang.command_policy import judge as judge_command
from tisslang.control.calls import call
from tisslang.dry_run.changes import UNKNOWN_RUN
from tisslang.dry_run.files import DIRECTORY, MISSING
from tisslang.dry_run.outline import Entry
from tisslang.dry_run.remarks import UNKNOWN_PART, remark_surroundings
from tisslang.launcher import require_startable
from tisslang.plan import Node
from tisslang.shell_commands import Scan, basename
from tisslang.tools.assert_condition import check_assertion
from tisslang.tools.run_command import denied
from tisslang.values import Unknown, Value, text_form

if TYPE_CHECKING:
    from tisslang.dry_run.walk import DryWalk

Args = dict[str, Any]

# What stands for an unknown part of a command: a word that no rule is about, and a path that does
# not leave the root with a few `..` behind it.
_SOME_PATH = "/".join(["unknown"] * 16)
_SOME_WORD = "_unknown_"


def may_fail(walk: "DryWalk", node: Node, args: Args) -> bool:
    """Whether a run may meet a catchable error here, although the dry run meets none."""
    kind = node["type"]
    if kind == "ASSERT":
        return walk.judge(args["condition"]) is None
    if kind == "READ":
        return walk.files.what(args["place"]) in (None, DIRECTORY, MISSING)
    if kind in ("RUN", "WRITE", "MKDIR", "DELETE", "PROMPT_AGENT") or kind not in COMMANDS:
        return True
    # A name that only some ways assign is unknown, and perhaps undefined.
    values = args["args"].values() if kind == "CALL" else args.values()
    return any(isinstance(value, Unknown) for value in values)


# Each returns the status of its entry.


def _read(walk: "DryWalk", entry: Entry, args: Args) -> str:
    name = args["variable"]
    content = walk.files.read(args["path"], args["place"])
    walk.assign(name, Unknown.of(name) if content is None else content)
    return "would_run"


def _write(walk: "DryWalk", entry: Entry, args: Args) -> str:
    walk.files.write(args["path"], args["place"], args["content"])
    return "would_run"


def _mkdir(walk: "DryWalk", entry: Entry, args: Args) -> str:
    walk.files.make_directory(args["path"], args["place"])
    return "would_run"


def _delete(walk: "DryWalk", entry: Entry, args: Args) -> str:
    walk.files.delete(args["path"], args["place"])
    return "would_run"


def _run(walk: "DryWalk", entry: Entry, args: Args) -> str:
    walk.costs.spend(RUNS=1)
    remark_surroundings(entry, walk.state.directives, walk.state.secrets.mask)
    verdict = policy(walk, args["command"])
    if verdict.action == "deny":
        raise denied(verdict, walk.state.options)
    if verdict.action == "ask":
        walk.questions.prepared_answer()  # a run would use it up here
        entry.needs_approval = True
        entry.remarks.append(f"needs approval: {verdict.reason}")
    elif isinstance(args["command"], Unknown) and _may_ask(args["template"], args["command"]):
        if walk.state.options.answer:
            walk.questions.used = None  # a run may use one up here, or not
        entry.needs_approval = True
        entry.remarks.append("may need approval: what it runs is not known")
    if not isinstance(args["command"], Unknown):
        require_startable(args["command"])
    walk.state.last_run_result = dict(UNKNOWN_RUN)
    walk.files.forget()
    return "would_run"


def _may_ask(template: Node, command: Unknown) -> bool:
    """Whether what is unknown of a command decides which program runs, or what `git` does."""
    if any(isinstance(part, dict) and part.get("filter") == "raw" for part in template["template"]):
        return True
    for simple in Scan(UNKNOWN_PART.sub(_SOME_WORD, command.text)).commands:
        name = basename(simple.words[0]) if simple.words else ""
        deciding = simple.words if name == "git" else [name]
        if any(_SOME_WORD in word for word in deciding):
            return True
    return False


def policy(walk: "DryWalk", command: Value) -> Verdict:
    """The verdict on a command; what is unknown of it is given the benefit of the doubt."""
    directory: str | None = ""
    if "cwd" in walk.state.directives:
        path = walk.state.directives["cwd"][0]
        directory = walk.place(path)
        walk.files.require_directory(path, directory)
    text = text_form(command)
    if isinstance(command, Unknown):
        text = UNKNOWN_PART.sub(_SOME_PATH, text)
    options = walk.state.options
    return judge_command(
        text,
        cwd=_SOME_PATH if directory is None else directory,
        allowed=options.allow_command,
        denied=options.deny_command,
    )


def _assert(walk: "DryWalk", entry: Entry, args: Args) -> str:
    verdict = walk.judge(args["condition"])
    if verdict is None:
        return "unknown"
    check_assertion(walk.state, args, verdict)
    return "would_pass"


def _var(walk: "DryWalk", entry: Entry, args: Args) -> str:
    if not args.get("default") or args["name"] not in walk.state.variables:
        walk.assign(args["name"], args["value"])
    return "would_run"


def _log(walk: "DryWalk", entry: Entry, args: Args) -> str:
    walk.state.log.append(text_form(args["value"]))
    return "would_run"


def _call(walk: "DryWalk", entry: Entry, args: Args) -> str:
    start = len(walk.journal.entries)
    try:
        call(walk, args, args["args"])
    finally:  # parameters have their outer values again
        walk.journal.settle(start, walk.state.variables, args["args"])
    return "would_run"


def _prompt_agent(walk: "DryWalk", entry: Entry, args: Args) -> str:
    walk.costs.spend(args["estimate"], API_CALLS=1)
    walk.costs.unsure |= {"TOKENS"}
    walk.assign(args.get("into"), Unknown.of(args.get("into") or ""))
    return "would_run"


def _set_budget(walk: "DryWalk", entry: Entry, args: Args) -> str:
    walk.costs.set_budget(args["resource"], args["value"])
    return "would_run"


def _question(walk: "DryWalk", entry: Entry, args: Args) -> str:
    walk.questions.prepared_answer()  # a run would use it up here
    return "would_run"


COMMANDS: dict[str, Callable[["DryWalk", Entry, Args], str]] = {
    "READ": _read,
    "WRITE": _write,
    "MKDIR": _mkdir,
    "DELETE": _delete,
    "RUN": _run,
    "ASSERT": _assert,
    "VAR": _var,
    "LOG": _log,
    "CALL": _call,
    "PROMPT_AGENT": _prompt_agent,
    "SET_BUDGET": _set_budget,
    "PAUSE": _question,
    "REQUEST_REVIEW": _question,
}
