"""--color and NO_COLOR: colours in a terminal only, unless somebody says otherwise."""

from pathlib import Path

import pytest
from screen import in_terminal
from tiss_process import TISS, tiss

PLAN = 'STEP "x" { }\nASSERT 1 == 2'


def shown(command: str, *flags: str, cwd: Path, **env: str) -> str:
    """What a terminal gets of standard output and error."""
    return in_terminal([*TISS, command, "p.tiss", *flags], cwd, **env)[1]


@pytest.mark.parametrize("command", ["run", "check", "lint"])
def test_when_there_is_colour(tmp_path: Path, command: str) -> None:
    (tmp_path / "p.tiss").write_text(PLAN if command != "check" else "LOG nope")
    colour = "\x1b[1;3"
    assert colour in shown(command, cwd=tmp_path)
    assert colour in shown(command, cwd=tmp_path, NO_COLOR="")
    assert "m" not in _codes(shown(command, cwd=tmp_path, NO_COLOR="1"))
    assert "m" not in _codes(shown(command, cwd=tmp_path, TERM="dumb"))
    never = shown(command, "--color", "never", cwd=tmp_path)
    assert "m" not in _codes(never)
    done = tiss(command, "p.tiss", cwd=tmp_path)
    assert "\x1b" not in done.out + done.err
    env = {"NO_COLOR": "1"}
    done = tiss(command, "p.tiss", "--color", "always", cwd=tmp_path, env=env)
    assert colour in done.err


def test_json_has_none(tmp_path: Path) -> None:
    for command in ("run", "check", "lint", "fmt", "list", "ast", "version"):
        arguments = [command] if command == "version" else [command, "-"]
        flags = ["--color", "always", "--output-format", "json"]
        done = tiss(*arguments, *flags, cwd=tmp_path, stdin=PLAN)
        assert "\x1b" not in done.out


def _codes(text: str) -> str:
    """The last letters of the control sequences in a text."""
    return "".join(part.lstrip("0123456789;")[:1] for part in text.split("\x1b[")[1:])
