"""Papers: a mention such as "Vaswani et al. 2017" leads to its entry in the bibliography.

Lessons and docstrings name a paper by its authors and the year. The names of an entry are computed
from book/references.bib, so nothing is written twice.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from docutils import nodes
from pybtex.database import Entry, parse_file
from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.plain import Style as Plain
from pybtex.style.labels import BaseLabelStyle
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from texts import join_texts, link_to, replace_text, running_texts

PAGE = "book/bibliography"
REFERENCES = Path(__file__).resolve().parents[1] / "references.bib"
AND_YEAR = re.compile(r"(?:\s+\([^()]*\))?\s+and\s+((?:19|20)\d\d)\b")


def surnames(entry: Entry) -> list[str]:
    """The authors' names without first names; "others" at the end is one more."""
    people = entry.persons["author"]
    return [str(Text.from_latex(" ".join(p.prelast_names + p.last_names))) for p in people]


def label(entry: Entry) -> str:
    """Vaswani et al. 2017; Press & Wolf 2017; Shazeer 2019."""
    names = surnames(entry)
    who = " & ".join(names) if len(names) <= 2 else f"{names[0]} et al."
    return f"{who} {entry.fields['year']}"


def names_of(entry: Entry) -> Iterator[str]:
    """All ways in which a text may name the authors."""
    names = surnames(entry)
    if len(names) <= 2:
        yield " & ".join(names)
        yield " and ".join(names)
    else:
        yield f"{names[0]} et al."
        yield ", ".join(names[:-1]) + " & " + names[-1]
    yield names[0]


@cache
def mentions() -> dict[tuple[str, str], str]:
    """(names, year) -> the key of the entry; of two with the same names, the first."""
    found: dict[tuple[str, str], str] = {}
    for key, entry in parse_file(str(REFERENCES)).entries.items():
        for names in names_of(entry):
            found.setdefault((names, entry.fields["year"]), key)
    return found


@cache
def pattern() -> re.Pattern[str]:
    """Any names, then a year, which may stand in brackets."""
    names = sorted({names for names, _ in mentions()}, key=len, reverse=True)
    either = "|".join(re.escape(n).replace(r"\ ", r"\s+") for n in names)
    return re.compile(rf"\b({either})\s+(\()?((?:19|20)\d\d)(?(2)\))(?!\d)")


def find(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, key) of each paper that is named. "X 2017 (this) and 2019" names two."""
    for match in pattern().finditer(text):
        names, year = " ".join(match[1].split()), match[3]
        if key := mentions().get((names, year)):
            yield match.start(), match.end(), key
            more = AND_YEAR.match(text, match.end())
            if more and (key := mentions().get((names, more[1]))):
                yield more.start(1), more.end(1), key


class Mentions(SphinxTransform):
    """Make a link of each, in lessons, pages and docstrings."""

    default_priority = 510

    def apply(self, **_: object) -> None:
        """Look at all running text of the page."""
        if self.env.docname == PAGE:
            return
        join_texts(self.document)
        for text in running_texts(self.document):
            links = [(start, end, self.link(key)) for start, end, key in find(text.astext())]
            replace_text(text, links, "paper")

    def link(self, key: str) -> addnodes.pending_xref:
        """What `resolve` will fill in."""
        return link_to("", "paper", key, self.env.docname)


def resolve(
    app: Sphinx, env: BuildEnvironment, wanted: addnodes.pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """The place of an entry on the page of all."""
    if wanted["reftype"] != "paper":
        return None
    uri = app.builder.get_relative_uri(wanted["refdoc"], PAGE) + f"#paper-{wanted['reftarget']}"
    return nodes.reference("", "", *wanted.children, internal=True, refuri=uri)


class Labels(BaseLabelStyle):
    """Entries are called as the lessons call them."""

    def format_labels(self, sorted_entries: list[Entry]) -> Iterator[str]:
        """One for each; two of the same authors and year get an a and a b."""
        labels = [label(entry) for entry in sorted_entries]
        for i, name in enumerate(labels):
            same = labels.count(name) > 1
            yield name + "abc"[labels[:i].count(name)] if same else name


class Style(Plain):
    """Sorted by author and year, with those labels."""

    default_label_style = Labels


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx and pybtex."""
    app.setup_extension("sphinxcontrib.bibtex")
    register_plugin("pybtex.style.formatting", "authors", Style)
    app.add_transform(Mentions)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
