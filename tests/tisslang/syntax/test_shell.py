"""Values reach the program as they are, in every shell that is here, and add nothing.

The tests run real shells: `dash`, `bash` as itself, and `bash --posix`, which is `sh` elsewhere.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.syntax import check, parse
from tisslang.syntax.shell import Context, Unsupported, quote, reference_contexts, render_command

SHELLS = [
    command
    for name, *options in (["dash"], ["bash"], ["bash", "--posix"])
    if (found := shutil.which(name))
    for command in ([found, *options],)
] or [["/bin/sh"]]
BASH = [shell for shell in SHELLS if "bash" in shell[0]]


def split(command: str) -> list[Any]:
    """A template from a text in which `@@` stands for a reference and `@raw@` for a raw one."""
    parts: list[Any] = []
    for number, piece in enumerate(command.split("@@")):
        if number:
            parts.append({"var": "x"})
        for count, literal in enumerate(piece.split("@raw@")):
            if count:
                parts.append({"var": "x", "filter": "raw"})
            if literal:
                parts.append(literal)
    return parts


def contexts(command: str) -> str:
    """The contexts of a command's references, one letter each: u s d r, and `-` for unsupported."""
    letters = {Context.UNQUOTED: "u", Context.SINGLE: "s", Context.DOUBLE: "d", Context.RAW: "r"}
    found = reference_contexts(split(command))
    return "".join("-" if isinstance(c, Unsupported) else letters[c] for c in found)


