"""The command starts at once: it loads no more than it needs."""

import subprocess
import sys
from pathlib import Path

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
