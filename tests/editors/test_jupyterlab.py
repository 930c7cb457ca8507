"""The lab extension: its sources, what is built from them, and its place in the wheel."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from lab_extension import ROOT, SOURCES, built_extension

needs_make = pytest.mark.skipif(os.name == "nt", reason="the Makefile is for Unix")
PLACE = "share/jupyter/labextensions/@quantatissu/tisslang"


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------- sources


def test_it_has_the_name_and_the_version_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = read_json(SOURCES / "package.json")
    assert package["name"] == "@quantatissu/tisslang"
    assert package["version"] == project["version"]
    assert read_json(SOURCES / "install.json")["packageName"] == project["name"]


def test_the_lock_has_exact_versions_and_no_addresses() -> None:
    lock = read_json(SOURCES / "package-lock.json")
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 50
    for name, entry in packages.items():
        assert "resolved" not in entry, name
        assert entry["integrity"].startswith("sha512-"), name
    wanted = read_json(SOURCES / "package.json")["devDependencies"]
    assert lock["packages"][""]["devDependencies"] == wanted
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def colours_of(css: str) -> dict[str, str]:
    """The colour of each kind of span that a style sheet has."""
    named = dict(re.findall(r"(--\w+): (light-dark\([^)]*\))", css))
    css = re.sub(r"var\((--\w+)\)", lambda match: named.get(match[1], match[0]), css)
    found = {}
    for selectors, body in re.findall(
        r"^\s*([^{}/]*tiss-is-[^{}]*)\{([^{}]*)\}", css, re.MULTILINE
    ):
        if colour := re.search(r"(?<!-)color:\s*(light-dark\([^)]*\)|inherit)", body):
            for kind in re.findall(r"tiss-is-(\w+)", selectors):
                found[kind] = colour[1]
    return found


def test_every_kind_of_span_has_a_colour() -> None:
    language = (SOURCES / "source" / "language.js").read_text(encoding="utf-8")
    table = language.partition("const GENERAL = {")[2].partition("}")[0]
    kinds = re.findall(r"^  (\w+): tags\.", table, re.MULTILINE)
    colours = colours_of((SOURCES / "source" / "colours.raw.css").read_text(encoding="utf-8"))
    assert len(kinds) == 16
    assert set(colours) == set(kinds)


def test_the_widget_has_the_same_colours() -> None:
    ours = colours_of((SOURCES / "source" / "colours.raw.css").read_text(encoding="utf-8"))
    static = ROOT / "tisslang" / "jupyter" / "static"
    widget = colours_of((static / "widget.css").read_text(encoding="utf-8"))
    both = ours.keys() & widget.keys() - {"name"}  # which here is as any text
    assert len(both) > 10
    assert {kind: ours[kind] for kind in both} == {kind: widget[kind] for kind in both}


# --------------------------------------------------------------------------------- built


def test_the_built_extension_is_what_jupyterlab_expects() -> None:
    built = built_extension()
    package = read_json(built / "package.json")
    build = package["jupyterlab"]["_build"]
    assert build == {"load": build["load"], "extension": "./extension"}
    entry = (built / build["load"]).read_text(encoding="utf-8")
    assert re.search(r"_JUPYTERLAB\b.*\[\"@quantatissu/tisslang\"\]", entry)
    # None of the modules that JupyterLab provides is in it, nor anything else of others.
    assert read_json(built / "static" / "third-party-licenses.json") == {"packages": []}
    size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    assert size < 40_000


def test_jupyterlab_finds_it(tmp_path: Path) -> None:
    from jupyterlab_server.config import get_federated_extensions

    place = tmp_path / PLACE
    shutil.copytree(built_extension(), place)
    found = get_federated_extensions([str(tmp_path / "share/jupyter/labextensions")])
    assert found["@quantatissu/tisslang"]["install"]["packageName"] == "quantatissu"


def test_the_wheel_holds_it_where_jupyterlab_looks(tmp_path: Path) -> None:
    """With the command of `make wheel`; without its switch nothing of it is in a wheel."""
    built = built_extension()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    switch = "HATCH_BUILD_HOOK_ENABLE_CUSTOM"
    assert f"env {switch}=1 $(PY) -m hatchling build -t wheel" in makefile
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    names = []
    for value in ("1", "0"):
        environment = os.environ | {switch: value}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        (wheel,) = tmp_path.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names.append(archive.namelist())
            if value == "1":
                archive.extractall(tmp_path / "wheel")
    (data,) = (tmp_path / "wheel").glob("*.data/data")
    files = [path.relative_to(built) for path in built.rglob("*") if path.is_file()]
    for file in files:
        assert (data / PLACE / file).read_bytes() == (built / file).read_bytes()
    assert len(names[0]) - len(names[1]) == len(files)
    assert not [name for name in names[1] if "labextension" in name]


# ------------------------------------------------------------------------------ make


def make(
    folder: Path, *arguments: str, programs: Path | None = None
) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    if programs is not None:
        inherited["PATH"] = str(programs)
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=inherited,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the rules of the Makefile need of the project."""
    tree = tmp_path / "tree"
    ignore = shutil.ignore_patterns("node_modules")
    shutil.copytree(SOURCES, tree / "editors" / "jupyterlab", ignore=ignore)
    static = Path("tisslang", "jupyter", "static")
    (tree / static).mkdir(parents=True)
    shutil.copy(ROOT / static / "colours.js", tree / static)
    shutil.copy(ROOT / "Makefile", tree)
    return tree


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of the programs that the rules use, without npm."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "make", "env", "test", "mkdir", "rm", "touch", "cat", "echo", "cp"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


