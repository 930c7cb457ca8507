"""The reference: every public name has a place, docstrings are shown as they read."""

import contextlib
import copy
import doctest
import functools
import importlib
import inspect
import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from docutils.core import publish_doctree
from hypothesis import example, given
from hypothesis import strategies as st
from lessons import LESSONS, ROOT, Lesson, spelled_out
from sphinx.util.inventory import InventoryFile

import qt
import qt.distributed
import qt.exercises
import qt.sweep
import qt.viz
import tisslang
import tisslang.exercises

sys.path.append(str(ROOT / "book" / "extensions"))  # as book/conf.py does

from docstrings import to_rst

PAGES = sorted((ROOT / "book" / "api").rglob("*.md"))


@pytest.fixture(scope="module")
def places(site: Path) -> dict[str, str]:
    """Every object of Python that the book describes: its full name -> page and anchor."""
    kinds = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    return {
        name: item.uri.replace("$", name)
        for kind, items in kinds.items()
        if kind.startswith("py:")
        for name, item in items.items()
    }


@functools.cache
def article(site: Path, name: str) -> BeautifulSoup:
    """What a page says, without what is around it."""
    text = (site / f"{name}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text.partition("<article")[2].partition("</article>")[0], "html.parser")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).with_suffix("").as_posix()


def home(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


# ---- which names there are


@pytest.mark.parametrize(
    "package",
    [qt, qt.viz, qt.exercises, qt.distributed, qt.sweep, tisslang],
    ids=lambda package: package.__name__,
)
def test_each_public_name_is_described_once(places: dict[str, str], package: Any) -> None:
    for name in package.__all__:
        whole, value = f"{package.__name__}.{name}", getattr(package, name)
        assert whole in places, f"{whole} stands on no page of book/api"
        if inspect.isclass(value) or inspect.isfunction(value):
            # Where it is defined it has a name too, which must not lead to a second description.
            assert places.get(home(value), places[whole]) == places[whole]


def test_each_name_that_a_lesson_teaches_is_described(places: dict[str, str]) -> None:
    taught = {name for lesson in LESSONS for name in lesson.taught}
    assert sorted(taught - places.keys()) == []


def test_each_class_of_a_page_has_a_meaning(site: Path) -> None:
    for path in PAGES:
        for described in article(site, name_of(path)).select("dl.py"):
            body = described.select_one("dd")
            assert body, described
            assert body.get_text(strip=True), f"{path}: {described.get_text(' ', strip=True)}"


# ---- docstrings


def shown(lines: list[str]) -> str:
    """What a reader sees of a docstring, on one line."""
    complaints = io.StringIO()
    settings = {"warning_stream": complaints, "report_level": 1, "smart_quotes": False}
    text = publish_doctree("\n".join(to_rst(lines)), settings_overrides=settings).astext()
    assert not complaints.getvalue(), complaints.getvalue()
    return " ".join(text.split())


TEXT = st.text(alphabet="ab1.*_|\\:<>[]()-+#=~^'\"/@{}% xé×`", min_size=1, max_size=40)


@given(TEXT.filter(lambda text: re.search(r"\w", text) and not re.match(r" |- |>>> ", text)))
@example("1. is no list")
@example(":name: is no field")
@example("--flag begins an option")
@example(".. note:: is no directive")
@example("see x_ and `y`_, and one ` alone")
@example("x_ and |y| and a*b*c; see `code`s, (`code`) and `a`b")
@example("*one* is stressed, 2*3*4 is a product")
@example("what follows::")
def test_a_paragraph_is_shown_as_it_reads(text: str) -> None:
    if re.search(r"`\s*`|`\\|\\`", text):
        return  # no docstring of ours
    plain = re.sub(r"(?<!\S)\*(\w+)\*(?!\w)", r"\1", text.replace("`", ""))
    assert re.sub(r"[`\s]", "", shown([text])) == re.sub(r"\s", "", plain)


def test_blocks_of_a_docstring() -> None:
    lines = [
        "Draws `x` over", "two lines.", "", "- one", "  goes on", "- two", "", ">>> 1 + 1", "2", "",
        "    a diagram  --> here", "", "├── a tree",
    ]  # fmt: skip
    tree = publish_doctree(
        "\n".join(to_rst(lines)).replace(".. code-block:: text", "::"),
        settings_overrides={"report_level": 1, "halt_level": 1},
    )
    kinds = [node.tagname for node in tree.children]
    assert kinds == ["paragraph", "bullet_list", "doctest_block", "literal_block", "literal_block"]
    assert [item.astext() for item in tree[1].children] == ["one goes on", "two"]
    assert tree[3].astext() == "a diagram  --> here"


def test_no_markup_is_left_on_a_page(site: Path) -> None:
    for path in PAGES:
        prose = copy.copy(article(site, name_of(path)))
        for code in prose.select("pre, code"):
            code.decompose()
        text = prose.get_text()
        for sign in ("`", "::", ".. "):
            assert sign not in text, f"{path}: {text[max(0, text.index(sign) - 60) :][:120]!r}"


SIGNATURES = {
    "qt.functional.softmax": "(x: Tensor, dim: int = -1) → Tensor",
    "qt.Tensor.backward": "(gradient: ArrayLike | None = None, retain_graph: bool = False) → None",
    "qt.BPETokenizer.load": None,  # is Tokenizer's
    "qt.exercises.list": "(lesson: int | None = None) → Text",
    "qt.nn.Linear": "(in_features: int, out_features: int, bias: bool = True",
}


def test_signatures_are_those_of_the_source(site: Path, places: dict[str, str]) -> None:
    for name, wanted in SIGNATURES.items():
        if wanted is None:
            assert name not in places
            continue
        address, _, anchor = places[name].partition("#")
        signature = article(site, address.removesuffix(".html")).find(id=anchor)
        assert isinstance(signature, Tag)
        text = " ".join(signature.get_text().replace("[source]", "").split())
        tight = re.sub(r"\s+", "", text)
        assert re.sub(r"\s+", "", wanted) in tight, text


def modules_with_sessions() -> list[str]:
    """Modules with `>>>` in a docstring. Those of exercises have a test of their own."""
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("qt", "tisslang")
        for path in sorted((ROOT / package).rglob("*.py"))
        if ">>> " in path.read_text(encoding="utf-8") and "exercises" not in path.parts
    ]


@pytest.mark.parametrize("name", modules_with_sessions())
def test_the_sessions_in_docstrings_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), verbose=False)
    assert result.attempted > 0
    assert result.failed == 0