def render(command: str, value: str) -> str:
    return render_command({"template": split(command)}, lambda _: value)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("echo @@", "u"),
        ("echo '@@'", "s"),
        ('echo "@@"', "d"),
        ("@@", "u"),
        ("echo a@@b '@@@@' \"a@@ @@\"@@", "ussddu"),
        ("echo 'a\\@@'", "s"),
        ("echo \\\\@@ \\$@@ \\'@@ '@@'", "uuus"),
        ('echo "\\\\@@ \\$@@ \\"@@"', "ddd"),
        ('echo "it\'s @@"', "d"),
        ("echo '\"@@\"'", "s"),
        ("echo $(echo @@) @@", "uu"),
        ('echo "$(echo @@ "@@" \'@@\') @@" @@', "udsdu"),
        ('echo "$(echo "$(echo "@@")@@")@@"@@', "dddu"),
        ("echo $(echo $(echo (@@)) '@@')'@@'", "uss"),
        ("echo $(echo ')' \\) \")\" @@)@@", "uu"),
        ("echo @@ # it's\necho @@", "uu"),
        ("# it's\necho @@", "u"),
        ("echo;#'\n@@", "u"),
        ("echo a#'@@' @@", "su"),
        ("echo $#'@@'", "s"),
        ("echo \"a #\"'@@'", "s"),
        ("echo \\ #'@@'", "s"),
        ("echo $(echo @@ # )'\n)'@@'", "us"),
        ("echo $(echo)#'@@'", "s"),
        ("x=@@ y='@@' z=\"@@\" cmd", "usd"),
        ("cmd >@@ 2>&1 <'@@' >>\"@@\"", "usd"),
        ("@@>file 2@@>file", "uu"),
        ('if [ -f @@ ]; then echo "@@"; fi', "ud"),
        ('for i in @@; do echo "$i" @@; done', "uu"),
        ("case @@ in a) echo @@;; esac", "uu"),
        ("f() { echo @@; }\nf '@@'", "us"),
        ('echo ${x} ${x:-a b} ${#x} ${x%.*} @@ "${x}@@"', "ud"),
        ('echo $x@@ $1@@ "$x@@" "$@@"', "uudd"),
        ("(cd @@ && (ls @@)) && ls '@@'", "uus"),
        ("ls file[0-9].txt a[1] [a-z]* @@", "u"),
        ("echo {a,@@} ~@@ *@@ @@*", "uuuu"),
        ("a && b || c & d | e; @@", "u"),
        ("git config alias.co @@; unalias -a; echo my-alias @@", "uu"),
        ("awk '{ print $1 (( }' @@", "u"),
        ("echo '`' '$(' '${' '<<' '[[' '\\\n' '$'@@", "u"),
        ('echo "<< [[ case alias $(true)" @@', "u"),
        ("echo 'case' $(true) @@", "u"),
        ("echo \"$$@@\" $$ $!x$#'@@'", "ds"),
        ("@raw@ '@raw@' \"@raw@ # `", "rrr"),
        ("", ""),
    ],
)
def test_contexts(command: str, expected: str) -> None:
    assert contexts(command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        # where the reference stands
        ("echo @@ # @@", "u-"),
        ("#@@\n@@", "-u"),
        ("echo $(echo @@ # @@\n@@)", "u-u"),
        ("echo ;#@@", "-"),
        ("echo |#@@\ncat @@", "-u"),
        ("(#@@\n@@)", "-u"),
        ("echo $(#@@\n@@)", "-u"),
        ("echo ${x:-@@}", "-"),
        ('echo "${@@}" @@', "-u"),
        ("echo ${x @@", "-"),
        ("echo \\@@ @@", "-u"),
        ('echo "\\@@" \\\\\\@@', "--"),
        ('echo $@@ \\$@@ "$@@"', "-ud"),
        ("echo $$@@ @@", "-u"),
        # what the command holds
        ("echo `date` @@", "-"),
        ("echo \"`\" @@ '@@'", "--"),
        ("echo $'a' @@", "-"),
        ('echo "$\'" @@', "-"),
        ("echo $[1] @@", "-"),
        ("echo $((1)) @@", "-"),
        ("((x)); @@", "-"),
        ('echo "((" @@', "-"),
        ("a[1]=2; @@", "-"),
        ("a[1]+=2; @@", "-"),
        ("a[@@]=2", "-"),
        ("echo \\\n@@", "-"),
        ('echo "\\\n" @@', "-"),
        ("echo # \\\n@@", "-"),
        ("echo ${x:-'a'} @@", "-"),
        ('echo ${x:-"a"} @@', "-"),
        ("echo ${x:-\\a} @@", "-"),
        ("echo ${x:-$y} @@", "-"),
        ("echo ${x:-`y`} @@", "-"),
        ("cat <<E\n@@\nE", "-"),
        ("cat <<<@@", "-"),
        ("[[ @@ ]]", "-"),
        ("if [[ a ]]; then echo '@@'; fi", "-"),
        ("case @@ in a) echo $(true);; esac", "-"),
        ("echo $(case a in a) true;; esac) @@", "-"),
        # beside a raw one
        ("echo @@ @raw@ '@@'", "-r-"),
        # beyond the reference: found by attacking the rules above with real shells
        ("alias a=b; @@", "-"),
        ("\\alias a=b; @@", "-"),
        ("echo >&@@", "-"),
        ("echo >& \"$f\" '@@'", "-"),
        ("echo 2>&1 >&$f @@", "-"),
        ("cat <&@@", "-"),
        ("echo @@ <(true)#\n@@", "u-"),
        ("a=(x)#\n@@", "-"),
        ("a[ # \n@@", "-"),
        ("a[(] @@", "-"),
        ("@@ a[ @@", "u-"),
        ("a=(@@)", "-"),
        ("@@ a=(b) @@", "u-"),
        ("echo @( #\n@@ )", "-"),
        ("echo ${ true; } @@", "-"),
        ('echo "$$(true)" @@', "-"),
        ("echo $${x} @@", "-"),
        ("echo ${| true; } @@", "-"),
    ],
)
def test_references_that_no_quoting_makes_safe(command: str, expected: str) -> None:
    assert contexts(command) == expected


def test_a_nul_in_a_hand_made_template_is_refused() -> None:
    assert contexts("echo \0 @@") == "-"


@pytest.mark.parametrize("command", ["echo $((@@))", "echo \\@@", "@@ @raw@"])
def test_an_unchecked_tree_is_refused_when_it_runs(command: str) -> None:
    with pytest.raises(TissSecurityError, match="cannot be quoted safely") as caught:
        render(command, "1")
    assert caught.value.hint


def test_a_value_with_nul_is_an_error_of_type() -> None:
    with pytest.raises(TissCommandError, match="NUL") as caught:
        render("echo @@", "a\0b")
    assert caught.value.kind == "type"


