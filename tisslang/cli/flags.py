"""The flags of `tiss run`, shared with the notebook's magics."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_run_flags(parser: argparse.ArgumentParser) -> None:
    """The operator's flags of a run."""
    add = parser.add_argument
    add("--root", metavar="DIR", default=".", help="the project directory (default: the current)")
    add("--dry-run", action="store_true", help="walk the plan and show it, without any effect")
    many(parser, "--var", "NAME=VALUE", "set a variable, to a text")
    many(parser, "--secret", "NAME", "set a variable from the environment; shown as ***")
    add("--events", metavar="FILE", help="write the events to FILE, one JSON object a line")
    add("--junit", metavar="FILE", help="write a report in JUnit's XML, which CI servers read")

    which = parser.add_argument_group("which steps")
    many(which, "--step", "TEXT", "run this top-level step only (may be repeated)")
    which.add_argument("--from-step", metavar="TEXT", help="run from this top-level step on")
    which.add_argument(
        "--keep-going",
        action="store_true",
        help="after an error go on with the next top-level step",
    )
    which.add_argument(
        "--jobs", metavar="N", default=4, help="branches of a PARALLEL at once (default: 4)"
    )

    people = parser.add_argument_group("questions")
    many(people, "--answer", "TEXT", "answer to the next question (may be repeated)")
    people.add_argument("--yes", action="store_true", help="answer yes to the others")
    people.add_argument(
        "--non-interactive",
        action="store_true",
        help="ask nobody: what is not answered ends the run",
    )

    agent = parser.add_argument_group("the agent and its costs")
    text = "none, echo, canned:FILE, qt:CHECKPOINT or http:URL (default: none)"
    agent.add_argument("--agent", metavar="SPEC", default="none", help=text)
    agent.add_argument("--choose-by", choices=["agent"], help="let the agent decide CHOOSE")
    text = "limit of API_CALLS, TOKEN_COUNT, RUN_COUNT, COST or EXECUTION_TIME, as COST=2.5"
    many(agent, "--budget", "R=V", text)

    commands = parser.add_argument_group("what RUN may do")
    add = commands.add_argument
    many(commands, "--env", "NAME=VALUE", "environment for RUN")
    add("--timeout", metavar="DUR", default="300s", help="limit for each RUN (default: 300s)")
    add("--max-output", metavar="BYTES", default="10M", help="kept of each stream (default: 10M)")
    for what in ("memory", "disk"):
        text = f"{what} for each RUN (default: 4G; strict: 1G)"
        add(f"--max-{what}", metavar="BYTES", help=text)
    text = "processes and threads for each RUN (default: 512; strict: 64)"
    add("--max-processes", metavar="N", help=text)
    add("--sandbox-profile", metavar="P", default="standard", help="standard, strict or none")
    add("--allow-network", action="store_true", help="let RUN reach the network")
    many(commands, "--allow-command", "NAME", "ask nothing for, and permit this command")
    many(commands, "--deny-command", "NAME", "refuse this command")


def engine_options(options: argparse.Namespace) -> dict[str, Any]:
    """The flags of `add_run_flags` as keyword arguments of `ExecutionEngine`."""
    names = (
        *("root", "dry_run", "var", "secret", "events", "junit"),
        *("step", "from_step", "keep_going", "jobs", "answer", "yes", "non_interactive"),
        *("agent", "choose_by", "budget", "env", "timeout", "max_output", "max_memory"),
        *("max_disk", "max_processes", "sandbox_profile", "allow_network", "allow_command"),
        "deny_command",
    )
    return {name: getattr(options, name) for name in names}


def many(parser: Any, flag: str, metavar: str, text: str) -> None:
    """A flag that may be repeated."""
    parser.add_argument(flag, metavar=metavar, action="append", default=[], help=text)