# ---- links


def test_names_in_docstrings_lead_to_their_descriptions(site: Path) -> None:
    for name, link in (
        ("book/api/qt/training", "#qt.Trainer.run"),  # `Trainer.run`
        ("book/api/qt/functional", "positions.html#qt.positions.rope_angles"),
        ("book/api/tisslang/engine", "adapters.html#tisslang.adapters.open_adapter"),
        ("book/api/qt/norms", "nn.html#qt.nn.Module"),  # a base class
        ("book/api/qt/functional", "tensor.html#qt.Tensor"),  # in a signature
    ):
        links = [a["href"] for a in article(site, name).select("a.reference")]
        assert link in links, f"{name} has no link to {link}"


def test_papers_in_docstrings_are_links_from_end_to_end(site: Path) -> None:
    links = {a.get_text() for a in article(site, "book/api/qt/functional").select("a")}
    assert "Hendrycks & Gimpel 2016" in links


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_table_of_a_lesson_leads_to_the_reference(
    site: Path, places: dict[str, str], lesson: Lesson
) -> None:
    text = (site / f"notebooks/{lesson.name}.html").read_text(encoding="utf-8")
    _, _, section = text.partition('<section id="what-you-can-use-now"')
    links = set(re.findall(r'href="\.\./(book/api/[^"]+)"', section.partition("</section>")[0]))
    for name in lesson.taught:
        assert places[name] in links, f"{spelled_out(name)} has no link"


# ---- the commands


def helps() -> dict[str, tuple[str, str]]:
    """`qt train` -> its page, and what --help prints."""
    import qt.cli
    import tisslang.cli

    texts = {}
    for program, main in (("qt", qt.cli.main), ("tiss", tisslang.cli.main)):
        waiting: list[tuple[str, ...]] = [()]
        while waiting:
            words = waiting.pop()
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
                main([*words, "--help"])
            text = out.getvalue()
            texts[" ".join((program, *words))] = f"{program}_cli", text
            commands = re.split(r"^(?:commands|actions):\n", text, flags=re.M)[1:]
            listed = re.findall(r"^    ([a-z]+)\b", "".join(commands).partition("\n\n")[0], re.M)
            waiting += [(*words, name) for name in listed]
    return texts


def test_the_pages_of_commands_say_what_help_says(site: Path) -> None:
    texts = helps()
    assert {"qt train", "qt tokenize encode", "tiss run", "tiss lsp"} <= texts.keys()
    for command, (name, text) in texts.items():
        if " " in command:
            section = article(site, f"book/api/{name}").find(
                "section", id=command.replace(" ", "-")
            )
            assert isinstance(section, Tag), f"{command} has no section"
            found = " ".join(section.get_text(" ").split())
            for flag in set(re.findall(r"^ +(--[\w-]+)", text, re.M)) - {"--help"}:
                assert flag in found, f"{command} {flag}"


def test_each_room_of_the_core_has_a_page() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    described = set(re.findall(r"automodule:: (\S+)", text))
    rooms = {
        module.__name__
        for name, module in vars(qt).items()
        if inspect.ismodule(module) and name in qt.__all__
    }
    assert rooms <= described
