"""Each picture says in words what it shows: the alt text of a notebook's output.

Our figures give a text beside the picture (`text/plain`); myst-nb leaves it out.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class AltTexts(SphinxTransform):
    """Also for outputs that a build with QT_BOOK_EXECUTE has just made."""

    default_priority = 500

    def apply(self, **_: object) -> None:
        """Give the picture of each output the text that the same output offers."""
        for bundle in self.document.findall(nodes.container):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            by_type = {part.get("mime_type"): part for part in bundle.children}
            text = by_type["text/plain"].astext() if "text/plain" in by_type else ""
            for image in bundle.findall(nodes.image):
                if text and not image.get("alt"):
                    image["alt"] = text


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the transform."""
    app.add_transform(AltTexts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
