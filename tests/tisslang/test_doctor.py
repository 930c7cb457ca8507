"""`tiss doctor`: what it finds here, and what it says where there is nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tisslang import cli, doctor
from tisslang.sandbox.policy import GAP_TEXTS, GAPS


def test_it_tells_what_a_run_gets(tmp_path: Path) -> None:
    (tmp_path / "plan.tiss").write_text('RUN "true"\n')
    tiss = [sys.executable, "-m", "tisslang"]
    found = subprocess.run(
        [*tiss, "doctor", "--output-format", "json"], capture_output=True, text=True, check=False
    )
    findings = json.loads(found.stdout)
    assert found.returncode == (0 if findings["ok"] else 5)
    assert set(findings["profiles"]) == {"standard", "strict"}
    ran = subprocess.run(
        [*tiss, "run", "plan.tiss", "--output-format", "json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert json.loads(ran.stdout)["sandbox"] == findings["profiles"]["standard"]
    if findings["profiles"]["standard"]:
        backend = findings["profiles"]["standard"]["backend"]
        assert findings["backends"][backend] is None
    text = doctor.render(findings)
    assert all(ord(character) >= 32 or character == "\n" for character in text)
    assert max(map(len, text.splitlines())) <= 100


def test_without_a_sandbox_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tisslang.sandbox.backends", list)
    assert cli.main(["doctor"]) == 5
    said = capsys.readouterr().out
    assert "Profile standard: no" in said
    assert "RUN is refused, except with --sandbox-profile none" in said


def test_every_gap_is_explained_and_strict_accepts_none() -> None:
    assert {gap for gaps in GAPS.values() for gap in gaps} == GAP_TEXTS.keys()
    facts = {"backend": "landlock", "gaps": GAPS["landlock"]}
    findings = {
        "ok": True,
        "system": "Linux",
        "python": "python3",
        "profiles": {"standard": facts, "strict": None},
        "refused": {"strict": "landlock: leaves gaps"},
        "backends": {"namespaces": "not permitted", "landlock": None},
        "advice": ["allow user namespaces"],
    }
    said = doctor.render(findings)
    assert said.count("gap: ") == len(GAPS["landlock"])
    assert "Profile strict: no\n  landlock: leaves gaps\n" in said
    assert "namespaces    no: not permitted" in said
    assert "1. allow user namespaces" in said