@needs_make
def test_without_npm_setting_up_goes_on_and_the_wheel_says_what_to_do(
    tree: Path, programs: Path
) -> None:
    done = make(tree, "build/labextension.tried", programs=programs)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "no npm: JupyterLab will show TissLang without colours\n"
    assert make(tree, "build/labextension.tried", programs=programs).stdout.count("npm") == 0
    done = make(tree, "wheel", "-o", "setup", programs=programs)
    assert done.returncode != 0
    assert "error: npm is missing" in done.stderr
    assert "install Node.js" in done.stderr


@needs_make
def test_where_npm_fails_setting_up_goes_on_and_the_wheel_shows_why(
    tree: Path, programs: Path
) -> None:
    npm = programs / "npm"
    npm.write_text("#!/bin/sh\necho no network >&2\nexit 1\n", encoding="utf-8")
    npm.chmod(0o755)
    done = make(tree, "build/labextension.tried", programs=programs)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("npm failed: JupyterLab will show TissLang without colours")
    assert done.stdout.count("\n") == 1
    assert not (tree / "build" / "labextension").exists()
    done = make(tree, "wheel", "-o", "setup", programs=programs)
    assert done.returncode != 0
    assert "no network" in done.stderr


@pytest.mark.long
@needs_make
def test_it_is_built_when_a_source_changes_and_only_then(tree: Path) -> None:
    """From the package index."""
    built = built_extension()
    target = tree / "build" / "labextension"
    assert make(tree, "build/labextension.tried").returncode == 0
    # The same code as in this tree. Its entry has a number that depends on the folder's name.
    (code,) = built.glob("static/[0-9]*.js")
    assert (target / "static" / code.name).read_bytes() == code.read_bytes()
    first = (target / "install.json").stat().st_mtime_ns
    make(tree, "build/labextension.tried")
    assert (target / "install.json").stat().st_mtime_ns == first
    colours = tree / "tisslang" / "jupyter" / "static" / "colours.js"
    text = colours.read_text(encoding="utf-8").replace('"true false"', '"true false maybe"')
    colours.write_text(text, encoding="utf-8")
    assert make(tree, "build/labextension.tried").returncode == 0
    (code,) = target.glob("static/[0-9]*.js")
    assert "true false maybe" in code.read_text(encoding="utf-8")
