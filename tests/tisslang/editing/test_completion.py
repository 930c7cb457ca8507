"""What may be written at the place marked `¦`."""

from pathlib import Path

import pytest

from tisslang.editing import complete
from tisslang.editing.completion import Completion


def at(marked: str, root: Path | None = None) -> list[Completion]:
    offset = marked.index("¦")
    before = marked[:offset]
    line, column = before.count("\n") + 1, offset - before.rfind("\n")
    return complete(marked.replace("¦", ""), line, column, root)


def labels(marked: str, root: Path | None = None) -> list[str]:
    return [each.label for each in at(marked, root)]


FIELDS = ["STDOUT", "STDERR", "EXIT_CODE", "EXECUTION_TIME", "COMMAND"]
VALUES = ["LAST_RUN", "COST", "true", "false"]
COMPARE = ["CONTAINS", "IS_EMPTY", "NOT", "==", "!=", "<", "<=", ">", ">="]
HEREDOCS = ["<<TEXT", "<<'TEXT'", "<<-TEXT"]
BUDGETS = ["API_CALLS", "TOKEN_COUNT", "RUN_COUNT", "COST", "EXECUTION_TIME"]
WORK = 'DEFINE_TASK "work" WITH p, q { LOG p }\n'


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        # statements
        ("RU¦", ["RUN"]),
        ("  ru¦", ["RUN"]),
        ("CHOOSE { O¦", ["OPTION"]),
        ("CHOOSE { ST¦", []),
        ("PARALLEL {\n  P¦\n}", []),
        ('PARALLEL { STEP "a" { P¦', ["PROMPT_AGENT"]),
        ("SETUP { ST¦", []),
        ('STEP "a" { D¦', ["DELETE"]),
        ("D¦", ["DEFINE_TASK", "DELETE"]),
        ("@¦", ["timeout", "retry", "cwd", "env", "persona", "output", "language"]),
        ("@ti¦", ["timeout"]),
        # what goes on with one
        ("IF true { LOG 1 } ¦", ["ELSE"]),
        ("IF true { LOG 1 } E¦", ["ELSE"]),
        ("TRY { LOG 1 }\nC¦", ["CATCH", "CHOOSE", "CALL"]),
        ("STEP 'a' { LOG 1 } ¦", []),
        ("IF true { } ELSE ¦", ["IF"]),
        ("READ 'a' ¦", ["AS"]),
        ("READ 'a' A¦ x", ["AS"]),
        ("WRITE 'a' ¦", HEREDOCS),
        ("RUN ¦", HEREDOCS),
        ("VAR x ¦", ["=", "?="]),
        ("VAR x = ¦", [*VALUES, *HEREDOCS]),
        ("CALL 'a' ¦", ["WITH"]),
        ("DEFINE_TASK 'a' ¦", ["WITH"]),
        ("PROMPT_AGENT ¦", ["INTO", *HEREDOCS]),
        ("PROMPT_AGENT 'a' ¦", ["INTO"]),
        ("ESTIMATE_COST ¦", ["INTO"]),
        ("SET_BUDGET ¦", BUDGETS),
        ("SET_BUDGET COST ¦", ["="]),
        # conditions
        ("IF ¦", ["FILE", *VALUES]),
        ("ASSERT 1 ¦", COMPARE),
        ("} ELSE IF 1 ¦", COMPARE),
        ("ASSERT COST.TOTAL ¦", COMPARE),
        ("ASSERT 1 NOT ¦", ["CONTAINS", "IS_EMPTY"]),
        ("ASSERT 1 == ¦", VALUES),
        ("ASSERT 1 == 2 ¦", []),
        ("ASSERT FILE 'a' ¦", ["EXISTS", "NOT"]),
        ("ASSERT FILE 'a' NOT ¦", ["EXISTS"]),
        # fields and filters
        ("LOG LAST_RUN.¦", FIELDS),
        ("LOG LAST_RUN.EX¦", ["EXIT_CODE", "EXECUTION_TIME"]),
        ("LOG LAST_RUN.ST¦DOUT", ["STDOUT", "STDERR"]),
        ("LOG x|¦", ["trim", "json", "raw"]),
        ('LOG "{{LAST_RUN.¦}}"', FIELDS),
        ('LOG "{{ x | t¦', ["trim"]),
        ("LOG x.¦", []),
        # the names of the script
        ("VAR one = 1\nLOG ¦\nVAR two = 2", ["one", *VALUES]),
        ("VAR one = o¦", []),
        ("READ 'a' AS text\nPROMPT_AGENT 'b' INTO reply\nLOG ¦", ["reply", "text", *VALUES]),
        ("VAR one = \nLOG o¦", ["one"]),
        ("VAR one = 1\nVAR o¦", ["one"]),
        ('VAR one = 1\nLOG "a {{¦', ["one", "LAST_RUN", "COST"]),
        ('VAR one = 1\nWRITE "a" <<T\n{{o¦\nT', ["one"]),
        ('VAR one = 1\nWRITE "a" <<T\n{{o¦', ["one"]),
        ("VAR one = 1\nWRITE \"a\" <<'T'\n{{o¦\nT", []),
        ("VAR one = 1\nLOG '{{o¦'", []),
        ('VAR one = 1\nSTEP "{{o¦"', []),
        ("TRY { LOG 1 } CATCH { LOG E¦", ["ERROR"]),
        ("LOG E¦", []),
        # sub-tasks
        (WORK + "CALL ¦", ["work"]),
        (WORK + 'CALL "w¦"', ["work"]),
        (WORK + 'CALL "work" WITH ¦', ["p", "q"]),
        (WORK + 'CALL "work" WITH q = 1, ¦', ["p"]),
        (WORK + 'CALL "work" WITH q = ¦', VALUES),
        (WORK.replace("LOG p", "LOG ¦") + "VAR x = 1", ["p", "q", "x", *VALUES]),
        # comments
        ("#¦", ["#TISS!", "#TISS_VERSION", "# tiss: ignore"]),
        ("LOG 1 # ti¦", ["# tiss: ignore"]),
        # nothing
        ("LOG 1 ¦", []),
        ('LOG "a ¦"', []),
        ('LOG "a" ¦', []),
        ("WRITE 'a' <<T\nLO¦\nT", []),
    ],
)
def test_labels(marked: str, expected: list[str]) -> None:
    assert labels(marked) == expected


