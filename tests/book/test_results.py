"""The page of results says what benchmarks/results.json holds, the good and the bad."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from lessons import ROOT

sys.path.append(str(ROOT / "book" / "extensions"))  # as book/conf.py does

from measured import MARK, RESULTS, SUBJECTS, tables

STORED: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))


def made(*rows: dict[str, Any]) -> str:
    """The tables of rows that differ from a plain one."""
    plain = {
        "name": "decode", "ours": 20.0, "peer": 10.0, "peer_name": "PyTorch eager",
        "unit": "tokens/s", "ratio": 2.0, "goal": None, "spread": {"ours": 0.04, "peer": 0.02},
    }  # fmt: skip
    return tables(STORED | {"rows": [plain | row for row in rows]})


def test_each_row_stands_on_the_page_with_its_figures(site: Path) -> None:
    page = BeautifulSoup((site / "book/results.html").read_text(encoding="utf-8"), "html.parser")
    text = " ".join(page.get_text(" ").split())
    assert STORED["machine"] in text
    assert STORED["date"] in text
    cells = [[td.get_text() for td in tr.select("td")] for tr in page.select("table tr")]
    shown = {line[1]: line for line in cells if line}
    assert sorted(shown) == sorted(row["name"] for row in STORED["rows"])
    for row in STORED["rows"]:
        _, _, ours, _, ratio, goal = shown[row["name"]]
        for cell, value in ((ours, row["ours"]), (ratio, row["ratio"])):
            figure = float(re.match(r"[\d,.]+", cell)[0].replace(",", ""))  # type: ignore[index]
            assert abs(figure - value) <= 0.06 * value, row["name"]
        met = row["goal"] is None or row["ratio"] >= row["goal"]
        assert ("missed" in goal) == (not met)


def test_what_is_behind_is_said_in_words() -> None:
    text = made({"ratio": 0.5}, {"name": "prefill"})
    assert "Of 2 races against other programs we win 1, and lose:" in text
    assert "- Writing: one text, KV cache. It takes 2 times as long as PyTorch eager." in text
    assert "reading 1,024 tokens. It takes" not in text
    memory = made({"name": "memory/train_small", "unit": "MB", "ratio": 0.8})
    assert "It takes 1.2 times as much memory as PyTorch eager." in memory


def test_goals_that_are_missed_are_said() -> None:
    assert "Every goal is met." in made({"goal": 2.0})
    missed = made({"goal": 2.5})
    assert "- Writing: one text, KV cache. The ratio is 2, the goal 2.5." in missed
    assert "| 2.5, missed |" in missed


def test_floors_and_limits_are_no_races() -> None:
    text = made(
        {"name": "train_floor", "peer_name": "its matrix products", "ratio": 0.9},
        {"name": "format/10000", "peer_name": "a limit of 1.5 s", "ratio": 0.9, "unit": "s"},
        {"name": "scaling/batch", "peer_name": "theory", "ratio": 0.9, "unit": "exponent"},
    )
    assert "Of 0 races" in text
    assert "Of 1 limits that we set ourselves 0 are kept." in text


def test_a_row_without_words_stands_among_the_others() -> None:
    assert "## Others" in made({"name": "new/row"})
    assert "| new/row | `new/row` | 20 tokens/s ± 2 % |" in made({"name": "new/row"})


def test_a_busy_machine_is_told() -> None:
    busy = made({"spread": {"ours": 0.1, "peer": 0.1, "control": 0.2}})
    assert "**2×** (the machine was busy)" in busy


def test_no_row_has_words_twice_and_the_page_no_figure_of_its_own() -> None:
    names = [name for _, _, words in SUBJECTS for name in words]
    assert len(names) == len(set(names))
    page = (ROOT / "book" / "results.md").read_text(encoding="utf-8")
    assert page.count(MARK) == 1
    assert not re.search(r"\d", page.replace("above 1 it is", "").replace("below 1 behind", ""))
