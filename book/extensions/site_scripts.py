"""The scripts of the pages come from the book itself, so that no page asks another host.

npm fetches MathJax, RequireJS and the manager of Jupyter's widgets into book/node_modules, by
book/package-lock.json; the files that pages load are copied from there.
"""

import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

PACKAGES = Path(__file__).resolve().parents[1] / "node_modules"

MATHJAX = "mathjax/es5/"
MANAGER = "@jupyter-widgets/html-manager/dist/"
# In the site's _static: the files that stand for each, of all those that npm has fetched.
COPIES = {
    "mathjax": [MATHJAX + "tex-chtml.js"],
    "mathjax/output/chtml/fonts/woff-v2": [MATHJAX + "output/chtml/fonts/woff-v2/*.woff"],
    "widgets": ["requirejs/require.js", MANAGER + "embed-amd.js"],
    "widgets/" + MANAGER: [MANAGER + "*.woff2"],  # where its modules look for them
}

# The menu of a formula would load its speech engine from another place. What screen readers read,
# the formula as MathML, is there without it.
MATHJAX_SETTINGS = {"options": {"enableMenu": False}}

# Only pages with a widget load these, and after their text. Without a module the manager would ask
# a public host: it is sent to a folder that is not there.
WIDGET_SCRIPTS = {
    "widgets/require.js": {"defer": "defer"},
    "widgets/start.js": {"defer": "defer"},
    "widgets/embed-amd.js": {"defer": "defer", "data-jupyter-widgets-cdn": "./missing/"},
}


def configure(app: Sphinx, config: Config) -> None:
    """Name our own copies where Sphinx and myst-nb name those of public hosts."""
    config.mathjax_path = "mathjax/tex-chtml.js"
    config.mathjax3_config = MATHJAX_SETTINGS
    config.nb_ipywidgets_js = WIDGET_SCRIPTS


def copy(app: Sphinx) -> None:
    """Copy the scripts into the site. `ExtensionError` when npm has not fetched them."""
    if app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for folder, patterns in COPIES.items():
        for pattern in patterns:
            found = sorted(PACKAGES.glob(pattern))
            if not found:
                raise ExtensionError(
                    f"book/node_modules has no {pattern}: run `make book`, which lets npm fetch it"
                )
            for source in found:
                put(source, static / folder / source.name)
    # anywidget's own module comes with its Python package, in the version of the notebooks.
    module = files("anywidget") / "nbextension" / "index.js"
    put(Path(str(module)), static / "widgets" / "anywidget.js")


def put(source: Path, target: Path) -> None:
    """Copy one file; its folder is made if need be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_css_file("widgets/widgets.css")
    app.add_js_file("scrollable.js", loading_method="defer")
    app.connect("config-inited", configure)
    app.connect("builder-inited", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
