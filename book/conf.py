"""The book: how Sphinx makes pages of the notebooks, of book/*.md and of the docstrings.

`make book` runs `sphinx-build -c book . build/book/html`: the source directory is the project, so
that a notebook's links mean here what they mean on GitHub and in JupyterLab. The table of contents
is book/_toc.yml, in Jupyter Book's format.
"""

import os
import sys
from pathlib import Path

BOOK = Path(__file__).resolve().parent
sys.path[:0] = [str(BOOK / "extensions"), str(BOOK.parent)]

# The address of the project on GitHub, "https://github.com/OWNER/NAME". It turns on what starts a
# chapter elsewhere (JupyterLab, Binder, Colab) and the links to the source. Empty: none of these.
REPOSITORY = os.environ.get("QT_BOOK_REPOSITORY", "")
BRANCH = "main"

project = "QuantaTissu"
author = "The QuantaTissu authors"
language = "en"
html_title = "QuantaTissu"
html_short_title = "QuantaTissu"

extensions = [
    "myst_nb",
    "sphinx_external_toc",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_book_theme",
    # ours, each a file in book/extensions
    "docstrings",
    "name_links",
    "command_lines",
    "measured",
    "links",
    "figures",
    "tiss_cells",
    "citations",
    "glossary_links",
    "launch",
    "site_scripts",
]

include_patterns = ["book/**", "notebooks/*.ipynb"]
exclude_patterns = ["**/node_modules", "jupyter_execute", "**/.ipynb_checkpoints", "student"]
external_toc_path = "book/_toc.yml"
external_toc_exclude_missing = False

# ---------------------------------------------------------------------------------- the notebooks

# Pages are made of the stored outputs; QT_BOOK_EXECUTE=1 runs every notebook anew.
nb_execution_mode = "force" if os.environ.get("QT_BOOK_EXECUTE") else "off"
nb_execution_in_temp = True  # what a lesson writes does not stay in notebooks/
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath", "html_image"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

# ------------------------------------------------------------------------------------- the pages

nitpicky = True
smartquotes = False  # "--flag" stays what it is
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "authors"  # extensions/citations.py
bibtex_cite_id = "paper-{key}"
viewcode_line_numbers = True

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_logo = "_static/logo.svg"
html_favicon = "_static/favicon.svg"
html_copy_source = True
html_show_sphinx = False
html_last_updated_fmt = None
html_show_copyright = False
html_context = {"default_mode": "auto"}  # light or dark as the reader's system
html_theme_options = {
    "logo": {"text": project, "alt_text": ""},  # the name stands beside the mark
    "navbar_persistent": [],
    "collapse_navbar": True,  # else each of the many pages lists all others
    "use_download_button": True,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "repository_url": REPOSITORY,
    "repository_branch": BRANCH,
    "use_repository_button": bool(REPOSITORY),
}
if REPOSITORY:
    html_theme_options["launch_buttons"] = {
        "notebook_interface": "jupyterlab",
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
    }

# --------------------------------------------------------------------------------- the reference

autodoc_inherit_docstrings = False  # a method that an ancestor describes is described there
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
python_trailing_comma_in_multi_line_signatures = False
toc_object_entries_show_parents = "hide"
html_css_files.append("reference.css")

# ------------------------------------------------------------------------------------ the scripts

# Pages load all that they run from the book itself, and are readable by all: see these extensions.
extensions += ["valid_pages"]
html_css_files.append("accessible.css")
