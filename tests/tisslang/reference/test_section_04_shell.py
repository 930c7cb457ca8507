r"""§4.4 of the language reference: interpolation into RUN.

Commands are written here as the shell gets them, with `@x@` where a reference stands; `quoted`
makes a double-quoted string of one, and `heredoc` a heredoc.
"""

from pathlib import Path

import pytest
from conformance import found, linted, run, stopped_by


def quoted(command: str) -> str:
    """`RUN "…"`."""
    escaped = command.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'RUN "{references(escaped)}"\n'


def heredoc(command: str) -> str:
    """`RUN <<W`."""
    return f"RUN <<W\n{references(command)}\nW\n"


def references(command: str) -> str:
    """`@x@` as a reference to x."""
    parts = command.split("@")
    return "".join(f"{{{{{part}}}}}" if i % 2 else part for i, part in enumerate(parts))


# Any value arrives as it is

VALUES = [
    "", " ", "plain", "Ada O'Neil", "'", "''", "'\"'", '"', "\\", "\\'", "a\\", "$HOME", "${HOME}",
    "$(echo no)", "`echo no`", "; echo no", "&& echo no", "| cat", "> /tmp/no", "#no", "a #no",
    "*", "?", "[a-z]", "~", "~root", "!", "!!", "a\nb", "\n", "a\n", "\t", "-n", "--help", "A=1",
    "if", "2", "}", ")", "esac", "$", "$$", "$1", "\\n", "%s", "é 日本 😀", "\x01\x7f", "a\rb",
    "{{x}}", "\u2028",
]  # fmt: skip

# `printf '[%s]'` shows each word it gets. `E` in the output is the value.
CONTEXTS = {
    "printf '[%s]' @x@": "[E]",
    "printf '[%s]' '@x@'": "[E]",
    "printf '[%s]' \"@x@\"": "[E]",
    "printf '[%s]' a@x@b": "[aEb]",
    "printf '[%s]' a'b@x@'c\"d@x@\"": "[abEcdE]",
    "printf '[%s]' @x@@x@ @x@": "[EE][E]",
    "printf '[%s]' \"$(printf '%s.' @x@)\"": "[E.]",
    "printf '[%s]' \"$(printf '%s.' '@x@')\"": "[E.]",
    "printf '[%s]' \"$(printf '%s.' \"@x@\")\"": "[E.]",
    "printf '[%s]' \"$(printf '%s' \"$(printf '%s.' @x@ \"@x@\" '@x@')\")\"": "[E.E.E.]",
    "printf '[%s]' \"a$(printf '%s.' @x@)b @x@\"": "[aE.b E]",
    "printf '[%s]' \"$( (printf '%s.' @x@) )\" @x@": "[E.][E]",
    "(printf '[%s]' @x@); { printf '[%s]' @x@; }": "[E][E]",
    "v=@x@; printf '[%s]' \"$v\"": "[E]",
    "v='a@x@'\"@x@\"; printf '[%s]' \"$v\"": "[aEE]",
    "case @x@ in @x@) printf '[%s]' @x@;; esac": "[E]",
    "for v in @x@ @x@; do printf '[%s]' \"$v\"; done": "[E][E]",
    'set -- @x@; printf \'[%s]\' "$#" "$1"': "[1][E]",
    "printf '[%s]' \\\\@x@ a\\ @x@": "[\\E][a E]",
    'printf \'[%s]\' "\\"@x@\\""': '["E"]',
    "printf '[%s]' a#@x@ \"# @x@\" '# @x@' \\# @x@": "[a#E][# E][# E][#][E]",
    "printf '[%s]' \"$@x@\"": "[$E]",
    "printf '[%s]' \\$@x@": "[$E]",
    "printf '[%s]' $(printf %s a)#@x@": "[a#E]",
    "printf '[%s]' ${v}@x@ \"${v:-w}@x@\"": "[E][wE]",
    "# all of it is said\nprintf '[%s]' @x@": "[E]",
    "printf '[%s]' a # said\nprintf '[%s]' @x@": "[a][E]",
    "printf '[%s]' @x@ # it's said": "[E]",
}


@pytest.mark.parametrize("context", CONTEXTS)
def test_the_shell_yields_exactly_the_value(context: str, tmp_path: Path) -> None:
    values = {f"v{i}": value for i, value in enumerate(VALUES)}
    lines = [context.replace("@x@", f"@{name}@") for name in values]
    command = "\nprintf '<next>'\n".join(lines)
    report = run(quoted(command), tmp_path, var=values)
    assert report["error"] is None
    expected = [CONTEXTS[context].replace("E", value) for value in VALUES]
    assert report["last_run"]["stdout"].split("<next>") == expected
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("context", [context for context in CONTEXTS if "\\@" not in context])
def test_a_heredoc_is_quoted_alike(context: str, tmp_path: Path) -> None:
    value = 'it\'s "$(echo no)" `echo no` \\ *'
    report = run(heredoc(context), tmp_path, var={"x": value})
    assert report["error"] is None
    assert report["last_run"]["stdout"] == CONTEXTS[context].replace("E", value)


