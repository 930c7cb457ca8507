"""CALL: the body is walked, in its place and with its parameters."""

from pathlib import Path

import pytest
from dry_runs import UNKNOWN, dry, statuses

DEFINE = 'DEFINE_TASK "t" WITH p {\nLOG "{{p}}"\nVAR q = "{{p}}!"\n}\n'


def test_its_entries_follow_below_its_name(tmp_path: Path) -> None:
    text = DEFINE + 'STEP "s" {\nCALL "t" WITH p = "a"\nCALL "t" WITH p = "b"\n}\n'
    report = dry(text, tmp_path)
    inner = [(2, ["s", "t"]), (3, ["s", "t"])]
    places = [(entry["line"], entry["steps"]) for entry in report["plan"]]
    assert places == [(6, ["s"]), *inner, (7, ["s"]), *inner]
    assert report["log"] == ["a", "b"]
    assert report["variables"] == {"q": "b!"}


def test_parameters_shadow_until_it_ends(tmp_path: Path) -> None:
    text = DEFINE.replace("VAR q", 'VAR p = "inner"\nVAR q')
    report = dry('VAR p = "outer"\n' + text + 'CALL "t" WITH p = "a"\nLOG p\n', tmp_path)
    assert report["log"] == ["a", "outer"]
    assert report["variables"] == {"p": "outer", "q": "inner!"}


def test_in_a_branch_its_parameters_are_not_assigned_but_its_results_are(tmp_path: Path) -> None:
    for end in ("", "ASSERT false\n"):
        text = DEFINE.replace("VAR q", f"VAR p = 2\n{end}VAR q")
        call = f'RUN "x"\nVAR p = 1\nVAR q = 1\nIF {UNKNOWN} {{ CALL "t" WITH p = "a" }}\n'
        report = dry(text + call, tmp_path)
        assert report["exit_code"] == 0
        assert report["variables"] == {"p": 1, "q": 1 if end else "<unknown:q>"}


def test_an_unknown_argument(tmp_path: Path) -> None:
    report = dry(DEFINE + 'READ "f" AS a\nCALL "t" WITH p = a\n', tmp_path)
    assert report["log"] == ["<unknown:a>"]
    assert report["variables"]["q"] == "<unknown:a>!"


def test_an_error_inside(tmp_path: Path) -> None:
    text = 'DEFINE_TASK "t" {\nASSERT 1 == 2\n}\nCALL "t"\n'
    report = dry(text, tmp_path)
    assert statuses(report) == [(4, "would_fail"), (2, "would_fail")]
    assert (report["exit_code"], report["error"]["steps"]) == (1, ["t"])
    caught = dry(text.replace('CALL "t"', 'TRY { CALL "t" } CATCH { LOG 1 }'), tmp_path)
    assert caught["exit_code"] == 0


def test_256_blocks_and_calls_of_calls(tmp_path: Path) -> None:
    tasks = [f'DEFINE_TASK "t{n}" {{\nCALL "t{n + 1}"\n}}\n' for n in range(300)]
    text = "".join(tasks) + 'DEFINE_TASK "t300" {\nLOG 1\n}\nCALL "t0"\n'
    assert dry(text, tmp_path)["log"] == ["1"]
    nested = 'RUN "x"\n' + f"IF {UNKNOWN} {{\n" * 255 + "LOG 1\n" + "}\n" * 255
    assert len(dry(nested, tmp_path)["plan"]) == 257


def test_sub_tasks_that_call_others_twice_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tisslang.dry_run.walk.MAX_ENTRIES", 1000)
    tasks = "".join(
        f'DEFINE_TASK "{i}" {{\nCALL "{i + 1}"\nCALL "{i + 1}"\n}}\n' for i in range(40)
    )
    text = f'{tasks}DEFINE_TASK "40" {{ }}\nCALL "0"'
    report = dry(text, tmp_path)
    assert (report["exit_code"], report["error"]["kind"]) == (6, "budget")
    assert len(report["plan"]) == 1000
