"""Injection: getting more out of a plan, a value or the operator's surroundings than was meant.

What the language itself must stop, quoting above all, holds under `none` too: those attacks are
proven against careless.py.
"""

from typing import Any

from attacks.attack import Attack, script
from attacks.world import Report, World

# A value cannot print a line that begins with ESCAPED unless a shell runs it.
RUNS = "printf '\\nESC%s: the value was run\\n' APED"


def _value(name: str, value: str, command: str = "printf '%s\\n' {{x}}", **more: Any) -> Attack:
    """`value` comes from outside, and stands in a command of the plan."""
    plan = f"RUN <<SH\n{command}\nSH\n"
    flags = ("--var", f"x={value}", *more.pop("flags", ()))
    return Attack(name, "injection", plan=plan, flags=flags, guarded_by_none=True, **more)


def wrong_words(expected: int) -> Any:
    """For `succeeded`: the command got another number of words than stand in the plan."""

    def succeeded(world: World, report: Report) -> str | None:
        words = report.output.split("\n")[0]
        return None if words == str(expected) or not words else f"{words} words, not {expected}"

    return succeeded


def _words(name: str, value: str) -> Attack:
    count = "set -- {{x}}; echo $#"
    return _value(name, value, count, succeeded=wrong_words(1))


_VALUES = [
    _value("$( )", f"$({RUNS})"),
    _value("backticks", f"`{RUNS}`"),
    _value("a semicolon", f"; {RUNS}"),
    _value("a newline", f"a\n{RUNS}\n"),
    _value("an ampersand and a pipe", f"a & {RUNS} | cat"),
    _value("it ends single quotes, or stands free", f";{RUNS};#';{RUNS};#"),
    _value("it ends single quotes in single quotes", f"'; {RUNS}; '", "printf '%s\\n' '{{x}}'"),
    _value("it ends double quotes", f'"; {RUNS}; "', 'printf "%s\\n" "{{x}}"'),
    _value("$( ) in double quotes", f"$({RUNS})", 'printf "%s\\n" "a {{x}} b"'),
    _value("backticks in double quotes", f"`{RUNS}`", 'printf "%s\\n" "{{x}}"'),
    _value("$( ) in $( )", f"$({RUNS})", "printf '%s\\n' \"$(printf %s {{x}})\""),
    _value("it ends $( )", f"); {RUNS}; echo $(:", "printf '%s\\n' $(printf %s {{x}})"),
    _value("it ends quotes in $( )", f"'); {RUNS}; ('", "printf '%s\\n' $(printf %s '{{x}}')"),
    _value("a backslash before a quote", f"\\'; {RUNS}; '", "printf '%s\\n' '{{x}}'"),
    _value(
        "a backslash before a double quote", f'";{RUNS};#\\";{RUNS};#', 'printf "%s\\n" "{{x}}"'
    ),
    _value("a comment ends its line", f"a\n{RUNS}", "printf '%s\\n' {{x}} # it"),
    _value("a redirection", "a > made; printf '\\nESC%s: run\\n' APED"),
    _value("an assignment in front", f"a=1 {RUNS} #", "x={{x}}"),
    _value("a reference in a value", "{{y}}", flags=("--var", f"y=;{RUNS}")),
    _value(
        "a reference in a value, in quotes",
        "{{y}}",
        'echo "{{x}}"',
        flags=("--var", f"y=$({RUNS})"),
    ),
    _words("two words", "a b"),
    _words("two words by a tab", "a\tb"),
    _words("no word", ""),
    _words("file names", "*"),
    _words("quotes that part", "a b' 'c"),
]

# ------------------------------------------------- a plan that wants out of its own sandbox

LEAK = "RUN 'cat @secret@'\n"


def _plan(name: str, before: str, **more: Any) -> Attack:
    return Attack(f"a plan: {name}", "injection", plan=before + LEAK, **more)