@pytest.mark.parametrize(
    ("command", "inserted"),
    [
        ("echo @x@", r"echo 'it'\''s'"),
        ("echo '@x@'", r"echo 'it'\''s'"),
        ('echo "@x@"', "echo \"\"'it'\\''s'\"\""),
        ("echo $(echo @x@)", r"echo $(echo 'it'\''s')"),
        ('echo "$(echo @x@)"', "echo \"$(echo 'it'\\''s')\""),
        ('echo "$(echo "@x@")"', 'echo "$(echo ""\'it\'\\\'\'s\'"")"'),
        ("echo @y@", "echo '2'"),  # always, a number too
        ("echo @x|trim@", r"echo 'it'\''s'"),
        ("echo @x|json@", "echo '\"it'\\''s\"'"),
        ("echo '@x@ @x@'", r"echo 'it'\''s it'\''s'"),
    ],
)
def test_what_is_inserted(command: str, inserted: str, tmp_path: Path) -> None:
    report = run(f"VAR y = 2\n{quoted(command)}", tmp_path, var={"x": "it's"})
    assert report["last_run"]["command"] == inserted


def test_the_three_ways_print_the_same(tmp_path: Path) -> None:
    text = 'VAR o = ""\n'
    for each in ("echo {{x}}", "echo '{{x}}'", 'echo \\"{{x}}\\"'):
        text += f'RUN "{each}"\nVAR o = "{{{{o}}}}{{{{LAST_RUN.STDOUT}}}}"\n'
    report = run(text, tmp_path, var={"x": "a  'b' $c"})
    assert report["variables"]["o"] == "a  'b' $c\n" * 3


# T109: where the reference stands

PLACES = {
    # in a comment
    "echo # @x@": "T109",
    "# @x@": "T109",
    "#@x@": "T109",
    "echo\t#@x@": "T109",
    "true;#@x@": "T109",
    "true & # @x@": "T109",
    "true &#@x@": "T109",
    "true |#@x@\ncat": "T109",
    "(#@x@\ntrue)": "T109",
    "(true)#@x@": "T109",
    "true <#@x@": "T109",
    "true >#@x@": "T109",
    "true\n#@x@": "T109",
    "true\n\n  # it's @x@": "T109",
    "echo $(true # @x@\n)": "T109",
    "echo $(#@x@\n)": "T109",
    "echo a#@x@": "",
    "echo '#'@x@": "",
    "echo ''#@x@": "",
    "echo \\#@x@": "",
    "echo \\ #@x@": "",
    "echo ' # '@x@ \" # \"": "",
    "echo $(true)#@x@": "",
    "echo # c\necho @x@": "",
    "echo ${#v} @x@": "",
    "echo $# @x@": "",
    # in ${…}
    "echo ${v:-@x@}": "T109",
    'echo "${v:-@x@}"': "T109",
    "echo ${@x@}": "T109",
    "echo $(echo ${v#@x@})": "T109",
    "echo '${v:-@x@}'": "",
    "echo \\${v @x@}": "",
    "echo ${v}@x@": "",
    # right after a backslash
    "echo \\@x@": "T109",
    "echo a\\@x@": "T109",
    'echo "\\@x@"': "T109",
    "echo \\\\\\@x@": "T109",
    "echo $(echo \\@x@)": "T109",
    "echo '\\@x@'": "",
    "echo \\\\@x@": "",
    'echo "\\\\@x@"': "",
    # right after $
    "echo $@x@": "T109",
    "echo a$@x@": "T109",
    "echo $(echo $@x@)": "T109",
    'echo "$@x@"': "",
    "echo '$@x@'": "",
    "echo \\$@x@": "",
    # in a command that holds what the scan does not follow
    "echo `true` @x@": "T109",
    'echo "`true`" @x@': "T109",
    "echo @x@; echo `true`": "T109",
    "echo '`' @x@": "",
    "echo $'a' @x@": "T109",
    "echo '$'@x@": "",
    "echo $[1] @x@": "T109",
    "echo '$[1]' @x@": "",
    "echo $((1)) @x@": "T109",
    'echo "$((1))" @x@': "T109",
    "((1)); echo @x@": "T109",
    "((@x@))": "T109",
    "echo '((' @x@": "",
    "echo ( ( @x@": "",
    "a[1]=2; echo @x@": "T109",
    "a[1]+=2; echo @x@": "T109",
    "echo 'a[1]=2' 'a[1]+=2' @x@": "",
    "echo a[1] = @x@": "",
    "echo \\\n@x@": "T109",
    "echo @x@ \\\n b": "T109",
    'echo "a\\\nb" @x@': "T109",
    "echo 'a\\\nb' @x@": "",
    "echo ${v:-'a'} @x@": "T109",
    'echo ${v:-"a"} @x@': "T109",
    "echo ${v:-\\a} @x@": "T109",
    "echo ${v:-$w} @x@": "T109",
    "echo ${v:-a} @x@": "",
    "cat <<E\n@x@\nE": "T109",
    "cat <<-E\na\nE\necho @x@": "T109",
    "cat <<<@x@": "T109",
    "echo '<<' \"<<\" @x@": "",
    "[[ -n @x@ ]]": "T109",
    "true; [[ a = a ]] && echo @x@": "T109",
    "[ -n @x@ ]": "",
    "echo '[[' \"[[\" @x@": "",
    "case @x@ in a) echo $(true);; esac": "T109",
    "echo $(case a in a) true;; esac) @x@": "T109",
    "case @x@ in a) true;; esac": "",
    "echo 'case' $(true) @x@": "",
    "echo lowercase $(true) @x@": "",
}


