"""T306 and T309."""

import pytest
from conformance import linted as found

from tisslang.linting import lint
from tisslang.syntax.diagnostics import render

SECRETS = [
    "AKIA" + "A1" * 8,
    "ghp_" + "aB1" * 12,
    "gho_" + "aB1" * 12,
    "sk-" + "aB1x" * 5,
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets(secret: str) -> None:
    assert found(f'LOG "{secret}"', "T306") == ["T306 1:6"]
    assert found(f"LOG 'key={secret};'", "T306") == ["T306 1:10"]
    assert found(f'STEP "{secret}" {{ LOG 1 }}', "T306") == ["T306 1:7"]
    assert found(f"WRITE 'f' <<'W'\na\n  x = '{secret}'\nW", "T306") == ["T306 3:8"]
    assert found(f'VAR v = 1\nLOG "{{{{v}}}}{secret}{{{{v}}}}"', "T306") == ["T306 2:11"]
    assert found(f'LOG "a\\n{secret}"', "T306") == ["T306 1:9"]


@pytest.mark.parametrize("secret", SECRETS)
def test_no_message_repeats_it(secret: str) -> None:
    for finding in lint(f'LOG "{secret}"'):
        assert secret not in f"{finding.message} {finding.hint}"


@pytest.mark.parametrize(
    "text",
    [
        "AKIA" + "A1" * 7 + "a",
        "AKIAvelli and others",
        "ghp_short",
        "sk-short",
        "risk-" + "a" * 30,
        "sk-learn-is-a-package-for-machine-learning",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "BEGIN PRIVATE KEY",
    ],
)
def test_no_secrets(text: str) -> None:
    assert found(f"LOG '{text}'", "T306") == []


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_direction(code: int) -> None:
    character = chr(code)
    assert found(f"LOG 'a{character}b'", "T309") == ["T309 1:7"]
    assert found(f"WRITE 'f' <<W\n{character}\nW", "T309") == ["T309 2:1"]
    assert found(f"# {character}\nLOG 1", "T309") == ["T309 1:3"]


def test_other_characters() -> None:
    harmless = "\u2029\u202f\u2065\u206a\u200e אב é 😀"
    assert found(f"LOG '{harmless}'", "T309") == []


def test_the_picture_of_a_secret_does_not_show_it() -> None:
    key = "AKIA" + "ABCDEFGHIJKLMNOP"
    source = f'TASK "t"\nVAR _key = "my {key} here"\n'
    finding = next(finding for finding in lint(source) if finding.code == "T306")
    picture = render(finding, source)
    assert key not in picture
    assert f'VAR _key = "my {"*" * 20} here"' in picture
