"""Whether what is guarded in the project is still where it was, while other commands run.

A command of the namespaces gets mounts on it, by path. One that runs already may have moved a
directory above a repository: another that started now would get its mounts on the wrong place.
"""

from __future__ import annotations

import os
from typing import Any

from tisslang.sandbox.root import known_as, open_below
from tisslang.sandbox.world import guards

Settings = dict[str, Any]
Places = dict[str, list[int]]  # by path, which file or directory is there


def known(settings: Settings, repositories: list[Any]) -> Places:
    """What a command that starts now gets mounts on. Nothing else may run."""
    if settings["backend"] != "namespaces":
        return {}
    root, items = settings["root"], guards(settings, repositories)
    return {item.path: known_as(os.path.join(root, item.path)) for item in items}


def are_same(settings: Settings, places: Places) -> bool:
    """Whether everything is there still, and no link on the way."""
    for path, identity in places.items():
        try:
            descriptor = open_below(settings["root"], path)
        except OSError:
            return False
        try:
            if known_as(descriptor) != identity:
                return False
        finally:
            os.close(descriptor)
    return True
