"""The pages as they were built: links to glossary and papers, pictures, folds, colours, buttons."""

import html
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from book_build import build
from lessons import LESSONS, NOTEBOOKS, Lesson

EVERY_LESSON = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
EVERY = pytest.mark.parametrize("lesson", NOTEBOOKS, ids=lambda lesson: lesson.name)
REPOSITORY = "https://github.com/some-owner/some-name"


@cache
def article(page: Path) -> str:
    """The page without what the theme puts around it."""
    text = page.read_text(encoding="utf-8")
    return text.partition('<article class="bd-article"')[2].partition("</article>")[0]


def of(site: Path, lesson: Lesson) -> str:
    return article(site / "notebooks" / f"{lesson.name}.html")


def chapters(site: Path) -> list[Path]:
    """All pages but those of viewcode, the index and search."""
    return [*sorted((site / "notebooks").glob("*.html")), *sorted((site / "book").rglob("*.html"))]


def terms_in(page: str) -> list[str]:
    return re.findall(r'href="[^"]*glossary\.html#(term-[^"]+)"><span class="[^"]*\bterm"', page)


@EVERY
def test_a_lesson_links_each_term_once_and_only_in_sentences(site: Path, lesson: Lesson) -> None:
    page = of(site, lesson)
    linked = Counter(terms_in(page))
    assert len(linked) >= 5
    assert max(linked.values()) == 1, linked.most_common(3)
    closed = re.findall(r"<h\d[^>]*>.*?</h\d>|<pre>.*?</pre>|<code.*?</code>", page, re.S)
    assert [part for part in closed if "glossary.html#term" in part] == []


@EVERY
def test_a_term_that_a_lesson_explains_in_bold_is_linked_there(site: Path, lesson: Lesson) -> None:
    page = of(site, lesson)
    bold = re.findall(r"<strong>(.*?)</strong>", page, re.S)
    linked = set(terms_in(page))
    in_bold = {term for text in bold for term in terms_in(text)}
    if lesson.number in (4, 5, 8, 13):  # some that explain many
        assert len(in_bold) >= 5, in_bold
    assert in_bold <= linked


def test_each_term_of_the_glossary_is_used_on_some_page(site: Path) -> None:
    glossary = article(site / "book/glossary.html")
    entries = re.findall(r"((?:<dt id=\"term-[^\"]+\">.*?</dt>\s*)+)<dd>", glossary, re.S)
    assert len(entries) >= 90
    used = {term for page in chapters(site) for term in terms_in(article(page))}
    ids = [re.findall(r'<dt id="(term-[^"]+)"', names) for names in entries]
    assert [names for names in ids if not used & set(names)] == []


@EVERY_LESSON
def test_the_papers_of_a_lesson_lead_to_the_bibliography(site: Path, lesson: Lesson) -> None:
    line = of(site, lesson).partition("<strong>Papers.</strong>")[2].partition("</p>")[0]
    links = re.findall(r'<a [^>]*href="\.\./book/bibliography\.html#(paper-\w+)"', line)
    years = re.findall(r"\b(?:19|20)\d\d\b", re.sub(r"<[^>]+>", "", line))
    assert len(links) == len(years) > 0
    bibliography = article(site / "book/bibliography.html")
    for link in links:
        assert f'id="{link}"' in bibliography


def test_entries_are_called_as_the_lessons_call_them(site: Path) -> None:
    bibliography = article(site / "book/bibliography.html")
    for label in (
        "Vaswani et al. 2017",
        "Press &amp; Wolf 2017",
        "Shazeer 2019",
        "He et al. 2015b",
    ):
        assert f"</span>{label}<span" in bibliography


def test_every_picture_says_in_words_what_it_shows(site: Path) -> None:
    for page in chapters(site):
        for picture in re.findall(r"<img\b[^>]*>", article(page)):
            alt = re.search(r'\balt="([^"]*)"', picture)
            assert alt, f"{page.name}: {picture}"
            assert len(alt[1]) > 20, f"{page.name}: {picture}"
            assert not re.search(r"\.(png|svg)$", alt[1]), f"{page.name}: {picture}"


def test_every_drawing_within_a_page_has_a_name(site: Path) -> None:
    """A drawing (SVG) that is part of the page itself, not a file of its own."""
    for page in chapters(site):
        for start in re.findall(r"<svg\b[^>]*>", article(page)):
            named = "aria-hidden" in start or (
                'role="img"' in start and ("aria-label" in start or "aria-labelledby" in start)
            )
            assert named, f"{page.name}: {start[:200]}"


def test_the_pictures_of_a_lesson_have_the_texts_of_the_notebook(site: Path) -> None:
    for lesson in LESSONS:
        page = html.unescape(of(site, lesson))
        for cell in lesson.code:
            for out in cell.outputs:
                if "image/png" in out.get("data", {}):
                    assert out["metadata"]["image/png"]["alt"] in page, lesson.name


@EVERY_LESSON
def test_answers_are_folded_and_coloured(site: Path, lesson: Lesson) -> None:
    page = of(site, lesson)
    folds = re.findall(r"<details([^>]*)><summary>(\w+)</summary>(.*?)</details>", page, re.S)
    ours = [fold for fold in folds if fold[1] in ("Hint", "Solution")]
    assert len(ours) == 2 * len(lesson.exercises)
    for attributes, name, text in ours:
        assert "open" not in attributes
        if name == "Solution":
            assert re.search(r'class="highlight-(python|tiss)\b.*?<span class="\w+">', text, re.S)
            assert "```" not in text


