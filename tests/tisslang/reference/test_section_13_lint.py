"""§13 of the language reference: lint rules."""

from pathlib import Path

import pytest
from conformance import linted
from conformance_runs import write

import tisslang
from tisslang.cli import main

WARNINGS = "T201 T202 T203 T204 T205 T206 T207 T208 T210 T212 T213 T218 T219 T303 T304 T305 T307"
INFOS = "T209 T214 T215 T216 T310"
ERRORS = "T301 T302 T306 T308 T309"

KEYS = [
    "AKIA" + "A1B2" * 4,
    "ghp_" + "a1B2" * 9,
    "gho_" + "a1B2" * 9,
    "sk-" + "a1B2" * 5,
    "sk-" + "a1B2" * 12,
    "-----BEGIN RSA PRIVATE" + " KEY-----",
    "-----BEGIN PRIVATE" + " KEY-----",
]
NO_KEYS = [
    "AKIA" + "A1B2" * 3,
    "AKIA" + "a1b2" * 4,
    "akia" + "A1B2" * 4,
    "ghp_" + "a1B2" * 8,
    "sk-" + "a1B2" * 4,
    "-----BEGIN PUBLIC" + " KEY-----",
]
SENSITIVE = [".env", "a/.env", "id_rsa", "a/id_rsa", ".ssh/config", "a/.ssh/b", "a.pem", "a/b.pem"]
NOT_SENSITIVE = ["env", "a.envy", "id_rsa_notes.md", "ssh/config", "pem"]
BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]

