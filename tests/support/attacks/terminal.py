"""The terminal: steering it by what is printed, or reaching the operator's own.

What is printed must be safe under `none` too, so those attacks are proven against careless.py.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

from attacks.attack import Attack, script
from attacks.world import Report, World

# What tiss itself writes: its colours, and the line of a running step that is written over.
OWN = re.compile(r"\x1b\[(?:0|2|31|32|1;3[1-6]|[1-9]|3[1-6])m|\r\x1b\[K|\r+\n")
# Control characters (C0 but tab and line feed, DEL, C1), bytes that are no UTF-8, and the marks
# that turn the direction of text.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\udc80-\udcff]")


def steered(world: World, report: Report) -> str | None:
    """Whether something that steers a terminal reached it. Its master side is where we look."""
    found = UNSAFE.search(OWN.sub("\n", report.stdout))
    return f"{found[0]!r} reached the terminal" if found else None


def _printed(name: str, plan: str, **more: Any) -> Attack:
    more.setdefault("files", {})
    return Attack(
        name,
        "terminal",
        plan=plan,
        tty=True,
        succeeded=steered,
        guarded_by_none=True,
        timeout=20,
        **more,
    )


def _output(name: str, text: str, **more: Any) -> Attack:
    """`text`, as printf takes it, is printed by a command that is shown because it failed."""
    return _printed(
        name,
        f"STEP \"a\" {{\nRUN <<'SH'\nprintf '{text}'\nSH\nASSERT LAST_RUN.EXIT_CODE == 7\n}}\n",
        **more,
    )


def _logged(name: str, text: str) -> Attack:
    return _printed(name, f"RUN <<'SH'\nprintf '{text}'\nSH\nLOG \"{{{{LAST_RUN.STDOUT}}}}\"\n")


def _reported(name: str, text: str, output_format: str) -> Attack:
    """The report goes to a terminal."""
    plan = f"RUN <<'SH'\nprintf '{text}'\nSH\nLOG \"{{{{LAST_RUN.STDOUT}}}}\"\n"
    return _printed(name, plan, flags=("--output-format", output_format))


ESC, C1, BIDI = "\\033", "\\302\\233", "\\342\\200\\256"
RAW_ESC = "\x1b]0;title\x07"
RAW_C1 = "\u009b2J"
RAW_BIDI = "\u202etxt.exe\u2066"

_PRINTED = [
    _output("output sets the title", f"{ESC}]0;title\\a"),
    _output("output fills the clipboard", f"{ESC}]52;c;cm0gLXJmIH4K\\a"),
    _output("output asks the terminal to answer", f"{ESC}[c{ESC}[6n{ESC}Z"),
    _output("output clears the screen", f"{ESC}[2J{ESC}[Hall tests passed"),
    _output("output hides itself", f"{ESC}[8mhidden{ESC}[28m"),
    _output("output switches the character set", f"{ESC}(0 \\016 {ESC}c"),
    _output("output changes a key", f"{ESC}P0;1|17/6c730a{ESC}\\\\\\\\"),
    _output("output draws a link", f"{ESC}]8;;file:///etc/passwd\\aclick{ESC}]8;;\\a"),
    _output("output begins a paste", f"{ESC}[200~rm -rf{ESC}[201~"),
    _output("output returns to the line's start", "failed\\rpassed"),
    _output("output steps back", "failed\\b\\b\\b\\b\\b\\bpassed"),
    _output("output rings, feeds and tabs", "\\a\\f\\v\\177"),
    _output("output has C1 characters", f"{C1}2J\\302\\235title\\302\\234"),
    _output("output has C1 bytes", "\\2332J\\235title\\234"),
    _output("output turns its direction", f"{BIDI}txt.exe\\342\\201\\246"),
    _output("output stops in a character", "\\033[\\342\\200"),
    _output("output is long, and steers at its end", "%0100000d\\033[2J"),
    _output("output with colours on", f"{ESC}]0;title\\a", flags=("--color", "always")),
    _output("errors set the title", "' ; printf '\\033]0;title\\a' >&2 ; printf '"),
    _printed(
        "output of a command that runs too long",
        "RUN <<'SH'\nprintf '\\033]0;title\\a'; sleep 4\nSH\nASSERT LAST_RUN.EXIT_CODE == 0\n",
        flags=("--timeout", "1s"),
    ),
    _logged("LOG clears the screen", f"{ESC}[2J"),
    _logged("LOG has C1 characters", f"{C1}2J"),
    _logged("LOG turns its direction", f"{BIDI}txt.exe"),
    _logged("LOG returns to the line's start", "refused\\rallowed"),
    _printed("the name of a step", f"STEP '{RAW_ESC}' {{\nLOG 'x'\n}}\n"),
    _printed("the name of a step, C1", f"STEP '{RAW_C1} {RAW_BIDI}' {{\nLOG 'x'\n}}\n"),
    _printed("the name of a step, a line's start", 'STEP "failed\\rpassed" {\nLOG "x"\n}\n'),
    _printed("the name of a task", f"TASK '{RAW_ESC} {RAW_BIDI}'\nLOG 'x'\n"),
    _printed("the name of a file in an error", f"READ '{RAW_ESC}' AS x\n"),
    _printed("a value in an error", f"VAR x = '{RAW_ESC}'\nASSERT x == 'y'\n"),
    _printed("the text of an assertion", f"ASSERT '{RAW_C1}{RAW_BIDI}' == 'a'\n"),
    _printed(
        "a command shown because it failed",
        f"RUN 'printf %s \"{RAW_ESC}\"'\nASSERT LAST_RUN.EXIT_CODE == 7\n",
    ),
    _printed("a syntax error", f"READ '{RAW_ESC}' {RAW_ESC}\n"),
    _reported("the report as JSON", f"{C1}2J{ESC}[2J{BIDI}", "json"),
    _reported("the events", f"{C1}2J{ESC}[2J{BIDI}", "jsonl"),
]

# ------------------------------------------------------------------------ the operator's own

WHERE = """
import fcntl, os, termios, time
from raw import *
end = time.monotonic() + 10
while not os.path.exists("terminal") and time.monotonic() < end:
    time.sleep(0.01)
