"""Plans to write: with a default, with checks, with an error caught, mended, reviewed."""

from __future__ import annotations

from tisslang.exercises.base import Differs, PlanExercise
from tisslang.exercises.plans import Plan, short

UNCHECKED = "a command that fails stops nothing by itself: ASSERT LAST_RUN.EXIT_CODE == 0"
OTHER_END = "READ ends with exit code 4 when there is no file: let RUN find out, and ASSERT"
AWKWARD = 'Ada O\'Neil, "{{x}}" $(id)'  # a name full of signs that shells and templates know


def judge_greeting(plan: Plan) -> None:
    for who in (None, "Ada", AWKWARD):
        run = plan.run(var={"who": who} if who else {})
        run.must_pass()
        known = {
            "Hello, {{who}}!\n": "<<'WORD' keeps {{who}} as it stands: write <<WORD",
            "Hello, world!\n": "VAR who = … replaces the operator's value: write VAR who ?= …",
            f"Hello, {who or 'world'}!\n\n": "each line of a heredoc ends by itself: no empty line",
        }
        run.must_hold("hello.txt", f"Hello, {who or 'world'}!\n", known)
    plan.must_use("ASSERT", "say what must be true at the end: ASSERT FILE … EXISTS")


greeting = PlanExercise(
    "language.greeting",
    lesson=13,
    name="greeting",
    title="A greeting with a default",
    minutes=5,
    difficulty=1,
    todo="write hello.txt, with a name that the operator may give, and assert that it is there",
    hint="VAR who ?= … gives a value only when the operator gave none. <<TEXT fills in {{who}}.",
    task="""
Write the file hello.txt with the one line: Hello, NAME!
NAME is the variable who, which the operator may give with --var.
Without it the name is: world
At the end assert that the file is there.
""",
    solution="""
TASK "Greet somebody"

VAR who ?= "world"

STEP "Write" {
    WRITE "hello.txt" <<TEXT
Hello, {{who}}!
TEXT
    ASSERT FILE "hello.txt" EXISTS
}
""",
    judge=judge_greeting,
)


def judge_count(plan: Plan) -> None:
    for file, text, count in (
        ("notes.txt", "one\ntwo\nthree\n", "3"),
        ("it's mine; $HOME.txt", "one\n", "1"),
    ):
        run = plan.run({file: text}, {"file": file})
        run.must_pass()
        known = {
            f"{count}\n\n": "the output ends with a line end of its own: |trim takes it off",
            f"{count} {file}\n": "wc was told the name, and prints it: let it read with <",
            "{{count}}\n": "<<'WORD' keeps the braces as they stand: write <<WORD",
        }
        run.must_hold("count.txt", f"{count}\n", known)
    run = plan.run({}, {"file": "missing.txt"})
    run.must_end_with(1, passed=UNCHECKED, type=UNCHECKED, io=OTHER_END)
    if "count.txt" in run.files:
        raise run.differs("no count.txt", short(run.files["count.txt"]), "ASSERT before you WRITE")
    run = plan.run({"empty.txt": ""}, {"file": "empty.txt"})
    run.must_end_with(1, passed="0 is a number: ASSERT … > 0 compares it")
    if "count.txt" in run.files:
        raise run.differs("no count.txt", short(run.files["count.txt"]), "ASSERT before you WRITE")


count = PlanExercise(
    "language.count",
    lesson=13,
    name="count",
    title="Count, and believe nothing",
    minutes=10,
    difficulty=2,
    todo="count the lines of the file, assert that it went well and found some, write the number",
    hint='RUN "wc -l < {{file}}" prints a number. LAST_RUN has an EXIT_CODE and a STDOUT.',
    task="""
The operator gives the variable file, the name of a text file.
Count its lines with wc -l and write the number into count.txt, alone on one line.
If there is no such file, or it has no lines, the plan must fail by an ASSERT,
and count.txt must not be written.
""",
    solution="""
TASK "Count the lines"

STEP "Count" {
    RUN "wc -l < {{file}}"
    ASSERT LAST_RUN.EXIT_CODE == 0
    ASSERT LAST_RUN.STDOUT > 0
    WRITE "count.txt" <<TEXT
{{LAST_RUN.STDOUT|trim}}
TEXT
}
""",
    judge=judge_count,
)


def judge_recover(plan: Plan) -> None:
    for text, mode in (("loud\n", "loud"), ("plain\n", "plain"), (None, "plain")):
        run = plan.run({"settings.txt": text} if text else {})
        run.must_pass(
            io="READ raises io when there is no file: TRY { READ … } CATCH { … }",
            **{"assert": "the file's line end came with it: VAR mode = mode|trim"},
        )
        known = {f"{mode}\n\n": "the file's line end came with it: VAR mode = mode|trim"}
        run.must_hold("mode.txt", f"{mode}\n", known)
    run = plan.run({"settings.txt": "fancy\n"})
    run.must_end_with(1, passed="did your TRY catch the ASSERT too? Put nothing but READ into it")
    if "mode.txt" in run.files:
        raise run.differs("no mode.txt", short(run.files["mode.txt"]), "ASSERT before you WRITE")


