"""Amounts as people write them: durations such as `30s`, sizes such as `10M`."""

import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)\Z")
_BYTES = re.compile(r"([0-9]+)([KMG]?)\Z")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def parse_duration(text: str) -> float:
    """Seconds of `500ms`, `1.5s`, `5m`, `2h`; else `ValueError`."""
    match = _DURATION.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a duration: write a number and a unit, as in 30s or 5m")
    return float(match[1]) * _SECONDS[match[2]]


def parse_bytes(text: str) -> int:
    """Bytes of `1000`, `512K`, `10M`, `4G`; else `ValueError`."""
    match = _BYTES.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a size: write a whole number, or one with K, M or G")
    return int(match[1]) * _UNITS[match[2]]


def size_text(size: int) -> str:
    """A number of bytes for people: `4 GiB`, `512 KiB`, `1,000 bytes`."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size:,} bytes"