# For each rule: scripts, and where it finds something (None: somewhere, once). `x` has a value
# of the operator.
CASES: dict[str, dict[str, list[str] | None]] = {
    "T201": {
        "IF true { VAR y = 1 }\nLOG y": ["2:5"],
        "IF true { VAR y = 1 } ELSE { VAR y = 2 }\nLOG y": [],
        "TRY { VAR y = 1 } CATCH { }\nLOG \"a {{y}}\"": ["2:8"],
        "CHOOSE { OPTION 'a' { VAR y = 1 }\nOPTION 'b' { VAR y = 2 } }\nLOG y": [],
        "LOG y": [],  # certain: T110
    },
    "T202": {
        "IF true { RUN 'a' }\nLOG LAST_RUN.STDOUT": ["2:5"],
        "IF true { RUN 'a' } ELSE { RUN 'b' }\nLOG LAST_RUN.STDOUT": [],
        "LOG LAST_RUN.STDOUT": [],  # certain: T111
    },
    "T203": {
        "VAR y = 1": ["1:5"],
        "READ 'p' AS y": ["1:13"],
        "VAR y = 1\nVAR z = y\nLOG z": [],
        "VAR y = 1\nLOG \"{{y}}\"": [],
        "VAR y = 1\nRUN <<W\necho {{y}}\nW": [],
        "VAR _y = 1": [],
        "VAR y = 1\nVAR z = 1\nLOG 'y'": ["1:5", "2:5"],
        "VAR y = 1\nASSERT y == 1": [],
        "VAR y = 1\n@persona \"{{y}}\"": [],
    },
    "T204": {
        "ASSERT false\nLOG 1\nLOG 2": ["2:1"],
        "ASSERT true\nLOG 1": [],
        "IF true { LOG 1 } ELSE { LOG 2 }": ["1:26"],
        "IF false { LOG 1 } ELSE { LOG 2 }": ["1:12"],
        "IF x == 'a' { LOG 1 } ELSE { LOG 2 }": [],
        "TRY { ASSERT false\nLOG 1 } CATCH { LOG 2 }\nLOG 3": ["2:1"],
        "IF x == 'a' { ASSERT false }\nLOG 1": [],
        "IF x == 'a' { ASSERT false } ELSE { ASSERT false }\nLOG 1": ["2:1"],
        "STEP 's' { STEP 't' { ASSERT false }\nLOG 1 }": ["2:1"],
        "STEP 's' { ASSERT false }\nSTEP 't' { LOG 1 }": [],  # --keep-going goes on there
        "CHOOSE { OPTION 'a' { ASSERT false }\nOPTION 'b' { LOG 1 } }\nLOG 2": [],
        "CHOOSE { OPTION 'a' { ASSERT false }\nOPTION 'b' { ASSERT false } }\nLOG 2": ["3:1"],
        "PARALLEL { STEP 'a' { LOG 1 }\nSTEP 'b' { ASSERT false } }\nLOG 2": ["3:1"],
        "TRY { ASSERT false } CATCH { ASSERT false }\nLOG 1": ["2:1"],
    },
    "T205": {
        "LOG 1\n DEFINE_TASK 'd' { LOG 1 }": ["2:14"],
        "CALL 'd'\nDEFINE_TASK 'd' { LOG 1 }": [],
        "ESTIMATE_COST { CALL 'd' }\nDEFINE_TASK 'd' { LOG 1 }": [],
    },
    "T206": {
        "ASSERT x == 'a'": [],
        "ASSERT x": [],
        "IF FILE 'p' EXISTS { LOG 1 }": [],
        "RUN 'true'\nASSERT LAST_RUN.EXIT_CODE == 0": [],
    },
    "T207": {
        "RUN 'a'\nRUN 'b'\nASSERT LAST_RUN.EXIT_CODE == 0": ["1:1"],
        "RUN 'a'\nLOG 1": ["1:1"],
        "RUN 'a'\nLOG \"{{LAST_RUN.STDOUT}}\"\nRUN 'b'\nIF LAST_RUN.EXIT_CODE == 0 { LOG 1 }": [],
        "RUN 'a'\nVAR y = LAST_RUN.STDERR": [],
        "RUN 'a'\nRUN \"echo {{LAST_RUN.EXIT_CODE}}\"\nASSERT LAST_RUN.EXIT_CODE == 0": [],
        "IF x == 'a' { RUN 'a' }\nASSERT LAST_RUN.EXIT_CODE == 0": [],
        "RUN 'a'\nIF x == 'a' { ASSERT LAST_RUN.EXIT_CODE == 0 }": [],
        "RUN 'a'\nCALL 'd'\nDEFINE_TASK 'd' { ASSERT LAST_RUN.EXIT_CODE == 0 }": [],
        "RUN 'a'\nCALL 'd'\nDEFINE_TASK 'd' { LOG 1 }": ["1:1"],
        "CALL 'd'\nASSERT LAST_RUN.EXIT_CODE == 0\nDEFINE_TASK 'd' { RUN 'a' }": [],
        "STEP 's' { RUN 'a' }\nSTEP 't' { ASSERT LAST_RUN.EXIT_CODE == 0 }": [],
    },
    "T208": {
        "": ["1:1"],
        "# c\n": ["1:1"],
        "LOG 1": ["1:1"],
        "DEFINE_TASK 'd' { LOG 1 }": ["1:1"],
        "TASK 't'": [],
        "TASK 't' { LOG 1 }": [],
    },
    "T209": {
        "LOG 1": ["1:1"],
        "#TISS! Language=Python\nLOG 1": [],
        "#!/bin/x\n# c\n\n#TISS! Language=Python": [],
    },
    "T210": {
        "STEP 'x' { LOG 1 }": [],
        "IF x == 'a' { LOG 1 } ELSE { LOG 1 }": [],
    },
    "T212": {
        "@speed 'fast'\nLOG 1": ["1:2"],
        "@persona 'p'\n@output 'o'\n@language 'l'\n@timeout 5s\n@cwd 'd'\n@env 'A=1'\nLOG 1": [],
        "STEP 's' { @retry 1\nLOG 1 }": [],
    },
    "T213": {
        "LOG 1\n#TISS! Language=Python": ["2:1"],
        "LOG 1\n#TISS_VERSION >= 1.2": ["2:1"],
        "#TISS! Language=Python\n#TISS_VERSION >= 1.2\nLOG 1": [],
    },
    "T214": {
        "IF x == 'a' THEN { LOG 1 }": ["1:13"],
        "IF x == 'a' { LOG 1 } ELSE IF x == 'b' THEN { LOG 1 }": ["1:40"],
        "IF x == 'a' { LOG 'THEN' } # THEN": [],
    },
    "T215": {
        'LOG "{{ a + b }}"': ["1:6"],
        "WRITE 'p' <<W\n\n ${{ a.b }}\nW": ["3:3"],
        'LOG "{{x}} { } }}"': [],
        "LOG '{{ a + b }}'": [],
        r'LOG "\{{ a + b }}"': [],
    },
    "T216": {
        **{f'WRITE "{p}" <<Y\n a: {{{{x}}}}\nY': ["2:5"] for p in
           ("a.yml", "d/a.yaml", "a.html", "a.jinja", "a.jinja2", "a.j2", "a.vue", "a.html.j2")},
        "WRITE 'a.yml' <<'Y'\n{{x}}\nY": [],
        "WRITE 'a.yml' <<Y\n\\{{x}}\nY": [],
        "WRITE 'a.py' <<Y\n{{x}}\nY": [],
        "WRITE 'html' <<Y\n{{x}}\nY": [],
        "WRITE 'a.yml.txt' <<Y\n{{x}}\nY": [],
    },
    "T218": {
        "PARALLEL {\nSTEP 'a' { WRITE 'p' <<W\nW\n}\nSTEP 'b' { WRITE 'q' <<W\nW\n}\n}": [],
        "PARALLEL {\nSTEP 'a' { WRITE 'p' <<W\nW\nWRITE 'p' <<W\nW\n}\n}": [],
        "PARALLEL {\nSTEP 'a' { WRITE '{{x}}' <<W\nW\n}\nSTEP 'b' { READ 'p' AS _y }\n}": [],
    },
    "T219": {
        "RUN 'a'\nRUN \"cat {{LAST_RUN.STDOUT}}\"": ["2:10"],
        "RUN 'a'\nREAD \"{{LAST_RUN.STDOUT}}\" AS _y": ["2:7"],
        "RUN 'a'\nMKDIR \"d/{{LAST_RUN.STDOUT|json}}\"": ["2:10"],
        "RUN 'a'\nASSERT FILE \"{{LAST_RUN.STDOUT}}\" EXISTS": ["2:14"],
        "RUN 'a'\nRUN \"cat {{LAST_RUN.STDOUT|trim}}\"": [],
        "RUN 'a'\nLOG \"{{LAST_RUN.STDOUT}}\"": [],
        "RUN 'a'\nRUN \"cat {{LAST_RUN.EXIT_CODE}}\"": [],
    },
    "T301": {
        "READ '../x' AS _y": ["1:6"],
        "READ '/etc/hosts' AS _y": ["1:6"],
        "WRITE 'a/../../b' <<W\nW": ["1:7"],
        "MKDIR '..'": ["1:7"],
        "DELETE '/x'": ["1:8"],
        "IF FILE '../x' EXISTS { LOG 1 }": ["1:9"],
        "READ \"../{{x}}\" AS _y": ["1:6"],
        "READ \"/{{x}}\" AS _y": ["1:6"],
        "READ 'a/../x' AS _y": [],
        "READ 'a..b/...' AS _y": [],
        "READ \"{{x}}\" AS _y": [],
    },
    "T302": {
        "RUN 'rm -rf /'": ["1:5"],
        "RUN 'true; rm -r ~'": ["1:5"],
        "RUN 'mkfs.ext4 x'": ["1:5"],
        "RUN <<W\ntrue\nrm -rf ..\nW": None,
        "RUN \"rm -rf / {{x}}\"": ["1:5"],
        "RUN 'rm -rf build'": [],
        "RUN 'echo rm -rf /'": [],
        "RUN \"{{x}} -rf /\"": [],
    },
    "T303": {
        "RUN 'sudo make install'": ["1:5"],
        "RUN 'true && curl u'": ["1:5"],
        "RUN 'git push'": ["1:5"],
        "RUN \"sudo {{x}}\"": ["1:5"],
        "RUN 'git status'": [],
        "RUN 'echo sudo'": [],
    },
    "T304": {
        'RUN "{{x|raw}}"': ["1:6"],
        'RUN "a {{x|raw}} b"': ["1:8"],
        'RUN "{{x}}"': [],
        'LOG "{{x|raw}}"': [],
    },
    "T305": {
        **{f'RUN "{command}"': [f"1:{command.index('{{') + 6}"] for command in (
            "sh -c {{x}}", "bash -c '{{x}}'", "dash -c {{x}}", "zsh -c {{x}}", "ksh -c 'a {{x}}'",
            "python -c {{x}}", "python3 -c {{x}}", "python3.12 -c '{{x}}'", "perl -e {{x}}",
            "ruby -e {{x}}", "node -e {{x}}", "php -r {{x}}", "env -S {{x}}", "awk {{x}} f",
            "awk '{{x}}' f", "sed {{x}} f", "sed 's/a/{{x}}/' f", "sed -e {{x}} f",
            "sed -n {{x}} f", "env sh -c {{x}}", "timeout 5 sh -c {{x}}", "nohup eval {{x}}",
            "find . -exec sh -c {{x}} \\\\;",
            "xargs sh -c {{x}}", "eval {{x}}", "eval a {{x}}", "trap {{x}} EXIT", ". {{x}}",
            "source {{x}}", "ssh host {{x}}", "let {{x}}", "read {{x}}", "unset {{x}}",
            "declare {{x}}", "typeset {{x}}", "export {{x}}", "printf -v {{x}} a", "test -v {{x}}",
            "/bin/sh -c {{x}}")},
        **{f'RUN "{command}"': [] for command in (
            "echo {{x}}", "sh f {{x}}", "sh -c 'echo $1' sh {{x}}", "python3 f.py {{x}}",
            "python3 -c 'print(1)' {{x}}", "awk '{ print }' {{x}}", "sed 's/a/b/' {{x}}",
            "grep -e {{x}} f", "perl f {{x}}", "find . -name {{x}}", "printf '%s' {{x}}",
            "v={{x}}; echo \\\"$v\\\"")},
    },
    "T306": {
        **{f"VAR y = '{key}'\nLOG y": None for key in KEYS},
        **{f"VAR y = '{key}'\nLOG y": [] for key in NO_KEYS},
        f"# {KEYS[0]}\nLOG 1": [],
    },
    "T307": {
        **{f"READ '{path}' AS _y": ["1:6"] for path in SENSITIVE},
        **{f"READ '{path}' AS _y": [] for path in NOT_SENSITIVE},
    },
    "T308": {
        "RUN 'curl u | sh'": ["1:5"],
        "RUN 'curl -s u | bash -'": ["1:5"],
        "RUN 'wget -qO- u | python3'": ["1:5"],
        "RUN \"curl {{x}} | sh\"": ["1:5"],
        "RUN 'curl u -o f'": [],
        "RUN 'cat f | sh'": [],
        "RUN 'curl u | grep sh'": [],
        "RUN 'echo \"curl u | sh\"'": [],
    },
    "T309": {
        **{f"LOG 'a{chr(code)}'": ["1:7"] for code in BIDI},
        **{f"# a{chr(code)}\nLOG 1": ["1:4"] for code in BIDI},
        "WRITE 'p' <<W\n\n\u202e\nW": ["3:1"],
        "LOG 'a\u200e\u200b\u2065é'": [],
    },
    "T310": {
        'RUN "rm {{x}}"': ["1:9"],
        'RUN "rm -r {{x}}"': ["1:12"],
        'RUN "rm \'{{x}}\'"': ["1:10"],
        'RUN "rm {{x}}.txt"': ["1:9"],
        'RUN "{{x}}"': ["1:6"],
        'RUN "true; {{x}} a"': ["1:12"],
        'RUN "rm -- {{x}}"': [],
        'RUN "rm ./{{x}}"': [],
        'RUN "rm a{{x}}"': [],
        'RUN "cat >{{x}}"': [],
        'RUN "cat < {{x}}"': [],
        'RUN "v={{x}}"': [],
    },
}  # fmt: skip

