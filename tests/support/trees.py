"""What a directory holds, to be compared with what it should hold."""

import os
from pathlib import Path

Tree = dict[str, object]


def tree_of(top: Path) -> Tree:
    """Every entry below a directory, with what it is: links are not followed."""
    found: Tree = {}
    for path in top.rglob("*"):
        name = str(path.relative_to(top))
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        else:
            found[name] = "directory" if path.is_dir() else path.read_bytes()
    return found
