"""The engine: a rule of the grammar, a walk, a tool, a TRY, a quoting, and three holes.

What is done with an answer stands in `trials_14`.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

import tisslang
from qt.exercises.exercise import exercise
from tisslang.exercises.trials_14 import try_call, try_holes, try_quote, try_tool, try_try, try_walk


def call_cases(rng: Any) -> Iterator[tuple[str]]:
    yield ('"greet"',)
    yield ('"greet" WITH who = "Ada"',)
    yield ('"greet" WITH who = guest, times = 3',)
    yield ('"a" WITH b = 1, c = "d", e = f\nLOG "what follows"',)
    yield ('"greet" WITH',)
    yield ('"greet" WITH who = "Ada",',)
    yield ('"greet" WITH who "Ada"',)
    yield ("greet",)


@exercise(
    "engine.call",
    title="One more rule of the grammar",
    minutes=15,
    difficulty=2,
    todo="read the name, and after WITH one argument after the other, as long as a comma follows",
    hint="A loop: take the name, the sign and the value; go on as long as parser.skip(',').",
    cases=call_cases,
    run=try_call,
    mistakes=(
        (".text[1:-1]", ".text", "the name of the task is what stands between the quotes"),
        (
            'more = parser.skip(",")',
            "more = False",
            "only the first argument is read: after a comma comes another one",
        ),
        ('        parser.take("=")\n', "", "between a name and its value stands a `=`"),
        (
            'more = parser.skip("WITH")',
            'more = parser.take("WITH")',
            "a CALL without WITH is right, too: it has no arguments",
        ),
        ("operand(parser)", 'parser.take("STRING", "NUMBER", "WORD").text',
         "the value is what operand(parser) makes of its tokens"),
        ('arguments[name] = ', 'arguments["name"] = ',
         "each argument has its own name: use the text of its WORD as the key"),
    ),
)  # fmt: skip
def read_call(parser: Any, operand: Callable[[Any], Any]) -> dict[str, Any]:
    """The fields of a CALL, whose keyword has been read: its name, and its arguments by name.

        call = "CALL" , STRING , [ "WITH" , arg , { "," , arg } ]       arg = NAME , "=" , operand

    `parser` has `take` and `skip` as in section 3; a NAME is of kind "WORD". `operand(parser)`
    reads a value. So `CALL "greet" WITH who = "Ada", times = 3` gives
    `{"name": "greet", "args": {"who": "Ada", "times": 3}}`, and without WITH `args` is empty.
    """
    name_of_task = parser.take("STRING").text[1:-1]
    arguments = {}
    more = parser.skip("WITH")
    while more:
        name = parser.take("WORD").text
        parser.take("=")
        arguments[name] = operand(parser)
        more = parser.skip(",")
    return {"name": name_of_task, "args": arguments}


def walk_cases(rng: Any) -> Iterator[tuple[str]]:
    yield ('LOG "a"\nLOG "b"\n',)
    yield ('LOG "a"\nSTEP "s" {\n    LOG "b"\n    LOG "c"\n}\nLOG "d"\n',)
    yield ('IF true {\n    LOG "a"\n} ELSE {\n    LOG "b"\n}\n',)
    yield ('IF false {\n    LOG "a"\n} ELSE {\n    LOG "b"\n}\nLOG "c"\n',)
    yield ('IF false {\n    LOG "a"\n}\nLOG "b"\n',)
    yield ('TASK "t"\nSTEP "outer" {\n    IF true {\n        STEP "inner" { LOG "a" }\n    }\n}\n',)
    yield ('IF false {\n    LOG "a"\n} ELSE IF true {\n    LOG "b"\n} ELSE {\n    LOG "c"\n}\n',)


@exercise(
    "engine.walk",
    title="Walk through a tree",
    minutes=10,
    difficulty=1,
    todo="go through the body: walk into blocks, and note the line of every other statement",
    hint="For a block, do the same with its body: a function that calls itself, or a list of work.",
    cases=walk_cases,
    run=try_walk,
    mistakes=(
        ('node["else"] or []', 'node["else"]', "without an ELSE, node['else'] is None"),
        (
            'node["then"] if holds(node["condition"]) else node["else"] or []',
            'node["then"] + (node["else"] or [])',
            "an IF runs one of its branches, not both: ask holds",
        ),
        (
            'node["then"] if holds(node["condition"]) else node["else"] or []',
            'node["then"] if holds(node["condition"]) else []',
            "where the condition does not hold, the statements of `else` run",
        ),
        (
            '            if node["type"] in ("TASK", "STEP"):\n',
            '            if node["type"] in ("TASK", "STEP"):\n'
            '                lines.append(node["line"])\n',
            "the line of a block itself does not count, only those of commands",
        ),
        ('("TASK", "STEP")', '("STEP",)', "a TASK is a block, too"),
    ),
)  # fmt: skip
def lines_run(body: list[dict[str, Any]], holds: Callable[[dict[str, Any]], bool]) -> list[int]:
    """The lines of the commands that run, in their order.

    TASK and STEP have a `body`; IF has a `condition`, about which `holds` decides, and the bodies
    `then` and `else` (None without one). All other statements are commands, and have a `line`.

    >>> step = {"type": "STEP", "line": 1, "body": [{"type": "LOG", "line": 2}]}
    >>> lines_run([step, {"type": "LOG", "line": 4}], bool)
    [2, 4]
    """
    lines: list[int] = []

    def walk(nodes: list[dict[str, Any]]) -> None:
        for node in nodes:
            if node["type"] in ("TASK", "STEP"):
                walk(node["body"])
            elif node["type"] == "IF":
                walk(node["then"] if holds(node["condition"]) else node["else"] or [])
            else:
                lines.append(node["line"])

    walk(body)
    return lines


def tool_cases(rng: Any) -> Iterator[tuple[bytes | None]]:
    yield (b"Ada Grace\n",)
    yield ("Ada O'Neil\n\n  Zoë\tGrace  \n".encode(),)
    yield (b"",)
    yield (None,)  # there is no such file
    yield (b"Zo\xeb",)  # not UTF-8


@exercise(
    "engine.tool",
    title="A tool of your own",
    minutes=10,
    difficulty=1,
    todo="read the file, decode it, count its words, and bind the variable",
    hint="state.files.read gives bytes; .decode() may raise a UnicodeDecodeError.",
    cases=tool_cases,
    run=try_tool,
    mistakes=(
        (
            'state.files.read(args["path"])',
            '__import__("pathlib").Path(state.root, args["path"]).read_bytes()',
            "a missing file must be the error io, which a TRY can catch: state.files.read does it",
        ),
        (
            'state.files.read(args["path"])',
            '__import__("pathlib").Path(args["path"]).read_bytes()',
            "a path begins at the root of the plan, not where Python runs: use state.files.read",
        ),
        ("text.split()", 'text.split(" ")', "words are also parted by line ends and tabs: split()"),
        ("text.split()", "text.splitlines()", "you counted lines: split() gives the words"),
        ('state.variables[args["variable"]] = ', "return ",
         "nobody sees what a tool returns: put the number into state.variables"),
        ('state.variables[args["variable"]]', 'state.variables["variable"]',
         "the plan chooses the name of the variable: it is args['variable']"),
        ('state.variables[args["variable"]]', 'state.variables["n"]',
         "n is only an example: the name is what args['variable'] holds"),
        ("decode()", 'decode(errors="replace")',
         "a file that is not UTF-8 must be the error decode, not a text with holes"),
        ('"decode", ', '"io", ', "the kind of a file that is not UTF-8 is decode"),
    ),
)  # fmt: skip
def count_words(state: Any, args: dict[str, Any]) -> None:
    """Serve a new command, COUNT: bind `args["variable"]` to the number of words of a file.

    `state.files.read(args["path"])` gives the bytes of the file, and fails as a plan expects it.
    Where they are not UTF-8, raise `tisslang.TissCommandError("decode", message)`. Words are what
    white space parts. So after `{"path": "list.txt", "variable": "n"}`, with "Ada Grace" in the
    file, `state.variables["n"]` is 2.
    """
    data = state.files.read(args["path"])
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise tisslang.TissCommandError("decode", f"{args['path']} is not UTF-8") from None
    state.variables[args["variable"]] = len(text.split())


def try_cases(rng: Any) -> Iterator[tuple[Any, ...]]:
    yield ["a", "b"], ["c"]
    yield ["a", "io", "b"], ["c"]
    yield ["assert"], ["c"]
    yield ["security"], ["c"]
    yield ["a", "budget"], ["c"]
    yield ["io"], ["c", "assert", "d"]
    yield ["a", "io"], ["c"], True
    yield ["io"], ["security"], True
    yield ["a"], ["io"], True


@exercise(
    "engine.catch",
    title="TRY and CATCH",
    minutes=15,
    difficulty=2,
    todo="run the body; after a catchable error set state.error, run the catch, and set it back",
    hint="Keep the outer state.error in a variable; try … finally sets it back whatever happens.",
    cases=try_cases,
    run=try_try,
    mistakes=(
        (
            "except tisslang.TissCommandError as",
            "except tisslang.TissError as",
            "a limit of the operator is no command error: catch TissCommandError, nothing wider",
        ),
        (
            "        finally:\n            state.error = outer",
            "        finally:\n            state.error = None",
            "a TRY in a CATCH: the outer error comes back, not None",
        ),
        (
            '        try:\n            run_body(node["catch"])\n        finally:\n'
            "            state.error = outer",
            '        run_body(node["catch"])\n        state.error = outer',
            "an error in the CATCH goes outwards, and state.error must be set back then, too: "
            "finally",
        ),
        (
            "        finally:\n            state.error = outer",
            "        finally:\n            pass",
            "behind the CATCH the error of before is current again: keep it, and set it back",
        ),
        (
            'state.error = state.error, {"KIND": error.kind, "MESSAGE": error.message}',
            "_ = state.error, None",
            "in the CATCH, state.error must be the error that was caught",
        ),
        ('        try:\n            run_body(node["catch"])', "        try:\n            pass",
         "nobody runs the catch"),
        ("tisslang.TissCommandError as", "tisslang.TissAssertionError as",
         "other command errors can be caught, too: io, undefined, type …"),
    ),
)  # fmt: skip
def run_try(node: dict[str, Any], state: Any, run_body: Callable[[list[Any]], None]) -> None:
    """Run `node["body"]`; when a catchable error escapes it, run `node["catch"]`.

    `run_body(nodes)` runs statements. While the catch runs, `state.error` is a dict with the `KIND`
    and the `MESSAGE` of the error (`error.kind`, `error.message`). Afterwards it is what it was
    before, also when the catch fails itself. Catchable is `tisslang.TissCommandError` and what is
    below it.
    """
    try:
        run_body(node["body"])
    except tisslang.TissCommandError as error:
        outer, state.error = state.error, {"KIND": error.kind, "MESSAGE": error.message}
        try:
            run_body(node["catch"])
        finally:
            state.error = outer


PIECES = (
    *("'", '"', "\\", "$(touch pwned)", "`touch pwned`", "; touch pwned", "$PWD", "${PWD}", "$"),
    *(" ", "\n", "\t", "*", "~", "&", "|", "#", "!", "é", "-n", "%s", "Ada"),
)
CLOSED_AND_REOPENED = """return "\\"'" + value.replace("'", "'\\\\''") + "'\\"\""""