with open("terminal") as file:
    name = file.read()
assert name.startswith("/dev/pts/")
"""
OPENED = WHERE + "tty = os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)\n"


def tell_terminal(world: World, process: "subprocess.Popen[bytes]") -> None:
    """Tell the command which terminal is the operator's: the test's own, and no other."""
    new = Path(world.project, "terminal.new")
    new.write_text(world.values["terminal"])
    world.give(new)
    new.rename(world.project / "terminal")


def _mark_seen(world: World, report: Report) -> str | None:
    seen = f"<{world.mark}>" in report.stdout
    return "the command wrote to the operator's terminal" if seen else None


def _said_so(world: World, report: Report) -> str | None:
    path = world.project / "done"  # its output is not shown: it succeeded
    return f"done: {path.read_text()}" if path.exists() else None


def _own(name: str, code: str, **more: Any) -> Attack:
    more.setdefault("succeeded", _said_so)
    return script(name, "terminal", code, tty=True, during=tell_terminal, timeout=30, **more)


DONE = '\nopen("done", "w").write("permitted")\n'
BY_PARENT = (
    WHERE
    + """
for process in parents():
    for number in range(3):
        path = f"/proc/{process}/fd/{number}"
        try:
            if os.readlink(path) == name:
                with open(path, "w") as file:
                    file.write("<@mark@>")
                raise SystemExit
        except OSError as error:
            print(error)
"""
)
CONTROLLING = """
with open("/dev/tty", "w") as tty:
    tty.write("<@mark@>")
"""
PUSH = "for c in b'<@mark@>': fcntl.ioctl(tty, termios.TIOCSTI, bytes([c]))\n"
# Whoever leads a session and has no terminal takes the one it opens, when that is free.
ACQUIRE = (
    WHERE
    + """
if os.fork() == 0:
    os.setsid()
    tty = os.open(name, os.O_RDWR)
    fcntl.ioctl(tty, termios.TIOCSCTTY, 1)
"""
)

_OWN = [
    _own("writing to the terminal", OPENED + 'os.write(tty, b"<@mark@>")', succeeded=_mark_seen),
    _own("writing to it through a parent", BY_PARENT, succeeded=_mark_seen),
    _own("writing to /dev/tty", CONTROLLING, succeeded=_mark_seen, guarded_by_none=True),
    _own("reading from the terminal", WHERE + "os.open(name, os.O_RDONLY | os.O_NOCTTY)" + DONE),
    _own("typing into the terminal", OPENED + PUSH, succeeded=_mark_seen, needs_root=True),
    _own("the terminal's size", OPENED + "fcntl.ioctl(tty, termios.TIOCSWINSZ, bytes(8))" + DONE),
    _own(
        "the terminal's modes",
        OPENED + "modes = termios.tcgetattr(tty)\nmodes[3] &= ~termios.ECHO\n"
        "termios.tcsetattr(tty, termios.TCSANOW, modes)" + DONE,
    ),
    _own("what was typed is thrown away", OPENED + "termios.tcflush(tty, termios.TCIFLUSH)" + DONE),
    _own("the terminal's mode and owner", WHERE + "os.chmod(name, 0o666)" + DONE),
    _own(
        "the terminal is stolen", ACQUIRE + "    " + DONE.strip() + "\nos.wait()", needs_root=True
    ),
    _own("the terminal is hung up", OPENED + "fcntl.ioctl(tty, 0x5437)" + DONE, needs_root=True),
    _own(
        "the line discipline",
        OPENED + "import struct\nfcntl.ioctl(tty, termios.TIOCSETD, struct.pack('i', 0))" + DONE,
    ),
    _own(
        "names of terminals",
        WHERE + 'if name.rpartition("/")[2] in os.listdir("/dev/pts"):\n    ' + DONE.strip(),
    ),
]

ATTACKS = [*_PRINTED, *_OWN]