_PLANS = [
    _plan("@sandbox", "@sandbox none\n"),
    _plan("@sandbox-profile", '@sandbox_profile "none"\n@profile "none"\n'),
    _plan("the header", "#TISS! Language=Python Sandbox=none Sandbox-Profile=none\n"),
    _plan("the first line", "#!/usr/bin/env -S tiss run --sandbox-profile none\n"),
    _plan("a variable", 'VAR sandbox_profile = "none"\nVAR TISS_SANDBOX_PROFILE = "none"\n'),
    _plan(
        "a file for settings",
        'WRITE "tiss.toml" <<END\nsandbox-profile = "none"\nEND\n'
        'WRITE "pyproject.toml" <<END\n[tool.tiss]\nsandbox-profile = "none"\nEND\n'
        'WRITE "tiss.ini" <<END\n[run]\nsandbox_profile = none\nEND\n',
    ),
    Attack(
        "a plan: settings that a command leaves",
        "injection",
        plan="RUN 'mkdir -p .tiss; echo sandbox-profile=none > .tiss/config'\n" + LEAK,
    ),
    Attack(
        "a plan: tiss in tiss",
        "injection",
        files={"inner.tiss": LEAK},
        plan="RUN 'python3 -P -m tisslang run inner.tiss --sandbox-profile none; cat @secret@'\n",
    ),
    # The names that a plan may not set (T107), or a kind of directive that this version refuses.
    *(
        _plan(f"@env {name}", f'@env "{name}={value}"\n', guarded_by_none=True)
        for name, value in (
            ("LD_PRELOAD", "@root@/evil.so"),
            ("PATH", "@root@:/usr/bin:/bin"),
            ("BASH_ENV", "@root@/evil.sh"),
        )
    ),
    _plan("@cwd outside", '@cwd "../home"\n', guarded_by_none=True),
]

# --------------------------------------------------------------- the operator's environment

PROGRAMS = """
sh bash env python python3 git bwrap unshare nsenter ip mount umount newuidmap newgidmap ps
kill id uname ldd ldconfig setpriv capsh true test rm sandbox-exec
"""


def programs(text: str) -> Any:
    """For `setup`: programs in `bin` below the root, which the operator's PATH names."""

    def setup(world: World) -> None:
        folder = world.project / "bin"
        folder.mkdir()
        for name in PROGRAMS.split():
            (folder / name).write_text(world.fill(text))
            (folder / name).chmod(0o755)

    return setup


ALLOWED = "PATH HOME LANG TERM TMPDIR PWD SHLVL _ OLDPWD"  # the last four are the shell's own
FOREIGN = f"""
import os
from raw import *
foreign = set(os.environ) - set("{ALLOWED}".split()) - {{"LC_CTYPE"}}
foreign -= {{name for name in foreign if name.startswith("LC_")}}
if foreign:
    escaped("variables of the operator's: " + " ".join(sorted(foreign)))
"""
PARENTS = """
from raw import *
attempt(*(lambda p=p: open(f"/proc/{p}/environ").read() for p in parents()))
"""
SPEAKS = "printf '\\nESC%s: run by the environment\\n' APED\n"


def _surroundings(name: str, command: str, **more: Any) -> Attack:
    more.setdefault("guarded_by_none", True)
    return Attack(name, "injection", command, **more)


_ENVIRONMENT = [
    _surroundings("a secret in the environment", "env; export -p; cat /proc/self/environ"),
    script("variables of the operator's", "injection", FOREIGN, guarded_by_none=True),
    script("a secret in a parent's environment", "injection", PARENTS),
    _surroundings(
        "BASH_ENV of the operator",
        "bash -c true",
        files={"evil.sh": SPEAKS},
        environment={"BASH_ENV": "@root@/evil.sh"},
    ),
    _surroundings(
        "ENV of the operator",
        "env | grep '^ENV=' && echo && echo 'ESCAPED: ENV'",
        files={"evil.sh": SPEAKS},
        environment={"ENV": "@root@/evil.sh"},
    ),
    _surroundings(
        "PYTHONPATH of the operator",
        "python3 -c 'import careless_module'",
        files={"lib/careless_module.py": 'print("\\nESCAPED: a module by PYTHONPATH")'},
        environment={"PYTHONPATH": "@root@/lib:@repository@"},
    ),
    _surroundings(
        "PYTHONSTARTUP and PYTHONINSPECT",
        "env | grep PYTHON && echo && echo 'ESCAPED: Python is steered'",
        environment={"PYTHONSTARTUP": "@root@/evil.py", "PYTHONWARNINGS": "ignore"},
    ),
    _surroundings(
        "GIT_DIR and what git runs",
        "env | grep ^GIT && echo && echo 'ESCAPED: git is steered'",
        environment={"GIT_DIR": "@home@", "GIT_EXTERNAL_DIFF": "@root@/evil.sh"},
    ),
    _surroundings(
        "a relative entry of PATH",
        "python3 --version; git --version; ls > /dev/null",
        setup=programs(f"#!/bin/sh\n{SPEAKS}"),
        environment={"PATH": ".:bin::/usr/local/bin:/usr/bin:/bin"},
    ),
]

# ------------------------------------------------- planted in the root for whoever runs outside

# Only outside can it be written; a confined command that loads the module cannot do that.
PLANTED = """
try:
    open("@outside@/ran", "w").close()
except OSError:
    pass
"""
MODULES = """
json os ctypes struct signal select selectors subprocess tempfile threading fcntl resource
socket stat time errno shutil re types typing collections contextlib functools enum
datetime sitecustomize usercustomize tisslang
"""
PROGRAM = "#!/bin/sh\n: > @outside@/ran 2> /dev/null\n"


