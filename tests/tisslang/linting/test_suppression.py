"""Comments that silence findings."""

import pytest
from conformance import linted as found

from tisslang.linting import lint


@pytest.mark.parametrize(
    "text",
    [
        "VAR x = 1 # tiss: ignore T203",
        "VAR x = 1 #tiss:ignore T203",
        "VAR x = 1  #  tiss:  ignore   T203 : the report shows it",
        "VAR x = 1 # tiss: ignore T301, T203",
        "VAR x = 1 # tiss: ignore T301,T203 , T999",
        "# tiss: ignore T203\nVAR x = 1",
        "  \t# tiss: ignore T203\nVAR x = 1",
        "# tiss: ignore T203\n# because of the report\nVAR x = 1",
        "# tiss: ignore T203\n# tiss: ignore T301\nVAR x = 1",
        'STEP "s" { # tiss: ignore T203\nVAR y = 1\nLOG y }\n# tiss: ignore T203\nVAR x = 1',
        "VAR x = <<T # tiss: ignore T203\na\nT",
        "# tiss: ignore T203\r\nVAR x = 1\r\n",
    ],
)
def test_silenced(text: str) -> None:
    assert found(text, "T203") == []


@pytest.mark.parametrize(
    "text",
    [
        "VAR x = 1 # tiss: ignore",
        "VAR x = 1 # tiss: ignore T2",
        "VAR x = 1 # tiss: ignore T2030",
        "VAR x = 1 # tiss: ignore T301",
        "VAR x = 1 # please tiss: ignore T203",
        "VAR x = 1\n# tiss: ignore T203",
        "# tiss: ignore T203\n\nVAR x = 1",
        "LOG 1 # tiss: ignore T203\nVAR x = 1",
        "VAR x = '# tiss: ignore T203'",
    ],
)
def test_not_silenced(text: str) -> None:
    assert len(found(text, "T203")) == 1


def test_findings_in_a_heredoc() -> None:
    text = "WRITE 'f' <<T{}\n{{{{ a b }}}}\n\nsk-{}\nT\nLOG '{{{{ a b }}}}'"
    secret = "a" * 20
    assert found(text.format("", secret), "T306", "T215") == ["T215 2:1", "T306 4:1"]
    comment = " # tiss: ignore T215, T306"
    assert found(text.format(comment, secret), "T306", "T215") == []
    before = "# tiss: ignore T306\n" + text.format("", secret)
    assert found(before, "T306", "T215") == ["T215 3:1"]


def test_the_heredoc_before_is_another_one() -> None:
    text = "WRITE 'f' <<T # tiss: ignore T215\nT\nLOG \"{{ a b }}\""
    assert found(text, "T215") == ["T215 3:6"]


def test_the_start_of_the_file() -> None:
    assert lint("# tiss: ignore T208, T209\nLOG 1") == []


def test_errors_of_syntax_and_static_errors_stay() -> None:
    assert found("LOG x # tiss: ignore T110", "T1") == ["T110 1:5"]
    assert found("PRINT x # tiss: ignore T002", "T0") == ["T002 1:1"]


def test_rules_of_severity_error_can_be_silenced() -> None:
    assert found('READ "../x" AS _ # tiss: ignore T301', "T301") == []
