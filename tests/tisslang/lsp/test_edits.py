"""Random edits, each sent as the change that it is: both sides have the same text in the end."""

from pathlib import Path
from random import Random

import pytest
from editor import Editor, editor
from lsprotocol import types
from scripts import ODD, random_script

from tisslang.editing import Script, problems
from tisslang.lsp.lines import Lines


def partial(lines: Lines, random: Random) -> types.TextDocumentContentChangePartial:
    """One change, made on our side too."""
    length = len(lines.text)
    start = random.randint(0, length)
    end = min(length, start + random.choice((0, 0, 1, 3, 30)))
    places = lines.position(start), lines.position(end)
    text = random.choice(("", "x", "\n", *random.choices(ODD, k=2), lines.text[start:end] * 2))
    lines.replace(*places, text)
    return types.TextDocumentContentChangePartial(
        types.Range(types.Position(*places[0]), types.Position(*places[1])), text
    )


def expected(text: str) -> list[tuple[str, str, str]]:
    lines = Lines(text)
    script = Script(text)

    def place(line: int, column: int) -> str:
        offset = script.original_offset(script.offset(line, column))
        return "{}:{}".format(*lines.position(offset))

    return [
        (x.code, f"{place(x.line, x.column)}-{place(x.end_line, x.end_column)}", x.message)
        for x in problems(text)
    ]


def play(here: Editor, seed: int, edits: int) -> None:
    random = Random(seed)
    uri = f"file:///edits/{seed}.tiss"
    lines = Lines(random_script(random))
    here.open(uri, lines.text)
    for _ in range(edits):
        changes = [partial(lines, random) for _ in range(random.choice((1, 1, 1, 2, 5)))]
        here.change(uri, *changes)
        if random.random() < 0.1:
            here.problems(uri)
    found = here.problems(uri)
    said = [(x.code, str(x.range), x.message.split("\nhint: ")[0]) for x in found]
    assert said == expected(lines.text)
    here.close(uri)


def test_texts_and_problems_stay_the_same(tmp_path: Path) -> None:
    with editor(tmp_path) as here:
        for seed in range(12):
            play(here, seed, 25)


@pytest.mark.long
def test_texts_and_problems_stay_the_same_for_long(tmp_path: Path) -> None:
    with editor(tmp_path) as here:
        for seed in range(100, 160):
            play(here, seed, 80)