recover = PlanExercise(
    "language.recover",
    lesson=13,
    name="recover",
    title="Catch one thing, and no more",
    minutes=10,
    difficulty=2,
    todo="take the mode from settings.txt, or plain without it, and let no other mode through",
    hint="TRY { READ … } CATCH { VAR … }. There is no OR: IF it is not loud, ASSERT plain.",
    task="""
settings.txt holds the mode on one line: plain or loud.
Write the mode into mode.txt, alone on one line.
If there is no settings.txt, the mode is plain.
Any other mode must fail by an ASSERT, before mode.txt is written.
""",
    solution="""
TASK "Take over the settings"

STEP "Read" {
    TRY {
        READ "settings.txt" AS mode
        VAR mode = mode|trim
    } CATCH {
        LOG "{{ERROR.KIND}}: taking the default"
        VAR mode = "plain"
    }
}

STEP "Keep" {
    IF mode != "loud" {
        ASSERT mode == "plain"
    }
    WRITE "mode.txt" <<TEXT
{{mode}}
TEXT
}
""",
    judge=judge_recover,
)

BROKEN = """
TASK "Sort names"
VAR file ?= "names.txt"
STEP "Sort" {
RUN "sort {{flie}} > sorted.txt"
RUN "sh -c 'head -n 1 {{file}}.sorted'"
VAR first = LAST_RUN.stdout
}
STEP "Keep the first" {
WRITE "out/{{LAST_RUN.STDOUT}}.txt" <<'TEXT'
First: {{first}}
TEXT
}
"""


def judge_mend(plan: Plan) -> None:
    for file, text in (
        ("names.txt", "Rex\nMia\nAda\n"),
        ("-r names.txt", "Zoe\nBen\n"),
        ("$(id).txt", "Only One\n"),
    ):
        lines = sorted(text.splitlines())
        run = plan.run({file: text}, {} if file == "names.txt" else {"file": file})
        run.must_pass()
        run.must_hold("sorted.txt", "".join(f"{line}\n" for line in lines))
        known = {
            "First: {{first}}\n": "<<'TEXT' keeps the braces as they stand: write <<TEXT",
            f"First: {lines[0]}\n\n": "the output's line end came with it: |trim takes it off",
        }
        run.must_hold(f"out/{lines[0]}.txt", f"First: {lines[0]}\n", known)
    run = plan.run({}, {"file": "missing.txt"})
    run.must_end_with(1, passed=UNCHECKED, io=OTHER_END)
    if found := plan.findings():
        first = found[0]
        raise Differs(
            expected="a plan in which tisslang.lint finds nothing",
            found=f"{first.code} in line {first.line}: {first.message}",
            likely=first.hint or "",
        )
    if plan.layout_differs():
        what = "print(tisslang.format_source(mend)) shows the one style: take it over"
        raise Differs(expected="the one style", found="another layout", likely=what)


mend = PlanExercise(
    "language.mend",
    lesson=13,
    name="mend",
    title="Mend a plan",
    minutes=10,
    difficulty=2,
    todo="take the # off, and mend one finding after the other until lint and fmt are content",
    hint="First what check refuses, T110 and T107. Then: head needs no sh -c, and -- ends options.",
    task=f"""
This plan should sort the names in a file into sorted.txt,
and write "First: NAME" into out/NAME.txt, where NAME is the first of them.
A file that is not there must fail by an ASSERT.
Mend it until tisslang.lint finds nothing more than a missing header (T209), then lay it out.
{BROKEN}""",
    solution="""
TASK "Sort names"

VAR file ?= "names.txt"

STEP "Sort" {
    RUN "sort -- {{file}} > sorted.txt"
    ASSERT LAST_RUN.EXIT_CODE == 0
    RUN "head -n 1 sorted.txt"
    VAR first = LAST_RUN.STDOUT|trim
}

STEP "Keep the first" {
    WRITE "out/{{first}}.txt" <<TEXT
First: {{first}}
TEXT
}
""",
    judge=judge_mend,
)


def judge_verdicts(plan: Plan) -> None:
    good, bad = "print('hello')\n", "print('hello'\n"
    for first, second in ((good, good), (good, bad), (bad, good), (bad, None)):
        given = {"a.py": first, "it's b.py": second}
        run = plan.run(
            {name: text for name, text in given.items() if text is not None},
            {"first": "a.py", "second": "it's b.py"},
        )
        run.must_pass(**{"assert": "a broken file is no failure of this plan: ask with IF"})
        wanted = "".join(
            f"{name}: {'ok' if text == good else 'broken'}\n" for name, text in given.items()
        )
        run.must_hold("verdicts.txt", wanted, likely=_verdict_cause(run.files, wanted))
    plan.must_use("DEFINE_TASK", "the question stands once, in a sub-task")
    calls, asked = len(plan.commands("CALL")), len(plan.commands("RUN"))
    if calls < 2 or asked > 1:
        raise Differs(
            expected="one RUN in a sub-task, and a CALL of it for each file",
            found=f"CALL {calls} times, RUN {asked} times in the text",
        )


