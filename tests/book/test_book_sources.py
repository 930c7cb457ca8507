"""What the pages of the book say agrees with the notebooks, with each other, and with English."""

import ast
import re
import sys
from pathlib import Path

import pytest
from book_build import EXTENSIONS, ROOT
from lessons import LESSONS, NOTEBOOKS, Lesson
from spellchecker import SpellChecker
from sphinx_external_toc.parsing import parse_toc_yaml

sys.path.insert(0, str(EXTENSIONS))
import citations
import glossary_links
from links import module_of

BOOK = ROOT / "book"
PAGES = sorted(p for p in BOOK.rglob("*.md") if "node_modules" not in p.parts)
EVERY_LESSON = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
PATHS = (BOOK / "paths.md").read_text(encoding="utf-8")
TEACHING = (BOOK / "teaching.md").read_text(encoding="utf-8")
ROW = r"^\| \[(\d\d) .+?\]\(\.\./notebooks/[\w]+\.ipynb\) \|(.+)\|$"


def test_the_table_of_contents_is_jupyter_books_and_has_every_page_once() -> None:
    """The parser refuses a file that stands there twice, and any key that the format lacks."""
    toc = parse_toc_yaml(BOOK / "_toc.yml")
    assert toc.file_format == "jb-book"
    listed = {name.removesuffix(".md") for name in toc}
    sources = [*PAGES, *(lesson.path for lesson in NOTEBOOKS)]
    assert listed == {p.relative_to(ROOT).with_suffix("").as_posix() for p in sources}


def test_chapters_stand_in_the_order_of_their_numbers() -> None:
    numbers = re.findall(r"notebooks/(\d\d)_", (BOOK / "_toc.yml").read_text(encoding="utf-8"))
    assert numbers == sorted(numbers)


def cells_of(page: str) -> list[tuple[str, list[str]]]:
    return [(no, [c.strip() for c in row.split("|")]) for no, row in re.findall(ROW, page, re.M)]


def test_minutes_are_those_of_the_page_for_teachers() -> None:
    """Which takes them from the notebooks, by a test of its own."""
    expected = {no: (read, write) for no, (_, read, write, _) in cells_of(TEACHING)}
    rows = cells_of(PATHS)
    assert {no for no, _ in rows} == set(expected)
    for no, cells in rows:
        minutes = tuple([cell for cell in cells if cell.isdigit()][-2:])
        assert minutes == expected[no], f"lesson {no}: {cells}"


def test_what_needs_what_is_that_of_the_page_for_teachers() -> None:
    needs = {no: cells[0] for no, cells in cells_of(TEACHING)}
    section = PATHS.split("## All of it, in order")[1].split("\n## ")[0]
    assert {no: cells[0] for no, cells in cells_of(section)} == needs
    for before, after in re.findall(r"(\d\d) → (?=(\d\d))", section):
        first, _, last = needs[after].partition(" to ")
        told = range(int(first), int(last) + 1) if last else map(int, re.findall(r"\d+", first))
        assert int(before) in told, f"{before} → {after}"


def test_the_short_way_has_three_lessons() -> None:
    section = PATHS.split("## If you have an hour")[1].split("\n## ")[0]
    rows = cells_of(section)
    assert len(rows) == 3
    assert sum(int(cells[0]) for _, cells in rows) <= 60


def papers_line(lesson: Lesson) -> str:
    found = re.search(r"\*\*Papers\.\*\* (.*?)\n\n", lesson.text, re.S)
    assert found, "every lesson has one: tests/notebooks/test_lessons.py"
    return found[1]


@EVERY_LESSON
def test_each_paper_of_a_lesson_is_in_the_bibliography(lesson: Lesson) -> None:
    """Each year in the line belongs to a name and year that book/references.bib has."""
    line = papers_line(lesson)
    known = [range(start, end) for start, end, _ in citations.find(line)]
    for year in re.finditer(r"\b(?:19|20)\d\d\b", line):
        assert any(year.start() in span for span in known), line[: year.end()]


NAMED = re.compile(
    r"\b[A-Z][\w’'-]+(?: et al\.| (?:&|and) [A-Z]\w+)?,? \(?(?:19[5-9]\d|20[0-3]\d)(?![\d-])"
)
NO_PAPERS = re.compile(r"\b(?:in|since|of|by|January|February|March|April|May|June|July|August|"
                       r"September|October|November|December|In|Since)\b.?\s*\(?\d")  # fmt: skip


