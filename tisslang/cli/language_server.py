"""`tiss lsp`: the language server, and how an editor is told of it."""

from __future__ import annotations

from tisslang.cli.input import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

EDITORS = """\
It needs pygls: pip install "quantatissu[editor]". An editor starts the server by itself and
talks to it over standard input and output.

VS Code      install the extension (make vscode builds it); it finds `tiss` in the .venv of the
             workspace, else on the PATH

Neovim 0.11  in init.lua:
               vim.filetype.add({ extension = { tiss = "tiss" } })
               vim.lsp.config("tiss", { cmd = { "tiss", "lsp" }, filetypes = { "tiss" },
                                        root_markers = { ".git" } })
               vim.lsp.enable("tiss")

JupyterLab   pip install jupyterlab-lsp, then in jupyter_server_config.py:
               c.LanguageServerManager.language_servers = {"tiss": {"version": 2,
                 "argv": ["tiss", "lsp"], "languages": ["tiss"],
                 "mime_types": ["text/x-tisslang"]}}

Others       the command is `tiss lsp`, the files are *.tiss, the language is called tiss
"""


def add_lsp_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `tiss lsp`."""
    import argparse

    class Formatter(argparse.RawDescriptionHelpFormatter):
        """The width of the other commands, but the lines of the text as they are."""

        def __init__(self, prog: str) -> None:
            super().__init__(prog, max_help_position=32, width=96)

    parser.formatter_class = Formatter
    parser.epilog = EDITORS
    text = "talk over standard input and output, which is what happens anyway"
    parser.add_argument("--stdio", action="store_true", help=text)


def language_server(options: argparse.Namespace) -> int:
    """Serve one editor until it says that it is done."""
    try:
        from tisslang.lsp.connection import serve
        from tisslang.lsp.server import TissServer
    except ImportError as error:
        if error.name is None or error.name.startswith("tisslang"):
            raise
        what = 'the language server needs pygls 2: pip install "quantatissu[editor]"'
        raise UsageError(what) from None
    return serve(TissServer(), options.debug)
