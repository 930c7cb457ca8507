"""§14 of the language reference: the formatter."""

import re
from typing import Any

import pytest
from conformance import bare, first

import tisslang
from tisslang import format_source


def tree(text: str) -> Any:
    """A script's tree without positions; blanks in the source of an ASSERT do not count."""

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return {
                key: re.sub("[ \t]", "", value) if key == "source" else plain(value)
                for key, value in node.items()
            }
        return [plain(each) for each in node] if isinstance(node, list) else node

    return plain(bare(tisslang.parse(text)))


# Each rule: a text, and what comes of it.
FORMATTED: dict[str, dict[str, str]] = {
    "1 ends, blanks and marks": {
        "": "",
        "\ufeff": "",
        "\n\n \t\n": "",
        "LOG 1": "LOG 1\n",
        "\ufeffLOG 1\n": "LOG 1\n",
        "LOG 1   \t\n\n\n\n": "LOG 1\n",
        "\n\n\nLOG 1\n": "LOG 1\n",
        "LOG 1\r\nLOG 2\r\n": "LOG 1\nLOG 2\n",
        "LOG 1\n# c  \t\n": "LOG 1\n# c\n",
        "WRITE 'p' <<W  \nx  \n\t\nW  \t\n": "WRITE 'p' <<W\nx  \n\t\nW\n",
    },
    "2 lines and tokens": {
        "VAR  x\t=  1": "VAR x = 1\n",
        "VAR x=1\nVAR y?='a'": "VAR x = 1\nVAR y ?= 'a'\n",
        "LOG   LAST_RUN . STDOUT  |  trim": "LOG LAST_RUN.STDOUT|trim\n",
        "@  persona   'x'  'y'": "@persona 'x' 'y'\n",
        "DEFINE_TASK 'd' WITH a,b ,  c { LOG a }": "DEFINE_TASK 'd' WITH a, b, c {\n    LOG a\n}\n",
        "CALL 'd' WITH a=1,b = 'x'": "CALL 'd' WITH a = 1, b = 'x'\n",
        "ASSERT x==1": "ASSERT x == 1\n",
        "ASSERT x  NOT   CONTAINS 'a'": "ASSERT x NOT CONTAINS 'a'\n",
        "ASSERT FILE'p'EXISTS": "ASSERT FILE 'p' EXISTS\n",
        "SET_BUDGET COST=5": "SET_BUDGET COST = 5\n",
        "WRITE 'p'<<W\nW": "WRITE 'p' <<W\nW\n",
        "STEP 's'{LOG 1}": "STEP 's' {\n    LOG 1\n}\n",
        "STEP 's' {LOG 1\n LOG 2 }": "STEP 's' {\n    LOG 1\n    LOG 2\n}\n",
        "IF x {\nIF y {\nLOG 1\n} }": "IF x {\n    IF y {\n        LOG 1\n    }\n}\n",
        "IF x { LOG 1 }\n\nELSE{ LOG 2 }": "IF x {\n    LOG 1\n} ELSE {\n    LOG 2\n}\n",
        "IF x { LOG 1 }\nELSE   IF y{ LOG 2 }": "IF x {\n    LOG 1\n} ELSE IF y {\n    LOG 2\n}\n",
        "TRY{ LOG 1 }\nCATCH{ LOG 2 }": "TRY {\n    LOG 1\n} CATCH {\n    LOG 2\n}\n",
        "STEP 's' {\n\n\n}": "STEP 's' { }\n",
        "STEP 's' {}": "STEP 's' { }\n",
        "TRY { LOG 1 } CATCH {}": "TRY {\n    LOG 1\n} CATCH { }\n",
        "IF x {} ELSE {}": "IF x { } ELSE { }\n",
        "SETUP { LOG 1 }": "SETUP {\n    LOG 1\n}\n",
        "PROMPT_AGENT   INTO  x <<W\nW": "PROMPT_AGENT INTO x <<W\nW\n",
        "LOG -1": "LOG -1\n",
        "LOG COST . TOTAL": "LOG COST.TOTAL\n",
    },
    "3 the header zone": {
        "# b\n#TISS_VERSION >= 1.2\n#TISS! A=1\n# a\n\nLOG 1": (
            "#TISS! A=1\n#TISS_VERSION >= 1.2\n# b\n# a\n\nLOG 1\n"
        ),
        "#!/usr/bin/env tiss\n# c\n#TISS! A=1\n\n\nLOG 1": (
            "#!/usr/bin/env tiss\n#TISS! A=1\n# c\n\nLOG 1\n"
        ),
        "#TISS! A=1\nTASK 't'\nLOG 1": "#TISS! A=1\n\nTASK 't'\n\nLOG 1\n",
        "#TISS_VERSION < 2.0\n#TISS_VERSION >= 1.2": "#TISS_VERSION < 2.0\n#TISS_VERSION >= 1.2\n",
    },
    "3 and 4 a comment above the first statement": {
        "# c\nLOG 1": "# c\nLOG 1\n",
        "# b\n#TISS! A=1\n# c\nTASK 't'": "#TISS! A=1\n# b\n\n# c\nTASK 't'\n",
        "# c\n\n\nLOG 1": "# c\n\nLOG 1\n",
    },
    "4 blank lines": {
        "LOG 1\nSTEP 's' { LOG 2 }\nLOG 3": "LOG 1\n\nSTEP 's' {\n    LOG 2\n}\n\nLOG 3\n",
        "STEP 's' { }\nSTEP 't' { }": "STEP 's' { }\n\nSTEP 't' { }\n",
        "STEP 's' { }\n\n\n\nSTEP 't' { }": "STEP 's' { }\n\nSTEP 't' { }\n",
        "TASK 't' {\n\nSETUP { LOG 1 }\nLOG 2\n\n}": (
            "TASK 't' {\n    SETUP {\n        LOG 1\n    }\n\n    LOG 2\n}\n"
        ),
        "IF x {\nLOG 1\nSTEP 's' { LOG 2 }\nLOG 3\n}": (
            "IF x {\n    LOG 1\n\n    STEP 's' {\n        LOG 2\n    }\n\n    LOG 3\n}\n"
        ),
        "LOG 1\nDEFINE_TASK 'd' { LOG 2 }\nLOG 3": (
            "LOG 1\n\nDEFINE_TASK 'd' {\n    LOG 2\n}\n\nLOG 3\n"
        ),
        "LOG 1\n\n\n\nLOG 2\nLOG 3\n\nLOG 4": "LOG 1\n\nLOG 2\nLOG 3\n\nLOG 4\n",
        "IF x {\n\n\nLOG 1\n\n\n}": "IF x {\n    LOG 1\n}\n",
        "LOG 1\n# about s\nSTEP 's' { }": "LOG 1\n\n# about s\nSTEP 's' { }\n",
        "LOG 1\n\n# about 2\nLOG 2": "LOG 1\n\n# about 2\nLOG 2\n",
        "STEP 's' { }\n# about t\n# more\nSTEP 't' { }": (
            "STEP 's' { }\n\n# about t\n# more\nSTEP 't' { }\n"
        ),
    },
    "5 comments": {
        "STEP 's' {\n# a\nLOG 1\n      # b\n}": "STEP 's' {\n    # a\n    LOG 1\n    # b\n}\n",
        "LOG 1# a  b\nLOG 2 \t # c": "LOG 1  # a  b\nLOG 2  # c\n",
        "LOG 1\n   #a\n#    b\n##c": "LOG 1\n#a\n#    b\n##c\n",
        "STEP 's' { # a\nLOG 1 } # b": "STEP 's' {  # a\n    LOG 1\n}  # b\n",
        "WRITE 'p' <<W # a\n# b\nW": "WRITE 'p' <<W  # a\n# b\nW\n",
        "LOG 1\n# THEN  {{ x }}": "LOG 1\n# THEN  {{ x }}\n",
    },
    "6 strings, numbers, THEN, interpolations": {
        "LOG 'a  b'\nLOG \"\\t\\{{x}}  'q'\"": "LOG 'a  b'\nLOG \"\\t\\{{x}}  'q'\"\n",
        "LOG 007\nLOG 1.50\nLOG 500ms\nLOG -0": "LOG 007\nLOG 1.50\nLOG 500ms\nLOG -0\n",
        "IF x THEN { LOG 1 } ELSE IF y THEN{ LOG 2 }": (
            "IF x {\n    LOG 1\n} ELSE IF y {\n    LOG 2\n}\n"
        ),
        'LOG "{{ x }}{{\tx | trim }}"': 'LOG "{{x}}{{x|trim}}"\n',
        'LOG "{{ LAST_RUN.STDOUT|json }}"': 'LOG "{{LAST_RUN.STDOUT|json}}"\n',
        "LOG '{{ x }}'": "LOG '{{ x }}'\n",
        'LOG "{{ a + b }} {{{ x }}}"': 'LOG "{{ a + b }} {{{x}}}"\n',
        'STEP "a {{ x }}" { }': 'STEP "a {{ x }}" { }\n',
        "ASSERT x IS_EMPTY\nASSERT x NOT IS_EMPTY": "ASSERT x IS_EMPTY\nASSERT x NOT IS_EMPTY\n",
    },
    "7 heredocs": {
        "STEP 's' {\nWRITE 'p' <<W\n  a\n\tb  \n\n {{ x }}\nW\n}": (
            "STEP 's' {\n    WRITE 'p' <<W\n  a\n\tb  \n\n {{ x }}\nW\n}\n"
        ),
        "WRITE 'p' <<'W'\r\na\r\nW": "WRITE 'p' <<'W'\na\nW\n",
        "STEP 's' {\nWRITE 'p' <<-W\n      a\n  b\nW\n}": (
            "STEP 's' {\n    WRITE 'p' <<-W\n      a\n  b\n    W\n}\n"
        ),
        "WRITE 'p' <<-'W'\n  a\n    W": "WRITE 'p' <<-'W'\n  a\nW\n",
        "WRITE 'p' <<W\nW": "WRITE 'p' <<W\nW\n",
    },
}