def test_what_is_inserted() -> None:
    value = "Ada O'Neil"
    assert quote(value, Context.UNQUOTED) == "'Ada O'\\''Neil'"
    assert quote(value, Context.SINGLE) == "Ada O'\\''Neil"
    assert quote(value, Context.DOUBLE) == "\"'Ada O'\\''Neil'\""
    assert quote(value, Context.RAW) == value
    assert quote("", Context.UNQUOTED) == "''"
    assert quote("a", Context.UNQUOTED) == "'a'"
    assert render_command("echo {{x}}", lambda _: "y") == "echo {{x}}"


def test_each_reference_gets_its_own_value() -> None:
    template = parse("RUN \"p {{a}} '{{b|trim}}' {{LAST_RUN.EXIT_CODE}}\"")["body"][0]["command"]
    asked = []

    def value_of(ref: dict[str, Any]) -> str:
        asked.append(dict(ref))
        return str(len(asked))

    assert render_command(template, value_of) == "p '1' '2' '3'"
    assert asked == [{"var": "a"}, {"var": "b", "filter": "trim"}, {"last_run": "EXIT_CODE"}]


# Values that shells like to misread, and as many random ones as one has time for.

NASTY = [
    *[
        "",
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n",
        "a\n",
        "\na",
        "a b",
        " a ",
        "'",
        "''",
        "'''",
        '"',
        '""',
        "\\",
    ],
    *["\\\\", "\\'", "'\\''", "\\n", "a\\", "$", "$x", "${x}", "$(echo y)", "`echo y`", "$((1+1))"],
    *[
        "$'a'",
        '$"a"',
        "*",
        "?",
        "[a-z]*",
        "~",
        "~root",
        "{a,b}",
        "{1..3}",
        "#",
        "#c",
        " #c",
        "!",
        "!!",
    ],
    *[
        "&",
        "&&",
        ";",
        ";;",
        "|",
        "||",
        "<",
        ">",
        ">x",
        "2>x",
        "<<E",
        "(",
        ")",
        "()",
        "{",
        "}",
        "{ x; }",
    ],
    *[
        "A=1",
        "PATH=",
        "a[0]=1",
        "if",
        "then",
        "fi",
        "case",
        "esac",
        "do",
        "done",
        "while",
        "function",
    ],
    *[
        "time",
        "2",
        "0",
        "-1",
        "-n",
        "-e",
        "--",
        "--help",
        "-",
        "=",
        "==",
        ":",
        ".",
        "..",
        "/",
        "%s%n",
    ],
    *[
        "\r",
        "\r\n",
        "a\rb",
        "\x01",
        "\x02\x7f",
        "\x1b[31m",
        "\x7f",
        "é",
        "日本語",
        "😀",
        "\u2028",
        "\ufeff",
    ],
    *["\u0081\u0082", "\u0101\u0181", "\u00a0", "\ud7ff", "\udc80", "'; echo y; '", '"; echo y; "'],
    *["$(echo y >&2)", "a'b\"c`d$e\\f\ng", "x" * 5000, "'" * 300, "\n'\n\"\n`\n"],
]
ALPHABET = "'\"\\$`(){}[]<>|&;#!~*?=+-,.:%^@/ \t\n\rab1_é日\x01\x7f\u0081"


def random_values(count: int, seed: int) -> Iterator[str]:
    numbers = random.Random(seed)
    for _ in range(count):
        yield "".join(numbers.choice(ALPHABET) for _ in range(numbers.randint(1, 12)))


