"""The files of the built book: valid HTML, no link that leads nowhere, no other host."""

import json
import posixpath
import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from book_site import Page, chapters, page_names
from npm_packages import npm_packages
from site_walk import TOOLS

# What a page loads by itself; where a reader may go by a click is another matter.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|link)\b[^>]*?\b(?:src|href)=["']?(?:https?:)?//"""
)
LOADED_BY_STYLE = re.compile(r"""(?:@import\s+|url\()["']?(?:https?:)?//""")


@cache
def page_of(file: Path) -> Page:
    return Page(file.read_text(encoding="utf-8"))


def test_links_inside_lead_somewhere(site: Path) -> None:
    wrong = []
    count = 0
    for name in page_names(site):
        for _, address in page_of(site / name).links:
            there = urlsplit(address)
            if there.scheme or there.netloc:
                continue
            count += 1
            path = unquote(there.path)
            target = site / posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            target = target / "index.html" if target.is_dir() and path else target
            file = target if path else site / name
            if not file.is_file():
                wrong.append(f"{name}: {address}: no such file")
                continue
            place = unquote(there.fragment)
            if place and file.suffix == ".html" and place not in page_of(file).ids:
                wrong.append(f"{name}: {address}: no such place in it")
    assert count > 5000
    assert wrong == []


def test_an_id_names_one_place(site: Path) -> None:
    for name in page_names(site):
        ids = [id for id in page_of(site / name).ids if id]
        assert sorted(ids) == sorted(set(ids)), name


def test_no_file_names_another_host_to_load_from(site: Path) -> None:
    wrong = []
    for name in page_names(site):
        text = (site / name).read_text(encoding="utf-8")
        wrong += [f"{name}: {found[0]}" for found in LOADED.finditer(text)]
    for file in (site / "_static").rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        wrong += [f"{file.name}: {found[0]}" for found in LOADED_BY_STYLE.finditer(text)]
    assert wrong == []


def validate(site: Path, names: list[str]) -> list[str]:
    """What html-validate finds, by the rules of the HTML standard."""
    command = npm_packages(TOOLS) / ".bin" / "html-validate"
    config = TOOLS / "html-validate.json"
    done = subprocess.run(
        [str(command), "--config", str(config), "--formatter", "json", *names],
        cwd=site, capture_output=True, text=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    return [
        f"{Path(page['filePath']).relative_to(site.resolve())}, line {it['line']}: {it['message']}"
        for page in found
        for it in page["messages"]
    ]


def test_pages_are_valid_html(site: Path) -> None:
    assert validate(site, chapters(site)) == []


@pytest.mark.long
def test_all_pages_are_valid_html(site: Path) -> None:
    assert validate(site, page_names(site)) == []


def test_the_validator_sees_what_is_wrong(tmp_path: Path) -> None:
    head = '<!DOCTYPE html><html lang="en"><head><title>A</title></head>'
    page = head + '<body><ul><p id="a">b</p></ul><img src="c"><i id="a"></i></body></html>'
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    told = " ".join(validate(tmp_path, ["page.html"]))
    assert "<p> element is not permitted as content under <ul>" in told
    assert 'Duplicate ID "a"' in told
    assert 'missing required "alt" attribute' in told


def test_what_the_site_brings_along_stays_small(site: Path) -> None:
    sizes = {
        name: sum(file.stat().st_size for file in (site / "_static" / name).rglob("*"))
        for name in ("mathjax", "widgets")
    }
    assert 1_000_000 < sizes["mathjax"] < 2_000_000
    assert 3_000_000 < sizes["widgets"] < 4_500_000
    for name in chapters(site):  # only what shows a widget loads the manager of widgets
        text = (site / name).read_text(encoding="utf-8")
        assert ("embed-amd.js" in text) == ("widget-view+json" in text), name
