"""Version control: what a command leaves in `.git` must not run when the operator next uses git.

Each is judged twice, from outside: the entries that the language reference guards are compared with
those before the run, and then git is used as a person would. `PAYLOAD` makes a file outside, but
only when the operator's own git runs it. The rule holds under the profile `none` too, so most are
proven against careless.py.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from attacks.attack import Attack
from attacks.variant import SUPPORT
from attacks.world import Report, World

GUARDED = ("hooks", "config", "config.worktree", "commondir", "info", "modules", "worktrees")
KEPT_KEYS = {
    *("core.repositoryformatversion", "core.filemode", "core.bare", "core.logallrefupdates"),
    *("core.ignorecase", "core.precomposeunicode", "core.symlinks", "extensions.objectformat"),
    *("user.name", "user.email"),
}
PAYLOAD = 'test -z "$OPERATOR" || : > @base@/ran'
SCRIPT = f"#!/bin/sh\n{PAYLOAD}\nexit 0\n"
HANGS = "the operator's git never ends"
TREACHEROUS = {"evil.sh": SCRIPT}  # waits in the root, where a command may write anyway

# As the operator would, one day: each command in each repository, whatever becomes of it.
DAILY = """
for place in $(find . -name .git | sed 's|/.git$||'); do (
    cd "$place" || exit
    git status; git log -1 --show-signature; git diff; git diff HEAD~1; git show; git st
    echo "$RANDOM" >> tracked; git add tracked; git add -A; git commit -m one
    git commit --allow-empty
    git checkout other; git checkout main; git stash; git stash pop; git switch -c third
    git rebase --continue; git merge --continue; git am --continue; git cherry-pick --continue
    git merge --abort; git merge other; git fetch; git push
    git submodule status; git submodule foreach true
    git worktree list; git branch; git tag -a -m x v1; git blame tracked; git grep x
    git archive HEAD > /dev/null; git gc -q
) done < /dev/null
:
"""


def git(world: World, script: str, place: Path | None = None) -> str:
    """Run a script of git commands outside, as the user to whom the root belongs."""
    command = ["timeout", "-s", "KILL", "15", "sh", "-c", script]
    if world.variant.uid != os.geteuid():
        command = [sys.executable, str(SUPPORT / "as_user.py"), str(world.variant.uid), *command]
    identity = {
        f"GIT_{who}_{what}": "a@b.c"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    done = subprocess.run(
        command,
        cwd=place or world.project,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(world.home),
            "OPERATOR": "yes",
            "TERM": "dumb",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            **identity,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode in (137, -signal.SIGKILL):
        return HANGS
    return done.stdout.decode(errors="replace")


# ------------------------------------------------------------------------- before and after


class Before(NamedTuple):
    """The operator's repository as a command found it."""

    inode: int
    entries: dict[str, Any]  # what is guarded
    git_files: dict[str, str]  # of submodules and worktrees


BEFORE: "WeakKeyDictionary[World, Before]" = WeakKeyDictionary()


def repository(*more: str, place: str = ".") -> Callable[[World], None]:
    """A repository of the operator, with two commits and an own hook; `more` is done in it."""
    script = """
git init -q -b main
printf '#!/bin/sh\\nexit 0\\n' > .git/hooks/commit-msg; chmod +x .git/hooks/commit-msg
git config alias.st status; git config gc.auto 0; git config remote.origin.url ../nowhere
for n in 1 2; do echo $n > tracked; git add tracked; git commit -qm $n; done
git checkout -q -b other; echo 3 > tracked; git commit -qam 3
git checkout -q main; echo 4 > tracked; git commit -qam 4
"""

    def build(world: World) -> None:
        (world.project / place).mkdir(parents=True, exist_ok=True)
        for path in (world.project, *world.project.rglob("*")):
            world.give(path)
        whole = "\n".join(["set -e", script, *more, "echo built"])
        said = git(world, world.fill(whole), world.project / place)
        assert said.endswith("built\n"), said
        git_files = {str(path): path.read_text() for path in _git_entries(world) if path.is_file()}
        repository = world.project / place / ".git"
        BEFORE[world] = Before(repository.stat().st_ino, guarded(repository), git_files)

    return build


