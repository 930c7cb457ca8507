"""The lessons as tests read them: cells, prose, outputs, and the names of `qt` in their code."""

import ast
import functools
import importlib
import inspect
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exercise_cells import PARTS

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"


@dataclass(frozen=True)
class Cell:
    """A cell as it is stored. `part` is heading, exercise or answers, or "" outside exercises."""

    kind: str
    source: str
    tags: tuple[str, ...]
    exercise: str
    outputs: tuple[dict[str, Any], ...]

    @property
    def part(self) -> str:
        return next((tag for tag in self.tags if tag in PARTS and self.exercise), "")

    @property
    def prose(self) -> str:
        """Markdown without code, formulas, addresses and HTML: what is read as sentences."""
        text = re.sub(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$", " ", self.source, flags=re.S)
        return re.sub(r"\]\([^)]*\)|<[^>]+>", " ", text)

    @property
    def output_text(self) -> str:
        """What the outputs say, pictures by their alt texts."""
        texts = []
        for out in self.outputs:
            text = out.get("text") or out.get("data", {}).get("text/plain", "")
            texts.append("".join(text))
        return "\n".join(texts)


@dataclass(frozen=True)
class Lesson:
    """A notebook; `number` is 4 for 04_attention.ipynb."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def number(self) -> int:
        return int(self.path.name[:2])

    @functools.cached_property
    def cells(self) -> list[Cell]:
        return [
            Cell(
                c["cell_type"], "".join(c["source"]), tuple(c["metadata"].get("tags", [])),
                c["metadata"].get("exercise", ""), tuple(c.get("outputs", [])),
            )
            for c in json.loads(self.path.read_text(encoding="utf-8"))["cells"]
        ]  # fmt: skip

    @property
    def code(self) -> list[Cell]:
        return [c for c in self.cells if c.kind == "code"]

    @property
    def markdown(self) -> list[Cell]:
        return [c for c in self.cells if c.kind == "markdown"]

    @property
    def exercises(self) -> list[str]:
        return [c.exercise for c in self.cells if c.part == "exercise"]

    @property
    def text(self) -> str:
        return "\n\n".join(c.source for c in self.markdown)

    @functools.cached_property
    def names(self) -> set[str]:
        """The public names of `qt` in the code: "F.softmax" gives "qt.functional.softmax"."""
        found: set[str] = set()
        aliases = {"qt": "qt"}
        for cell in self.code:
            for node in ast.walk(ast.parse(python_of(cell.source))):
                if isinstance(node, ast.Import):
                    for a in node.names:
                        if a.name.split(".")[0] == "qt":
                            aliases[a.asname or "qt"] = a.name if a.asname else "qt"
                elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "qt":
                    for a in node.names:
                        found |= home(f"{node.module}.{a.name}")
                        aliases[a.asname or a.name] = f"{node.module}.{a.name}"
                elif isinstance(node, ast.Attribute) and (dotted := _dotted(node)):
                    first, _, rest = dotted.partition(".")
                    if first in aliases:
                        found |= home(f"{aliases[first]}.{rest}")
        return found

    @functools.cached_property
    def taught(self) -> dict[str, str]:
        """What the table "What you can use now" lists: public name of `qt` -> its linked file."""
        _, _, rest = self.text.partition("## What you can use now")
        table = rest.split("\n\n**")[0]
        taught: dict[str, str] = {}
        for row in re.findall(r"^\| (`.+) \|$", table, flags=re.M):
            cells = row.split(" | ")
            link = re.search(r"\]\(\.\./([\w/.]+)\)", cells[-1])
            for name in re.findall(r"`([\w.]+)", cells[0]):
                for public in home(spelled_out(name)):
                    taught[public] = link[1] if link else ""
        return taught


def python_of(source: str) -> str:
    """The Python of a cell: without magics."""
    if source.startswith("%%"):
        return ""
    return re.sub(r"^\s*[%!].*$", "", source, flags=re.M)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return node.id if isinstance(node, ast.Name) else ""


def spelled_out(name: str) -> str:
    """As a table writes it: `F.relu`, `nn.Linear`, `qt.GPT`, `Tensor`."""
    if name.startswith("F."):
        return "qt.functional." + name[2:]
    return name if name.startswith("qt.") else "qt." + name


def home(dotted: str) -> set[str]:
    """{"qt.attention.KVCache"} for "qt.KVCache.append": where the object is defined, if public."""
    parts = dotted.split(".")
    value: Any = importlib.import_module("qt")
    names = ["qt"]
    for part in parts[1:]:
        if inspect.isclass(value) or inspect.isfunction(value):
            break
        try:
            value = getattr(value, part)
        except AttributeError:
            return set()
        names.append(part)
    if callable(value) and getattr(value, "__module__", "").startswith("qt."):
        return {f"{value.__module__}.{value.__name__}"}
    if not inspect.ismodule(value) and len(names) > 1:
        return {".".join(names)}  # a constant, such as qt.optim.SCHEDULES
    return set()


NOTEBOOKS = [Lesson(path) for path in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))]
LESSONS = [lesson for lesson in NOTEBOOKS if lesson.number > 0]  # all but the quickstart
