"""The list of all codes: complete, in order, and every example does what it says."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import tisslang
from tisslang.errors import KINDS
from tisslang.linting import lint
from tisslang.rules import RULES, SEVERITIES, Rule

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "book" / "reference" / "diagnostics.md"

FOUND_BY_LINT = [rule for rule in RULES if rule.code.startswith("T")]
RAISED_BY_A_RUN = [rule for rule in RULES if rule.code.startswith("E")]


def codes_between(first: int, last: int, left_out: tuple[int, ...] = ()) -> list[str]:
    return [f"T{number:03}" for number in range(first, last + 1) if number not in left_out]


def test_the_list_has_every_code_once_and_in_order() -> None:
    assert [rule.code for rule in RULES] == [
        *codes_between(1, 10),
        *codes_between(101, 111),
        *codes_between(201, 219, left_out=(211, 217)),
        *codes_between(301, 310),
        *[code for code, _ in KINDS.values()],
    ]


def test_severities() -> None:
    infos = {"T209", "T214", "T215", "T216", "T310"}
    errors = {"T301", "T302", "T306", "T308", "T309"}
    for code, severity in SEVERITIES.items():
        is_error = code in errors or not code.startswith(("T2", "T3"))
        assert severity == ("info" if code in infos else "error" if is_error else "warning"), code


@pytest.mark.parametrize("rule", FOUND_BY_LINT, ids=lambda rule: rule.code)
def test_the_failing_example_yields_the_code(rule: Rule) -> None:
    found = {each.code: each for each in lint(rule.failing)}
    assert rule.code in found
    assert found[rule.code].severity == rule.severity


@pytest.mark.parametrize("rule", FOUND_BY_LINT, ids=lambda rule: rule.code)
def test_the_mended_example_does_not_and_has_no_error(rule: Rule) -> None:
    found = lint(rule.mended)
    assert rule.code not in [each.code for each in found]
    assert [each for each in found if each.severity == "error"] == []


@pytest.mark.parametrize("rule", FOUND_BY_LINT, ids=lambda rule: rule.code)
def test_an_example_is_about_one_thing(rule: Rule) -> None:
    # What other rules say about it would distract: a fragment has no TASK and no header, and its
    # RUNs are not all looked at.
    beside = {"T203", "T206", "T207", "T208", "T209", "T303", "T310"}
    assert {each.code for each in lint(rule.failing)} - beside <= {rule.code}


def run(script: str, root: Path) -> dict[str, Any]:
    return tisslang.run(script, root=root, sandbox_profile="none", non_interactive=True)


@pytest.mark.parametrize("rule", RAISED_BY_A_RUN, ids=lambda rule: rule.code)
def test_a_run_of_the_failing_example_ends_with_the_code(rule: Rule, tmp_path: Path) -> None:
    error = run(rule.failing, tmp_path)["error"]
    assert error["code"] == rule.code
    assert rule.title.startswith(f"`{error['kind']}`: ")


@pytest.mark.parametrize("rule", RAISED_BY_A_RUN, ids=lambda rule: rule.code)
def test_a_run_of_the_mended_example_passes(rule: Rule, tmp_path: Path) -> None:
    report = run(rule.mended, tmp_path)
    assert report["error"] is None
    assert report["exit_code"] == 0


@pytest.mark.parametrize("rule", RAISED_BY_A_RUN, ids=lambda rule: rule.code)
def test_no_check_finds_what_only_a_run_can_meet(rule: Rule) -> None:
    for example in (rule.failing, rule.mended):
        assert [each for each in lint(example) if each.severity == "error"] == []


def test_the_page_is_made_from_the_list() -> None:
    made = runpy.run_path(str(PAGE.with_suffix(".py")))["page"]()
    assert PAGE.read_text(encoding="utf-8") == made, f"run python {PAGE.with_suffix('.py').name}"


def test_the_page_shows_each_example() -> None:
    page = PAGE.read_text(encoding="utf-8")
    sections = re.findall(r"^### (\S+)$", page, re.MULTILINE)
    assert sections == [rule.code for rule in RULES]
    assert page.count("```tiss\n") == 2 * len(RULES) + 1
    assert all(character.isprintable() or character == "\n" for character in page)
