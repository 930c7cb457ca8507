"""The proof with git itself: after an attack the operator's git runs nothing of the command."""

import subprocess
from pathlib import Path

import pytest
from repositories import ENVIRONMENT, canary_of, prepare, sh

from tisslang.sandbox.git.repositories import RepositoryGuard

EVIL = 'printf "#!/bin/sh\\ntouch $CANARY\\n"'
MONITOR = "$(printf '[core]\\n\\tfsmonitor = \"touch %s; false\"\\n' $CANARY)"
MANY_HOOKS = (
    "for h in pre-commit commit-msg post-commit post-checkout post-index-change "
    "reference-transaction pre-auto-gc prepare-commit-msg; do "
    f"{EVIL} > $D/$h; chmod 755 $D/$h; done"
)
COPY = 'cp -r .git .evil && git config -f .evil/config core.fsmonitor "touch $CANARY; false"'
BARE_CONFIG = (  # it takes the directory for the work tree, too
    "printf '[core]\\n\\trepositoryformatversion = 0\\n\\tbare = false\\n\\tworktree = .\\n"
    '\\tfsmonitor = "touch %s; false"\\n\' $CANARY'
)
BARE = f"cp -r .git/objects .git/refs .git/HEAD .; {BARE_CONFIG} > config"
ATTACKS = {
    "hooks": f"D=.git/hooks; mkdir -p $D; {MANY_HOOKS}",
    "fsmonitor": f'echo "{MONITOR}" >> .git/config',
    "hooksPath": f"git config core.hooksPath e; D=e; mkdir e; {MANY_HOOKS}",
    "include": f'git config include.path ../e; echo "{MONITOR}" > e',
    "filter": 'git config filter.e.clean "touch $CANARY; cat"; '
    "echo '* filter=e' > .gitattributes; echo 2 > file",
    "external diff": 'git config diff.external "touch $CANARY; true"; echo 2 > file',
    "other name": f'ln .git/config e; echo "{MONITOR}" >> e',
    "config.worktree": "git config extensions.worktreeConfig true; "
    f'echo "{MONITOR}" > .git/config.worktree',
    "commondir": f"{COPY}; echo ../.evil > .git/commondir",
    "link": f"{COPY}; mv .git old; ln -s .evil .git",
    "file": f"{COPY}; mv .git old; echo gitdir: .evil > .git",
    "exchanged": f"{COPY}; mv .git old; mv .evil .git",
    "deleted": f"{COPY}; rm -rf .git; mv .evil .git",
    "hooks replaced": f"mv .git/hooks h; D=e; mkdir e; {MANY_HOOKS}; ln -s ../e .git/hooks",
    "linked hooks": f"D=my-hooks; {MANY_HOOKS}",
    "linked hooks moved": f"mv my-hooks o; D=my-hooks; mkdir $D; {MANY_HOOKS}",
    "submodule": f'echo "{MONITOR}" >> .git/modules/logs/config',
    "submodule file": f"cp -r .git/modules/logs e; echo gitdir: ../e > logs/.git; "
    f'echo "{MONITOR}" >> e/config; echo "\tworktree = ../logs" >> e/config',
    "submodule replaced": f'rm logs/.git; git init -q logs; echo "{MONITOR}" >> logs/.git/config',
    "work tree": "git config -f .git/worktrees/w/config.worktree core.fsmonitor "
    '"touch $CANARY; false"; git config extensions.worktreeConfig true',
    "new repository": f'git init -q new; echo "{MONITOR}" >> new/.git/config',
    "new work tree file": f"{COPY}; mkdir new; echo gitdir: $PWD/.evil > new/.git",
    "rebase": "git checkout -q -b t; git commit -q --allow-empty -m 1; "
    'GIT_SEQUENCE_EDITOR="sed -i \'1i break\'" git rebase -q -i HEAD~1 2>&1; '
    'echo "exec touch $CANARY" > .git/rebase-merge/git-rebase-todo',
    "remotes": f"git init -q --bare e.git; D=e.git/hooks; {EVIL} > $D/pre-receive; "
    "chmod 755 $D/pre-receive; mkdir .git/remotes; "
    "printf 'URL: ./e.git\\nPush: HEAD:refs/heads/x\\n' > .git/remotes/origin",
    "branches": f"git init -q --bare e.git; D=e.git/hooks; {EVIL} > $D/pre-receive; "
    "chmod 755 $D/pre-receive; mkdir -p .git/branches; echo ./e.git > .git/branches/origin",
    "switched off": f'{BARE}; rm .git/HEAD',
    "HEAD spoilt": f'{BARE}; echo x > .git/HEAD',
    "HEAD replaced": f'{BARE}; rm .git/HEAD; mkdir .git/HEAD',
    "HEAD led away": f'{BARE}; mv .git/HEAD h; ln -s ../h .git/HEAD',
    "no refs": f'{BARE}; rm -r .git/refs .git/packed-refs 2>&1 || true',
    "refs a file": f'{BARE}; rm -r .git/refs; touch .git/refs',
    "objects a dead link": f'{BARE}; rm -r .git/objects; ln -s nowhere .git/objects',
    "bare": f"mkdir new; cp -r .git/objects .git/refs .git/HEAD new; {BARE_CONFIG} > new/config",
    "bare with links": "mkdir new; cd new; ln -s ../.git/objects; ln -s ../.git/refs; "
    f"ln -s refs/heads/master HEAD; {BARE_CONFIG} > config",
    "cloned bare": "git clone -q --bare . new; git -C new config core.bare false; "
    f"{BARE_CONFIG} >> new/config",
    "set hooks": f"D=tools/hooks; {MANY_HOOKS}",
    "set hooks made": f"D=tools/hooks; mkdir -p $D; {MANY_HOOKS}",
    "set hooks of a work tree": f"D=w/tools/hooks; mkdir -p $D; {MANY_HOOKS}",
    "set hooks of a submodule": f"D=logs/tools; mkdir $D; {MANY_HOOKS}",
    "set include": f'echo "{MONITOR}" >> tools/config',
    "set include made": f'mkdir -p tools; echo "{MONITOR}" >> tools/config',
    "set include of an include": f'echo "{MONITOR}" > tools/more',
}  # fmt: skip
OPERATOR = (
    "git status; git log -p; git diff; git commit --allow-empty -m x; git checkout -b y; git gc; "
    "git push origin HEAD:refs/heads/z; git rebase --continue; git add -A"
)


def operate(root: Path) -> None:
    """What an operator does next, in the root and in the work trees below it."""
    elsewhere = "git status; git commit --allow-empty -m x"
    places = [(root, OPERATOR)]
    places += [(root / name, elsewhere) for name in ("new", "logs", "w") if (root / name).is_dir()]
    for place, commands in places:
        environment = ENVIRONMENT | {"GIT_CEILING_DIRECTORIES": str(root.parent)}
        subprocess.run(["sh", "-c", commands], cwd=place, env=environment, capture_output=True)


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_operators_git_runs_nothing_of_the_command(
    root: Path, guard: RepositoryGuard, attack: str, guarded: bool
) -> None:
    prepare(root, attack)
    guard.before()
    sh(ATTACKS[attack], root)
    assert not canary_of(root).exists() or attack == "work tree"
    canary_of(root).unlink(missing_ok=True)
    if guarded:
        assert guard.after() != []
    operate(root)
    assert canary_of(root).exists() != guarded
    if guarded and attack not in ("deleted", "objects a dead link"):  # and git still works
        sh("git status && git fsck && git -C w status && git -C logs status", root)