_PLANTED = [
    Attack(
        "modules in the root",
        "injection",
        "true",
        files={f"{name}.py": PLANTED for name in MODULES.split()},
        guarded_by_none=True,
    ),
    Attack(
        "a package of our name in the root",
        "injection",
        "true",
        files={
            "tisslang/__init__.py": PLANTED,
            "encodings/__init__.py": PLANTED,
            "json.py": PLANTED,
        },
        guarded_by_none=True,
    ),
    Attack(
        "modules that the command before planted",
        "injection",
        files={"planted.py": PLANTED},
        plan="RUN 'for m in " + " ".join(MODULES.split()) + "; do cp planted.py $m.py; done'\n"
        "RUN 'true'\nRUN 'true'\n",
        guarded_by_none=True,
    ),
    Attack(
        "a .pth file and pyvenv.cfg in the root",
        "injection",
        "true",
        files={
            "evil.pth": "import json\n",
            "pyvenv.cfg": "home = @root@\n",
            "json.py": PLANTED,
            "lib/python3/site-packages/evil.pth": "import json\n",
        },
        guarded_by_none=True,
    ),
    Attack(
        "programs in the root, named in PATH",
        "injection",
        ":",
        setup=programs(PROGRAM),
        environment={"PATH": "@root@/bin:/usr/local/bin:/usr/bin:/bin"},
        guarded_by_none=True,
    ),
    Attack(
        "programs in the root, named in PATH, with the dot",
        "injection",
        ":",
        setup=programs(PROGRAM),
        environment={"PATH": "bin:.:/usr/local/bin:/usr/bin:/bin"},
        guarded_by_none=True,
    ),
    script(
        "compiled modules of tisslang",
        "injection",
        """
import glob, os
from raw import *
for path in glob.glob("@repository@/tisslang/**/*.py*", recursive=True):
    os.close(os.open(path, os.O_WRONLY))
    escaped("the modules of tisslang can be written")
    break
for place in ("@repository@/tisslang/__pycache__", "@repository@/tisslang/sandbox"):
    if os.access(place, os.W_OK):
        escaped("modules can be put beside those of tisslang")
""",
        needs_root=True,
    ),
    Attack(
        "HOME leads outside in the next command",
        "injection",
        plan='RUN \'mv "$HOME" "$HOME.old"; ln -s @home@ "$HOME"\'\n'
        "RUN 'cat \"$HOME/secret.txt\"'\n",
    ),
    Attack(
        "TMPDIR leads outside in the next command",
        "injection",
        plan='RUN \'mv "$TMPDIR" "$TMPDIR.old"; ln -s @outside@ "$TMPDIR"\'\n'
        'RUN \'echo x > "$TMPDIR/new"; cat "$TMPDIR/canary.txt"\'\n',
    ),
    Attack(
        "what is above HOME",
        "injection",
        'echo x > "$HOME/../../left-@mark@"; mv "$HOME/../tmp" "$HOME/../old"; ls "$HOME/../.."',
    ),
    Attack(
        "links in HOME for whoever clears it",
        "injection",
        'mkdir "$HOME/a" "$TMPDIR/b"; ln -s @outside@ "$HOME/a/out"; ln -s @outside@ "$HOME/out"; '
        'ln @canary@ "$TMPDIR/b/hard"; ln -s @canary@ "$TMPDIR/b/c"; chmod 0 "$HOME/a" "$TMPDIR/b"',
    ),
    Attack(
        "a secret as an argument of tiss",
        "injection",
        "cat /proc/[0-9]*/cmdline | tr '\\0' ' '",
        flags=("--env", "KEY=@mark@"),
        succeeded=lambda world, report: (
            "the command line of tiss could be read" if "--env KEY=" in report.output else None
        ),
        gap="process_list",
    ),
    script(
        "a forged report",
        "injection",
        """
import os
from raw import *
forged = b'{"report": 1, "status": "passed", "forged": "@mark@"}\\n'
for number in range(3, 256):
    try:
        os.write(number, forged)
    except OSError:
        pass
for process in parents():
    with open(f"/proc/{process}/cmdline", "rb") as file:
        if b"@base@/plan.tiss" not in file.read():
            continue  # it is none of this world's
    for number in range(64):
        try:
            out = os.open(f"/proc/{process}/fd/{number}", os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
            os.write(out, forged)
        except OSError:
            pass
""",
        succeeded=lambda world, report: (
            "the command wrote into what tiss prints"
            if f'"forged": "{world.mark}"' in report.stdout + report.stderr
            else None
        ),
    ),
]

ATTACKS = [*_VALUES, *_PLANS, *_ENVIRONMENT, *_PLANTED]
