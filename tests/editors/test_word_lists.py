"""The parser, the vocabulary, Pygments, VS Code, JupyterLab and the widget have the same words."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import word_lists
from missing import missing
from pygments.token import Name

from tisslang.highlighting import TissLexer
from tisslang.syntax.lexer import RESERVED

ROOT = Path(__file__).parents[2]


def of_vs_code() -> set[str]:
    """The words that its grammar takes for no name."""
    path = ROOT / "editors" / "vscode" / "syntaxes" / "tiss.tmLanguage.json"
    lists = re.findall(r"\(\?!\(\?:([A-Za-z_|]+)\)", path.read_text(encoding="utf-8"))
    assert len({*lists}) == 1
    return {*lists[0].split("|")}


def of_jupyterlab() -> set[str]:
    """The words of colours.js, which the widget has too."""
    node = shutil.which("node")
    if node is None:
        missing("node is missing, which runs the JavaScript")
    colours = ROOT / "tisslang" / "jupyter" / "static" / "colours.js"
    program = colours.read_text(encoding="utf-8") + "console.log(JSON.stringify(WORDS));"
    command = [node, "--input-type=module", "-"]
    said = subprocess.run(command, input=program, capture_output=True, encoding="utf-8", check=True)
    lists = json.loads(said.stdout)
    return {word for kind, words in lists.items() if kind != "field" for word in words}


def in_pygments(word: str) -> bool:
    """Whether Pygments has another colour for the word than for a name."""
    (_, kind, text), *_ = TissLexer().get_tokens_unprocessed(word)
    return text == word and kind is not Name.Variable


def test_all_have_the_same_words() -> None:
    parser = {*RESERVED}
    assert {*word_lists.ALL_RESERVED} == parser
    assert of_vs_code() == parser
    assert of_jupyterlab() == parser
    assert all(map(in_pygments, parser))
    assert not in_pygments("name")
