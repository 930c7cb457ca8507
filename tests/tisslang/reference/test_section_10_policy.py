"""Section 10.3: the command policy. A dry run judges commands and starts none."""

from pathlib import Path
from typing import Any

import pytest
from conformance import run


def verdict(command: str, root: Path, before: str = "", **options: Any) -> str:
    """`deny`, `ask` or `run`. What needs approval is refused here, for want of a person."""
    text = f"{before}\nRUN <<'SH'\n{command}\nSH"
    judged = run(text, root, dry_run=True, **options)
    if judged["exit_code"] == 5:
        return "deny"
    assert judged["exit_code"] == 0
    # Only a real run asks. `exit` in front keeps what it would do from happening.
    asked = run(f"{before}\nRUN <<'SH'\nexit 0\n{command}\nSH", root, **options)
    if asked["exit_code"] == 7:
        return "ask"
    assert asked["exit_code"] == 0
    return "run"


DENIED = [
    *("rm -r .", "rm -rf ..", "rm -R ./", "rm -rf /", "rm -rf /etc", "rm --recursive /usr"),
    *("rm -fr ~", "rm -rf ~/x", "rm -rf ~root", "rm -rf $HOME", "rm -rf $HOME/x", "rm -r '/*'"),
    *("rm -rf /*", "rm -rf ../other", "rm -rf a/../../b", "rm -f -r /", "rm -rf -- /", "rm / -rf"),
    *('rm -rf "$HOME"', "rm -rf ok /etc", "/bin/rm -rf /", "rm -rf .."),
    *("mkfs /dev/sda", "mkfs.ext4 /dev/sda1", "/sbin/mkfs.xfs x"),
    *("dd if=/dev/zero of=/dev/sda", "dd of=/dev/sda1 bs=1"),
    *("shutdown now", "reboot", "halt", "poweroff -f", "/sbin/reboot"),
    *("chmod -R 777 /", "chown -R a /", "chmod -R a+w /"),
    *(":(){ :|:& };:", "bomb() { bomb | bomb & }; bomb"),
]
ASKED = [
    *("sudo ls", "su -c ls", "doas ls", "curl http://x", "wget x", "nc -l 1", "ssh a", "scp a b:"),
    *("rsync a b:", "ftp x", "telnet x", "git push", "git push origin main", "/usr/bin/curl x"),
    *("cat x | sh", "cat x | bash", "cat x | zsh", "cat x | python3", "cat x | python", "ls|sh -s"),
    *("cat x | /bin/sh", "cat x | python3.11 -"),
]
FREE = [
    *("rm x", "rm -f x", "rm -rf build", "rm -rf ./build/x", "rm -r a b", "rm -rf a/../b"),
    *("echo rm -rf /", "echo sudo", "ls curl", "dd of=out.img", "dd of=./dev/x", "chmod -R 7 x"),
    *("chmod 7 x", "chown a x", "git status", "git pull", "git commit -m push", "f() { g | h; }"),
    *("cat sh", "sh x.sh", "python3 x.py", "cat x | grep sh", "cat x | sort", "echo '; sudo ls'"),
]


@pytest.mark.parametrize("command", DENIED)
def test_denied(tmp_path: Path, command: str) -> None:
    assert verdict(command, tmp_path) == "deny"


@pytest.mark.parametrize("command", ASKED)
def test_asked(tmp_path: Path, command: str) -> None:
    assert verdict(command, tmp_path) == "ask"


@pytest.mark.parametrize("command", FREE)
def test_free(tmp_path: Path, command: str) -> None:
    assert verdict(command, tmp_path) == "run"


@pytest.mark.parametrize(
    "command",
    [
        *(
            "true; sudo ls",
            "true & sudo ls",
            "true | sudo ls",
            "true && sudo ls",
            "false || sudo ls",
        ),
        *("(sudo ls)", "true\nsudo ls", "echo $(sudo ls)", 'echo "$(sudo ls)"', "echo `sudo ls`"),
        *('echo "`sudo ls`"', 'echo "a $(echo "$(sudo ls)")"', "true;sudo ls", "(true;(sudo ls))"),
    ],
)
def test_simple_commands_are_found_everywhere(tmp_path: Path, command: str) -> None:
    assert verdict(command, tmp_path) == "ask"


