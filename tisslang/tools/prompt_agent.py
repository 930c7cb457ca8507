"""PROMPT_AGENT: a question to the language model of the run."""

import time
from typing import Any

from tisslang.errors import TissCommandError
from tisslang.events import seconds_since
from tisslang.state import State
from tisslang.syntax.directives import FOR_AGENT


def prompt_agent(state: State, args: dict[str, Any]) -> None:
    """Send `args["prompt"]` to the model, and bind its reply to the variable `args["into"]`.

    The model gets the prompt and the directives that are meant for it, nothing else. Raises
    `TissCommandError` of kind `agent` when there is no reply.
    """
    reply = ask_agent(state, args["prompt"], args.get("line"))
    if args.get("into"):
        state.variables[args["into"]] = reply


def ask_agent(state: State, prompt: str, line: int | None) -> str:
    """The model's reply to a prompt; its tokens are counted, and it is the event `agent`.

    The call itself has been counted, or refused, by who asks.
    """
    directives = {name: state.directives[name] for name in FOR_AGENT if name in state.directives}
    timeout, left = state.options.timeout, state.costs.seconds_left()
    started = time.monotonic()
    try:
        timeout = timeout if left is None else max(0.0, min(timeout, left))
        reply = state.agent.reply(prompt, directives, timeout)
    except TissCommandError:
        left = state.costs.seconds_left()
        if left is not None and left <= 0:
            raise state.costs.out_of_time() from None
        raise
    state.costs.add(TOKENS=reply.tokens)
    seconds = seconds_since(started)
    state.events.send("agent", line=line, tokens=reply.tokens, duration_s=seconds)
    return reply.text
