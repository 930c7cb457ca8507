"""A `tiss` without any care: what an attack must get past to count as proven.

The profile `none` keeps some rules (version control, quoting, what reaches a terminal, time and
output). An attack on one of them is proven here instead: this runs the few statements that such an
attack uses, keeps every byte, quotes nothing, escapes nothing, restores nothing. `python -m` puts
the root at the head of the module path, as a careless helper process would.
"""

import itertools
import json  # from the root, where an attack has planted one
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HEREDOC = re.compile(r"<<('?)(\w+)\1$")
SHOWN = 200_000  # bytes of a stream that are reported; all of it is kept until then
TEXT = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'")


class Run:
    """One plan as it goes."""

    def __init__(self, arguments: list[str]) -> None:
        self.plan = Path(arguments[1]).read_text(encoding="utf-8")
        self.root = arguments[arguments.index("--root") + 1]
        pairs = itertools.pairwise(arguments)
        self.variables = dict(pair.split("=", 1) for flag, pair in pairs if flag == "--var")
        self.timeout = 60.0
        if "--timeout" in arguments:
            self.timeout = float(arguments[arguments.index("--timeout") + 1].rstrip("s"))
        self.json = "json" in arguments
        self.last: dict[str, Any] | None = None

    def go(self) -> None:
        """Do each statement that is known, and nothing for the others."""
        lines = iter(self.plan.split("\n"))
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if heredoc := HEREDOC.search(rest):
                body = ""
                for inner in lines:
                    if inner == heredoc[2]:
                        break
                    body += inner + "\n"
                text = body if heredoc[1] else self.filled(body)
            elif quoted := TEXT.search(rest):
                text = self.filled(json.loads(f'"{quoted[1]}"')) if quoted[2] is None else quoted[2]
            else:
                text = rest
            self.do(word, text, rest)
        if self.json:
            import datetime  # late, when a command may have planted one in the root

            now = datetime.datetime.now().isoformat()
            report = {
                "time": now,
                "last_run": self.last,
                "sandbox": {"profile": "standard"},
                "error": None,
            }
            text = json.dumps(report, ensure_ascii=False)
            sys.stdout.buffer.write(text.encode(errors="surrogateescape"))

    def do(self, word: str, text: str, rest: str) -> None:
        """One statement."""
        if word == "RUN":
            self.run(text)
        elif word == "VAR":
            self.variables[rest.split()[0]] = text
        elif word in ("LOG", "STEP", "TASK", "READ", "ASSERT") and not self.json:
            shown = [text, *self.variables.values()] if word == "ASSERT" else [text]
            if word == "ASSERT" and self.last is not None:
                shown += [self.last["stdout"], self.last["stderr"]]
            sys.stdout.buffer.write("\n".join(shown).encode(errors="surrogateescape"))
            sys.stdout.buffer.flush()

    def run(self, command: str) -> None:
        """RUN, in the operator's own environment."""
        with tempfile.TemporaryFile() as out_file, tempfile.TemporaryFile() as err_file:
            # Files, not pipes: it does not wait for a daemon that holds a pipe open.
            process = subprocess.Popen(
                ["sh", "-c", command],
                cwd=self.root,
                stdout=out_file,
                stderr=err_file,
                close_fds=False,
            )
            try:
                process.wait(self.timeout)
            except subprocess.TimeoutExpired:  # ends the shell, and nothing that it has started
                process.kill()
                process.wait()
            streams = []
            for file in (out_file, err_file):
                file.seek(0)
                streams.append(file.read(SHOWN))
        out, err = (stream.decode(errors="surrogateescape") for stream in streams)
        self.last = {"stdout": out, "stderr": err, "exit_code": process.returncode}

    def filled(self, text: str) -> str:
        """References replaced by values, and by what stands in those."""
        if self.last is not None:
            self.variables["LAST_RUN.STDOUT"] = self.last["stdout"]
        for _ in range(2):
            for name, value in self.variables.items():
                text = text.replace("{{" + name + "}}", value)
        return text


if __name__ == "__main__":
    os.environ.setdefault("TERM", "dumb")
    Run(sys.argv[1:]).go()
