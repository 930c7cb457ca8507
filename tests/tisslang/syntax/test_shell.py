"""Which references of a command can be quoted, and what is inserted for a value."""

from typing import Any

import pytest
from shells import contexts, render

from tisslang.errors import TissCommandError, TissSecurityError
from tisslang.syntax import check, parse
from tisslang.syntax.shell import Context, quote, render_command


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


def test_check_points_at_the_references() -> None:
    source = "VAR x = 1\nRUN <<W\necho {{x}} # {{x}}\necho $(({{x}}))\nW"
    assert [(d.code, d.line, d.column) for d in check(source)] == [
        ("T109", 3, 6),
        ("T109", 3, 14),
        ("T109", 4, 9),
    ]
