"""What a dry run claims holds in every run, whatever commands print and files contain."""

import contextlib
import os
import shutil
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from plans_of_unknowns import FILES, TEXTS, PlansOfUnknowns

import tisslang
from tisslang import State, TissCommandError, ToolRegistry

RUNS_OF_EACH = 3
# What may end otherwise in a run, because of what is there already, or of what is answered.
UNCERTAIN = ("RUN", "READ", "WRITE", "MKDIR", "DELETE", "PROMPT_AGENT", "PAUSE")


def make_file(random: Random, path: Path) -> None:
    with contextlib.suppress(OSError):  # a directory is there, or links in a circle
        path.parent.mkdir(exist_ok=True)
        path.write_text(random.choice(TEXTS))


def harmless_run(random: Random, root: Path) -> ToolRegistry:
    """Tools whose RUN starts nothing: its result is random, and it may change files."""

    def run(state: State, args: dict[str, Any]) -> None:
        if random.random() < 0.1:
            raise TissCommandError("timeout", "too slow")
        for name in ("f", "g", "d/x"):
            if random.random() < 0.4:
                make_file(random, root / name)
            elif random.random() < 0.3 and (root / name).is_file():
                (root / name).unlink(missing_ok=True)
        for name in ("f", "g", "n"):
            if random.random() < 0.2 and not os.path.lexists(root / name):
                with contextlib.suppress(FileExistsError):  # from another branch, just now
                    (root / name).symlink_to(root / random.choice("fgn".replace(name, "")))
        state.last_run_result = {
            "command": args["command"],
            "stdout": random.choice(("", *TEXTS)),
            "stderr": "",
            "exit_code": random.choice((0, 0, 1)),
            "execution_time": 0.1,
        }

    tools = ToolRegistry.default()
    tools.register("RUN", run)
    return tools


def check_against_a_run(text: str, dry: dict[str, Any], run: dict[str, Any], events: Any) -> None:
    """Every claim of the plan, against what happened."""
    if run["exit_code"] == 70:
        pytest.fail(f"{text}\n{run['error']}")
    plan = dry["plan"]
    walked = Counter(entry["line"] for entry in plan if entry["type"] not in ("IF", "CHOOSE"))
    certain = Counter(
        entry["line"]
        for entry in plan
        if entry["type"] not in ("IF", "CHOOSE") and not entry["conditional"]
    )
    done = Counter(event["line"] for event in events if event["event"] == "command_start")
    for line, count in done.items():
        assert count <= walked[line], f"line {line} was not shown\n{text}"
    if run["exit_code"] == 0:
        assert dry["exit_code"] == 0, text
        if not run["caught"]:
            for line, count in certain.items():
                assert done[line] >= count, f"line {line} did not come\n{text}"
        for name, value in run["variables"].items():
            expected = dry["variables"].get(name)
            assert expected is not None, f"{name} was set\n{text}"
            assert "<unknown:" in str(expected) or expected == value, f"{name} differs\n{text}"
    failed_at = {e["line"] for e in [run["error"], *run["caught"], *run["suppressed"]] if e}
    went_well = {
        event["line"]
        for event in events
        if event["event"] == "command_end" and event["status"] == "ok"
    }
    for line in walked:
        claims = {entry["status"] for entry in plan if entry["line"] == line}
        assert claims != {"would_pass"} or line not in failed_at, f"line {line} failed\n{text}"
        assert claims != {"would_fail"} or line not in went_well, f"line {line} passed\n{text}"
    if not any(e["conditional"] or e["status"] == "unknown" for e in plan) and dry["exit_code"]:
        uncertain = any(e["type"] in UNCERTAIN for e in plan)
        assert uncertain or run["exit_code"] == dry["exit_code"], text


def try_plan(seed: int, directory: Path) -> bool:
    random = Random(seed)
    text = PlansOfUnknowns(random).plan()
    if tisslang.check(text):
        return False
    options: dict[str, Any] = {
        "answer": random.choices(("1", "2"), k=random.choice((0, 0, 1, 3))),
        "keep_going": random.random() < 0.3,
        "yes": True,
    }
    empty = directory / "empty"
    empty.mkdir(parents=True)
    dry = tisslang.run(text, empty, dry_run=True, **options)
    assert dry["exit_code"] != 70, f"{text}\n{dry['error']}"
    assert list(empty.iterdir()) == []
    for number in range(RUNS_OF_EACH):
        root = directory / str(number)
        root.mkdir()
        for name in FILES[:3]:
            if random.random() < 0.3:
                make_file(random, root / name)
        replies = directory / f"replies{number}"
        replies.write_text('"1"\n' * random.choice((0, 1, 9)))
        events: list[Any] = []
        run = tisslang.run(
            text,
            root,
            tools=harmless_run(random, root),
            agent=f"canned:{replies}",
            on_event=events.append,
            jobs=random.choice((1, 4)),
            **options,
        )
        check_against_a_run(text, dry, run, events)
    return True


def test_no_run_belies_the_plan(tmp_path: Path) -> None:
    tried = sum(try_plan(seed, tmp_path / str(seed)) for seed in range(200))
    assert tried > 100


@pytest.mark.long
def test_no_run_belies_the_plan_of_many(tmp_path: Path) -> None:
    tried = 0
    for seed in range(1000, 9000):
        directory = tmp_path / str(seed)
        tried += try_plan(seed, directory)
        shutil.rmtree(directory, ignore_errors=True)
    assert tried > 4000
