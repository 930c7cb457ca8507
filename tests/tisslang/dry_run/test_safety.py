"""What safety refuses ends a dry run as it ends a run: paths, commands, repositories."""

import os
from pathlib import Path

import pytest
from dry_runs import dry, statuses

WAYS_OUT = ("../x", "/etc/passwd", "~/x", "a/../../x", "", "C:x", "a\\\\b", "out/x", "into/../../x")
USES = (
    'READ "{}" AS a\n',
    'WRITE "{}" <<W\nW\n',
    'MKDIR "{}"\n',
    'DELETE "{}"\n',
    'ASSERT FILE "{}" EXISTS\n',
    'IF FILE "{}" NOT EXISTS {{ LOG "x" }}\n',
    '@cwd "{}"\nRUN "true"\n',
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    os.symlink("..", root / "out")
    os.symlink("sub", root / "into")
    return root


@pytest.mark.parametrize("path", WAYS_OUT)
@pytest.mark.parametrize("use", USES)
def test_a_path_that_leaves_the_root(use: str, path: str, root: Path) -> None:
    report = dry(use.format(path), root)
    assert (report["exit_code"], report["error"]["kind"]) == (5, "security")
    assert report["error"]["line"] == report["plan"][-1]["line"]
    assert report["plan"][-1]["status"] == "would_fail"


@pytest.mark.parametrize("path", [".git/hooks/x", "sub/.GIT", ".tiss/x", "into/.git/config"])
@pytest.mark.parametrize("use", USES[1:4])
def test_what_belongs_to_git_is_not_changed(use: str, path: str, root: Path) -> None:
    assert dry(use.format(path), root)["exit_code"] == 5


def test_a_repository_under_another_name_is_not_made_piece_by_piece(root: Path) -> None:
    pieces = 'MKDIR "b/objects"\nMKDIR "b/refs"\n'
    head = 'WRITE "b/HEAD" <<W\nref: refs/heads/main\nW\n'
    report = dry(pieces + head, root)
    assert (report["exit_code"], report["error"]["line"]) == (5, 3)
    assert dry(pieces + 'DELETE "b/refs"\n' + head, root)["exit_code"] == 0


@pytest.mark.parametrize(
    "command",
    ["rm -rf /", "echo x; rm -rf ~", "mkfs.ext4 /dev/sda", "reboot", "cd sub && rm -r .."],
)
def test_a_denied_command(command: str, root: Path) -> None:
    report = dry(f'LOG "a"\nRUN "{command}"\nLOG "b"\n', root)
    assert report["exit_code"] == 5
    assert statuses(report) == [(1, "would_run"), (2, "would_fail")]


def test_no_way_and_no_handler_excuses_it(root: Path) -> None:
    """Security is never caught, also where it is not known whether it comes to that."""
    for bad in ('RUN "rm -rf /"', 'READ "../x" AS a'):
        conditional = f'RUN "x"\nIF LAST_RUN.STDOUT IS_EMPTY {{\n{bad}\n}}\nLOG "after"\n'
        report = dry(conditional, root)
        assert report["exit_code"] == 5
        assert statuses(report)[-1] == (3, "~would_fail")
        assert dry(f'TRY {{\n{bad}\n}} CATCH {{ LOG "x" }}\n', root)["exit_code"] == 5
        assert dry(f"TRY {{\nLOG 1\n}} CATCH {{\n{bad}\n}}\n", root)["exit_code"] == 5


def test_the_operator_decides(root: Path) -> None:
    assert dry('RUN "rm -rf /"\n', root, allow_command=["rm"])["exit_code"] == 0
    assert dry('RUN "ls"\n', root, deny_command=["ls"])["exit_code"] == 5
    assert dry('@env "A=b"\nRUN "ls"\n', root, sandbox_profile="strict")["exit_code"] == 5


def test_a_command_that_needs_approval_is_taken_as_approved(root: Path) -> None:
    for options in ({}, {"non_interactive": True}, {"answer": ["no"]}):
        report = dry('RUN "sudo make install"\nLOG "after"\n', root, **options)
        assert report["exit_code"] == 0
        assert statuses(report) == [(1, "would_run"), (2, "would_run")]


def test_a_value_is_judged_as_the_shell_will_see_it(root: Path) -> None:
    assert dry('VAR a = "rm -rf /"\nRUN "{{a|raw}}"\n', root)["exit_code"] == 5
    assert dry('VAR a = "/; rm -rf /"\nRUN "echo {{a}}"\n', root)["exit_code"] == 0
    assert dry('VAR a = "/"\nRUN "rm -rf \'{{a}}\'"\n', root)["exit_code"] == 5