@pytest.mark.parametrize("command", PLACES)
def test_places_that_the_scan_does_not_follow(command: str) -> None:
    place = quoted(command).index("{{x") + 1
    expected = [f"T109 1:{place}"] if PLACES[command] else []
    assert found(quoted(command), assigned=("x",)) == expected
    if "\\@" not in command:  # which in a heredoc means the braces themselves
        codes = [each.split()[0] for each in found(heredoc(command), assigned=("x",))]
        assert codes == [each.split()[0] for each in expected]


@pytest.mark.parametrize("command", [command for command in PLACES if PLACES[command]])
def test_without_a_reference_nothing_is_refused(command: str) -> None:
    assert found(quoted(command.replace("@x@", "x"))) == []
    assert found(f"RUN <<'W'\n{references(command)}\nW\n") == []


@pytest.mark.parametrize("command", [command for command in PLACES if PLACES[command]])
def test_a_raw_reference_may_stand_anywhere(command: str) -> None:
    raw = quoted(command.replace("@x@", "@x|raw@"))
    assert found(raw, assigned=("x",)) == []
    assert [each.split()[0] for each in linted(raw, "T304", assigned=("x",))] == ["T304"]


def test_every_reference_is_told(tmp_path: Path) -> None:
    command = quoted("echo `true` @x@ '@x@'")
    first = command.index("{{")
    second = command.index("{{", first + 1)
    expected = [f"T109 1:{first + 1}", f"T109 1:{second + 1}"]
    assert found(command, assigned=("x",)) == expected
    report = run("MKDIR 'made'\n" + command, tmp_path, var={"x": "1"})
    assert report["exit_code"] == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "count"),
    [("echo @x|raw@ @x@", 1), ("echo @x@ '@x@' @x|raw@", 2), ("echo @x|raw@ @x|raw@", 0)],
)
def test_no_quoted_reference_beside_a_raw_one(command: str, count: int) -> None:
    text = quoted(command)
    places = [i + 1 for i in range(len(text)) if text.startswith("{{x}}", i)]
    assert found(text, assigned=("x",)) == [f"T109 1:{place}" for place in places]
    assert len(places) == count


# The rest


def test_a_raw_text_goes_in_as_it_is(tmp_path: Path) -> None:
    report = run('RUN "echo a {{x|raw}}"\n', tmp_path, var={"x": "; echo b"})
    assert report["last_run"]["command"] == "echo a ; echo b"
    assert report["last_run"]["stdout"] == "a\nb\n"


@pytest.mark.parametrize("command", ["{{x|raw}}", "true; {{x|raw}}", "echo $({{x|raw}})"])
def test_the_command_policy_looks_at_the_result(command: str, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    report = run(f'RUN "{command}"\n', tmp_path, var={"x": "rm -rf ."})
    assert (report["exit_code"], stopped_by(report)) == (5, "security")
    assert (tmp_path / "kept").exists()


def test_a_quoted_value_is_no_command_of_its_own(tmp_path: Path) -> None:
    report = run('RUN "echo {{x}}"\n', tmp_path, var={"x": "; rm -rf ."})
    assert report["last_run"]["stdout"] == "; rm -rf .\n"


@pytest.mark.parametrize(
    "command", ["echo {{x}}", "echo '{{x}}'", "echo {{x|raw}}", "echo {{x|trim}}"]
)
def test_a_value_with_nul_is_a_type_error(command: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a\0b")
    report = run(
        f'READ "in" AS x\nTRY {{ RUN "{command}" }} CATCH {{ LOG ERROR.KIND }}\n', tmp_path
    )
    assert report["log"] == ["type"]
    assert report["last_run"] is None


def test_lint_knows_what_quoting_does_not_protect() -> None:
    assert linted("RUN \"sh -c '{{x}}'\"", "T305", assigned=("x",)) == ["T305 1:13"]
    assert linted('RUN "rm {{x}}"', "T310", assigned=("x",)) == ["T310 1:9"]
    assert linted('RUN "{{x}} a"', "T310", assigned=("x",)) == ["T310 1:6"]
    assert linted('RUN "rm -- {{x}} ./{{x}}"', "T305", "T310", assigned=("x",)) == []