def guarded(repository: Path) -> dict[str, Any]:
    """What the reference guards in a `.git` directory, as it stands."""
    found: dict[str, Any] = {}
    if repository.is_symlink() or not repository.is_dir():
        return {".git": "is no directory"}
    for entry in sorted(repository.iterdir()):
        if entry.name.casefold() in GUARDED:
            found |= {
                str(path.relative_to(repository)): _content(path)
                for path in (entry, *_below(entry))
            }
    return found


def _below(path: Path) -> list[Path]:
    return sorted(path.rglob("*")) if path.is_dir() and not path.is_symlink() else []


def _content(path: Path) -> Any:
    if path.is_symlink():
        return f"-> {os.readlink(path)}"
    mode = oct(path.lstat().st_mode)
    return (mode, path.read_bytes()) if path.is_file() else mode


def judged(world: World, report: Report) -> str | None:
    """Look at each `.git` that is there now, and use git."""
    before = BEFORE.get(world, Before(0, {}, {}))
    found: list[str] = []
    for path in _git_entries(world):
        if path.is_symlink() or not path.is_dir():
            if path.is_symlink() or path.read_text() != before.git_files.get(str(path)):
                found.append(f"{path.name} is a file or a link")
            continue
        now = guarded(path)
        if path.stat().st_ino == before.inode and now != before.entries:
            changed = now.items() ^ before.entries.items()
            found.append(f"changed in .git: {', '.join(sorted({name for name, _ in changed}))}")
        fresh = {name for name, content in now.items() if before.entries.get(name) != content}
        found += _strange(path, fresh)
    found += [f"{p.name} is left" for p in world.project.iterdir() if p.name.casefold() == ".tiss"]
    if git(world, DAILY) == HANGS:
        found.append(HANGS)
    if (world.base / "ran").exists():
        found.append("the operator's git ran what the command left")
    return "; ".join(found) or None


def _git_entries(world: World) -> list[Path]:
    return sorted(path for path in world.project.rglob("*") if path.name.casefold() == ".git")


