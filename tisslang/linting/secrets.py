"""Characters that no plan should hold: T306 (secrets) and T309 (bidirectional controls)."""

from __future__ import annotations

import re

from tisslang.linting.findings import Report
from tisslang.linting.source import Source

# Behind a letter or digit it is part of something else (`disk-…`), except behind an escape: `\n`.
_SECRET = re.compile(
    r"""(?: (?<![A-Za-z0-9]) | (?<=\\[ntr]) )
    (?: (?P<aws>     AKIA [A-Z0-9]{16} )
      | (?P<github>  gh[po]_ [A-Za-z0-9]{36} )
      | (?P<key>     sk- [A-Za-z0-9]{20,} )
    )
    | (?P<private>   -----BEGIN [ ] (?: [A-Z0-9]++ [ ] )* PRIVATE [ ] KEY----- )
    """,
    re.VERBOSE,
)
_PART = re.compile(r"AKIA|gh[po]_|sk-|PRIVATE KEY")  # found fast; most scripts have none
_KINDS = {
    "aws": "an access key of AWS",
    "github": "a token of GitHub",
    "key": "a secret key (sk-…)",
    "private": "a private key",
}
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


def check(source: Source, report: Report) -> None:
    """T306 in strings and heredocs; T309 in the whole text, for comments can deceive as well."""
    for start, end in source.texts() if _PART.search(source.text) else ():
        for match in _SECRET.finditer(source.text, start, end):
            kind = _KINDS[str(match.lastgroup)]
            hint = "take it out, and make it void; give the value with --secret NAME"
            report.add("T306", match.span(), f"this looks like {kind}", hint)
    if source.text.isascii():
        return
    for match in _DIRECTION.finditer(source.text):
        message = f"U+{ord(match[0]):04X} changes the direction of writing"
        hint = "remove it: what follows looks different from what it is"
        report.add("T309", match.span(), message, hint)
