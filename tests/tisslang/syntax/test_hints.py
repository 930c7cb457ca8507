"""What to say to somebody whose script does not parse: the things that are often tried."""

import pytest

from tisslang.syntax import check
from tisslang.syntax.lexer import STATEMENTS


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("LOG “a”", 'U+201C LEFT DOUBLE QUOTATION MARK: use the straight quote "'),
        ("LOG ‘a’", "use the straight quote '"),
        ("LOG\u00a01", "U+00A0 NO-BREAK SPACE"),
        ("LOG \u200b1", "U+200B ZERO WIDTH SPACE"),
        ("log 1", "commands are upper case: LOG"),
        ("ASERT x", "did you mean ASSERT?"),
        ("LOG hello", 'a text stands in quotes: "hello"'),
        ('ASSERT NOT FILE "x" EXISTS', 'FILE "path" NOT EXISTS'),
        ('ASSERT FILE_EXISTS "x"', 'FILE "path" EXISTS'),
        ("ASSERT x == 1 AND y", "two ASSERTs"),
        ("ASSERT x = 1", "=="),
        ("ASSERT x is_empty", "upper case: IS_EMPTY"),
        ("ASSERT x MATCHES 'a'", "MATCHES is reserved"),
        ("FOR x", "every plan ends"),
        ("VAR FILE = 1", "FILE is a reserved word"),
        ("VAR x == 1", "a variable is set with ="),
        ("VAR x = [1]", "there are no lists"),
        ("VAR x = 5minutes", "500ms, 1.5s, 5m, 2h"),
        ("VAR x = 1e5", "no exponent"),
        ("LOG {{x}}", "by its name alone"),
        ("LOG x;", "there is no ;"),
        ("LOG 'a' LOG 'b'", "each statement has its own line"),
        ("LOG LAST_RUN", "STDOUT, STDERR, EXIT_CODE, EXECUTION_TIME, COMMAND"),
        ("STEP 'a'\n{", "the { stands on the line of its keyword"),
        ("STEP a {", 'texts stand in quotes: "a"'),
        ("WRITE 'a' 'b'", "WRITE takes its text as a heredoc"),
        ("WRITE 'a' << X\nX", "without spaces"),
        ("LOG <<X\nX", "bind the text first: VAR name = <<WORD"),
        ("READ 'x' INTO y", 'READ "path" AS name'),
        ('LOG "C:\\"', "a backslash before the closing quote escapes it"),
        ("ELSE {", "ELSE follows the } of an IF"),
        ("VAR who = 1\nLOG whoo", "did you mean who?"),
        ("LOG x\nVAR x = 1", "it gets its value only later, on line 2"),
        ("LOG x", "--var x=VALUE"),
        ("VAR x = 1\nLOG x|trimm", "did you mean trim?"),
        ("VAR x = 1\nLOG x|upper", "the filters are raw, trim, json"),
        ("RUN 'a'\nLOG LAST_RUN.OUTPUT", "STDOUT"),
        ("LOG x || y", None),
        # conditions
        ("IF x = 1 { }", "to compare: =="),
        ("IF not x { }", "NOT stands after the operand"),
        ("IF x { } ELSE IF NOT y { }", "NOT stands after the operand"),
        ("IF x == 1 AND y { }", "one IF in another"),
        ("IF x and y { }", "one IF in another"),
        ("IF x == 1 && y { }", "there is no AND"),
        ("IF (x) { }", "there are no parentheses"),
        ("IF x IS EMPTY { }", "IS_EMPTY"),
        ("IF x CONTAIN 'y' { }", "did you mean CONTAINS?"),
        ("IF 'a' IN x { }", 'text CONTAINS "part"'),
        ("IF FILE 'x' { }", 'FILE "path" EXISTS'),
        ("IF FILE_EXISTS 'x' { }", 'FILE "path" EXISTS'),
        ("IF x\n{ }", "the { stands on the line of its keyword"),
        ("ASSERT x NOT == 1", "to negate: !="),
        ("ASSERT x == 1, 'why'", "an ASSERT has no message"),
        # branches
        ("IF x { } ELSE y { }", "ELSE IF x == 1"),
        ("IF x { } ELIF y { }", "} ELSE IF x == 1 {"),
        ("IF x { }\nelif y { }", "} ELSE IF x == 1 {"),
        ("LOG 1\nENDIF", "a block ends with }"),
        ("LOG 1\nELSE { }", "ELSE follows the } of an IF"),
        ("TRY { LOG 1 }\nLOG 2", "every TRY has a CATCH"),
        ("TRY { LOG 1 } ELSE { }", "every TRY has a CATCH"),
        ("TRY { } CATCH e { }", "ERROR.KIND, ERROR.MESSAGE and ERROR.LINE"),
        ("CATCH { }", "CATCH follows the } of a TRY"),
        ("TRY { } FINALLY { }", "FINALLY is reserved"),
        ("CHOOSE 'x' { }", "it has no description"),
        ("CHOOSE {\nOPTION { } }", 'OPTION "label" { … }'),
        ("PARALLEL 4 { }", "tiss run --jobs N"),
        ("STEP { }", 'STEP "what it does" { … }'),
        ("STEP 'a' { LOG 1 } LOG 2", "each statement has its own line"),
        # sub-tasks
        ("CALL a", 'texts stand in quotes: "a"'),
        ("CALL 'a' x = 1", "arguments stand after WITH"),
        ("CALL 'a' (x = 1)", "a CALL has WITH"),
        ("CALL 'a' WITH 'v'", 'CALL "name" WITH parameter = value'),
        ("CALL 'a' WITH x", 'CALL "name" WITH parameter = value'),
        ("CALL 'a' WITH x = 1 y = 2", "between arguments stands a comma"),
        ("CALL 'a' INTO x", "hands results back in variables"),
        ("DEFINE_TASK 'a' WITH x = 1 { }", "a parameter has no default"),
        ("DEFINE_TASK 'a' WITH x y { }", "between parameters stands a comma"),
        # agents, budgets, questions
        ('SET_BUDGET EXECUTION_TIME = "5m"', "without quotes: 5m"),
        ("SET_BUDGET COST = x", "a number, or a duration such as 5m"),
        ("SET_BUDGET 'COST' = 1", "SET_BUDGET API_CALLS = 10"),
        ("PROMPT_AGENT 'p' AS x", "the reply goes INTO a variable"),
        ("PROMPT_AGENT INTO x 'p'", "PROMPT_AGENT INTO name <<WORD"),
        ("RUN 'a' INTO x", "VAR name = LAST_RUN.STDOUT|trim"),
        ("RUN 'a' 'b'", "the whole command is one text"),
        ("ESTIMATE_COST x { }", "ESTIMATE_COST INTO name"),
        ("PAUSE 5s", "it waits for a person"),
        # directives
        ('@persona = "x"', "a directive has no ="),
        ("@env A=1", "stands in quotes"),
        ("@persona 'a', 'b'", "without commas"),
        ("@retry", "@name value"),
        ("@ 'x'", "@name value"),
        ("persona 'x'", None),
        # words of other languages
        ("echo 'x'", "to show a text: LOG"),
        ("set x = 1", "to assign: VAR name = value"),
        ("ASK 'x'", "REQUEST_REVIEW"),
        ("FILE_EXISTS 'x'", 'FILE "path" EXISTS'),
        ("LOG 'a' x", 'LOG "{{first}} {{second}}"'),
        ("LOG LAST_RUN.", "fields are upper case"),
        ("LOG x|", "raw, trim and json"),
        ("VAR 'x' = 1", "a name stands without quotes"),
    ],
)
def test_hints(source: str, words: str | None) -> None:
    hint = check(source)[0].hint
    if words is not None:
        assert words in (hint or "")


@pytest.mark.parametrize("word", STATEMENTS)
def test_every_statement_alone_says_how_it_is_written(word: str) -> None:
    (finding,) = check(word)
    assert finding.code == "T001"
    assert finding.hint