def test_the_parameters_of_a_lesson_can_be_seen(site: Path) -> None:
    nine = next(lesson for lesson in LESSONS if lesson.number == 9)
    cell = of(site, nine).partition('class="cell tag_parameters')[2][:3000]
    assert '<span class="n">steps</span>' in cell


def test_plans_have_colours(site: Path) -> None:
    """Cells, files that a cell writes, and examples, also those with a mistake in them."""
    thirteen = next(lesson for lesson in LESSONS if lesson.number == 13)
    cells = re.findall(r'<div class="highlight-tiss-cell.*?</pre>', of(site, thirteen), re.S)
    plans = [c for c in thirteen.code if c.source.startswith(("%%tiss", "%%writefile lesson-13"))]
    assert len(cells) >= len([c for c in plans if "--widget" not in c.source]) >= 10
    for cell in cells:
        assert '<span class="k">' in cell
        assert 'class="err"' not in cell.partition("\n")[0]
    language = article(site / "book/reference/language.html")
    assert '<span class="k">ASSERT</span>' in language
    assert 'class="err"' in article(site / "book/reference/diagnostics.html")


@EVERY_LESSON
def test_links_to_sources_lead_to_pages_with_them(site: Path, lesson: Lesson) -> None:
    page = of(site, lesson)
    for target in re.findall(r"\]\(\.\./((?:qt|tisslang)/[\w/]+)\.py\)", lesson.text):
        module = target.removesuffix("/__init__")
        assert f'href="../_modules/{module}.html"' in page
        source = (site / "_modules" / f"{module}.html").read_text(encoding="utf-8")
        assert f"Source code for {module.replace('/', '.')}" in source
    assert "_downloads" not in page


def test_nothing_starts_elsewhere_by_default(site: Path) -> None:
    for page in chapters(site):
        text = page.read_text(encoding="utf-8")
        assert "mybinder" not in text.partition("<article")[0], page
        assert "launch-buttons" not in text, page


def test_one_setting_turns_the_buttons_on(tmp_path: Path) -> None:
    """A small book of three pages: what links to the others warns, and that is no matter here."""
    small = "include_patterns=book/index.md,book/how_to_use.md,notebooks/04_attention.ipynb"
    pages = build(tmp_path, "-D", small, QT_BOOK_REPOSITORY=REPOSITORY)
    page = (pages / "notebooks/04_attention.html").read_text(encoding="utf-8")
    buttons = page.partition('class="dropdown dropdown-launch-buttons"')[2].partition("</div>")[0]
    addresses = re.findall(r'href="([^"]+)"', html.unescape(buttons))
    assert addresses == [
        "https://mybinder.org/v2/gh/some-owner/some-name/main"
        "?urlpath=lab/tree/notebooks/04_attention.ipynb",
        "https://mybinder.org/v2/gh/some-owner/some-name/main"
        "?urlpath=tree/notebooks/04_attention.ipynb",
        "https://colab.research.google.com/github/some-owner/some-name/blob/main"
        "/notebooks/04_attention.ipynb",
    ]
    names = [" ".join(name.split()) for name in re.findall(r">([^<>]+)</span>", buttons)]
    assert [name for name in names if name] == ["JupyterLab", "Binder", "Colab"]
    assert f'href="{REPOSITORY}"' in page
    use = (pages / "book/how_to_use.html").read_text(encoding="utf-8")
    told = html.unescape(re.sub(r"<[^>]+>", "", use))
    assert f'%pip install "quantatissu[notebooks] @ git+{REPOSITORY}"' in told
    assert "launch-buttons" not in use, "it is no notebook"


@pytest.mark.long
def test_the_same_sources_give_the_same_bytes(site: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    files = {p.relative_to(site) for p in site.rglob("*") if p.is_file()}
    assert files == {p.relative_to(again) for p in again.rglob("*") if p.is_file()}
    differ = [p for p in files if (site / p).read_bytes() != (again / p).read_bytes()]
    assert [str(p) for p in differ if p.suffix not in (".buildinfo",)] == []


@pytest.mark.long
def test_the_book_is_the_same_when_every_notebook_runs_anew(site: Path, tmp_path: Path) -> None:
    """With `-W -n`: no cell fails. The pages are the same, with the same pictures and sections."""
    again = build(tmp_path, timeout=3000, QT_BOOK_EXECUTE="1")
    assert [p.relative_to(site) for p in chapters(site)] == [
        p.relative_to(again) for p in chapters(again)
    ]
    for lesson in NOTEBOOKS:
        stored, new = of(site, lesson), of(again, lesson)
        for mark in ("<h2>", "widget-view+json", 'class="output'):
            assert new.count(mark) == stored.count(mark), f"{lesson.name}: {mark}"
        # A stored widget has a picture beside it, for where no script runs; a live one has none.
        pictures = stored.count("<img ")
        fewest = pictures - stored.count("widget-view+json")
        assert fewest <= new.count("<img ") <= pictures, lesson.name
