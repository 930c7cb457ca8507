"""The page of words is made from the list, and its links lead somewhere."""

import re
import runpy
from collections import Counter
from pathlib import Path

from tisslang.rules import RULES
from tisslang.vocabulary import WORDS

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "book" / "reference" / "words.md"


def read(name: str) -> str:
    return (PAGE.parent / name).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """The anchors that renderers give to the headings of a page: a second one gets a number."""
    seen: Counter[str] = Counter()
    found = set()
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def test_the_page_is_made_from_the_list() -> None:
    made = runpy.run_path(str(PAGE.with_suffix(".py")))["page"]()
    assert read(PAGE.name) == made, f"run python {PAGE.with_suffix('.py').name}"


def test_the_page_has_a_section_for_each_word() -> None:
    headings = re.findall(r"^### `(.+)`$", read(PAGE.name), re.MULTILINE)
    assert headings == [word.name for word in WORDS]
    assert read(PAGE.name).count("```tiss\n") == sum(bool(word.example) for word in WORDS)


def test_its_links_lead_to_headings() -> None:
    links = re.findall(r"\]\(([^)#]*)#([^)]+)\)", read(PAGE.name))
    assert len(links) > len(WORDS)
    pages = {name: anchors(read(name or PAGE.name)) for name in {name for name, _ in links}}
    assert [f"{name}#{anchor}" for name, anchor in links if anchor not in pages[name]] == []
    assert {name for name, _ in links} == {"", "language.md", "diagnostics.md"}
    assert {rule.code.lower() for rule in RULES} <= pages["diagnostics.md"]


def test_two_words_have_two_places() -> None:
    rows = re.findall(r"^\| \[`.+`\]\(#(.+?)\) \|", read(PAGE.name), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert len(rows) == len([word for word in WORDS if re.search(r"\w", word.name)])
