"""Words of the glossary are links where a chapter first uses them.

The notebooks stay as they are. A lesson writes a term in bold where it explains it: that is the
place of the link. A term that is never bold there has its link at the first mention. Each term has
one link a chapter.
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from texts import join_texts, link_to, replace_text, running_texts

GLOSSARY = Path(__file__).resolve().parents[1] / "glossary.md"
CHAPTERS = re.compile(r"notebooks/|book/(?!glossary$|bibliography$|api/)")
# These are also words of every day, so only a bold one is surely meant.
ONLY_BOLD = frozenset(
    ["backward", "block", "budget", "directive", "event", "filter", "forward", "gate", "head", "id",
     "key", "norm", "operator", "plan", "query", "rank", "report", "residual", "state", "step",
     "target", "template", "tool", "tree", "value", "weight", "window"]
)  # fmt: skip
# Other forms of a term: how lessons say it within a sentence.
FORMS = {
    "broadcasts": "broadcasting",
    "data parallelism": "data parallel",
    "overfits": "overfitting",
    "saturated": "saturation",
    "stochastic": "SGD",
    "stream": "residual stream",
    "tied": "weight tying",
    "topological": "topological order",
    "vocabularies": "vocabulary",
    "entropies": "entropy",
}


@cache
def terms() -> dict[str, str]:
    """{term or other form of it: the first term of its entry}, from the page itself."""
    page = GLOSSARY.read_text(encoding="utf-8")
    entries = page.partition("```{glossary}\n")[2].partition("\n```")[0].split("\n\n")
    found: dict[str, str] = {}
    for entry in entries:
        names = [line for line in entry.splitlines() if not line.startswith(" ")]
        found |= dict.fromkeys(names, names[0])
    return found | {form: found[term] for form, term in FORMS.items()}


@cache
def patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What may be bold, and what may stand anywhere: longest first, with a plural."""
    names = sorted(terms(), key=len, reverse=True)
    anywhere = [name for name in names if name not in ONLY_BOLD and name not in FORMS]

    def either(names: list[str]) -> str:
        return "|".join(re.escape(name).replace(r"\ ", r"[\s-]+") for name in names)

    return (
        re.compile(rf"({either(names)})(?:s|es)?\.?", re.IGNORECASE),
        re.compile(rf"(?<![\w-])({either(anywhere)})(?:s|es)?(?![\w-])", re.IGNORECASE),
    )


def entry_of(words: str) -> str | None:
    """The entry that a match means. RoPE is written so, and "adam" in a file's name is not Adam."""
    found = re.sub(r"[\s-]+", " ", words)
    for name, entry in terms().items():
        plain = re.sub(r"[\s-]+", " ", name)
        if found == plain or (name.islower() and found.lower() == plain):
            return entry
    return None


class GlossaryLinks(SphinxTransform):
    """Links from a chapter to the glossary."""

    default_priority = 520  # behind the papers, whose names are links by now

    def apply(self, **_: object) -> None:
        """First what is bold, then what is not."""
        if not CHAPTERS.match(self.env.docname):
            return
        join_texts(self.document)
        bold, anywhere = patterns()
        linked: set[str] = set()
        texts = list(running_texts(self.document))
        for text in texts:
            match = bold.fullmatch(text.astext().strip())
            if match and isinstance(text.parent, nodes.strong):
                entry = entry_of(match[1])
                if entry and entry not in linked:
                    linked.add(entry)
                    replace_text(text, [(0, len(text), self.link(entry))], "term")
        for text in running_texts(self.document):
            links = []
            for match in anywhere.finditer(text.astext()):
                entry = entry_of(match[1])
                if entry and entry not in linked:
                    linked.add(entry)
                    links.append((match.start(), match.end(), self.link(entry)))
            replace_text(text, links, "term")

    def link(self, entry: str) -> addnodes.pending_xref:
        """Sphinx finds the place."""
        return link_to("std", "term", entry, self.env.docname)


def depend(app: Sphinx, doctree: nodes.document) -> None:
    """A changed glossary changes every page."""
    app.env.note_dependency(str(GLOSSARY))


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the transform, and that chapters hang on the glossary."""
    app.add_transform(GlossaryLinks)
    app.connect("doctree-read", depend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
