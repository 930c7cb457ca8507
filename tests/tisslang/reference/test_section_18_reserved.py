"""§18 of the language reference: reserved words."""

from pathlib import Path

import pytest
from conformance import found, hint, logged

WORDS = ["FOR", "WHILE", "INCLUDE", "FINALLY", "RETURN", "MATCHES", "AND", "OR"]

PLACES = {
    "{}\n": "1:1",
    "{} 'x'\n": "1:1",
    "LOG 1\n  {} x {{ }}\n": "2:3",
    "TRY {{ }} CATCH {{ }} {} {{ }}\n": "1:19",
    "STEP 's' {{ {} }}\n": "1:12",
    "VAR {} = 1\n": "1:5",
    "VAR x = {}\n": "1:9",
    "LOG {}\n": "1:5",
    "ASSERT true {} true\n": "1:13",
    "ASSERT 'a' {} 'b'\n": "1:12",
    "IF true {} true {{ }}\n": "1:9",
    "READ 'p' AS {}\n": "1:13",
    "DEFINE_TASK 'd' WITH {} {{ }}\n": "1:22",
    "CALL 'd' WITH {} = 1\n": "1:15",
    "@{} 'x'\n": "1:2",
    "@persona {}\n": "1:10",
    "LOG LAST_RUN.{}\n": "1:14",
    "LOG x|{}\n": "1:7",
    "SET_BUDGET {} = 1\n": "1:12",
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_reserved_word_is_refused_wherever_it_stands(place: str, word: str) -> None:
    assert found(place.format(word)) == [f"T001 {PLACES[place]}"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("place", ["{} 'x'\n", "VAR {} = 1\n", "ASSERT true {} true\n"])
def test_the_hint_says_so(place: str, word: str) -> None:
    said = hint(place.format(word))
    assert word in said or "reserved" in said
    assert said


@pytest.mark.parametrize("word", WORDS)
def test_in_text_it_means_nothing(word: str, tmp_path: Path) -> None:
    text = (
        f"# {word}\nVAR x = '{word}' # {word}\nVAR {word.lower()} = 1\nLOG {word.lower()}\n"
        f"VAR y = <<{word}\n {word}\n{word}\nLOG \"{word} {{{{x}}}}\"\nLOG y\nSTEP '{word}' {{ }}\n"
    )
    assert found(text) == []
    assert logged(text, tmp_path) == ["1", f"{word} {word}", f" {word}\n"]