@pytest.mark.parametrize(
    "command",
    [
        *("A=1 sudo ls", "A=1 B='2 3' sudo ls", "<in sudo ls", "> out sudo ls", "2>&1 sudo ls"),
        *(
            "if sudo ls; then :; fi",
            "if true; then sudo ls; fi",
            "if false; then :; else sudo ls; fi",
        ),
        "if false; then :; elif sudo ls; then :; fi",
        *("while sudo ls; do :; done", "until sudo ls; do :; done", "for x in 1; do sudo ls; done"),
        *("! sudo ls", "{ sudo ls; }", "! { sudo ls; }"),
        *("env sudo ls", "env A=1 sudo ls", "env -i sudo ls", "nohup sudo ls", "time sudo ls"),
        *("nice sudo ls", "nice -n 5 sudo ls", "command sudo ls", "exec sudo ls", "xargs sudo ls"),
        *(
            "timeout 5 sudo ls",
            "timeout -k 1 5 sudo ls",
            "xargs -n 1 sudo ls",
            "/usr/bin/env sudo ls",
        ),
        *("env nice timeout 5 sudo ls", "A=1 env B=2 nohup sudo ls"),
    ],
)
def test_what_stands_in_front_is_skipped(tmp_path: Path, command: str) -> None:
    assert verdict(command, tmp_path) == "ask"


@pytest.mark.parametrize(
    "command",
    ["'sudo' ls", '"sudo" ls', "s'u'do ls", "\\sudo ls", 's"ud"o ls', "/usr/bin/'sudo' x"],
)
def test_words_are_compared_after_quote_removal(tmp_path: Path, command: str) -> None:
    assert verdict(command, tmp_path) == "ask"


@pytest.mark.parametrize(
    "command", ['echo "sudo"', "echo sudo ls", "grep 'curl' x", "echo '$(sudo x)'"]
)
def test_position_decides(tmp_path: Path, command: str) -> None:
    assert verdict(command, tmp_path) == "run"


def test_the_final_text_is_judged(tmp_path: Path) -> None:
    report = run('VAR c = "sudo"\nRUN "{{c}} ls"', tmp_path)
    assert report["exit_code"] == 7
    report = run('VAR p = "/"\nRUN "rm -rf {{p}}"', tmp_path)
    assert report["exit_code"] == 5
    report = run('VAR c = "true; sudo ls"\nRUN "{{c|raw}}"', tmp_path)
    assert report["exit_code"] == 7
    report = run('VAR c = "; sudo ls"\nRUN "echo {{c}}"', tmp_path)
    assert report["last_run"]["stdout"] == "; sudo ls\n"


def test_a_path_that_leaves_the_root_is_seen_from_the_directory_of_the_command(
    tmp_path: Path,
) -> None:
    (tmp_path / "sub").mkdir()
    report = run('@cwd "sub"\nRUN "rm -rf ../build"', tmp_path)
    assert report["exit_code"] == 0
    report = run('@cwd "sub"\nRUN "rm -rf ../../build"', tmp_path)
    assert report["exit_code"] == 5


def test_a_denied_command_does_nothing(tmp_path: Path) -> None:
    report = run('RUN "touch made; rm -rf /"', tmp_path)
    assert (report["error"]["kind"], report["exit_code"]) == ("security", 5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "options", "expected"),
    [
        ("sudo ls", {"allow_command": ["sudo"]}, "run"),
        ("git push", {"allow_command": ["git"]}, "run"),
        ("reboot", {"allow_command": ["reboot"]}, "run"),
        ("ls", {"deny_command": ["ls"]}, "deny"),
        ("/bin/ls x", {"deny_command": ["ls"]}, "deny"),
        ("env A=1 'ls' x", {"deny_command": ["ls"]}, "deny"),
        ("echo ls", {"deny_command": ["ls"]}, "run"),
        ("sudo ls", {"deny_command": ["sudo"]}, "deny"),
        ("curl x", {"allow_command": ["curl"], "deny_command": ["curl"]}, "deny"),
        ("sudo ls", {"allow_command": ["curl"]}, "ask"),
    ],
)
def test_the_operator_adjusts_the_lists(
    tmp_path: Path, command: str, options: dict[str, Any], expected: str
) -> None:
    assert verdict(command, tmp_path, **options) == expected


def test_approval_lets_a_command_run(tmp_path: Path) -> None:
    report = run('RUN "curl --version >/dev/null 2>&1; echo ran"', tmp_path, yes=True)
    assert report["last_run"]["stdout"] == "ran\n"
