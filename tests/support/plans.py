"""What the tests of whole plans share: a plan that passes, and running one."""

from pathlib import Path
from typing import Any

import tisslang

Node = dict[str, Any]


def run(text: str, root: Path, **options: Any) -> dict[str, Any]:
    options.setdefault("sandbox_profile", "none")
    return tisslang.run(text, root=root, **options)


GREETING = """\
TASK "Create and check a greeting script"

STEP "Write it" {
    WRITE "hello.py" <<PYTHON
import sys
print(f"Hello, {sys.argv[1]}!")
PYTHON
}

STEP "Run it" {
    VAR who = "Ada O'Neil"
    RUN "python3 hello.py {{who}}"
    ASSERT LAST_RUN.EXIT_CODE == 0
    ASSERT LAST_RUN.STDOUT CONTAINS "Hello, {{who}}!"
}
"""
