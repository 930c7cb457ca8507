"""Secrets: what no text of a report, event, log or terminal may show (language reference, 10.4)."""

import contextlib
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MASK = "***"
MIN_LENGTH = 4  # hiding every `ab` would hide much more than a secret
_CUT_CHARACTER = "\ufffd"  # what decoding makes of a character whose last bytes were cut off


class Secrets:
    """Hides `values`, each under the name of its variable, wherever they appear in a text.

    A value is found as it is, trimmed, as JSON writes it (without the outer quotes), as it stands
    between single quotes in a shell command, and as Python's `repr` writes it. A value of fewer
    than four characters, or of white space only, is not hidden.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._forms: list[str] = []
        self._pattern: re.Pattern[str] | None = None
        self._hide_from_now_on(values.values())

    def learn_cut(self, text: str) -> None:
        """A text was cut at its end: should it end within a secret, hide that piece as well."""
        start = self._start_of_cut_secret(text)
        if start < len(text):
            self._hide_from_now_on([text[start:]])

    def mask(self, text: str) -> str:
        """The text with `***` in place of each secret; those that overlap become one `***`."""
        return _hide(text, self._places(text)) if self._pattern else text

    def mask_cut(self, text: str) -> str:
        """The same for a text that was cut at its end, perhaps within a secret: an end that is the
        beginning of a secret, by four characters or more, is hidden too.
        """
        if not self._pattern:
            return text
        places = self._places(text)
        start = self._start_of_cut_secret(text)
        while places and places[-1][1] > start:
            start = min(start, places.pop()[0])
        if start < len(text):
            places.append((start, len(text)))
        return _hide(text, places)

    def mask_all(self, value: Any) -> Any:
        """A value as JSON has them, each text in it masked; keys, numbers, booleans stay."""
        if not self._pattern:
            return value
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {key: self.mask_all(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(item) for item in value]
        return value

    def _hide_from_now_on(self, values: Iterable[str]) -> None:
        with self._lock:  # branches of PARALLEL learn, too
            forms = {form for value in values for form in _forms(value)}.union(self._forms)
            # A regular expression takes the first alternative that fits: the longest goes first.
            self._forms = sorted(forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, self._forms))) if forms else None

    def _places(self, text: str) -> list[tuple[int, int]]:
        """Where secrets stand, from left to right, those that overlap as one place."""
        assert self._pattern is not None
        places: list[tuple[int, int]] = []
        found = self._pattern.search(text)
        while found:
            start, end = found.span()
            if places and start < places[-1][1]:
                places[-1] = places[-1][0], max(places[-1][1], end)
            else:
                places.append((start, end))
            found = self._pattern.search(text, start + 1)
        return places

    def _start_of_cut_secret(self, text: str) -> int:
        """Where the longest beginning of a secret that ends the text starts; else its length."""
        earliest = len(text)
        for end in {len(text), len(text.removesuffix(_CUT_CHARACTER))}:
            for form in self._forms:
                first = form[:MIN_LENGTH]
                start = text.find(first, max(0, end - len(form)), end)
                while start >= 0 and not form.startswith(text[start:end]):
                    start = text.find(first, start + 1, end)
                if start >= 0:
                    earliest = min(earliest, start)
        return earliest


def _forms(value: str) -> Iterator[str]:
    """Everything that a secret may look like in a text."""
    trimmed = value.strip()
    for text in {value, trimmed, _as_decoded(value), _as_decoded(trimmed)}:
        if len(text) >= MIN_LENGTH and not text.isspace():
            yield text
            yield json.dumps(text, ensure_ascii=False)[1:-1]
            yield json.dumps(text)[1:-1]  # as most programs write JSON: `\u00e9`
            yield text.replace("'", r"'\''")
            yield repr(text)[1:-1]  # as messages quote a path; what stands around it decides
            yield repr('"' + text)[2:-1]  # whether `'` is escaped


def _as_decoded(value: str) -> str:
    """The value as the output of a command shows it, should it hold bytes that are not UTF-8."""
    with contextlib.suppress(UnicodeEncodeError):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value


def _hide(text: str, places: list[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in places:
        parts += [text[done:start], MASK]
        done = end
    return "".join([*parts, text[done:]])
