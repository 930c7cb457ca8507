"""The workflows of GitHub: as far as they can be judged by reading, since they never ran."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
NAMES = [file.name for file in FILES]
# Set-up, the page's upload and its publishing; each by its first number, which stays compatible.
ACTIONS = {
    *("actions/checkout", "actions/setup-python", "actions/setup-node", "msys2/setup-msys2"),
    *("actions/upload-pages-artifact", "actions/deploy-pages"),
}


def read(name: str) -> dict[str, Any]:
    # BaseLoader: YAML takes `on` for a truth
    return yaml.load((ROOT / ".github/workflows" / name).read_text("utf-8"), yaml.BaseLoader)


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_there_are_two() -> None:
    assert NAMES == ["book.yml", "tests.yml"]


@pytest.mark.parametrize("name", NAMES)
def test_they_run_our_make_targets_alone(name: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    commands = [step["run"] for step in steps(read(name)) if "run" in step]
    assert commands
    for command in commands:
        make, target, *settings = command.split()
        assert make == "make"
        assert target in targets
        assert all(re.fullmatch(r"[A-Z]+=\w+", setting) for setting in settings)


@pytest.mark.parametrize("name", NAMES)
def test_they_use_known_actions_and_few_rights(name: str) -> None:
    workflow = read(name)
    for step in steps(workflow):
        if "uses" in step:
            action, version = step["uses"].split("@")
            assert action in ACTIONS
            assert re.fullmatch(r"v\d+", version)
    assert workflow["permissions"] == {"contents": "read"}
    more = {job: about["permissions"] for job, about in workflow["jobs"].items()
            if "permissions" in about}  # fmt: skip
    publish = {"publish": {"pages": "write", "id-token": "write"}}
    assert more == (publish if name == "book.yml" else {})
    assert all(int(job["timeout-minutes"]) <= 90 for job in workflow["jobs"].values())
    assert workflow["concurrency"]["group"]


@pytest.mark.parametrize("name", NAMES)
def test_their_first_line_says_that_they_never_ran(name: str) -> None:
    first = (ROOT / ".github/workflows" / name).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# Written and read, but never run")


def test_tests_run_on_three_systems_and_the_oldest_and_newest_python() -> None:
    runs = read("tests.yml")["jobs"]["test"]["strategy"]["matrix"]["include"]
    systems = {run["system"].split("-")[0] for run in runs}
    assert systems == {"ubuntu", "macos", "windows"}
    assert {"3.11", "3.14"} <= {run["python"] for run in runs if "ubuntu" in run["system"]}


def test_the_book_knows_the_address_of_the_repository() -> None:
    build = next(step for step in steps(read("book.yml")) if step.get("run") == "make book")
    address = build["env"]["QT_BOOK_REPOSITORY"]
    assert address == "${{ github.server_url }}/${{ github.repository }}"
    upload = next(s for s in steps(read("book.yml")) if "upload-pages" in s.get("uses", ""))
    assert upload["with"]["path"] == "build/book/html"
