"""`tiss run` with a person at a real terminal: what it shows, what is typed, and its report."""

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


class RunAtTerminal:
    """A run whose standard input and standard error are a terminal; use it in a `with` block."""

    def __init__(self, plan: str, root: Path, *flags: str) -> None:
        self.shown = ""  # so far, on the terminal
        self._events = root.parent / f"{root.name}-events.jsonl"
        self._output = root.parent / f"{root.name}-report.json"
        script = root.parent / f"{root.name}.tiss"
        script.write_text(plan, encoding="utf-8")
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "tisslang", "run", str(script), "--root", str(root)]
        command += ["--output-format", "json", "--events", str(self._events)]
        if "--sandbox-profile" not in flags:
            command += ["--sandbox-profile", "none"]
        with open(self._output, "wb") as output:
            self.process = subprocess.Popen(
                [*command, *flags], stdin=slave, stdout=output, stderr=slave
            )
        os.close(slave)

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until a text has been shown that often."""
        end = time.monotonic() + 30
        while self.shown.count(text) < times:
            assert time.monotonic() < end, f"{text!r} was not shown; {self.shown!r} was"
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self._master, 4096).decode()
                except OSError:  # the run has ended
                    raise AssertionError(f"the run ended: {self.shown!r}") from None

    def type(self, text: str) -> None:
        """Type a text; "\\n" is Enter, "\\x04" the end of what is typed."""
        os.write(self._master, text.encode())

    def send(self, number: signal.Signals) -> None:
        """Send the run a signal."""
        self.process.send_signal(number)

    def report(self) -> dict[str, Any]:
        """The report, when the run has ended."""
        code = self.process.wait(timeout=30)
        with contextlib.suppress(OSError):  # EIO: nothing more comes
            while rest := os.read(self._master, 4096):
                self.shown += rest.decode()
        report: dict[str, Any] = json.loads(self._output.read_text(encoding="utf-8"))
        assert report["exit_code"] == code
        assert self.events()[-1] == {**self.events()[-1], "event": "run_end", "report": report}
        return report

    def events(self) -> list[dict[str, Any]]:
        """The events so far."""
        if not self._events.exists():
            return []
        lines = self._events.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines[:-1]]  # the last may be half written

    def __enter__(self) -> "RunAtTerminal":
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
