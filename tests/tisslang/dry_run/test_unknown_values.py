"""Unknown values: which name they carry, and how far they spread."""

from pathlib import Path

import pytest
from dry_runs import dry, last_status, status_at

RUN = 'RUN "x"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('READ "f" AS cfg\nLOG cfg\n', "<unknown:cfg>"),
        ('PROMPT_AGENT "hi" INTO reply\nLOG reply\n', "<unknown:reply>"),
        (RUN + "LOG LAST_RUN.STDOUT\n", "<unknown:LAST_RUN.STDOUT>"),
        (RUN + "LOG LAST_RUN.STDERR\n", "<unknown:LAST_RUN.STDERR>"),
        (RUN + "LOG LAST_RUN.EXIT_CODE\n", "<unknown:LAST_RUN.EXIT_CODE>"),
        (RUN + "LOG LAST_RUN.EXECUTION_TIME\n", "<unknown:LAST_RUN.EXECUTION_TIME>"),
        (RUN + "LOG LAST_RUN.COMMAND\n", "<unknown:LAST_RUN.COMMAND>"),
        ("LOG COST.TIME\n", "<unknown:COST.TIME>"),
        # It keeps the name that it was born with, wherever it goes.
        ('READ "f" AS a\nVAR b = a\nLOG b\n', "<unknown:a>"),
        ('READ "f" AS a\nVAR b = "[{{a}}]"\nVAR c = "{{b}}{{b}}"\nLOG c\n', "[<unknown:a>]" * 2),
        ('READ "f" AS a\nLOG a|trim\n', "<unknown:a>"),
        ('READ "f" AS a\nLOG "{{a|json}}!"\n', "<unknown:a>!"),
        ('READ "f" AS a\nVAR a ?= "x"\nLOG a\n', "<unknown:a>"),
        ('READ "f" AS a\nVAR a = "x"\nLOG a\n', "x"),
        ('READ "f" AS a\nWRITE "g" <<W\n{{a}}\nW\nREAD "g" AS b\nLOG b\n', "<unknown:a>\n"),
    ],
)
def test_it_prints_as_its_name(text: str, expected: str, tmp_path: Path) -> None:
    report = dry(text, tmp_path)
    assert report["exit_code"] == 0
    assert report["log"] == [expected]


def test_the_report_shows_its_name(tmp_path: Path) -> None:
    report = dry('RUN "x"\nVAR code = LAST_RUN.EXIT_CODE\nVAR n = 1\n', tmp_path)
    assert report["variables"] == {"code": "<unknown:LAST_RUN.EXIT_CODE>", "n": 1}
    fields = ("command", "stdout", "stderr", "exit_code", "execution_time")
    assert report["last_run"] == {name: f"<unknown:LAST_RUN.{name.upper()}>" for name in fields}


@pytest.mark.parametrize(
    "condition",
    [
        "a == 1",
        "1 != a",
        'a == "<unknown:a>"',  # its name is not its value
        "a < 3",
        'a CONTAINS "<"',
        '"<unknown:a>" CONTAINS a',
        "a IS_EMPTY",
        "a NOT IS_EMPTY",
        '"{{a}}x" NOT IS_EMPTY',
        "a",
        'a|json == "x"',
        'FILE "{{a}}" EXISTS',
        "a == a",
    ],
)
def test_a_condition_on_it_is_unknown_and_passes(condition: str, tmp_path: Path) -> None:
    text = f'READ "f" AS a\nASSERT {condition}\n'
    assert dry(text, tmp_path)["exit_code"] == 0
    assert last_status(text, tmp_path) == "unknown"


def test_a_path_that_is_unknown_passes(tmp_path: Path) -> None:
    text = """READ "f" AS p
READ "{{p}}" AS a
WRITE "../{{p}}" <<W
W
MKDIR "{{p}}"
DELETE "/{{p}}"
ASSERT FILE "~{{p}}" EXISTS
"""
    report = dry(text, tmp_path)
    assert report["exit_code"] == 0
    assert status_at(report, 7) == "unknown"


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [
        ("rm -rf {{a}}", 0),
        ("rm -rf {{a}}/..", 0),  # which may be a part of the project
        ("rm -rf build/{{a}}/../..", 0),
        ("{{a}} -rf /", 0),
        ("echo {{a|raw}}", 0),
        ("{{a|raw}}", 0),
        ("rm -rf ~/{{a}}", 5),  # wherever it is
        ("rm -rf / {{a}}", 5),
        ("echo '{{a}}'; rm -rf /", 5),
        ("echo {{a|raw}}; rm -rf /", 5),
    ],
)
def test_a_command_is_denied_only_when_that_is_certain(
    command: str, exit_code: int, tmp_path: Path
) -> None:
    assert dry(f'READ "f" AS a\nRUN "{command}"\n', tmp_path)["exit_code"] == exit_code


def test_a_denied_path_below_an_unknown_directory_is_not_certain(tmp_path: Path) -> None:
    text = 'READ "f" AS d\nSTEP "s" {\n@cwd "{{d}}"\nRUN "rm -rf ../x"\n}\n'
    assert dry(text, tmp_path)["exit_code"] == 0
    assert dry(text.replace("{{d}}", "."), tmp_path)["exit_code"] == 5


def test_names_given_from_outside_are_known(tmp_path: Path) -> None:
    text = 'ASSERT who == "Ada"\n'
    assert last_status(text, tmp_path, var={"who": "Ada"}) == "would_pass"
