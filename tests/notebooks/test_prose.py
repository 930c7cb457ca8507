"""What the sentences say: numbers come from cells, links lead somewhere, words are spelt right."""

import re

import pytest
from lessons import FOLDER, NOTEBOOKS, ROOT, Lesson
from spellchecker import SpellChecker

EVERY = pytest.mark.parametrize("lesson", NOTEBOOKS, ids=lambda lesson: lesson.name)
PLANNED: tuple[str, ...] = ()  # linked before they exist
OUTSIDE = ("https://",)
WORDS = (ROOT / "tests/notebooks/words.txt").read_text(encoding="utf-8").split()
NUMBER = r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w]|[.,]\d)"


def numbers_in(text: str) -> list[str]:
    return [found.rstrip(",").replace(",", "") for found in re.findall(NUMBER, text)]


@EVERY
def test_numbers_in_the_text_come_from_cells(lesson: Lesson) -> None:
    """One with a point, or of three digits and more, stands in a cell or its output as well.

    Years of papers, numbers of sections and those that a prediction offers do not count.
    """
    sources = "\n".join(c.source + "\n" + c.output_text for c in lesson.code)
    known = {float(n) for n in numbers_in(re.sub(r"(?<=\d)_(?=\d)", "", sources))}
    for cell in lesson.markdown:
        if cell.part:
            continue
        prose = re.sub(r"^#+ .*$", " ", cell.prose, flags=re.M)
        prose = re.sub(r"\b(19|20)\d\d\b|section [\d.]+|\*Predict:[^*]*\*", " ", prose)
        for written in numbers_in(prose):
            if "." not in written and len(written) < 3:
                continue
            digits = len(written.partition(".")[2])
            same = any(round(value, digits) == float(written) for value in known)
            assert same, f"{written} comes from no cell: {cell.source[:200]}"


@EVERY
def test_links_lead_somewhere(lesson: Lesson) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", lesson.text):
        if target.startswith(OUTSIDE) or target in PLANNED:
            continue
        path, _, anchor = target.partition("#")
        assert (FOLDER / path).exists(), f"{lesson.name} links to {target}"
        if anchor:
            titles = [c.source for c in Lesson(FOLDER / path).markdown]
            anchors = re.findall(r"^#+ (.+)$", "\n".join(titles), flags=re.M)
            assert anchor in {title.replace(" ", "-") for title in anchors}, target


@pytest.fixture(scope="module")
def checker() -> SpellChecker:
    """English, and the words of our field."""
    checker = SpellChecker()
    checker.word_frequency.load_words(WORDS)
    return checker


@EVERY
def test_words_are_spelt_right(lesson: Lesson, checker: SpellChecker) -> None:
    words: set[str] = set()
    for cell in lesson.markdown:
        if cell.part != "answers":
            words |= set(re.findall(r"[A-Za-z]{2,}(?:['’][a-z]+)?", cell.prose))
    unknown = {word for word in words if checker.unknown([word.lower().replace("’", "'")])}
    assert sorted(unknown) == [], "mend them, or add them to tests/notebooks/words.txt"
