"""Any tree, any path: MKDIR and DELETE do what the system's own resolution of the path says."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import Tree, tree_of

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.paths import ProjectFiles, ProjectFilesByName

NAMES = st.sampled_from(["a", "b", "c", ".git"])
TARGETS = st.sampled_from(
    [
        "a",
        "b/c",
        "..",
        ".",
        "../a",
        "../outside",
        "../outside/empty",
        "nowhere",
        "no/where",
        "c/..",
        "../outside/new",
        "../project",
        "../../project/a",
        "ROOT",
        "ROOT/b",
        "ROOT/../outside",
    ]
)
ENTRIES = st.tuples(
    st.lists(NAMES, min_size=1, max_size=3),
    st.one_of(st.sampled_from(["directory", "file"]), TARGETS),
)
PARTS = st.one_of(NAMES, st.sampled_from(["..", ".", "", "new", "outside", "project", ".GIT"]))


def grow(root: Path, entries: list[tuple[list[str], str]]) -> None:
    """A tree of files, directories and links; links that lead in a circle are taken out again."""
    for parts, what in entries:
        place = root.joinpath(*parts)
        above = [root.joinpath(*parts[:depth]) for depth in range(1, len(parts))]
        if os.path.lexists(place) or any(path.is_symlink() or path.is_file() for path in above):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if what == "directory":
            place.mkdir()
        elif what == "file":
            place.write_bytes(b"inside")
        else:
            place.symlink_to(what.replace("ROOT", str(root)))
    for path in list(root.rglob("*")):
        if path.is_symlink():
            try:
                path.stat()
            except FileNotFoundError:
                pass
            except OSError:  # a loop, or a file where a directory should be
                path.unlink()


def relative_to(root: Path, real: str) -> list[str] | None:
    """The names below the root; None outside."""
    relative = os.path.relpath(real, root)
    names = [] if relative == "." else relative.split("/")
    return None if ".." in names else names


def protected(names: list[str]) -> bool:
    return any(name.casefold() in (".git", ".tiss") for name in names)


def after_delete(root: Path, path: str) -> tuple[str, Tree]:
    """How DELETE must end, and the tree after it."""
    tree = tree_of(root.parent)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    real = os.path.realpath(root / path)
    if parts and parts[-1] != "..":
        real = os.path.join(os.path.realpath(root.joinpath(*parts[:-1])), parts[-1])
    names = relative_to(root, real)
    if not names or protected(names):
        return "security", tree
    if not os.path.lexists(real):
        return "io", tree
    if os.path.isdir(real) and not os.path.islink(real) and os.listdir(real):
        return "io", tree
    del tree[os.path.relpath(real, root.parent)]
    return "done", tree


def after_mkdir(root: Path, path: str) -> tuple[str, Tree]:
    """How MKDIR must end, and the tree after it."""
    tree = tree_of(root.parent)
    names = relative_to(root, os.path.realpath(root / path))
    if names is None or protected(names):
        return "security", tree
    places = [root.joinpath(*names[:depth]) for depth in range(len(names) + 1)]
    if any(place.exists() and not place.is_dir() for place in places):
        return "io", tree
    return "done", tree | {str(place.relative_to(root.parent)): "directory" for place in places}


@pytest.mark.parametrize("kind", [ProjectFiles, ProjectFilesByName])
@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    entries=st.lists(ENTRIES, max_size=8),
    parts=st.lists(PARTS, min_size=1, max_size=5),
    deleting=st.booleans(),
)
def test_any_path_in_any_tree(
    kind: type[ProjectFiles], entries: list[tuple[list[str], str]], parts: list[str], deleting: bool
) -> None:
    path = "/".join(parts)
    if not path or path.startswith("/"):
        return
    with tempfile.TemporaryDirectory() as directory:
        root = Path(os.path.realpath(directory)) / "project"
        root.mkdir()
        (root.parent / "outside/empty").mkdir(parents=True)
        (root.parent / "outside/file").write_bytes(b"outside")
        grow(root, entries)
        expected, tree = (after_delete if deleting else after_mkdir)(root, path)
        files = kind(root)
        try:
            files.check(path, writing=not deleting, deleting=deleting)
            passed = True
        except TissSecurityError:
            passed = False
        assert passed == (expected != "security")
        try:
            (files.delete if deleting else files.make_directory)(path)
            outcome = "done"
        except (TissSecurityError, TissCommandError) as error:
            outcome = error.kind
        files.close()
        assert outcome == expected
        assert tree_of(root.parent) == tree