LINES = {  # where the offending token is not said: the line is
    "T206": ["ASSERT 1 == 1", "IF true { LOG 1 }", "ASSERT 'a' CONTAINS 'b'", "ASSERT '' IS_EMPTY"],
    "T210": ["STEP 'x' { }", "IF x == 'a' { }", "IF x == 'a' { LOG 1 } ELSE { }", "TASK 't' { }",
             "TRY { } CATCH { LOG 1 }", "DEFINE_TASK 'd' { }", "STEP 'x' { # c\n}"],
    "T218": ["PARALLEL {\nSTEP 'a' { WRITE 'p' <<W\nW\n}\nSTEP 'b' { IF x == 'a' {\n"
             "WRITE 'p' <<W\nW\n} }\n}"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in CASES.items() for text in texts]
)
def test_what_each_rule_finds_and_what_not(code: str, text: str) -> None:
    places = CASES[code][text]
    found = linted(text + "\n" * bool(text), code, assigned=("x",))
    if places is None:
        assert len(found) == 1
    else:
        assert found == [f"{code} {place}" for place in places]


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in LINES.items() for text in texts]
)
def test_rules_whose_token_is_not_said(code: str, text: str) -> None:
    (found,) = linted(text + "\n", code, assigned=("x",))
    assert 1 <= int(found.split()[1].split(":")[0]) <= text.count("\n") + 1


