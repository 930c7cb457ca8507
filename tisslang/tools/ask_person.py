"""PAUSE and REQUEST_REVIEW: a person goes on, or says no."""

from typing import Any

from tisslang.state import State


def pause(state: State, args: dict[str, Any]) -> None:
    """Wait until a person has seen `args["message"]`; `TissHumanError` when nobody is there."""
    hint = "go on with --yes or --answer continue, or run the plan in a terminal"
    state.questions.pause(state.events.send, args["message"], args.get("line"), hint)


def request_review(state: State, args: dict[str, Any]) -> None:
    """Ask whether what `args["message"]` says is right; `TissHumanError` when it is not."""
    hint = "approve with --yes or --answer yes, or run the plan in a terminal"
    state.questions.approve(
        state.events.send, args["message"], args.get("line"), hint, kind="review"
    )
