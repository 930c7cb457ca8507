"""The command starts at once: it loads no more than it needs."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

PLAN = 'TASK "x"\nSTEP "a" {\n    RUN "echo x"\n    ASSERT LAST_RUN.EXIT_CODE == 0\n}\n'


def loaded(code: str, cwd: Path) -> set[str]:
    """The modules that a Python has when this code is done."""
    program = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=cwd, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_costs_next_to_nothing(tmp_path: Path) -> None:
    modules = loaded("import tisslang", tmp_path)
    assert "tisslang" in modules
    heavy = {"argparse", "json", "subprocess", "numpy", "IPython", "qt", "inspect", "typing"}
    assert not [m for m in modules if m in heavy or m.startswith("tisslang.")]


def test_check_and_help_load_little(tmp_path: Path) -> None:
    (tmp_path / "p.tiss").write_text(PLAN)
    heavy = {"subprocess", "numpy", "IPython", "tempfile", "typing", "dataclasses", "inspect"}
    heavy |= {"json", "shutil", "unicodedata", "threading", "difflib", "traceback"}
    heavy |= {"tisslang.engine", "tisslang.terminal", "tisslang.options", "tisslang.cli.run"}
    for arguments in (["check", "p.tiss"], ["--help"], ["run", "--help"], ["version"]):
        modules = loaded(f"import tisslang.cli as c\nc.main({arguments!r})", tmp_path)
        assert not heavy.intersection(modules), arguments


@pytest.mark.long
def test_check_and_help_take_three_times_as_long_as_nothing(tmp_path: Path) -> None:
    """Whole processes, in turn; the least of many, which other work on the machine disturbs least.

    The reference wants at most 3 times; the rest is room for a busy machine.
    """
    (tmp_path / "p.tiss").write_text(PLAN)
    python = sys.executable
    commands = {
        "pass": [python, "-c", "pass"],
        "check": [python, "-m", "tisslang", "check", "p.tiss"],
        "help": [python, "-m", "tisslang", "--help"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(20):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, check=True)
            seconds[name].append(time.perf_counter() - started)
    least = {name: min(found) for name, found in seconds.items()}
    middle = {name: statistics.median(found) for name, found in seconds.items()}
    for name in ("check", "help"):
        ratio = min(least[name] / least["pass"], middle[name] / middle["pass"])
        assert ratio <= 3.5, (least, middle)