def test_every_rule_has_its_severity() -> None:
    texts = [text for table in (CASES, LINES) for texts in table.values() for text in texts]
    found = [each for text in texts for each in tisslang.lint(text, assigned=("x",))]
    assert {each.code: each.severity for each in found if each.code[1] in "23"} == {
        **dict.fromkeys(WARNINGS.split(), "warning"),
        **dict.fromkeys(INFOS.split(), "info"),
        **dict.fromkeys(ERRORS.split(), "error"),
    }


def test_syntax_and_static_errors_are_reported_too() -> None:
    assert linted("LOG 'a\n", "T003") == ["T003 1:5"]
    for text in ("LOG x\n", "CALL 'd'\n", "TASK 'a'\nTASK 'b'\n"):
        errors = tisslang.check(text)
        assert errors
        for each in errors:
            assert each in tisslang.lint(text)
            assert each.severity == "error"


def test_findings_are_sorted_by_line_column_code() -> None:
    text = """\
IF true THEN { LOG y }
VAR z = 1
RUN "sh -c {{x|raw}} {{ a b }}"
RUN 'sudo rm -rf /'
"""
    found = [(each.line, each.column, each.code) for each in tisslang.lint(text)]
    assert len({code for _, _, code in found}) > 6
    assert found == sorted(found)