def _strange(repository: Path, names: set[str]) -> list[str]:
    """Which of these names no `.git` that a command made may hold."""
    allowed = {"config", "hooks", "info", "info/exclude"}
    found = [
        f"{name} is left in a new repository"
        for name in sorted(names - allowed)
        if not (name.startswith("hooks/") and name.endswith(".sample"))
    ]
    config = repository / "config"
    if "config" in names and config.is_file() and not config.is_symlink():
        listed = subprocess.run(
            ["git", "config", "--file", str(config), "--no-includes", "--name-only", "--list"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split("\n")
        strange = {key for key in listed if key and key.lower() not in KEPT_KEYS}
        found += [f"{key} is left in a new repository's config" for key in sorted(strange)]
    elif "config" in names:
        found.append("a new repository's config is no file")
    return found


def _attack(name: str, command: str, **more: Any) -> Attack:
    more.setdefault("setup", repository())
    files = {**TREACHEROUS, **more.pop("files", {})}
    return Attack(
        name,
        "version_control",
        "chmod +x evil.sh\n" + command,
        files=files,
        succeeded=judged,
        guarded_by_none=True,
        **more,
    )


def _new_attack(name: str, command: str, **more: Any) -> Attack:
    """In a root without a repository."""
    return _attack(name, command, setup=None, **more)


# --------------------------------------------------------------- a repository of the operator's

HOOKS = "for h in pre-commit post-commit post-checkout; do cp evil.sh .git/hooks/$h; done"
_EXISTING = [
    _attack("a new hook", HOOKS),
    _attack("a hook is changed", "cat evil.sh > .git/hooks/commit-msg"),
    _attack("a hook is replaced by a link", "ln -sf ../../evil.sh .git/hooks/commit-msg"),
    _attack("a hook is moved into place", "cp evil.sh .git/h; mv .git/h .git/hooks/pre-commit"),
    _attack(
        "a hook becomes executable",
        "chmod +x .git/hooks/pre-commit",
        setup=repository(f"printf '#!/bin/sh\\n%s\\n' '{PAYLOAD}' > .git/hooks/pre-commit"),
    ),
    _attack(
        "another directory of hooks",
        "rm -rf .git/hooks; mkdir .git/hooks; cp evil.sh .git/hooks/post-checkout",
    ),
    _attack(
        "hooks become a link",
        "mv .git/hooks .git/old; mkdir h; cp evil.sh h/pre-commit; ln -s ../h .git/hooks",
    ),
    _attack("core.fsmonitor", 'git config core.fsmonitor "$PWD/evil.sh"'),
    _attack("core.hooksPath", "mkdir h; cp evil.sh h/pre-commit; git config core.hooksPath h"),
    _attack("an alias is changed", "git config alias.st '!./evil.sh'"),
    _attack("a filter", "git config filter.x.clean ./evil.sh; echo '* filter=x' > .gitattributes"),
    _attack(
        "include.path",
        "printf '[core]\\n fsmonitor = %s/evil.sh\\n' \"$PWD\" > more; "
        "git config include.path ../more",
    ),
    _attack(
        "includeIf",
        "printf '[core]\\n fsmonitor = %s/evil.sh\\n' \"$PWD\" > more; "
        "git config 'includeIf.gitdir:**.path' ../more",
    ),
    _attack("diff.external", "git config diff.external ./evil.sh"),
    _attack(
        "a program for text",
        "git config diff.x.textconv ./evil.sh; echo '* diff=x' > .gitattributes",
    ),
    _attack(
        "a merge driver", "git config merge.x.driver ./evil.sh; echo '* merge=x' > .gitattributes"
    ),
    _attack(
        "core.sshCommand",
        "git config core.sshCommand ./evil.sh; "
        "git config remote.origin.url ssh://host/x; git config branch.main.remote origin",
    ),
    _attack(
        "credential.helper and a remote's program",
        'git config remote.origin.url "$PWD"; git config remote.origin.uploadpack ./evil.sh',
    ),
    _attack("gpg.program", "git config gpg.program ./evil.sh; git config commit.gpgSign true"),
    _attack("core.editor", "git config core.editor ./evil.sh"),
    _attack(
        "core.pager and others by editing the file",
        "printf '[core]\\n\\teditor = ./evil.sh\\n\\tfsmonitor = ./evil.sh\\n' >> .git/config",
    ),
    _attack(
        "config is replaced by a link",
        "cp .git/config c; git config -f c core.fsmonitor ./evil.sh; ln -sf ../c .git/config",
    ),
    _attack(
        "config is replaced by a rename",
        "cp .git/config .git/c; git config -f .git/c core.fsmonitor ./evil.sh; "
        "mv .git/c .git/config",
    ),
    _attack(
        "commondir",
        "mkdir common; cp -r .git/* common/; "
        'git config -f common/config core.fsmonitor "$PWD/evil.sh"; '
        "echo ../common > .git/commondir",
    ),
    _attack(
        "config.worktree",
        "git config -f .git/config.worktree core.fsmonitor ./evil.sh",
        setup=repository("git config extensions.worktreeConfig true"),
    ),
    _attack(
        "config.worktree that was there",
        "git config -f .git/config.worktree core.fsmonitor ./evil.sh",
        setup=repository(
            "git config extensions.worktreeConfig true", "git config --worktree core.abbrev 9"
        ),
    ),
    _attack(
        "info/attributes",
        "mkdir -p .git/info; echo '* diff=x' > .git/info/attributes",
        setup=repository("git config diff.x.textconv ./evil.sh"),
    ),
    _attack(
        "a submodule's config",
        'git config -f work/.git/modules/sub/config core.fsmonitor "$PWD/evil.sh"',
        setup=repository(
            "git init -q -b main ../sub-origin",
            "cd ../sub-origin; git commit -q --allow-empty -m x; cd - >/dev/null",
            "git -c protocol.file.allow=always submodule --quiet add ../sub-origin sub",
            "git commit -qm sub",
            place="work",
        ),
    ),
    _attack(
        "a submodule that is not there",
        "mkdir -p .git/modules/x; git init -q .git/modules/x; "
        "cp evil.sh .git/modules/x/hooks/post-checkout",
    ),
    _attack(
        "a worktree's config",
        'echo "$PWD/evil-common" > .git/worktrees/tree/commondir; '
        'cp -r .git evil-common; git config -f evil-common/config core.fsmonitor "$PWD/evil.sh"',
        setup=repository("git worktree add -q tree"),
    ),
    _attack(
        "a worktree's .git file",
        "cp -r .git other; rm -r other/worktrees; "
        'git config -f other/config core.fsmonitor "$PWD/evil.sh"; '
        'echo "gitdir: $PWD/other" > tree/.git',
        setup=repository("git worktree add -q tree"),
    ),
    _attack(
        ".git is replaced by a file",
        "mv .git moved; "
        "git config -f moved/config core.fsmonitor ./evil.sh; echo 'gitdir: moved' > .git",
    ),
    _attack(
        ".git is replaced by a link",
        "mv .git moved; git config -f moved/config core.fsmonitor ./evil.sh; ln -s moved .git",
    ),
    _attack(
        ".git is moved away and made anew",
        f"mv .git moved; git init -q -b main; {HOOKS}; git config core.fsmonitor ./evil.sh",
    ),
    _attack(
        ".git is removed and made anew",
        f"rm -rf .git; git init -q -b main; {HOOKS}; git config core.fsmonitor ./evil.sh",
    ),
    _attack(
        ".git is swapped by an exchange",
        "cp -r .git new; "
        "git config -f new/config core.fsmonitor ./evil.sh; python3 -c '\n"
        'import ctypes\nprint(ctypes.CDLL(None).renameat2(-100, b"new", -100, b".git", 2))\'',
    ),
    _attack(
        "everything below .git is replaced",
        "cp -r .git new; "
        "git config -f new/config core.fsmonitor ./evil.sh; rm -rf .git/*; cp -r new/* .git/",
    ),
    _attack(
        "guarded names in another case",
        "mkdir .git/HOOKS; cp evil.sh .git/HOOKS/pre-commit; cp .git/config .git/Config",
    ),
    _attack(
        "a rebase that goes on",
        "head=$(git rev-parse HEAD); mkdir .git/rebase-merge; "
        "cd .git/rebase-merge; echo refs/heads/main > head-name; echo $head > onto; "
        "echo $head > orig-head; touch interactive done; echo 2 > end; echo 1 > msgnum; "
        "echo 'exec ./evil.sh' > git-rebase-todo; cp git-rebase-todo git-rebase-todo.backup",
    ),
    _attack(
        "a command that is cut off by the time",
        f"{HOOKS}; git config core.fsmonitor ./evil.sh; sleep 6",
        flags=("--timeout", "1s"),
    ),
    _attack("a command that fails", f"{HOOKS}; git config core.fsmonitor ./evil.sh; kill -9 $$"),
    _attack(
        "the next command of the plan puts it back",
        "",
        plan=(
            "RUN <<'SH'\nchmod +x evil.sh; cp .git/config keep; ln .git/config linked\nSH\n"
            "RUN <<'SH'\nprintf '[core]\\n\\tfsmonitor = ./evil.sh\\n' >> linked\n"
            "cp evil.sh .git/hooks/post-checkout\nSH\n"
        ),
    ),
    _attack(
        "a race with what puts it back",
        "for n in 1 2 3 4; do setsid sh -c 'n=0; "
        "while [ $n -lt 3000 ]; do cp evil.sh .git/hooks/pre-commit; n=$((n+1)); done' & done; "
        "git config core.fsmonitor ./evil.sh; sleep 0.1",
    ),
]

# --------------------------------------------------------------- repositories at other places

NEST = repository(place="deep/nested")
_NESTED = [
    _attack(
        "a hook in a nested repository",
        "cp evil.sh deep/nested/.git/hooks/pre-commit; "
        'git -C deep/nested config core.fsmonitor "$PWD/evil.sh"',
        setup=NEST,
    ),
    _attack(
        "a nested repository under another name",
        "mv deep other; "
        "cp evil.sh other/nested/.git/hooks/pre-commit; "
        'git -C other/nested config core.fsmonitor "$PWD/evil.sh"',
        setup=NEST,
    ),
    _attack(
        "a nested repository away and back",
        'mv deep other; git -C other/nested config core.fsmonitor "$PWD/evil.sh"; mv other deep',
        setup=NEST,
    ),
    _attack(
        "another in a nested repository's place",
        "mv deep other; mkdir -p deep/nested; "
        "git init -q -b main deep/nested; cp -r other/nested/.git/* deep/nested/.git/; "
        'git -C deep/nested config core.fsmonitor "$PWD/evil.sh"',
        setup=NEST,
    ),
    _attack(
        "two nested repositories change places",
        "git init -q -b main two; "
        'git -C two config core.fsmonitor "$PWD/evil.sh"; mv deep/nested three; '
        "mv two deep/nested; mv three two; "
        'git -C deep/nested config core.fsmonitor "$PWD/evil.sh"',
        setup=NEST,
    ),
    _attack(
        "a directory above becomes a link",
        'mv deep other; ln -s other deep; git -C deep/nested config core.fsmonitor "$PWD/evil.sh"',
        setup=NEST,
    ),
    _attack(
        "a repository that one cannot enter",
        "git -C deep/nested config core.fsmonitor "
        '"$PWD/evil.sh"; chmod 0 deep/nested/.git deep/nested deep',
        setup=NEST,
    ),
]

# ------------------------------------------------------------------------------ new repositories

CONFIG = 'git config core.fsmonitor "$PWD/evil.sh"'
START = (
    "git init -q -b main; echo x > tracked; git add tracked; "
    "git -c user.name=a -c user.email=b commit -qm x"
)


def _plain_config(text: str) -> str:
    return f"{START}\ncat >> .git/config <<'END'\n{text}\nEND"


_NEW = [
    _new_attack("a new repository with hooks", f"{START}; {HOOKS}"),
    _new_attack("a new repository that runs a program", f"{START}; {CONFIG}"),
    _new_attack(
        "a new repository from a template",
        "mkdir -p t/hooks; cp evil.sh t/hooks/pre-commit; git init -q --template=t sub",
    ),
    _new_attack(
        "a new nested repository",
        "git init -q -b main a/b/c; cp evil.sh a/b/c/.git/hooks/"
        'pre-commit; git -C a/b/c config core.fsmonitor "$PWD/evil.sh"',
    ),
    _new_attack("a new repository in another case", f"{START}; {CONFIG}; {HOOKS}; mv .git .GiT"),
    _new_attack(
        "a new .git file",
        f"git init -q -b main moved; cd moved; {START}; {CONFIG}; cd ..; "
        "cp evil.sh moved/; echo 'gitdir: moved/.git' > .git",
    ),
    _new_attack(
        "a new .git link",
        "mkdir sub; git init -q -b main store; cd store; "
        'git config core.fsmonitor "$PWD/../evil.sh"; cd ..; ln -s ../store/.git sub/.git',
    ),
    _new_attack(
        "a new repository whose hooks are a link",
        f"{START}; rm -r .git/hooks; mkdir h; cp evil.sh h/pre-commit; ln -s ../h .git/hooks",
    ),
    _new_attack(
        "a new repository whose config is a link",
        f"{START}; {CONFIG}; mv .git/config c; ln -s ../c .git/config",
    ),
    _new_attack(
        "a new repository with a second name for its config",
        f"{START}; ln .git/config c",
        plan=(
            f"RUN <<'SH'\nchmod +x evil.sh; {START}; ln .git/config c\nSH\n"
            "RUN <<'SH'\nprintf '[core]\\n\\tfsmonitor = ./evil.sh\\n' >> c\nSH\n"
        ),
    ),
    _new_attack(
        "a hook in the next command",
        "",
        plan=(f"RUN <<'SH'\nchmod +x evil.sh; {START}\nSH\nRUN <<'SH'\n{HOOKS}; {CONFIG}\nSH\n"),
    ),
    _new_attack(
        "commondir of a new repository",
        f"{START}; {CONFIG}; cp -r .git common; "
        "git config --unset core.fsmonitor; echo ../common > .git/commondir",
    ),
    _new_attack(
        "config.worktree of a new repository",
        f"{START}; "
        "git config extensions.worktreeConfig true; "
        "git config --worktree core.fsmonitor ./evil.sh",
    ),
    _new_attack(
        "a hook that ends in .sample/x",
        f"{START}; mkdir .git/hooks/a.sample; "
        "cp evil.sh .git/hooks/a.sample/pre-commit; "
        "git config core.hooksPath .git/hooks/a.sample",
    ),
    _new_attack(
        "sample hooks are a link",
        f"{START}; cp evil.sh .git/hooks/pre-commit; ln -s pre-commit .git/hooks/x.sample",
    ),
    # What a simple reader of the format might take for something else.
    _new_attack(
        "config: a value that ends its line",
        _plain_config(
            '[user]\n\tname = "x\\n[core]\\n\\tfsmonitor = ./evil.sh\\n"'
            "\n[core]\n\tfsmonitor=./evil.sh"
        ),
    ),
    _new_attack(
        "config: section and key on one line", _plain_config("[core] fsmonitor = ./evil.sh")
    ),
    _new_attack(
        "config: letters of another size", _plain_config("[CoRe]\n\tFSMonitor = ./evil.sh")
    ),
    _new_attack(
        "config: a line that goes on",
        _plain_config(
            "[user]\n\tname = x\\\n[core]\n\temail = y\n[core]\n\tfsmonitor = ./ev\\\nil.sh"
        ),
    ),
    _new_attack(
        "config: a comment that is none",
        _plain_config('[user]\n\tname = "# ; "\n[core]\n\tfsmonitor = ./evil.sh # [user]'),
    ),
    _new_attack("config: quotes in the middle", _plain_config('[core]\n\tfsmonitor = ./"evil".sh')),
    _new_attack(
        "config: the old form of a section",
        _plain_config("[filter.x]\n\tclean = ./evil.sh") + "\necho '* filter=x' > .gitattributes",
    ),
    _new_attack(
        "config: a key without a value",
        _plain_config("[core]\n\tfsmonitor=./evil.sh\n\tlogallrefupdates\n\tbare\n\tbare = false"),
    ),
    _new_attack(
        "config: carriage returns",
        START
        + "\nprintf '[core]\\r\\n\\tfsmonitor = ./evil.sh\\r\\n[user]\\r\\n\\tname = x\\r\\n' "
        ">> .git/config",
    ),
    _new_attack(
        "config: a mark of byte order",
        START + "\ncp .git/config c; "
        "{ printf '\\357\\273\\277'; cat c; printf '[core]\\n\\tfsmonitor = ./evil.sh\\n'; } "
        "> .git/config",
    ),
    _new_attack(
        "config: the worktree is elsewhere",
        _plain_config(
            "[core]\n\tworktree = ..\n\tgitProxy = ./evil.sh\n\taskPass = ./evil.sh\n"
            "[include]\n\tpath = ../more"
        )
        + "\nprintf '[core]\\n fsmonitor = %s/evil.sh\\n' \"$PWD\" > more",
    ),
    _new_attack(
        "a large config",
        START + '\npython3 -c \'print("[user]\\n" + "\\tname = x\\n" * '
        '40000 + "[core]\\n\\tfsmonitor = ./evil.sh")\' >> .git/config',
    ),
    _new_attack(
        "a config that is a directory", f"{START}; {HOOKS}; rm .git/config; mkdir .git/config"
    ),
    _new_attack(
        "a new repository, and its directory locked",
        f"{START}; {HOOKS}; {CONFIG}; chmod 0500 .git .git/hooks; chmod 0400 .git/config",
    ),
    _new_attack(
        "three hundred directories hide one",
        "i=0; while [ $i -lt 300 ]; do mkdir -p d/$i; "
        "i=$((i+1)); done; git init -q -b main d/299/x; "
        "cp evil.sh d/299/x/.git/hooks/post-checkout; "
        'git -C d/299/x config core.fsmonitor "$PWD/evil.sh"',
    ),
    _new_attack(
        "a very deep repository",
        "python3 -c '\nimport os\nfor _ in range(30):\n"
        ' os.mkdir("d" * 80); os.chdir("d" * 80)\n'
        'os.makedirs(".git/hooks"); open(".git/hooks/pre-commit", "w").close()\'',
    ),
]


# ------------------------------------------------------------------- tiss ended in the middle


def end_tiss(number: int) -> Callable[[World, "subprocess.Popen[bytes]"], None]:
    """End tiss when the command has changed `.git`."""

    def during(world: World, process: "subprocess.Popen[bytes]") -> None:
        world.wait_for(world.project / "changed")
        world.ended_by_us = True
        process.send_signal(number)

    return during


CHANGE = f"{HOOKS}; git config core.fsmonitor ./evil.sh; touch changed; sleep 20"
_ENDED = [
    _attack("tiss is killed in the middle", CHANGE, during=end_tiss(signal.SIGKILL)),
    _attack("Ctrl-C in the middle", CHANGE, during=end_tiss(signal.SIGINT)),
    _attack("tiss is terminated in the middle", CHANGE, during=end_tiss(signal.SIGTERM)),
    _new_attack(
        "tiss is killed after git init", f"{START}; {CHANGE}", during=end_tiss(signal.SIGKILL)
    ),
]

# ----------------------------------------------------------------- what the restoring could hurt

# There is nothing to prove without one: these lead the one who puts things back outside.
TRAP = "trap: "
_TRAPS = [
    _new_attack(
        TRAP + "hooks lead outside", f"{START}; rm -r .git/hooks; ln -s @outside@ .git/hooks"
    ),
    _new_attack(
        TRAP + "info leads outside", f"{START}; rm -r .git/info; ln -s @outside@ .git/info"
    ),
    _new_attack(
        TRAP + "config leads outside", f"{START}; rm .git/config; ln -s @canary@ .git/config"
    ),
    _new_attack(
        TRAP + "modules and worktrees lead outside",
        f"{START}; ln -s @outside@ .git/modules; ln -s @outside@/folder .git/worktrees",
    ),
    _new_attack(
        TRAP + ".git leads outside", "ln -s @outside@ .git; mkdir sub; ln -s @home@ sub/.git"
    ),
    _new_attack(TRAP + ".tiss leads outside", "ln -s @outside@ .tiss; ln -s @outside@ .TISS"),
    _new_attack(
        TRAP + "a pipe for a config",
        f"{START}; rm .git/config; mkfifo .git/config .git/commondir; mkfifo .git/hooks/pre-commit",
    ),
    _attack(
        TRAP + "an operator's hooks lead outside",
        "rm -rf .git/hooks; ln -s @outside@ .git/hooks; "
        "rm -f .git/config; ln -s @canary@ .git/config",
    ),
    _attack(
        TRAP + "a nested repository's parent leads outside",
        "mv deep other; ln -s @outside@ deep",
        setup=NEST,
    ),
]


def trap_sprung(world: World, report: Report) -> str | None:
    """What a pipe or a loop could do to the one who puts things back: keep it for ever."""
    return None if report.exit_code in (0, 1) else f"tiss ended with {report.exit_code}"


ATTACKS = [*_EXISTING, *_NESTED, *_NEW, *_ENDED, *_TRAPS]