def docstrings(file: Path) -> list[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return [ast.get_docstring(n) or "" for n in nodes if isinstance(n, kinds)]


def test_each_paper_that_is_named_anywhere_is_in_the_bibliography() -> None:
    sources = [*(ROOT / "qt").rglob("*.py"), *(ROOT / "tisslang").rglob("*.py")]
    texts = [text for file in sources for text in docstrings(file)]
    texts += [cell.prose for lesson in NOTEBOOKS for cell in lesson.markdown]
    texts += [page.read_text(encoding="utf-8") for page in PAGES]
    unknown = []
    for text in texts:
        text = " ".join(text.split())
        known = [range(start, end) for start, end, _ in citations.find(text)]
        for named in NAMED.finditer(text):
            inside = any(named.start() in span for span in known)
            if not inside and not NO_PAPERS.match(named[0]):
                unknown.append(named[0])
    assert unknown == []


def test_each_entry_of_the_bibliography_is_named_somewhere() -> None:
    files = [*(ROOT / "qt").rglob("*.py"), *(ROOT / "tisslang").rglob("*.py"), *PAGES]
    texts = [file.read_text(encoding="utf-8") for file in files]
    texts += [lesson.text for lesson in NOTEBOOKS]
    named = {key for text in texts for _, _, key in citations.find(text)}
    twins = {"he2015residual"}  # "He et al. 2015 (two: …)" leads to the first, and this is the next
    assert set(citations.mentions().values()) | twins == named | twins


def test_each_entry_says_where_to_find_it() -> None:
    entries = citations.parse_file(str(citations.REFERENCES)).entries
    for key, entry in entries.items():
        fields = set(entry.fields)
        assert {"title", "year"} <= fields, key
        assert fields & {"eprint", "doi", "url", "publisher", "institution", "booktitle", "journal"}
        assert key.startswith(re.sub(r"\W", "", citations.surnames(entry)[0]).lower()[:2]), key
        assert entry.fields["year"] in key, key


def glossary() -> list[tuple[list[str], str]]:
    page = (BOOK / "glossary.md").read_text(encoding="utf-8")
    entries = page.partition("```{glossary}\n")[2].partition("\n```")[0].split("\n\n")
    found = []
    for entry in entries:
        lines = entry.splitlines()
        names = [line for line in lines if not line.startswith(" ")]
        found.append((names, " ".join(line.strip() for line in lines if line.startswith(" "))))
    return found


def test_the_glossary_is_in_order_and_short() -> None:
    entries = glossary()
    assert len(entries) >= 90
    first = [names[0].lower() for names, _ in entries]
    assert first == sorted(first)
    for names, text in entries:
        assert 1 <= len(re.findall(r"[.:?](?= [A-Z]|$)", text)) <= 4, names  # the last: the lesson
        assert len(text) < 330, names


def test_each_entry_of_the_glossary_names_its_lesson() -> None:
    numbers = {f"{lesson.number:02}": lesson for lesson in NOTEBOOKS}
    page = (BOOK / "glossary.md").read_text(encoding="utf-8")
    targets = dict(re.findall(r"^\[(\d\d)\]: \.\./notebooks/(.+)$", page, re.M))
    for names, text in glossary():
        lessons = re.findall(r"\[(\d\d)\]", text)
        assert lessons or names == ["TissLang"], names
        for number in lessons:
            assert number in numbers, f"{names}: lesson {number}"
            assert targets[number] == numbers[number].path.name


def test_the_terms_that_need_bold_and_the_other_forms_are_terms() -> None:
    known = {name for names, _ in glossary() for name in names}
    assert known >= glossary_links.ONLY_BOLD
    assert known >= set(glossary_links.FORMS.values())
    assert not set(glossary_links.FORMS) & known


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Vaswani et al. 2017, section 3", ["vaswani2017"]),
        ("Su\net al. 2021", ["su2021"]),
        ("Su & Wassermann 2006; Su and Wassermann 2006", ["su2006", "su2006"]),
        ("Ainslie et al. (2023) found", ["ainslie2023"]),
        ("Loshchilov & Hutter 2017 (the cosine) and 2019", ["loshchilov2017", "loshchilov2019"]),
        ("Rumelhart, Hinton & Williams 1986", ["rumelhart1986"]),
        ("Vaswani 2017", ["vaswani2017"]),
        ("Vaswani et al. 2018", []),
        ("the year 2017", []),
        ("Su et al. 20211", []),
    ],
)
def test_a_mention_is_found_in_each_of_its_forms(text: str, found: list[str]) -> None:
    assert [key for _, _, key in citations.find(text)] == found


@pytest.mark.parametrize(
    ("target", "module"),
    [
        ("../qt/data.py", "qt.data"),
        ("../../tisslang/syntax/__init__.py", "tisslang.syntax"),
        ("../qt/stories.txt", None),
        ("qt/data.py", None),
        ("../book/results.py", None),
    ],
)
def test_a_link_to_a_source_names_its_module(target: str, module: str | None) -> None:
    assert module_of(target) == module


@pytest.fixture(scope="module")
def checker() -> SpellChecker:
    checker = SpellChecker()
    words = (ROOT / "tests/notebooks/words.txt").read_text(encoding="utf-8").split()
    checker.word_frequency.load_words(words)
    return checker


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(BOOK).as_posix())
def test_words_are_spelt_right(page: Path, checker: SpellChecker) -> None:
    text = page.read_text(encoding="utf-8").replace("```{glossary}\n", "")
    if page.name == "glossary.md":
        text = text.replace("\n```", "")
    text = re.sub(r"(```+|:::+).*?\1|`[^`\n]*`", " ", text, flags=re.S)
    text = re.sub(r"\]\([^)]*\)|<[^>]+>|^\[.*\]: .*$|^[ :]*\w+: .*$", " ", text, flags=re.M)
    words = set(re.findall(r"[A-Za-z]{2,}(?:['’][a-z]+)?", text))
    unknown = {word for word in words if checker.unknown([word.lower().replace("’", "'")])}
    assert sorted(unknown) == [], "mend them, or add them to tests/notebooks/words.txt"
