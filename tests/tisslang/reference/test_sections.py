"""The language reference, clause by clause: each has tests, and each test named here exists.

`clauses_of_scripts.py` and `clauses_of_runs.py` hold one table between them. A key is a section and
the name of a clause, `"4.3 one pass"`; its value names the tests that would fail if the clause were
not true: `test_name` in this directory, or `other/test_file.py::test_name` below `tests/tisslang`.
"""

import ast
import runpy
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HALVES = [HERE / "clauses_of_scripts.py", HERE / "clauses_of_runs.py"]

SECTIONS = """
1 2 3 4.1 4.2 4.3 4.4 5 6 6.1 6.2 6.3 7.1 7.2 7.3 7.4 7.5 7.6 7.7 8 9 10.1 10.2 10.3 10.4 11 12 13
14 15 16 17 18
"""

STATEMENTS = """
TASK SETUP STEP DEFINE_TASK OPTION READ WRITE RUN ASSERT VAR LOG MKDIR DELETE CALL PROMPT_AGENT
SET_BUDGET PAUSE REQUEST_REVIEW IF TRY PARALLEL CHOOSE ESTIMATE_COST
"""

# The rows of the reference's tables: each is a word in the name of a clause of its section.
ROWS = {
    "2": STATEMENTS,
    "3": f"SCRIPT DIRECTIVE {STATEMENTS}",
    "6": "READ WRITE MKDIR DELETE RUN ASSERT VAR LOG",
    "6.2": "none echo canned qt http",
    "7.3": "assert undefined type io decode timeout agent"
    " parse security budget human interrupted internal",
    "8": "@persona @output @language @timeout @retry @cwd @env",
    "9": " ".join(f"T{n:03}" for n in (*range(1, 11), *range(101, 112)))
    + " assert undefined type io decode timeout agent security budget human",
    "10.2": "files network processes environment limits gaps",
    "10.3": "deny ask",
    "11": "WRITE MKDIR DELETE READ EXISTS RUN ASSERT IF TRY would_fail CHOOSE PROMPT_AGENT PAUSE"
    " REQUEST_REVIEW LOG VAR CALL PARALLEL SET_BUDGET",
    "12": "run_start step_start step_end command_start command_end assert log caught agent"
    " question choose estimate run_end",
    "13": " ".join(f"T{n}" for n in (*range(201, 220), *range(301, 311)) if n not in (211, 217)),
    "15": "run check lint fmt ast list lsp doctor version --root --dry-run --output-format --events"
    " --var --timeout --max-output --max-memory --max-processes --max-disk --sandbox-profile"
    " --allow-network --non-interactive --answer --yes --allow-command --deny-command --env"
    " --keep-going --agent --jobs --budget --choose-by --secret --step --from-step --junit",
    "17": " ".join(str(n) for n in range(1, 35)),
    "18": "FOR WHILE INCLUDE FINALLY RETURN MATCHES AND OR",
}


@cache
def clauses() -> dict[str, tuple[str, ...]]:
    joined: dict[str, tuple[str, ...]] = {}
    for half in HALVES:
        table = runpy.run_path(str(half))["CLAUSES"]
        assert not joined.keys() & table.keys()
        joined |= table
    return joined


def words(section: str) -> set[str]:
    """The words in the names of a section's clauses."""
    named = (key.split() for key in clauses())
    return {word.strip(",:;") for first, *rest in named if first == section for word in rest}


@cache
def written_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = (each.name for each in tree.body if isinstance(each, ast.FunctionDef))
    return {name for name in names if name.startswith("test_")}


def exists(test: str) -> bool:
    file, _, name = test.rpartition("::")
    if file:
        path = HERE.parent / file
        return path.is_file() and name in written_in(path)
    return any(name in written_in(path) for path in HERE.glob("test_section_*.py"))


@pytest.mark.parametrize("section", SECTIONS.split())
def test_every_section_has_clauses(section: str) -> None:
    assert words(section)


@pytest.mark.parametrize("section", ROWS)
def test_every_row_of_a_table_has_a_clause(section: str) -> None:
    assert set(ROWS[section].split()) - words(section) == set()


def test_no_clause_is_of_a_section_that_is_not() -> None:
    assert {key.split()[0] for key in clauses()} <= set(SECTIONS.split())


def test_every_clause_has_tests_and_every_named_test_exists() -> None:
    assert {key: names for key, names in clauses().items() if not names} == {}
    missing = {
        f"{key}: {name}" for key, names in clauses().items() for name in names if not exists(name)
    }
    assert missing == set()


def test_every_test_of_this_directory_holds_a_clause() -> None:
    named = {name for names in clauses().values() for name in names}
    written = {name for path in HERE.glob("test_section_*.py") for name in written_in(path)}
    assert written - named == set()
