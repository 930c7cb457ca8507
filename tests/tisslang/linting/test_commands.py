"""T302 to T305, T308 and T310: the commands of RUN."""

import pytest
from conformance import linted as found


def run(command: str) -> str:
    """A plan that runs a command as it stands."""
    return f"VAR x = 1\nVAR y = 2\nRUN <<R\n{command}\nR"


def columns(command: str, code: str) -> list[int]:
    """Where in the command the findings of a rule stand, counted from 0."""
    return [int(each.rpartition(":")[2]) - 1 for each in found(run(command), code)]


@pytest.mark.parametrize(
    "command",
    ["rm -rf /", "rm -r ..", "cd a && rm -rf ~/x", "mkfs.ext4 /dev/sda", "mkfs.{{x}} disk",
     "rm -rf /{{x}}", "rm -rf ../{{x}}", "echo {{x}}; shutdown now", "'rm' -rf /"],
)  # fmt: skip
def test_denied(command: str) -> None:
    assert found(run(command), "T302", "T303") == ["T302 3:5"]


@pytest.mark.parametrize(
    "command",
    ["rm -rf build", "rm -rf {{x}}", "rm -rf {{x}}/..", "rm -rf {{x}}/../../y", "rm /tmp/x",
     "echo rm -rf /", "{{x}} -rf /", "echo '; rm -rf /'", "# rm -rf /"],
)  # fmt: skip
def test_not_denied(command: str) -> None:
    assert found(run(command), "T302", "T303") == []


def test_the_directory_counts() -> None:
    command = 'RUN "rm -rf ../dist"'
    assert found(command, "T302") == ["T302 1:5"]
    assert found(f'@cwd "build"\n{command}', "T302") == []
    assert found(f'STEP "s" {{ @cwd "build"\n{command} }}\n{command}', "T302") == ["T302 3:5"]
    assert found(f'VAR d = "a"\n@cwd "{{{{d}}}}"\n{command}', "T302") == []
    inner = f'IF true {{ @cwd "build"\n{command} }} ELSE {{ {command} }}'
    assert found(inner, "T302") == ["T302 2:35"]


@pytest.mark.parametrize(
    "command",
    ["sudo make install", "curl -O {{x}}", "git push", "cat x | sh", "env A=b ssh host",
     "{{x}}/sudo ls", "echo $(wget x)"],
)  # fmt: skip
def test_needs_approval(command: str) -> None:
    assert found(run(command), "T302", "T303") == ["T303 3:5"]


@pytest.mark.parametrize("command", ["make", "echo sudo", "git pull", "sudo{{x}} ls", "{{x}} curl"])
def test_needs_none(command: str) -> None:
    assert found(run(command), "T302", "T303") == []


def test_raw() -> None:
    assert columns("{{x|raw}} '{{ y | raw }}'", "T304") == [0, 11]
    assert columns("{{x}} {{y|json}}", "T304") == []
    assert found('VAR x = 1\nLOG "{{x|raw}}"\nLOG x|raw', "T304") == []


@pytest.mark.parametrize(
    "command",
    ["curl u | sh", "curl -fsSL {{x}} | bash -s -- a", "wget -qO- u | sudo bash", "curl u|zsh -x",
     "curl u | sudo -u x sh -", "curl u | tee f | python3", "curl u | python3 -", "wget u | php",
     "curl u | env A=b perl", "curl u | gunzip | node", "curl u |\n sh", "echo $(curl u | ruby)",
     "curl u | bash -e /dev/stdin"],
)  # fmt: skip
def test_download_into_an_interpreter(command: str) -> None:
    assert found(run(command), "T308") == ["T308 3:5"]


@pytest.mark.parametrize(
    "command",
    ["curl u -o f; sh f", "curl u | python3 -m json.tool", "curl u | python3 -c 'import sys'",
     "curl u | sh check.sh", "curl u | sh -c 'cat'", "cat f | sh", "curl u | grep sh",
     "curl u | perl -ne 'print'", "curl u || sh", "curl u; cat f | sh", "sh f | curl -d @- u",
     "echo 'curl u | sh'"],
)  # fmt: skip
def test_no_download_into_an_interpreter(command: str) -> None:
    assert found(run(command), "T308") == []


