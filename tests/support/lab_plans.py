"""Plans that wait, so that a test can look at what is running."""

import itertools
import os

from processes import sleepers, wait_until

SECONDS = 60  # for what comes at once on a machine that has nothing else to do
_numbers = itertools.count()

# It goes on when the test makes the file `go`: no clock decides what is seen.
WAITING_PLAN = """\
#TISS! Language=Python
TASK "Greet"
STEP "Write" {
    WRITE "name.txt" <<W
Ada
W
}
STEP "Wait" {
    RUN "until [ -e go ]; do sleep 0.1; done; rm go"
    ASSERT LAST_RUN.EXIT_CODE == 0
}
STEP "Compare" {
    RUN "cat name.txt"
    ASSERT LAST_RUN.STDOUT|trim == "Ada"
}
"""


class EndlessPlan:
    """A plan with two processes, one in the background, that no other test has."""

    def __init__(self) -> None:
        mark = f"{os.getpid()}{next(_numbers):03d}"
        self._names = (f"600.{mark}", f"601.{mark}")
        first, second = self._names
        self.source = f"""\
#TISS! Language=Bash
TASK "Sleep"
STEP "Long" {{
    RUN "sleep {first} & sleep {second}; wait"
    ASSERT LAST_RUN.EXIT_CODE == 0
}}
STEP "Later" {{
    LOG "never"
}}
"""

    def processes(self) -> list[int]:
        """Those that run, seen from outside of any sandbox."""
        return [pid for name in self._names for pid in sleepers(name)]

    def wait_until_on(self) -> None:
        """Wait until both of its processes run."""
        wait_until(lambda: all(map(sleepers, self._names)), "the plan does not run", SECONDS)

    def wait_until_gone(self) -> None:
        """Wait until none of them runs."""
        wait_until(lambda: not self.processes(), "processes of the plan are running", SECONDS)
