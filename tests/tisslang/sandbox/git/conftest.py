"""A project, and a guard of its repositories that leaves no descriptor open."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from repositories import remove_tree

from tisslang.sandbox.git.repositories import RepositoryGuard


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "root"
    root.mkdir()
    yield root
    remove_tree(tmp_path, "root")  # no other function removes what is as deep


@pytest.fixture
def guard(root: Path) -> Iterator[RepositoryGuard]:
    descriptors = len(os.listdir("/proc/self/fd"))
    guard = RepositoryGuard(str(root))
    yield guard
    guard.close()
    assert len(os.listdir("/proc/self/fd")) == descriptors
