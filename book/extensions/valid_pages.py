"""What Sphinx and the theme write otherwise than the rules of HTML and of accessibility want it.

Browsers show the pages all the same; screen readers and checkers stumble.
"""

import re
from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], _: object) -> None:
    """Change the page's text, and what the theme will write around it."""
    if body := context.get("body"):
        if page == "_modules/index":
            body = lists_in_items(body)
        elif page.startswith("_modules/"):
            body = re.sub(r"<pre>.*</pre>", spans_in_code, body, flags=re.DOTALL)
            body = links_to_descriptions(app, body)
        body = re.sub(r"<dl>\s*<dd>.*?</dl>", signature, body, flags=re.DOTALL)
        # A paper in a list of papers: this role has replaced the other one.
        context["body"] = body.replace('role="doc-biblioentry"', 'role="listitem"')
    if navigation := context.get("generate_toctree_html"):
        context["generate_toctree_html"] = with_names(navigation)


def lists_in_items(body: str) -> str:
    """The list of modules: sphinx.ext.viewcode puts a list straight into a list."""
    head, end = body.replace("</li>\n<ul>", "\n<ul>").rsplit("</ul>", 1)
    return f"{head.replace('</ul>', '</ul></li>')}</ul>{end}"


def spans_in_code(code: re.Match[str]) -> str:
    """Source code: viewcode puts a `div` for each function into `pre`."""
    return code[0].replace("<div ", "<span ").replace("</div>", "</span>")


def links_to_descriptions(app: Sphinx, body: str) -> str:
    """A link from a function's source to its description: that may stand there under its public
    name, `qt.KVCache`, while viewcode looks for `qt.attention.KVCache`, or the other way round.
    """
    known = app.env.domains["py"].data["objects"]

    def described(link: re.Match[str]) -> str:
        page, name = link[1], link[2]
        here = [other for other in known if page.endswith(f"/{known[other].docname}.html")]
        parts = name.split(".")
        ends = [name, *("." + ".".join(parts[i:]) for i in range(len(parts)))]
        found = (known[other].node_id for end in ends for other in here if other.endswith(end))
        return f'class="viewcode-back" href="{page}#{next(found, name)}"'

    return re.sub(r'class="viewcode-back" href="([^"#]*)#([^"]*)"', described, body)


def signature(parameters: re.Match[str]) -> str:
    """A signature of several lines: Sphinx writes definitions without terms."""
    lines = parameters[0].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")
    return lines.replace("<dl>", '<span class="sig-lines">').replace("</dl>", "</span>")


def with_names(navigation: Callable[..., Any]) -> Callable[..., Any]:
    """The arrow that unfolds a part of the navigation: the theme gives it no name."""

    def generate(*args: Any, **options: Any) -> str:
        html = str(navigation(*args, **options))
        return html.replace(
            '<summary><span class="toctree-toggle"',
            '<summary aria-label="Its pages"><span class="toctree-toggle"',
        )

    return generate


def setup(app: Sphinx) -> dict[str, Any]:
    """Come after the theme, which adds to the context too."""
    app.connect("html-page-context", mend, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
