"""Calls as deep as one likes: 256 nested blocks would use up Python's own stack."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    Deep = Generator["Deep", Any, Any]


def run(call: Deep) -> Any:
    """Run a generator in which `result = yield f()` calls the generator function `f`.

    The calls under way stand in a list instead of on Python's stack. An exception goes from each
    call to the one that made it, as between functions.
    """
    calls: list[Deep] = [call]
    result: Any = None
    error: Exception | None = None
    while calls:
        try:
            caller = calls[-1]
            calls.append(caller.send(result) if error is None else caller.throw(error))
            result = error = None
        except StopIteration as end:
            calls.pop()
            result, error = end.value, None
        except Exception as raised:
            calls.pop()
            error = raised
    if error is not None:
        raise error
    return result