def test_what_is_inserted_and_where() -> None:
    (found,) = at("LOG 1\n  RU¦N 'a'")
    assert (found.insert, found.start_column, found.end_column) == ("RUN", 3, 6)
    assert found.snippet.startswith('RUN "${1:command}"')
    assert found.documentation
    (found,) = at(WORK + "CALL ¦")
    assert found.snippet == '"work" WITH p = ${1:value}, q = ${2:value}'
    (found,) = at('DEFINE_TASK "a \\"$1}" { LOG 1 }\nCALL ¦')
    assert found.insert == '"a \\"$1}"'
    assert found.snippet == '"a \\\\"\\$1\\}"'
    (found,) = at("LOG 1 # tiss: ig¦")
    assert (found.insert, found.start_column) == ("# tiss: ignore", 7)


# Paths


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for path in ("src/main.py", "src/.env", "notes.txt", ".git/config", "id_rsa", "two words"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("")
    (tmp_path / "secret.txt").write_text("")
    (root / "inside").symlink_to("src")
    (root / "outside").symlink_to("..")
    (root / "loop").symlink_to("loop")
    return root


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ('READ "¦', ["inside/", "notes.txt", "src/", "two words", ".git/", "id_rsa"]),
        ('READ "n¦', ["notes.txt"]),
        ("DELETE 'src/¦'", ["main.py", ".env"]),
        ('WRITE "inside/m¦.py" <<T', ["main.py"]),
        ('MKDIR "¦', ["inside/", "src/", ".git/"]),
        ('ASSERT FILE "src/ma¦', ["main.py"]),
        ('@cwd "s¦', ["src/"]),
        ('READ "src/../n¦', ["notes.txt"]),
        ('READ "../¦', []),
        ('READ "../s¦', []),
        ('READ "outside/¦', []),
        ('READ "src/../../¦', []),
        ('READ "/¦', []),
        ('READ "/etc/p¦', []),
        ('READ "~/¦', []),
        ('READ "loop/¦', []),
        ('READ "missing/¦', []),
        ('READ "notes.txt/¦', []),
        ('READ "a\\\\¦', []),
        ('RUN "¦', []),
        ('LOG "n¦', []),
    ],
)
def test_paths_below_the_root(root: Path, marked: str, expected: list[str]) -> None:
    assert labels(marked, root) == expected


def test_the_last_part_of_a_path_is_replaced(root: Path) -> None:
    (found,) = at('READ "src/ma¦in.txt" AS x', root)
    assert (found.start_column, found.end_column) == (11, 19)


def test_odd_names_are_written_so_that_they_are_read_back(root: Path) -> None:
    for name in ('say "hi"', "it's", "a{{b}}", "tab\there", "line\nend", "back\\slash"):
        (root / name).write_text("")
    double = {each.label: each.insert for each in at('READ "¦', root)}
    assert double['say "hi"'] == 'say \\"hi\\"'
    assert double["a{{b}}"] == "a\\{{b}}"
    single = labels("READ '¦", root)
    assert 'say "hi"' in single
    assert "it's" not in single
    for name in ("tab\there", "line\nend", "back\\slash"):
        assert name not in double


def test_no_paths_without_a_root(tmp_path: Path) -> None:
    assert labels('READ "¦') == []
    assert labels('READ "¦', tmp_path / "missing") == []


def test_a_very_long_word_takes_no_quadratic_time() -> None:
    for text in ('LOG "' + "a" * 300_000, "a" * 300_000, 'LOG "' + "1" * 300_000):
        complete(text, 1, len(text) + 1)
