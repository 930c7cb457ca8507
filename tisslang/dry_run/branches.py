"""PARALLEL in a dry run: its branches one after another, each as if the others ran beside it."""

import contextlib
from typing import TYPE_CHECKING, Any, cast

from tisslang.control.parallel import Branch, parallel
from tisslang.errors import TissError
from tisslang.plan import Node, all_statements

if TYPE_CHECKING:
    from tisslang.dry_run.walk import DryWalk

_CHANGES_FILES = ("RUN", "WRITE", "MKDIR", "DELETE")


def parallel_(walk: "DryWalk", node: Node) -> None:
    """Walk the branches; afterwards it is as behind a PARALLEL that ran."""
    before = walk.mark()

    def one_after_another(branches: list[Branch], *_: Any) -> None:
        _walk_branches(walk, branches)
        if walk.uncertain is None and any(_dry(branch).uncertain for branch in branches):
            walk.uncertain = before

    walk.costs.is_shared = True
    try:
        parallel(walk, node, one_after_another)
    finally:
        walk.costs.is_shared = False


def _walk_branches(walk: "DryWalk", branches: list[Branch]) -> None:
    """Walk the branches, and take over what they change.

    What another branch may change at the same time is not known in a branch.
    """
    changed = [_changed_places(walk, branch.step) for branch in branches]
    for number, branch in enumerate(branches):
        others = [places for other, places in enumerate(changed) if other != number]
        elsewhere = None if None in others else frozenset().union(*filter(None, others))
        inner = _dry(branch)
        inner.files = walk.files.beside(elsewhere, inner.journal)
        branch.run(branches)
    ways = [_dry(branch).changes_since(0) for branch in branches]
    if any(way.files is None for way in ways):
        walk.files.forget()
    for way in ways:
        for name in sorted(way.names):
            walk.journal.note(walk.state.variables, name)  # which get their values later
        walk.files.take_over(way.files or {}, way.gone_links)


def _changed_places(walk: "DryWalk", statement: Node) -> frozenset[str] | None:
    """The places that a statement may change, whichever way it takes; None for any place."""
    places: set[str] = set()
    waiting, called = [statement], set()
    while waiting:
        for node, _ in all_statements([waiting.pop()]):
            kind = node["type"]
            if kind == "RUN" or (kind in _CHANGES_FILES and not isinstance(node["path"], str)):
                return None
            if kind in _CHANGES_FILES:
                with contextlib.suppress(TissError):  # which comes when it is walked
                    place = walk.place(node["path"], kind != "DELETE", kind == "DELETE")
                    if place is None:
                        return None
                    places.add(place)
            elif kind == "CALL" and node["name"] in walk.definitions and node["name"] not in called:
                called.add(node["name"])
                waiting.append(walk.definitions[node["name"]])
    return frozenset(places)


def _dry(branch: Branch) -> "DryWalk":
    return cast("DryWalk", branch.walk)  # which its own kind has made
