"""No value breaks out of a command that is accepted, whichever real shell reads it."""

import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from shells import BASH, SHELLS, contexts

from tisslang.syntax.shell import Context, Unsupported, quote, reference_contexts, render_command

# Attacks. A template is anything; its value tries to run a command that makes a file. Whatever the
# scan accepts must run in every shell without that file.

PIECES = [
    *[
        "'",
        "'",
        '"',
        '"',
        "\\",
        "$",
        "(",
        ")",
        "$(",
        "$(",
        '"$(',
        ')"',
        "{",
        "}",
        "${x}",
        "${x#",
        "#",
    ],
    *[
        " #",
        "\n",
        "\n",
        " ",
        ";",
        "&",
        "|",
        "<",
        ">",
        "[",
        "]",
        "a[",
        "]=",
        "=",
        "a=",
        "=(",
        "case x in ",
    ],
    *[
        "esac",
        "x)",
        ";;",
        "@(",
        "!(",
        "?(",
        "<(",
        ">(",
        "echo ",
        ": ",
        "[ ",
        " ]",
        "[[ ",
        " ]]",
        "$$",
        "$!",
    ],
    *[
        "if :; then ",
        "\nfi",
        "{ ",
        "; }",
        "g() { :; }",
        "!",
        "~",
        "*",
        "2>",
        "`",
        "$'",
        "$[",
        "((",
        "))",
    ],
    *[
        "<<",
        "case",
        "for i in ",
        "; do ",
        "; done",
        "+=",
        "b",
        "1",
        "\\\n",
        "\\'",
        '\\"',
        "\t",
        "$x",
        "$#",
    ],
    *[
        "$?",
        "%",
        ",",
        "&&",
        "||",
        "|&",
        "&>",
        ">&",
        ">|",
        "<>",
        ">>",
        "time ",
        "alias c=",
        "${ ",
        "\\(",
    ],
    *["shopt -s extglob\n", "\x01", "\x7f", "é", '"$$(', "$$(", ")#", "a=(", "x[", "&>>", "{fd}>"],
]


def attacks(target: str) -> list[str]:
    run = f">{target}"
    return [
        *[f"$({run})", f"'$({run})'", f"\n{run}\n", f";{run};", f"`{run}`", f"') {run} ('"],
        *[
            f'"$({run})"',
            f"\\$({run})",
            f"x\n$({run})\n#",
            f"]$({run})",
            f"}}$({run})",
            f")$({run})",
        ],
    ]


def random_template(numbers: random.Random) -> list[Any]:
    parts: list[Any] = ["x=1\n"]
    if numbers.random() < 0.1:
        parts[0] += "shopt -s extglob\n"
    if numbers.random() < 0.6:
        parts.append("echo ")
    for _ in range(numbers.randint(3, 14)):
        part = {"var": "x"} if numbers.random() < 0.25 else numbers.choice(PIECES)
        parts.append(part)
    return [*parts, {"var": "x"}]


def run_quietly(shell: list[str], command: str, directory: Path) -> None:
    subprocess.run(
        [*shell, "-c", f"ulimit -t 2\n{command}"],
        cwd=directory,
        env={"PATH": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=20,
        check=False,
    )


def attack(count: int, seed: int, directory: Path) -> None:
    """Run random templates, as far as the scan accepts them, with values that are hostile."""
    numbers = random.Random(seed)
    target, work = directory / "broken-out", directory / "work"
    work.mkdir()
    values, tried = attacks(str(target)), 0
    while tried < count:
        template = random_template(numbers)
        found = iter(reference_contexts(template))
        # What is refused becomes text, and the rest is judged again.
        template = [
            "Z" if isinstance(part, dict) and isinstance(next(found), Unsupported) else part
            for part in template
        ]
        accepted = reference_contexts(template)
        if not accepted or any(isinstance(context, Unsupported) for context in accepted):
            continue
        tried += 1
        value, shell = numbers.choice(values), numbers.choice(SHELLS)
        command = render_command({"template": template}, lambda _, value=value: value)
        run_quietly(shell, command, work)
        assert not target.exists(), f"{shell} with {value!r} in {template!r}"


def test_no_value_breaks_out_of_random_commands(tmp_path: Path) -> None:
    attack(500, seed=3, directory=tmp_path)


@pytest.mark.long
def test_no_value_breaks_out_of_many_random_commands(tmp_path: Path) -> None:
    attack(40_000, seed=4, directory=tmp_path)


@pytest.mark.parametrize(
    ("command", "inserted"),
    [
        # Each was accepted by the rules of the reference, with the quoting that they give.
        ("echo >&@@", Context.UNQUOTED),
        ("a[ #'\n@@\n'] x", Context.UNQUOTED),
        ("a=(x)#'\n@@\n'", Context.UNQUOTED),
        ("a=( [ #'\n@@\n'])", Context.UNQUOTED),
        ("a=(;) @@", Context.UNQUOTED),
        ("echo <(:)#'\n@@\n'", Context.UNQUOTED),
        ("shopt -s extglob\n: @( #'\n@@\n')", Context.UNQUOTED),
        (': "$(a[(] ) @@ ) )"', Context.UNQUOTED),
        (': "$$(echo @@)"', Context.UNQUOTED),
        (': "$$(echo @@)"', Context.DOUBLE),
    ],
)
@pytest.mark.skipif(not BASH, reason="bash reads these otherwise than the scan; it is not here")
def test_the_attacks_that_the_extra_rules_stop_are_real(
    command: str, inserted: Context, tmp_path: Path
) -> None:
    """Refuse them, and show with the naive quoting why."""
    assert contexts(command) == "-"
    target = tmp_path / "broken-out"
    naive = command.replace("@@", quote(f"\n$(>{target})\n", inserted))
    for shell in BASH:
        run_quietly(shell, naive, tmp_path)
    assert target.exists()


def test_an_alias_attack_on_sh(tmp_path: Path) -> None:
    command = "alias c='case x in '\n: \"$(c x) @@ ;; esac)\""
    assert contexts(command) == "-"
    target = tmp_path / "broken-out"
    run_quietly(
        ["/bin/sh"], command.replace("@@", quote(f"$(>{target})", Context.DOUBLE)), tmp_path
    )
    assert target.exists()