CASES = [(rule, text) for rule, texts in FORMATTED.items() for text in texts]


@pytest.mark.parametrize(("rule", "text"), CASES)
def test_each_rule(rule: str, text: str) -> None:
    assert format_source(text) == FORMATTED[rule][text]


@pytest.mark.parametrize(("rule", "text"), CASES)
def test_the_meaning_stays_and_a_second_time_changes_nothing(rule: str, text: str) -> None:
    once = format_source(text)
    assert format_source(once) == once
    assert tree(once) == tree(text)


def test_comments_are_kept() -> None:
    text = """\
# 1
#TISS! A=1
# 2

# 3
TASK 't' # 4
# 5
STEP 's' { # 6
# 7
} # 8
# 9
IF x { # 10
}
# 11
ELSE { # 12
LOG 1 # 13
}
# 14
"""
    comments = re.findall(r"# \d+", format_source(text))
    assert sorted(comments) == sorted(f"# {n}" for n in range(1, 15))
    assert tree(format_source(text)) == tree(text)


def test_a_body_that_interpolates_keeps_its_blanks() -> None:
    # "Byte for byte" is said of heredoc bodies, whatever stands in them.
    write_node = first(format_source("WRITE 'p' <<W\n{{ x\t|\ttrim }}\nW\n"))
    assert write_node["content"] == {"template": [{"var": "x", "filter": "trim"}, "\n"]}
    assert "{{ x\t|\ttrim }}" in format_source("WRITE 'p' <<W\n{{ x\t|\ttrim }}\nW\n")


@pytest.mark.parametrize("text", ["LOG 'a\n", "STEP 's' {\n", "FOO\n", "LOG '\0'\n"])
def test_what_does_not_parse_is_not_changed(text: str) -> None:
    with pytest.raises(tisslang.TissParseError):
        format_source(text)


def test_256_levels_are_formatted() -> None:
    once = format_source("IF x {" * 256 + " LOG 1 " + "}" * 256)
    assert once.splitlines()[256] == "    " * 256 + "LOG 1"
    assert format_source(once) == once