@pytest.mark.parametrize("key", KEYS)
def test_the_message_about_a_secret_never_repeats_it(key: str) -> None:
    for text in (f"LOG '{key}'\n", f"WRITE 'p' <<'W'\na\n  {key}\nW\n", f'RUN "echo {key}"\n'):
        (found,) = [each for each in tisslang.lint(text) if each.code == "T306"]
        assert key not in f"{found.message} {found.hint}"


def test_nor_does_the_line_that_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = write(tmp_path, f"TASK 't'\nLOG 'a {KEYS[0]}'\n")
    for form in ("text", "json"):
        assert main(["lint", str(tmp_path / plan), "--output-format", form]) == 1
        output = capsys.readouterr()
        assert "T306" in output.out + output.err
        assert KEYS[0] not in output.out + output.err


# Silence


def test_a_comment_silences_a_rule_on_its_line() -> None:
    assert linted("VAR y = 1 # tiss: ignore T203\n", "T203") == []
    assert linted("VAR y = 1\n", "T203") == ["T203 1:5"]
    assert linted("STEP 's' {\n    VAR y = 1  # tiss: ignore T203\n    VAR z = 1\n}\n", "T203") == [
        "T203 3:9"
    ]


def test_a_comment_alone_silences_a_rule_on_the_next_line() -> None:
    assert linted("# tiss: ignore T203\nVAR y = 1\n", "T203") == []
    assert linted("LOG 1\n  # tiss: ignore T203\n  VAR y = 1\nVAR z = 1\n", "T203") == ["T203 4:5"]
    assert linted("# tiss: ignore T203\nLOG 1\nVAR y = 1\n", "T203") == ["T203 3:5"]
    assert linted("VAR y = 1\n# tiss: ignore T203\n", "T203") == ["T203 1:5"]
    assert linted("LOG 1 # tiss: ignore T203\nVAR y = 1\n", "T203") == ["T203 2:5"]


def test_only_the_rule_that_it_names() -> None:
    assert linted("VAR y = 1 # tiss: ignore T204\n", "T203") == ["T203 1:5"]
    text = "RUN 'sudo a' # tiss: ignore T303\n"
    assert linted(text, "T303", "T207") == ["T207 1:1"]
    assert (
        linted("RUN 'rm -rf /' # tiss: ignore T302\nASSERT LAST_RUN.EXIT_CODE == 0\n", "T302") == []
    )


def test_text_is_no_comment() -> None:
    assert linted("VAR y = '# tiss: ignore T203'\n", "T203") == ["T203 1:5"]
    heredoc = "VAR y = <<W\n# tiss: ignore T215\n{{ a b }}\nW\nLOG y\n"
    assert linted(heredoc, "T215") == ["T215 3:1"]


# What the closing paragraph says


def test_only_literal_text_is_looked_at() -> None:
    assert linted("VAR c = 'rm -rf /'\nRUN \"{{c|raw}}\"\n", "T302", "T303", "T308") == []
    assert linted("VAR p = '../a'\nREAD \"{{p}}\" AS _y\n", "T301") == []


@pytest.mark.parametrize(
    ("command", "finds"),
    [
        ("v={{x}}; echo $(( v ))", True),
        ("v={{x}}\\necho $((v + 1))", True),
        ('v={{x}}; echo \\"$v\\" $(( 1 + 1 ))', False),
    ],
)
def test_a_variable_of_the_shell_in_arithmetic(command: str, finds: bool) -> None:
    # Beside a reference `$((` is T109, too; the lint rule speaks of the value.
    assert bool(linted(f'RUN "{command}"\n', "T305", assigned=("x",))) is finds


@pytest.mark.parametrize(
    "text", ["RUN \"v={{x}}\"\nRUN 'echo $v'", "WRITE 'p' <<W\nsh -c {{x}}\nW", 'LOG "sh -c {{x}}"']
)
def test_only_commands_run_code(text: str) -> None:
    assert linted(text, "T305", "T310", assigned=("x",)) == []
