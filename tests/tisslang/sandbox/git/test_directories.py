"""Trees that resist: deep, locked, and changing meanwhile."""

import contextlib
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

from repositories import ENVIRONMENT, NOBODY, make, not_root, remove_tree, sh, state

import tisslang
from tisslang.sandbox.git.repositories import GuardError, RepositoryGuard

NEST = """
import os, sys
for level in range(int(sys.argv[1])):
    os.mkdir("d"); os.chdir("d")
    if level % 1000 == 999:
        os.symlink("x", ".git")
        os.makedirs(".GIT/hooks/h")
"""


def nest(directory: Path, levels: int) -> None:
    subprocess.run([sys.executable, "-c", NEST, str(levels)], cwd=directory, check=True)


def test_five_thousand_levels(root: Path, guard: RepositoryGuard) -> None:
    guard.before()
    nest(root, 5000)
    undone = guard.after()
    assert len(undone) > 2
    assert all(len(path) <= 4097 for path in undone)  # the longer ones are cut
    guard.before()
    assert guard.after() == []
    remove_tree(root, "d")
    assert os.listdir(root) == []


def test_a_deep_impostor_is_removed(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q .", root)
    before = state(root)
    guard.before()
    (root / "new").mkdir()
    nest(root / "new", 5000)
    sh("mv .git new/d/x && mv new .git", root)
    assert guard.after() == [".git"]
    assert state(root) == before


def test_a_repository_far_down_is_guarded(root: Path, guard: RepositoryGuard) -> None:
    script = NEST + "\nos.mkdir('.git'); open('.git/config', 'w').write(sys.argv[2])"
    (root / "deep").mkdir()
    command = [sys.executable, "-c", script]
    subprocess.run([*command, "999", "good"], cwd=root / "deep", check=True)
    assert len(guard.before()) == 1
    evil = (
        "import os\nwhile os.path.isdir('d'): os.chdir('d')\nopen('.git/config', 'w').write('evil')"
    )
    subprocess.run([sys.executable, "-c", evil], cwd=root / "deep", check=True)
    assert len(guard.after()) == 1
    look = evil.replace("'w').write('evil')", "'r').read() == 'good' or exit(1)")
    subprocess.run([sys.executable, "-c", look], cwd=root / "deep", check=True)
    remove_tree(root, "deep")


def test_locked_directories_are_opened_and_locked_again(root: Path, guard: RepositoryGuard) -> None:
    sh("git init -q . && mkdir -p locked/sub free && git init -q locked/sub", root)
    sh("ln -s ../../../../t locked/sub/.git/hooks/x && mkdir -m 700 t && touch t/t", root)
    sh("chmod 500 locked/sub/.git/hooks && chmod 0 locked/sub locked", root)
    if not os.getuid():
        sh(f"chown -R -h {NOBODY}:{NOBODY} .", root)
    before = state(root)
    with not_root():
        guard.before()
    sh("chmod 700 locked locked/sub locked/sub/.git/hooks", root)
    sh(
        "echo evil > locked/sub/.git/hooks/pre-commit && mkdir -p free/a && git init -q free/a",
        root,
    )
    sh("echo evil > free/a/.git/hooks/evil && ln -s x free/.git && echo evil > t/t", root)
    sh("mv .git free/g && git init -q . && echo x >> free/g/config", root)
    sh("chmod 000 free/g/hooks free/a/.git/hooks free/a/.git .git/hooks t/t t", root)
    sh("chmod 000 locked/sub/.git/hooks locked/sub/.git && chmod 300 free/a", root)
    sh("chmod 100 locked/sub && chmod 400 locked && chmod 000 free/g free .git", root)
    if not os.getuid():
        sh(f"chown -R -h {NOBODY}:{NOBODY} .", root)
    modes = {path: (root / path).stat().st_mode for path in ("free", "locked")}
    root.chmod(0)
    with not_root():
        undone = guard.after()
    assert stat.S_IMODE(root.stat().st_mode) == 0
    root.chmod(0o755)
    assert undone == [
        ".git",
        ".git/config",
        ".git/hooks",
        "free/.git",
        "free/a/.git/hooks/evil",
        "locked/sub/.git",
        "locked/sub/.git/hooks",
        "locked/sub/.git/hooks/pre-commit",
        "t",
        "t/t",
    ]
    assert modes == {path: (root / path).stat().st_mode for path in modes}
    sh("chmod -R u+rwx free && rm -r free/* && chmod 755 free locked .git", root)
    sh("chmod 700 locked/sub && chmod 755 locked/sub/.git", root)
    sh("chmod 0 locked/sub locked", root)
    if not os.getuid():  # another may not look
        assert state(root) == before


CAREFUL = """
import ctypes, os, struct, sys
sys.path.insert(0, sys.argv[1])
from tisslang.sandbox.git.repositories import RepositoryGuard

libc = ctypes.CDLL(None, use_errno=True)
header = struct.pack("Ii", 0x20080522, 0)
held = ctypes.create_string_buffer(24)
assert libc.capget(header, held) == 0
for_files = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
low = [word & ~for_files for word in struct.unpack("6I", held.raw)[:3]]
assert libc.capset(header, struct.pack("6I", *low, *struct.unpack("6I", held.raw)[3:])) == 0
guard = RepositoryGuard(sys.argv[2])
print(guard.before())
exec(sys.argv[3])
print(guard.after())
"""
LOCK = """
import subprocess
for mode in ("000", "444", "111", "333"):
    subprocess.run(["sh", "-ec", "git init -q $0; touch $0/.git/hooks/update; chmod $0 $0", mode])
"""


def test_a_superuser_without_its_capabilities_opens_locks_too(root: Path) -> None:
    package = str(Path(tisslang.__file__).parents[1])
    command = [sys.executable, "-I", "-S", "-c", CAREFUL, package, str(root), LOCK]
    done = subprocess.run(command, cwd=root, env=ENVIRONMENT, capture_output=True, check=False)
    assert done.stderr == b""
    modes = ("000", "111", "333", "444")
    assert done.stdout.decode().splitlines() == [
        "[]",
        str([f"{mode}/.git/hooks/update" for mode in modes]),
    ]
    for mode in modes:
        assert stat.S_IMODE((root / mode).stat().st_mode) == int(mode, 8)
        (root / mode).chmod(0o755)


def test_a_race_of_renames_leads_nowhere(root: Path, guard: RepositoryGuard) -> None:
    """Whatever is exchanged while the guard works, it changes nothing outside."""
    outside = root.parent / "outside"
    for name in (".git/hooks", ".git/modules/x", "sub/.git/hooks", "hooks", "info"):
        make(outside / name / "file")
    make(outside / "config")
    sh("git init -q . && mkdir -p a/b/c && git init -q a/b/c", root)
    before = {path: (state(path), path.lstat()) for path in [outside, *outside.rglob("*")]}
    stop = threading.Event()

    def rename(here: int, name: str) -> None:
        os.symlink(outside, "link", dir_fd=here)
        while not stop.is_set():
            for source, target in ((name, "old"), ("link", name), (name, "link"), ("old", name)):
                with contextlib.suppress(OSError):
                    os.rename(source, target, src_dir_fd=here, dst_dir_fd=here)
        os.close(here)

    names = [("a", "b"), ("a/b", "c"), ("a/b/c", ".git"), (".git", "hooks"), (".", "a")]
    places = [(os.open(root / directory, os.O_RDONLY), name) for directory, name in names]
    threads = [threading.Thread(target=rename, args=place) for place in places]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 2
    rounds = 0
    while time.monotonic() < end:
        with contextlib.suppress(GuardError):
            guard.before()
            guard.after()
        rounds += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert rounds > 3
    after = {path: (state(path), path.lstat()) for path in [outside, *outside.rglob("*")]}
    for path, (content, status) in before.items():
        assert after[path][0] == content
        assert after[path][1].st_ctime_ns == status.st_ctime_ns
    assert set(after) == set(before)
