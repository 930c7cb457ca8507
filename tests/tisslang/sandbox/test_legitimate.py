"""What people do in a RUN works in every sandbox: one step of a plan for each use."""

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from attacks.judge import require
from attacks.variant import CONFINED, REPOSITORY, Variant, interpreter
from missing import missing
from uses import USES, Use


def sort_more_than_memory(limit: str) -> str:
    """`sort` of a file that is larger than the memory it may use, so that it spills to TMPDIR."""
    return f"""
python3 -c '
import random
random.seed(0)
with open("numbers", "w") as file:
    for _ in range(6):
        file.write("".join(f"{{random.random():.18f}}\\n" for _ in range(500_000)))'
test "$(stat -c %s numbers)" -gt 60000000
sort -S {limit} -o sorted numbers
sort -c sorted
test "$(wc -l < sorted)" -eq 3000000
rm numbers sorted
"""


SORT = Use("sort of a file larger than memory", sort_more_than_memory("20M"))


def plan_of(uses: list[Use]) -> str:
    """One step for each use, in a directory of its own below the root."""
    steps = []
    for number, use in enumerate(uses):
        run = (
            f"RUN <<'SH'\nset -eu\nmkdir -p uses/{number}\ncd uses/{number}\n"
            f"{use.script.strip()}\nSH\nASSERT LAST_RUN.EXIT_CODE == {use.exit_code}\n"
        )
        steps.append(f"STEP '{use.name.replace(chr(39), '’')}' {{\n{run}{run * use.again}}}\n")
    return "".join(steps)


def run_uses(uses: list[Use], variant: Variant, *flags: str) -> dict[str, str]:
    """What became of each use, by name: nothing when it worked."""
    with tempfile.TemporaryDirectory(prefix="tiss-uses-") as folder:
        base = Path(folder).resolve()
        plan, root, temporary = base / "plan.tiss", base / "project", base / "tmp"
        plan.write_text(plan_of(uses), encoding="utf-8")
        for path in (root, temporary):
            path.mkdir()
        for path in (base, plan, root, temporary):
            os.chown(path, variant.uid, -1)
        command = variant.command(
            *("run", str(plan), "--root", str(root), "--keep-going", "--output-format", "json"),
            *("--env", f"OPERATORS_PREFIX={_python(variant, 'import sys; print(sys.prefix)')}"),
            *(*variant.flags(), *flags),
        )
        done = subprocess.run(
            command,
            cwd=base,
            env=_environment(variant, temporary),
            capture_output=True,
            check=False,
        )
        assert done.stdout, done.stderr.decode()
        report = json.loads(done.stdout)
        left = os.listdir(temporary)
    assert not left, f"left in TMPDIR: {left}"
    errors = [report["error"], *report["suppressed"]]
    reasons = {error["steps"][0]: _reason(error) for error in errors if error and error["steps"]}
    assert [step["description"] for step in report["steps"]], report["error"]
    return {
        use.name: reasons.get(step["description"], step["status"])
        if step["status"] != "passed"
        else ""
        for use, step in zip(uses, report["steps"])
    }


def _environment(variant: Variant, temporary: Path) -> dict[str, str]:
    return {
        "PATH": variant.search_path(),
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "TERM": "xterm",
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _reason(error: dict[str, Any]) -> str:
    last = error.get("last_run") or {}
    return f"{error['message']}\n{last.get('stdout_tail', '')}\n{last.get('stderr_tail', '')}"


@functools.cache
def _python(variant: Variant, code: str) -> str:
    """What the variant's own Python prints, outside of any sandbox; nothing when it fails."""
    python = variant._replace(backend="none").command()
    python = python[: python.index(interpreter(variant.uid)) + 1]
    environment = {"PATH": variant.search_path()}
    command = [*python, "-c", code]
    done = subprocess.run(
        command, env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _is_there(what: str, variant: Variant) -> bool:
    found = f"import shutil; print(shutil.which({what!r}) or '')"
    if what in MODULES:
        found = f"import {what}; print('yes')"
    return bool(_python(variant, found))


MODULES = ("numpy", "tisslang")


def applies(use: Use, variant: Variant) -> bool:
    """Not where a gap says that the backend cannot, or where the user has another Python."""
    own_python = use.needs not in MODULES or interpreter(variant.uid) == sys.executable
    return own_python and (variant.backend != "landlock" or not use.namespaces)


def possible(variant: Variant) -> list[Use]:
    """The uses that can be tried under a variant."""
    return [use for use in USES if applies(use, variant) and _is_there(use.needs, variant)]


@functools.cache
def outcomes(variant: Variant) -> dict[str, str]:
    """All that is possible, in one plan."""
    return run_uses(possible(variant), variant)


# For each backend one user here, the other in `make test-long`.
QUICK = (Variant("namespaces", "root"), Variant("landlock", "user"))


def marks(variant: Variant) -> tuple[pytest.MarkDecorator, ...]:
    return () if variant in QUICK else (pytest.mark.long,)


VARIANTS = pytest.mark.parametrize(
    "variant", [pytest.param(v, id=str(v), marks=marks(v)) for v in CONFINED]
)
USES_HERE = [
    pytest.param(use, v, id=f"{use.name}-{v}", marks=marks(v))
    for v in CONFINED
    for use in USES
    if applies(use, v)
]


@pytest.mark.parametrize(("use", "variant"), USES_HERE)
def test_it_works(use: Use, variant: Variant) -> None:
    require(variant)
    if use not in possible(variant):
        missing(f"{variant} here has no {use.needs}")
    reason = outcomes(variant)[use.name]
    assert not reason, reason


@VARIANTS
def test_sort_of_a_file_larger_than_memory(variant: Variant) -> None:
    require(variant)
    # The limit for the disk looks at free space: what other tests write beside it counts, too.
    limits = ("--max-memory", "100M", "--max-disk", "3G")
    assert run_uses([SORT], variant, *limits) == {SORT.name: ""}


def test_the_uses_are_many_and_work_without_a_sandbox() -> None:
    variant = Variant("none", "root" if os.geteuid() == 0 else "user")
    assert len({use.name for use in USES}) == len(USES) >= 60
    private = {"/tmp is private and writable"}
    tried = [use for use in possible(variant) if use.name not in private]
    failed = {name: reason for name, reason in run_uses(tried, variant).items() if reason}
    assert not failed