def _verdict_cause(files: dict[str, str], wanted: str) -> str:
    """Why the verdicts may be wrong; the most frequent causes."""
    found = files.get("verdicts.txt", "").splitlines()
    if len(found) == 1:
        return "WRITE replaces the whole file: keep both verdicts, and write them at the end"
    if len(found) == 2 and [line.split(": ")[-1] for line in found].count("broken") != wanted.count(
        "broken"
    ):
        return "a name belongs to the whole plan: keep the first verdict before the second CALL"
    return ""


verdicts = PlanExercise(
    "language.verdicts",
    lesson=13,
    name="verdicts",
    title="One question, asked twice",
    minutes=15,
    difficulty=3,
    todo="define a sub-task that compiles a file, call it for both, and write both verdicts",
    hint="In the sub-task set VAR verdict. Keep it before the second CALL: VAR one = verdict.",
    task="""
The operator gives two variables, first and second: the names of Python files.
A sub-task with the parameter file asks whether python3 -m py_compile takes that file.
Call it for both files, and write verdicts.txt, one line a file:
  NAME: ok        or        NAME: broken
A file that is broken, or missing, is a verdict and no failure of the plan.
""",
    solution="""
TASK "Do they compile?"

DEFINE_TASK "compile" WITH file {
    RUN "python3 -m py_compile ./{{file}}"
    IF LAST_RUN.EXIT_CODE == 0 {
        VAR verdict = "ok"
    } ELSE {
        VAR verdict = "broken"
    }
}

STEP "Ask" {
    CALL "compile" WITH file = first
    VAR one = verdict
    CALL "compile" WITH file = second
    VAR two = verdict
}

STEP "Write" {
    WRITE "verdicts.txt" <<TEXT
{{first}}: {{one}}
{{second}}: {{two}}
TEXT
}
""",
    judge=judge_verdicts,
)


def judge_review(plan: Plan) -> None:
    old, new = "old\n", "new\n"
    files = {"page.txt": old, "draft.txt": new}
    run = plan.run(files, answer=["no"])
    why = "the question comes too late: ask before anything is changed"
    run.must_end_with(7, passed="REQUEST_REVIEW asks, and ends the plan when the answer is no")
    if run.files != files:
        raise run.differs("all files as they were", _list(run.files), why)
    run = plan.run(files, answer=["yes"])
    run.must_pass()
    if run.files != {"page.txt": new, "page.old.txt": old}:
        doubled = any(text.endswith("\n\n") for text in run.files.values())
        raise run.differs(
            "page.txt 'new\\n', page.old.txt 'old\\n', nothing else",
            _list(run.files),
            "the text that was read ends with a line end of its own: |trim" if doubled else "",
        )
    run = plan.run({"page.txt": old}, answer=["yes"])
    missing = 'ASSERT FILE "draft.txt" EXISTS comes before READ'
    run.must_end_with(1, io=missing, passed=missing)
    run = plan.run(files, dry_run=True)
    run.must_pass()
    if run.report["cost"]["RUNS"] or plan.commands("RUN"):
        raise run.differs("a plan without RUN", "RUN", "READ and WRITE copy, DELETE removes")
    order = [entry["type"] for entry in run.report["plan"]]
    if "REQUEST_REVIEW" not in order:
        raise run.differs("REQUEST_REVIEW in the plan", ", ".join(order))
    before = order[: order.index("REQUEST_REVIEW")]
    if changing := [type for type in before if type in ("WRITE", "DELETE", "MKDIR")]:
        raise run.differs("nothing that changes a file before it", ", ".join(changing), why)


def _list(files: dict[str, str]) -> str:
    return ", ".join(f"{name} {short(text)}" for name, text in files.items()) or "none"


review = PlanExercise(
    "language.review",
    lesson=13,
    name="review",
    title="Ask before you replace",
    minutes=10,
    difficulty=3,
    todo="keep page.txt, ask, and only then put draft.txt in its place",
    hint="READ and ASSERT come first, then REQUEST_REVIEW, and last two WRITE and one DELETE.",
    task="""
Put draft.txt in the place of page.txt, and keep the old page as page.old.txt.
draft.txt is then gone. Use no RUN: READ, WRITE and DELETE are enough.
Before anything is changed, a person must say yes.
Without a draft.txt the plan must fail by an ASSERT.
""",
    solution="""
TASK "Publish the draft"

STEP "Look" {
    ASSERT FILE "draft.txt" EXISTS
    READ "page.txt" AS old
    READ "draft.txt" AS new
}

STEP "Ask" {
    REQUEST_REVIEW "May draft.txt replace page.txt?"
}

STEP "Replace" {
    WRITE "page.old.txt" <<TEXT
{{old|trim}}
TEXT
    WRITE "page.txt" <<TEXT
{{new|trim}}
TEXT
    DELETE "draft.txt"
}
""",
    judge=judge_review,
)