def quote_cases(rng: Any) -> Iterator[tuple[str]]:
    for value in ("Ada", "Ada O'Neil", 'say "hi"', "$(touch pwned)", "`touch pwned`", "a\\"):
        yield (value,)
    yield ('"; touch pwned; "',)
    yield ("",)
    chance = random.Random(14)  # not of NumPy: the same values in each of its versions
    for _ in range(192):
        yield ("".join(chance.choices(PIECES, k=chance.randint(1, 7))),)


@exercise(
    "engine.quote",
    title="Inside double quotes, 200 times",
    minutes=15,
    difficulty=3,
    todo="give the text to insert between double quotes, so that the shell yields the value",
    hint="Section 8 closes the quote first. Or: find the four characters that are special inside.",
    cases=quote_cases,
    run=try_quote,
    mistakes=(
        (
            CLOSED_AND_REOPENED,
            """return "".join("\\\\" + c if c in '"$\\\\' else c for c in value)""",
            "a ` starts a command inside double quotes, as $( ) does",
        ),
        (
            CLOSED_AND_REOPENED,
            """return "".join("\\\\" + c if c in '"$`' else c for c in value)""",
            "a backslash takes the next character with it: it needs a backslash before it, too",
        ),
        (
            CLOSED_AND_REOPENED,
            """return value.replace('"', '\\\\"')""",
            "a double quote is not all: $ and ` are code inside double quotes, too",
        ),
        (
            CLOSED_AND_REOPENED,
            """return "\\"'" + value + "'\\"" """,
            "a single quote in the value ends your quoting: write it as '\\''",
        ),
        (
            CLOSED_AND_REOPENED,
            """return "'" + value.replace("'", "'\\\\''") + "'" """,
            "a single quote inside double quotes quotes nothing: close the double quote first",
        ),
        (CLOSED_AND_REOPENED, "return value", "the value goes in as it is: as code for the shell"),
    ),
)
def inside_double(value: str) -> str:
    """The text to insert at … in `printf '[%s]' "Dear …!"`, so that the shell yields the value.

    Each text must arrive as it is, whatever it holds. (NUL, which no command can hold, does not
    come.) The check asks a real shell, with 200 values.
    """
    return "\"'" + value.replace("'", "'\\''") + "'\""