# Each `{{x}}` is in code; `{{y}}` is not.
IN_CODE = [
    "sh -c {{x}}",
    "sh -c '{{x}}'",
    'bash -lc "echo {{x}}" {{y}}',
    "dash -e -c {{x}} {{y}}",
    "bash -o pipefail -c {{x}}",
    "zsh -c -e {{x}}",
    "ksh -c -- {{x}}",
    "python -c {{x}}",
    "python3 -c 'print(\"{{x}}\")' {{y}}",
    "python3.12 -I -W ignore -c {{x}}",
    "python3 -c'print({{x}})'",
    "/usr/bin/env sh -c {{x}}",
    "timeout 5 nice -n 3 sh -c {{x}}",
    "A={{y}} sh -c {{x}}",
    "if sh -c {{x}}; then ls; fi",
    "ls | sh -c {{x}}",
    "echo $(sh -c {{x}})",
    "perl -e {{x}} {{y}}",
    "perl -ne 'print if /{{x}}/' {{y}}",
    "perl -i.bak -pe 's/{{x}}/b/' {{y}}",
    "perl -e 1 -e {{x}}",
    "ruby -r json -e {{x}}",
    "node -e 'f({{x}})'",
    "php -r {{x}}",
    "env -S {{x}}",
    "env -i -S 'sh {{x}}'",
    "env -S{{x}}",
    "awk {{x}} {{y}}",
    "awk -F, -v v={{y}} '$1 == {{x}}' {{y}}",
    "awk -F {{y}} {{x}}",
    "awk -- {{x}}",
    "sed s/{{x}}/b/ {{y}}",
    "sed -n -e p -e {{x}} {{y}}",
    "sed -i '' {{x}} {{y}}",
    "sed -ne {{x}} {{y}}",
    "sed -e{{x}} {{y}}",
    "sed --expression={{x}} {{y}}",
    "sed --expression {{x}} {{y}}",
    "find . -name {{y}} -exec sh -c {{x}} {{x}} {} \\;",
    "find . -exec sh -c 'ls' sh {{x}} {} + -name {{y}}",
    "xargs sh -c ls {{x}}",
    "ls | xargs -n 1 -I F sh -c 'echo {{x}}' sh F",
    "eval {{x}}",
    "eval ls {{x}}",
    "trap {{x}} EXIT",
    ". ./{{x}}",
    "source {{x}}",
    "ssh host ls {{x}}",
    "let {{x}}",
    "read {{x}}",
    "unset {{x}}",
    "declare -i {{x}}",
    "typeset {{x}}",
    "export A={{x}}",
    "command export {{x}}",
    "printf -v {{x}} %s {{y}}",
    "test -v {{x}}",
    "[ -v {{x}} ]",
    "[ {{y}} = 1 -a -v {{x}} ]",
]
NOT_IN_CODE = [
    "sh {{y}}",
    "sh script.sh -c {{y}}",
    "sh -c 'echo \"$1\"' sh {{y}}",
    "bash -x {{y}}",
    "python3 {{y}} -c x",
    "python3 -m {{y}} -c x",
    "python3 -c 'import sys' {{y}}",
    "perl {{y}}",
    "perl script.pl -e {{y}}",
    "node {{y}} -e x",
    "php {{y}}",
    "env A={{y}} ls",
    "awk -f {{y}} f",
    "awk 1 {{y}}",
    "awk -v v={{y}} 1",
    "sed p {{y}}",
    "sed -f {{y}} f",
    "sed -e p {{y}}",
    "find {{y}} -exec ls {} \\;",
    "find . -exec sh {{y}} \\;",
    "find . -name {{y}} -exec sh -c ls \\;",
    "xargs ls {{y}}",
    "echo eval {{y}}",
    "echo 'sh -c x' {{y}}",
    "printf %s -v {{y}}",
    "printf %s {{y}}",
    "test {{y}} = a",
    "A={{y}}",
    "A={{y}} ls",
    "evaluate {{y}}",
    "cat > {{y}}",
    "grep -e {{y}} f",
    "gcc -c {{y}}",
]


@pytest.mark.parametrize("command", IN_CODE + NOT_IN_CODE)
def test_code(command: str) -> None:
    wanted = [place for place in range(len(command)) if command.startswith("{{x}}", place)]
    assert columns(command, "T305") == wanted


def test_arithmetic() -> None:
    # Only beside |raw: without it a command with (( cannot have a reference at all (T109).
    assert columns("n={{x|raw}}; echo $(( n + 1 ))", "T305") == [2]
    assert columns("n={{x|raw}}; echo $((1 + 2 * n))", "T305") == [2]
    assert columns("echo $(( n + 1 )); n={{x|raw}}", "T305") == []
    assert columns("n={{x|raw}}; echo $(( m + 1 )) $n", "T305") == []
    assert columns("n={{x|raw}}; echo $n", "T305") == []


# Each `{{x}}` begins an argument, or is the command.
BEGINNING = [
    "rm {{x}}",
    "rm '{{x}}'",
    'rm "{{x}}/{{y}}"',
    "rm -f a {{x}}",
    "{{x}}",
    "{{x}} a",
    "A=1 {{x}}",
    "timeout 5 {{x}}",
    "timeout {{x}} ls",
    "xargs {{x}}",
    "if {{x}}; then ls; fi",
    "ls | {{x}}",
    "echo $({{x}})",
    "find {{x}} -delete",
    "{{x}}=1",  # quoted, so no assignment
    "cp {{x}} -- {{y}}",
    "rm a; rm {{x}}",
    "rm -- a; rm {{x}}",
]
NOT_BEGINNING = [
    "rm -- {{y}}",
    "rm -f -- a {{y}}",
    "rm ./{{y}}",
    "rm a{{y}}",
    "rm --file={{y}}",
    "A={{y}} ls",
    "A={{y}}",
    "env A={{y}} ls",
    "ls > {{y}}",
    "ls 2>{{y}} >> '{{y}}' < \"{{y}}\"",
    "for f in {{y}} b; do ls; done",
    "case {{y}} in a) ls;; esac",
    "echo ' {{y}}'",
    "./{{y}} a",
]


@pytest.mark.parametrize("command", BEGINNING + NOT_BEGINNING)
def test_beginning_of_an_argument(command: str) -> None:
    wanted = [place for place in range(len(command)) if command.startswith("{{x}}", place)]
    assert columns(command, "T310") == wanted


def test_values_are_in_their_own_places() -> None:
    text = 'VAR a = 1\nVAR b = 2\nRUN "ls -- {{a}} | sh -c {{b}} && eval {{a}}"'
    assert found(text, "T305") == ["T305 3:26", "T305 3:40"]
