"""Buttons that open a chapter on another computer, where REPOSITORY in conf.py is set.

The theme makes those for Binder and Colab. Binder can show JupyterLab or the plain notebook page,
and the theme offers one of them: here both stand, JupyterLab first.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PLACEHOLDER = "https://github.com/OWNER/NAME"  # how pages write the address of the project


def add_jupyterlab(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put a button for JupyterLab before the theme's."""
    for group in context.get("header_buttons", []):
        if group.get("label") != "launch-buttons":
            continue
        binder = next(b for b in group["buttons"] if b["text"] == "Binder")
        lab = binder | {"text": "JupyterLab", "icon": "_static/images/logo_jupyterhub.svg"}
        lab["tooltip"] = "Open in JupyterLab, on Binder"
        binder["url"] = binder["url"].replace("?urlpath=lab/tree/", "?urlpath=tree/")
        group["buttons"].insert(0, lab)


class Addresses(SphinxTransform):
    """Pages then say the address itself."""

    default_priority = 500

    def apply(self, **_: object) -> None:
        """Replace the placeholder in code."""
        if address := self.config.html_theme_options.get("repository_url"):
            for literal in list(self.document.findall(nodes.literal)):
                if PLACEHOLDER in (text := literal.astext()):
                    literal.children = []
                    literal += nodes.Text(text.replace(PLACEHOLDER, address))


def setup(app: Sphinx) -> dict[str, bool]:
    """Come after the theme, whose own priority is 501."""
    app.add_transform(Addresses)
    app.connect("html-page-context", add_jupyterlab, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
