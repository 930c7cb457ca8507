"""Calls as deep as one likes: 256 nested blocks would use up Python's own stack."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    Deep = Generator["Deep", Any, Any]


def run(call: Deep) -> Any:
    """Run a generator in which `result = yield f()` calls the generator function `f`.

    The calls under way stand in a list instead of on Python's stack. An exception ends them all.
    """
    calls, result = [call], None
    while calls:
        try:
            calls.append(calls[-1].send(result))
            result = None
        except StopIteration as end:
            calls.pop()
            result = end.value
    return result
