"""What the extensions that link words share: which text of a page may get a link, and how."""

from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes

# A link here would be wrong, or a link in a link.
CLOSED = (
    nodes.title, nodes.literal, nodes.literal_block, nodes.reference, nodes.raw, nodes.math,
    nodes.math_block, nodes.comment, nodes.caption, nodes.rubric, addnodes.pending_xref,
    addnodes.download_reference, addnodes.desc_signature, addnodes.glossary,
)  # fmt: skip


def join_texts(document: nodes.document) -> None:
    """MyST makes three texts of two lines. A name that is broken over them must be found."""
    for parent in list(document.findall(nodes.TextElement)):
        joined: list[nodes.Node] = []
        for child in parent.children:
            if joined and isinstance(child, nodes.Text) and isinstance(joined[-1], nodes.Text):
                joined[-1] = nodes.Text(joined[-1] + child)
            else:
                joined.append(child)
        if len(joined) < len(parent.children):
            parent.children = []
            parent.extend(joined)


def running_texts(document: nodes.document) -> Iterator[nodes.Text]:
    """All text that is read as sentences, in order. It may be replaced meanwhile."""
    for text in list(document.findall(nodes.Text)):
        above = text.parent
        while above is not None and not isinstance(above, CLOSED):
            above = above.parent
        if above is None:
            yield text


def link_to(domain: str, kind: str, target: str, page: str) -> addnodes.pending_xref:
    """A link from `page` to something of that kind, whose place Sphinx finds later."""
    return addnodes.pending_xref(
        "", refdomain=domain, reftype=kind, reftarget=target, refdoc=page, refexplicit=True,
        refwarn=True,
    )  # fmt: skip


def replace_text(text: nodes.Text, links: list[tuple[int, int, nodes.Element]], css: str) -> None:
    """Put each link (start, end, node) around its part of the text. `css` is the class of it."""
    pieces: list[nodes.Node] = []
    end = 0
    for start, stop, link in links:
        if start > end:
            pieces.append(nodes.Text(text[end:start]))
        link += nodes.inline("", text[start:stop], classes=[css])
        pieces.append(link)
        end = stop
    if links:
        if end < len(text):
            pieces.append(nodes.Text(text[end:]))
        # By identity: two equal texts are equal to a list's search.
        parent = text.parent
        at = next(i for i, child in enumerate(parent.children) if child is text)
        parent[at : at + 1] = pieces
