"""The `config` of a repository that a command made, cut down to keys that run nothing.

`git` runs programs that its configuration names (`core.fsmonitor`, `alias.*`, `filter.*`, …), so no
key stays unless it is listed here. Only what is written the one way in which `git config` itself
writes it is left as it is: about such a text no two readers can differ. Everything else is written
anew, from what this parser understood; where it is wrong about git's syntax a key is lost or kept
with a value of its own kind, and never another key.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

MAX_CONFIG = 64 * 1024  # bytes; nothing of a larger one is kept

_BOOLEANS = {b"true": b"true", b"yes": b"true", b"on": b"true", b"1": b"true"}
_BOOLEANS |= {b"false": b"false", b"no": b"false", b"off": b"false", b"0": b"false"}
_LONGEST_TEXT = 1000
_MARK = b"\xef\xbb\xbf"  # of UTF-8; git ignores it at the beginning
_OPTIONAL = b":(optional)"  # before a path: it may be missing
_SPACES = b" \t\r\n"
_ESCAPED = {0x74: b"\t", 0x62: b"\b", 0x6E: b"\n", 0x5C: b"\\", 0x22: b'"'}  # after a backslash
_NEWLINE, _BACKSLASH, _QUOTE = b'\n\\"'


def cleaned(data: bytes) -> bytes:
    """The config that may stay: `data` itself if it is harmless and plainly written."""
    if len(data) > MAX_CONFIG:
        return b""
    return data if _is_plain(data) else _written(_parsed(data))


def named_paths(data: bytes) -> list[tuple[str, str]]:
    """What git takes from elsewhere by a config: "path" (an include), "hookspath", "worktree".

    Each with the path as it is written, up to the first error in the syntax. Paths that begin with
    a home directory are left out.
    """
    if b"path" not in data.lower():  # so most are done; without hooks a work tree means nothing
        return []
    found: list[tuple[str, str]] = []
    for section, key, value in _Reader(data.removeprefix(_MARK)).entries():
        included = section.startswith(b"include") and key == b"path"
        if included or (section == b"core" and key in (b"hookspath", b"worktree")):
            path = (value or b"").partition(b"\0")[0].removeprefix(_OPTIONAL)
            if path and not path.startswith(b"~"):
                found.append((key.decode(), os.fsdecode(path)))
    return found


def _boolean(value: bytes | None) -> bytes | None:
    return b"true" if value is None else _BOOLEANS.get(value.lower())


def _version(value: bytes | None) -> bytes | None:
    return value if value in (b"0", b"1") else None


def _hash_name(value: bytes | None) -> bytes | None:
    return value if value in (b"sha1", b"sha256") else None


def _text(value: bytes | None) -> bytes | None:
    if value is None or len(value) > _LONGEST_TEXT or any(c < 0x20 or c == 0x7F for c in value):
        return None
    return value


# section → key → its value in plain form; None for a value that makes no sense.
_KEPT: dict[bytes, dict[bytes, Callable[[bytes | None], bytes | None]]] = {
    b"core": {
        b"repositoryformatversion": _version,
        b"filemode": _boolean,
        b"bare": _boolean,
        b"logallrefupdates": _boolean,
        b"ignorecase": _boolean,
        b"precomposeunicode": _boolean,
        b"symlinks": _boolean,
    },
    b"extensions": {b"objectformat": _hash_name},
    b"user": {b"name": _text, b"email": _text},
}
_HEADERS = {b"[" + section + b"]": keys for section, keys in _KEPT.items()}


def _is_plain(data: bytes) -> bool:
    """Whether every line is `[section]`, or a tab, `key = value` as `git config` writes them."""
    keys = None
    for line in data.removesuffix(b"\n").split(b"\n"):
        if line.lower() in _HEADERS:
            keys = _HEADERS[line.lower()]
            continue
        name, equals, written = line.removeprefix(b"\t").partition(b" = ")
        if not equals or keys is None or name.lower() not in keys:
            return False
        # The value is read and written again: if this gives the same line, it is in plain form.
        value = _Reader(written).value()
        if value is None or keys[name.lower()](value) != value:
            return False
        if line != _line(name, value):
            return False
    return True


def _written(kept: dict[tuple[bytes, bytes], bytes]) -> bytes:
    lines: list[bytes] = []
    for section, keys in _KEPT.items():
        found = [_line(key, kept[section, key]) for key in keys if (section, key) in kept]
        if found:
            lines += [b"[" + section + b"]", *found]
    return b"".join(line + b"\n" for line in lines)


def _line(key: bytes, value: bytes) -> bytes:
    quote = b'"' if value != value.strip(b" ") or b";" in value or b"#" in value else b""
    value = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b"\t" + key + b" = " + quote + value + quote


def _parsed(data: bytes) -> dict[tuple[bytes, bytes], bytes]:
    """The kept keys whose last value is sane. What follows an error is not read."""
    kept: dict[tuple[bytes, bytes], bytes] = {}
    for section, key, value in _Reader(data.removeprefix(_MARK)).entries():
        plain = _KEPT.get(section, {}).get(key, lambda _: None)(value)
        kept.pop((section, key), None)
        if plain is not None:
            kept[section, key] = plain
    return kept


class _Reader:
    """Reads the syntax of git's configuration files, character by character as git does."""

    def __init__(self, data: bytes) -> None:
        self._data = data.replace(b"\r\n", b"\n") + b"\n"  # git ends every file with a newline
        self._at = 0

    def entries(self) -> list[tuple[bytes, bytes, bytes | None]]:
        """Section, key and value of each entry up to the end or the first error."""
        found: list[tuple[bytes, bytes, bytes | None]] = []
        section: bytes | None = None
        while self._at < len(self._data):
            character = self._data[self._at]
            if character in _SPACES:
                self._at += 1
            elif character in b"#;":
                self._at = self._data.index(b"\n", self._at)
            elif character == 0x5B:  # [
                section = self._section()
                if section is None:
                    break
            else:
                entry = self._entry()
                if entry is None:
                    break
                if section is not None:  # for git, a key without a section is no error
                    found.append((section, *entry))
        return found

    def _section(self) -> bytes | None:
        """The name in `[name]` or `[name "sub"]`, which is not the name alone; None: an error."""
        self._at += 1
        name = self._word(b"-.")
        if self._data[self._at] in _SPACES:
            while self._data[self._at] in b" \t\r":
                self._at += 1
            if self._data[self._at] != _QUOTE:
                return None
            self._at += 1
            name += b" "  # no section without a subsection is called so
            while self._data[self._at] != _QUOTE:
                if self._data[self._at] == _BACKSLASH:
                    self._at += 1
                if self._data[self._at] == _NEWLINE:
                    return None
                self._at += 1
            self._at += 1
        if self._data[self._at] != 0x5D:  # ]
            return None
        self._at += 1
        return name

    def _entry(self) -> tuple[bytes, bytes | None] | None:
        if not _is_letter(self._data[self._at]):
            return None
        key = self._word(b"-")
        while self._data[self._at] in b" \t":
            self._at += 1
        if self._data[self._at] == _NEWLINE:
            return key, None
        if self._data[self._at] != 0x3D:  # =
            return None
        self._at += 1
        value = self.value()
        return None if value is None else (key, value)

    def value(self) -> bytes | None:
        """The rest of a line, and of those that continue it; None for an error."""
        found = bytearray()
        quoted = False
        spaces = 0  # kept only if something follows them
        while True:
            character = self._data[self._at]
            self._at += 1
            if character == _NEWLINE:
                return None if quoted else bytes(found)
            if not quoted and character in _SPACES:
                spaces += bool(found)
                continue
            if not quoted and character in b"#;":
                self._at = self._data.index(b"\n", self._at)
                continue
            found += b" " * spaces
            spaces = 0
            if character == _BACKSLASH:
                escaped = self._data[self._at]
                self._at += 1
                if escaped == _NEWLINE:
                    if self._at == len(self._data):
                        self._at -= 1  # nothing follows but the newline that ends every file
                elif escaped in _ESCAPED:
                    found += _ESCAPED[escaped]
                else:
                    return None
            elif character == _QUOTE:
                quoted = not quoted
            else:
                found.append(character)

    def _word(self, others: bytes) -> bytes:
        start = self._at
        while (character := self._data[self._at]) in others or (
            _is_letter(character) or 0x30 <= character <= 0x39
        ):
            self._at += 1
        return self._data[start : self._at].lower()


def _is_letter(character: int) -> bool:
    return 0x41 <= character <= 0x5A or 0x61 <= character <= 0x7A
