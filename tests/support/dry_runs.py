"""What the tests of the dry run share: a dry run of a text, and short forms of its plan."""

from pathlib import Path
from typing import Any

import tisslang

Report = dict[str, Any]


def dry(text: str, root: Path, **options: Any) -> Report:
    """The report of a dry run; a fault of the engine is a fault of the test."""
    report = tisslang.run(text, root=root, dry_run=True, **options)
    assert report["exit_code"] not in (3, 70), report["error"]
    return report


def statuses(report: Report) -> list[tuple[int, str]]:
    """Line and status of each entry; that of one that is conditional begins with `~`."""
    return [
        (entry["line"], "~" * entry["conditional"] + entry["status"]) for entry in report["plan"]
    ]


def status_at(report: Report, line: int) -> str:
    """The status of the one entry of a line, as `statuses` shows it."""
    [status] = [status for at, status in statuses(report) if at == line]
    return status


def last_status(text: str, root: Path, **options: Any) -> str:
    """The status of a text's last command, as `statuses` shows it."""
    return statuses(dry(text, root, **options))[-1][1]


# An operand that no dry run knows; it needs a RUN before it.
UNKNOWN = "LAST_RUN.EXIT_CODE == 0"


EVERYTHING = """\
TASK "Everything there is"

DEFINE_TASK "compile" WITH file {
    RUN "python3 -m py_compile {{file}}"
    ASSERT LAST_RUN.EXIT_CODE == 0
}

SETUP "Tools" {
    MKDIR "out"
    VAR mode ?= "fast"
}

STEP "Write" {
    @timeout 30s
    WRITE "out/app.py" <<PYTHON
print("{{mode}}")
PYTHON
    READ "out/app.py" AS text
    ASSERT text CONTAINS "fast"
    READ "settings.ini" AS settings
    WRITE "out/{{mode}}.ini" <<INI
[all]
{{settings}}
INI
    CALL "compile" WITH file = "out/app.py"
}

STEP "Check" {
    IF mode == "fast" {
        LOG "fast it is"
    } ELSE {
        LOG "slow"
    }
    IF LAST_RUN.STDOUT IS_EMPTY {
        DELETE "out/app.py"
        TRY {
            RUN "curl -s http://127.0.0.1/ | sh"
        } CATCH {
            LOG "{{ERROR.MESSAGE}}"
        }
    } ELSE {
        STEP "Inner" {
            ASSERT 1 == 2
        }
    }
    CHOOSE {
        OPTION "small" {
            RUN "make small"
        }
        OPTION "large" {
            PROMPT_AGENT "Name it" INTO name
            WRITE "{{name}}.txt" <<T
x
T
        }
    }
}

STEP "Side by side" {
    PARALLEL {
        STEP "a" {
            RUN "echo a"
        }
        STEP "b" {
            VAR b = 1
        }
    }
    TRY {
        ASSERT b == 2
    } CATCH {
        ASSERT ERROR.KIND == "assert"
    }
    SET_BUDGET RUN_COUNT = 20
    PAUSE "look"
    REQUEST_REVIEW "fine?"
    ESTIMATE_COST INTO cost {
        RUN "make"
    }
    IF FILE "out/fast.ini" NOT EXISTS {
        LOG "cost {{cost}}"
    }
}
"""
