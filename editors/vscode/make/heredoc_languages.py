"""The languages in which a heredoc is coloured, by the word behind `<<`.

A word counts in upper and lower case. Every other word leaves the body in the colour of a string.
"""

from __future__ import annotations

# (VS Code's name, its scope, the words). The name of the language is the first word of all.
LANGUAGES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("python", "source.python", ("python", "python3", "py")),
    ("javascript", "source.js", ("javascript", "js", "mjs", "node")),
    ("typescript", "source.ts", ("typescript", "ts")),
    ("json", "source.json", ("json",)),
    ("yaml", "source.yaml", ("yaml", "yml")),
    ("toml", "source.toml", ("toml",)),
    ("html", "text.html.basic", ("html", "htm")),
    ("css", "source.css", ("css",)),
    ("markdown", "text.html.markdown", ("markdown", "md")),
    ("shellscript", "source.shell", ("shellscript", "shell", "sh", "bash", "zsh")),
    ("sql", "source.sql", ("sql",)),
    ("c", "source.c", ("c", "h")),
    ("cpp", "source.cpp", ("cpp", "cc", "cxx", "hpp")),
    ("csharp", "source.cs", ("csharp", "cs")),
    ("rust", "source.rust", ("rust", "rs")),
    ("go", "source.go", ("go", "golang")),
    ("java", "source.java", ("java",)),
    ("ruby", "source.ruby", ("ruby", "rb")),
    ("perl", "source.perl", ("perl",)),
    ("lua", "source.lua", ("lua",)),
    ("r", "source.r", ("r",)),
    ("xml", "text.xml", ("xml", "svg")),
    ("dockerfile", "source.dockerfile", ("dockerfile", "docker")),
    ("makefile", "source.makefile", ("makefile", "make")),
    ("ini", "source.ini", ("ini", "cfg", "conf")),
    ("diff", "source.diff", ("diff", "patch")),
    ("tiss", "source.tiss", ("tiss",)),
)


def embedded_languages() -> dict[str, str]:
    """What package.json tells VS Code: the scope of a body, and the language that it is in."""
    return {body_scope(name): name for name, _, _ in LANGUAGES}


def body_scope(name: str) -> str:
    """The scope of a heredoc's body. `meta.embedded` ends the scope of a string around it."""
    return f"meta.embedded.block.{name}"
