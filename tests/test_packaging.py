"""What the packaging promises: one set of versions, light imports, whole wheels, two commands."""

import importlib.metadata
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

needs_make = pytest.mark.skipif(os.name == "nt", reason="the Makefile is for Unix")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def normalised(name: str) -> str:
    """PEP 503: one spelling for each distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_dependencies(*extras: str) -> set[str]:
    requirements = PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]]
    names = {normalised(re.match(r"[\w.-]+", line)[0]) for line in requirements}
    return names - {PROJECT["name"]}


def pins() -> list[tuple[str, str]]:
    """(name, version) of each line of constraints.txt; every line must be a plain pin."""
    lines = [line for line in text_of("constraints.txt").splitlines() if not line.startswith("#")]
    assert lines
    found = [re.fullmatch(r"([a-z0-9-]+)==([A-Za-z0-9.!+]+)", line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found) if not match]
    return [(match[1], match[2]) for match in found]


# ------------------------------------------------------------------------------ versions


def test_constraints_are_sorted_and_unique() -> None:
    names = [name for name, _ in pins()]
    assert names == sorted(set(names))


def test_constraints_pin_every_direct_dependency_of_every_extra() -> None:
    assert direct_dependencies(*EXTRAS) <= {name for name, _ in pins()}


def test_constraints_pin_everything_that_is_installed_for_all() -> None:
    """Walk the requirements of what is installed here: each package reached has a pin."""
    from packaging.requirements import Requirement

    pinned = dict(pins())
    waiting = [Requirement(f"{PROJECT['name']}[all]")]
    reached: set[str] = set()
    while waiting:
        parent = waiting.pop()
        for line in importlib.metadata.requires(parent.name) or []:
            wanted = Requirement(line)
            extras = parent.extras or {""}
            if wanted.marker and not any(wanted.marker.evaluate({"extra": e}) for e in extras):
                continue
            if f"{wanted.name}{sorted(wanted.extras)}" not in reached:
                reached.add(f"{wanted.name}{sorted(wanted.extras)}")
                waiting.append(wanted)
    names = {normalised(key.split("[")[0]) for key in reached} - {PROJECT["name"]}
    assert len(names) > 50
    assert names <= pinned.keys()


def test_all_holds_every_extra_but_peers() -> None:
    assert EXTRAS["all"] == ["quantatissu[notebooks,editor,sweep,mpi,book,dev]"]
    assert set(EXTRAS) == {"notebooks", "editor", "sweep", "mpi", "book", "dev", "peers", "all"}


def test_conda_users_get_the_same_versions() -> None:
    dependencies = yaml.safe_load(text_of("environment.yml"))["dependencies"]
    plain = [line for line in dependencies if isinstance(line, str)]
    conda = dict(line.split("=") for line in plain if line not in ("python>=3.11,<3.15", "pip"))
    extras = ("notebooks", "editor", "sweep", "mpi", "book", "dev")
    assert conda.keys() == direct_dependencies(*extras) - {"mpich"}  # mpi4py's own there
    assert conda.items() <= dict(pins()).items()
    assert {"pip": ["--editable ."]} in dependencies


def test_the_core_needs_numpy_alone() -> None:
    assert [normalised(re.match(r"[\w.-]+", line)[0]) for line in PROJECT["dependencies"]] == [
        "numpy"
    ]


# -------------------------------------------------------------------------------- imports


def modules_after(statement: str) -> set[str]:
    """The names of the top-level modules that a fresh interpreter has loaded after `statement`."""
    program = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def third_party(modules: set[str]) -> set[str]:
    """Those that are neither the standard library nor what every start of this .venv loads."""
    private = {name for name in modules if name.startswith(("_", "cython"))}  # parts of NumPy too
    return modules - set(sys.stdlib_module_names) - private - modules_after("")


def test_import_qt_loads_numpy_and_nothing_else() -> None:
    assert third_party(modules_after("import qt")) == {"qt", "numpy"}


def test_import_tisslang_loads_the_standard_library_alone() -> None:
    assert third_party(modules_after("import tisslang")) == {"tisslang"}
    assert third_party(modules_after("import tisslang.engine, tisslang.cli")) == {"tisslang"}


@pytest.mark.parametrize("name", ["qt", "tiss"])
def test_console_script_exists(name: str) -> None:
    (script,) = importlib.metadata.entry_points(group="console_scripts", name=name)
    assert callable(script.load())


# ---------------------------------------------------------------------------------- wheel


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel that is built from this tree, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    program = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / done.stdout.strip()) as wheel:
        return set(wheel.namelist())


def test_wheel_holds_every_file_of_both_packages(wheel_names: set[str]) -> None:
    """Data files such as the printed grammar too, not only Python."""
    sources = {
        path.relative_to(ROOT).as_posix()
        for package in ("qt", "tisslang")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "tisslang/syntax/grammar.lark" in sources
    assert sources <= wheel_names


def test_wheel_holds_nothing_else(wheel_names: set[str]) -> None:
    folders = {name.split("/")[0] for name in wheel_names}
    assert folders == {"qt", "tisslang", f"quantatissu-{PROJECT['version']}.dist-info"}


# ------------------------------------------------------------------------------- commands


def make(
    folder: Path, *arguments: str, timeout: float = 60, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run make as a person would: without the variables that an outer make leaves behind."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    inherited.pop("PYTHON", None)
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=inherited | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@needs_make
def test_make_alone_lists_every_target() -> None:
    (phony,) = re.findall(r"^\.PHONY: (help .*)$", text_of("Makefile"), re.MULTILINE)
    shown = make(ROOT).stdout
    listed = re.findall(r"^  make ([a-z-]+)  +\S", shown, re.MULTILINE)
    assert sorted(listed) == sorted(phony.split())
    assert all(len(line) <= 100 for line in shown.splitlines())


@needs_make
def test_the_lab_serves_the_whole_project() -> None:
    """Or a link from a lesson to the source of `qt` leads nowhere."""
    shown = make(ROOT, "-n", "lab").stdout
    assert f'--ServerApp.root_dir="{ROOT}"' in shown
    for name in ("README.md", "environment.yml"):
        line = "jupyter lab --ServerApp.root_dir=. notebooks/00_quickstart.ipynb"
        assert line in text_of(name)


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8", newline="\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def tree_without_venv(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@needs_make
def test_a_python_that_is_too_old_gets_one_line(tree_without_venv: Path) -> None:
    """A stand-in for an old interpreter answers to every name that make tries."""
    programs = tree_without_venv / "bin"
    programs.mkdir()
    old = '[ "$1" = --version ] && echo "Python 3.9.2" && exit\nexit 1'
    for name in ("python", "python3", *(f"python3.{minor}" for minor in range(8, 30))):
        program(programs / name, old)
    done = make(tree_without_venv, "setup", PATH=f"{programs}:{os.environ['PATH']}")
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert line.startswith("error: Python 3.11 to 3.14 ")
    assert "here is Python 3.9.2: install" in line
    assert done.returncode == 2
    assert not (tree_without_venv / ".venv").exists()


@needs_make
def test_a_python_that_is_missing_gets_one_line(tree_without_venv: Path) -> None:
    done = make(tree_without_venv, "setup", PYTHON="/no such/python3")
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert line.startswith("error: Python 3.11 to 3.14 ")
    assert "here is no /no such/python3: install" in line
    assert done.returncode == 2


def test_commit_hooks_are_what_make_test_runs_first() -> None:
    (repository,) = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    recipe = text_of("Makefile").partition("\ntest: ")[2].partition("\n\n")[0]
    stages = re.findall(r"\$\(PY\) -m ([a-z]+(?: [a-z]+)?(?: --check)?)\)", recipe)
    hooks = [hook["entry"].removeprefix(".venv/bin/python -m ") for hook in repository["hooks"]]
    assert [hook.removesuffix(" --force-exclude") for hook in hooks] == stages
    assert stages == ["ruff check", "ruff format --check", "mypy"]


@pytest.mark.long
@needs_make
def test_set_up_is_idempotent_and_repairs_itself(tmp_path: Path) -> None:
    """From the package index: set up, again, after an interruption, and after a move."""
    tree = tmp_path / "a folder"
    tree.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    sources = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "editors/jupyterlab", tree / "editors/jupyterlab", ignore=sources)
    for package in ("qt", "tisslang"):
        shutil.copytree(ROOT / package, tree / package)
    ready = tree / ".venv" / "ready"

    def set_up() -> str:
        done = make(tree, "setup", timeout=600)
        assert done.returncode == 0, done.stderr
        where = "import importlib.util; print(importlib.util.find_spec('qt').origin)"
        found = subprocess.run(
            [tree / ".venv" / "bin" / "python", "-c", where],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(found.stdout.strip()) == tree / "qt" / "__init__.py"
        return done.stdout

    assert "making .venv" in set_up()
    made = ready.stat().st_mtime_ns
    assert "making .venv" not in set_up()
    assert ready.stat().st_mtime_ns == made

    ready.unlink()
    shutil.rmtree(next((tree / ".venv").glob("lib/*/site-packages/pip")))
    assert "making .venv" in set_up()

    tree = tree.rename(tmp_path / "moved")
    assert "making .venv" in set_up()


# ------------------------------------------------------------------------------- addresses


def test_no_file_names_a_machine_or_a_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")[:-1]
    assert "pyproject.toml" in names
    # Written in pieces, or this file would find itself.
    folders = rb"(?<![\w.-])/(?:wor" + rb"k/|roo" + rb"t/\.\w|op" + rb"t/pypi|home/\w+/\.venv)"
    hosts = rb"py" + rb"pi\.org|pythonho" + rb"sted|anacon" + rb"da\.org|registry\.np" + rb"mjs"
    bad = re.compile(folders + rb"|" + hosts)
    paths = [ROOT / name for name in names if (ROOT / name).is_file()]
    found = {str(path.relative_to(ROOT)): bad.findall(path.read_bytes()) for path in paths}
    assert {name: hits for name, hits in found.items() if hits} == {}
