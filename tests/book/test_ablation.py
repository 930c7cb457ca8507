"""The page of the ablation is what its results say."""

import importlib.util
import json
import statistics
from types import ModuleType
from typing import Any

import pytest
from lessons import ROOT

FOLDER = ROOT / "book/ablation"
RESULTS = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ablation_{name}", FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_fresh() -> None:
    stored = (ROOT / "book/ablation.md").read_text(encoding="utf-8")
    assert stored == script("page").page(RESULTS), "run: python book/ablation/page.py"


def test_the_results_are_those_of_the_runs_that_are_described() -> None:
    run = script("run")
    assert RESULTS["base"] == run.BASE
    assert RESULTS["train_bytes"] == run.TRAIN_BYTES
    assert list(RESULTS["bytes"]) == list(RESULTS["time"]) == list(run.STEPS)
    for column in ("bytes", "time"):
        for row in RESULTS[column].values():
            assert len(row["val_bits_per_byte"]) == run.SEEDS


def test_each_variant_has_the_better_rate() -> None:
    for name, tried in RESULTS["tried"].items():
        best = min(tried, key=lambda rate: statistics.fmean(tried[rate]))
        assert RESULTS["rates"][name] == float(best), name


@pytest.mark.parametrize(("column", "spent"), [("bytes", "bytes_read"), ("time", "seconds")])
def test_the_budget_is_the_same_for_all(column: str, spent: str) -> None:
    for name, row in RESULTS[column].items():
        costs: dict[str, Any] = {
            "bytes_read": row["bytes_read"][0] / RESULTS["train_bytes"],
            "seconds": row["steps"][0] * RESULTS["step_seconds"][name] / RESULTS["budget_seconds"],
        }
        assert costs[spent] == pytest.approx(1, abs=0.002), name


def test_all_but_bpe_have_as_many_weights() -> None:
    sizes = [row["parameters"][0] for name, row in RESULTS["bytes"].items() if name != "BPE"]
    assert max(sizes) / min(sizes) < 1.01
