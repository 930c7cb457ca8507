"""Small is a feature: the core of `qt` can be read in an afternoon."""

from pathlib import Path

from code_lines import code_lines

import qt

ROOT = Path(qt.__file__).parent
AROUND = ("viz", "exercises", "cli", "distributed", "sweep")  # what stands around the core


def test_code_lines_of_a_known_file() -> None:
    source = (
        '"""A\ntext."""\n\n# why\ndef f(x):  # code\n    """Doc."""\n    return (\n        x)\n'
    )
    assert code_lines(source) == 3


def test_the_core_has_at_most_2775_lines_of_code() -> None:
    """Docstrings, comments and blank lines do not count, so that nobody saves on them.

    2,500 are for what a GPT is, the others for what makes it fast.
    """
    files = [p for p in ROOT.rglob("*.py") if p.relative_to(ROOT).parts[0] not in AROUND]
    sizes = {str(p.relative_to(ROOT)): code_lines(p.read_text(encoding="utf-8")) for p in files}
    assert sum(sizes.values()) <= 2775, sorted(sizes.items(), key=lambda item: -item[1])
    assert max(sizes.values()) <= 300
