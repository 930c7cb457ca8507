"""Links to source files, as lessons write them (`../qt/data.py`), lead to a page with that source.

The page is the one that sphinx.ext.viewcode makes (`_modules/qt/data`), with the colours of the
book and links back to the reference. A module that no reference page shows gets one too.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import PycodeError
from sphinx.pycode import ModuleAnalyzer
from sphinx.transforms import SphinxTransform

SOURCE = re.compile(r"(?:\.\./)+((?:qt|tisslang)/[\w/]+)\.py\b")


def module_of(target: str) -> str | None:
    """`../qt/viz/__init__.py` is `qt.viz`; None for what is no source of ours."""
    found = SOURCE.fullmatch(target)
    return found[1].removesuffix("/__init__").replace("/", ".") if found else None


class SourceLinks(SphinxTransform):
    """Without it, such a link would download the file."""

    default_priority = 500

    def apply(self, **_: object) -> None:
        """Make references of what MyST takes for downloads."""
        for link in list(self.document.findall(addnodes.download_reference)):
            if module := module_of(link["reftarget"]):
                wanted = addnodes.pending_xref(
                    "", *link.children, refdomain="", reftype="source", reftarget=module,
                    refdoc=self.env.docname, refexplicit=True, refwarn=True,
                )  # fmt: skip
                wanted.line = link.line
                link.replace_self(wanted)


def resolve(
    app: Sphinx, env: BuildEnvironment, wanted: addnodes.pending_xref, content: nodes.Element
) -> nodes.reference | None:
    """Point at the page of a module; None where there is none, which is a warning of Sphinx."""
    module = wanted["reftarget"]
    if wanted["reftype"] != "source" or not env._viewcode_modules.get(module):
        return None
    page = "_modules/" + module.replace(".", "/")
    uri = app.builder.get_relative_uri(wanted["refdoc"], page)
    text = nodes.inline("", "", *wanted.children)
    return nodes.reference("", "", text, internal=True, refuri=uri)


def want_pages(app: Sphinx, env: BuildEnvironment) -> None:
    """Ask viewcode for a page of each module that a chapter links to."""
    if not hasattr(env, "_viewcode_modules"):
        env._viewcode_modules = {}
    for docname in sorted(env.found_docs):
        text = Path(env.doc2path(docname)).read_text(encoding="utf-8")
        for path in SOURCE.finditer(text):
            module = module_of(path[0])
            if module and not env._viewcode_modules.get(module):
                try:
                    analyzer = ModuleAnalyzer.for_module(module)
                    analyzer.analyze()
                except PycodeError:
                    continue  # the link itself will be warned of, with its line
                env._viewcode_modules[module] = (analyzer.code, analyzer.tags, {}, module)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx when to call these."""
    app.setup_extension("sphinx.ext.viewcode")
    app.add_transform(SourceLinks)
    app.connect("env-updated", want_pages)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