def hole_cases(rng: Any) -> Iterator[tuple[int]]:
    yield from ((1,), (2,), (3,))


@exercise(
    "engine.holes",
    title="Three guards, three holes",
    minutes=10,
    difficulty=2,
    todo="find for each guard a path that it lets in, and that leads to a secret all the same",
    hint="One looks at the beginning only, one does not know links, one knows no end of a name.",
    cases=hole_cases,
    run=try_holes,
    mistakes=(
        (
            '"notes/../../secret.txt"',
            '"../secret.txt"',
            "guard 1 looks at how a path begins: what comes later, it does not see",
        ),
        (
            '"notes/../../secret.txt"',
            '"notes/../secret.txt"',
            "it is let in, but one .. only leads back to party, where no secret is",
        ),
        ('"old/secret.txt"', '"../secret.txt"', "guard 2 reads the text: a link has no .. in it"),
        ('"old/secret.txt"', '"list.txt"', "that is a file of the project, and no secret"),
        (
            '"../party-2023/secret.txt"',
            '"../secret.txt"',
            "guard 3 follows links and .. : but what else begins like …/party?",
        ),
    ),
)
def ways_out() -> list[str]:
    """Three paths to a `secret.txt` outside of the project, one for each guard, which lets it in.

    The project is the folder `party`. It holds `list.txt`, a folder `notes`, and a link `old` that
    leads to `../party-2023`. There is a `secret.txt` beside `party`, and one in `party-2023`. With
    `root` the real path of `party`, the guards let a path in when

    1. `not path.startswith(("/", ".."))`
    2. `not path.startswith("/") and ".." not in path`
    3. `os.path.realpath(os.path.join(root, path)).startswith(root)`
    """
    return ["notes/../../secret.txt", "old/secret.txt", "../party-2023/secret.txt"]