# A command with the function p, which prints its arguments, and what p must be given.
Expectation = Callable[[str], list[str]]
PLACES: list[tuple[str, Expectation]] = [
    ("p @@", lambda v: [v]),
    ("p '@@'", lambda v: [v]),
    ('p "@@"', lambda v: [v]),
    ("p a@@b'c@@d'\"e@@f\"@@", lambda v: [f"a{v}bc{v}de{v}f{v}"]),
    ("p @@@@ '@@@@' \"@@ @@\"", lambda v: [v + v, v + v, f"{v} {v}"]),
    ('p \\$@@ \\\\@@ "\\$@@" "\\\\@@"', lambda v: [f"${v}", f"\\{v}", f"${v}", f"\\{v}"]),
    ('p "a\\"@@\\"b" "$@@" \'\\@@\'', lambda v: [f'a"{v}"b', f"${v}", f"\\{v}"]),
    ("p a#@@ @@#b # it's \"\np '@@'", lambda v: [f"a#{v}", f"{v}#b", v]),
    ('y=@@; p "$y"; y=\'@@\'; p "$y"; y="a @@"; p "$y"', lambda v: [v, v, f"a {v}"]),
    ("p --opt=@@ x=@@ '@@'=x", lambda v: [f"--opt={v}", f"x={v}", f"{v}=x"]),
    (
        'p ~@@ *@@ {a@@,@@b} [@@] "${y}@@"',
        lambda v: [f"~{v}", f"*{v}", f"a{v}", f"{v}b", f"[{v}]", f"Y{v}"],
    ),
    ("p @@>&1; p @@ 2>/dev/null; p 2@@>&1", lambda v: [v, v, f"2{v}"]),
    ("(p @@); { p '@@'; }; if p \"@@\"; then p @@; fi", lambda v: [v] * 4),
    ("for i in @@ '@@'; do p \"$i\"; done", lambda v: [v, v]),
    ("case @@ in @@) p y;; *) p n;; esac", lambda v: ["y"]),
    ('g() { p "$1"; p "$@"; }; g @@', lambda v: [v, v]),
    ("true && p @@ || p no; ! p '@@'", lambda v: [v, v]),
    ('p "$(e @@)" "$(e \'@@\')"', lambda v: [v + ".", v + "."]),
    ('p "$(e "@@")$(e "a$(e @@)b")" @@', lambda v: [f"{v}.a{v}.b.", v]),
    ('IFS=; p $(e @@) $(e $(e \'@@\')) "$(e "@@")"', lambda v: [v + ".", v + "..", v + "."]),
    ('p "$(e @@ # it\'s )\n)" "$(e a)#@@"', lambda v: [v + ".", f"a.#{v}"]),
    ('y=$(e @@); p "$y"\nset -- @@\np "$1" "$#"', lambda v: [v + ".", v, "1"]),
]

PRELUDE = "set -f; y=Y; p() { printf '%s\\0' \"$@\"; }; e() { printf '%s.' \"$1\"; }\n"


def encode(text: str) -> bytes:
    return os.fsencode(text)


def run_values(values: list[str], shell: list[str], directory: Path) -> None:
    """Run every place with every value, in few processes, and compare what arrived."""
    has_braces = "bash" in shell[0]
    places = [place for place in PLACES if has_braces or "{a@@" not in place[0]]
    for start in range(0, len(values), 500):
        some = values[start : start + 500]
        script = PRELUDE
        for value in some:
            for command, _ in places:
                script += f"{render(command, value)}\nIFS=' '; y=Y\n"
            script += "p ---\n"
        file = directory / "values.sh"
        file.write_bytes(encode(script))
        done = subprocess.run(
            [*shell, str(file)], cwd=directory, capture_output=True, check=False, timeout=600
        )
        records = done.stdout.split(b"\0---\0")
        assert len(records) == len(some) + 1, done.stderr[-500:]
        for value, record in zip(some, records):
            expected = [text for _, arrives in places for text in arrives(value)]
            assert record.split(b"\0") == [encode(text) for text in expected], repr(value)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join(shell))
def test_values_arrive_as_they_are(shell: list[str], tmp_path: Path) -> None:
    count = 500 if len(shell) == 1 else len(NASTY)
    run_values(NASTY + list(random_values(count - len(NASTY), seed=1)), shell, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: " ".join(shell))
def test_many_values_arrive_as_they_are(shell: list[str], tmp_path: Path) -> None:
    run_values(list(random_values(20_000, seed=2)), shell, tmp_path)


def test_a_program_gets_the_value_as_one_argument(tmp_path: Path) -> None:
    show = "import sys; sys.stdout.write(ascii(sys.argv[1:]))"
    python = f"'{sys.executable}' -c '{show}'"
    for value in NASTY[:60:3]:
        command = render(f"{python} @@ '@@' \"@@\"", value)
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, text=True, cwd=tmp_path
        )
        assert done.stdout == ascii([value] * 3)


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


def test_check_points_at_the_references() -> None:
    source = "VAR x = 1\nRUN <<W\necho {{x}} # {{x}}\necho $(({{x}}))\nW"
    assert [(d.code, d.line, d.column) for d in check(source)] == [
        ("T109", 3, 6),
        ("T109", 3, 14),
        ("T109", 4, 9),
    ]
