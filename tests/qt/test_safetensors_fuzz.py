"""Damaged safetensors files: what is refused is refused with our own error, the rest is right.

Every file is also given to the `safetensors` package. What we accept it must accept, with the same
arrays. What it accepts and we refuse is listed in `STRICTER`: our error, and why.
"""

import json
import math
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from qt.safetensors import DTYPES, SafetensorsError, load_file, save_file

STRICTER = {
    "a name occurs twice": "which of the two is meant is a guess, and readers guess differently",
    "needs dtype, shape and two data_offsets": "an entry that is a list, or has other fields",
    "texts as its __metadata__": "null where a table of texts belongs",
    "which NumPy lacks": "BF16, the F8, F6 and F4 kinds, C64: no array of ours could hold them",
    "neither 0 nor 1": "bytes that are no truth values make arrays that contradict themselves",
}
NUMBERS = [0, 1, 2, 3, 4, 7, 8, 16, 64, 255, -1, 2**31, 2**32, 2**53, 2**62, 2**63, 2**64, 10**30]
TEXTS = [
    "-0", "1.0", "1e3", "1e999", "-1e999", "NaN", "Infinity", "-Infinity", "true", "null", "[]",
    "{}", '""', '"F32"', "[[]]", "9" * 5000, '"\\ud800"', '"\\u0000"', "[" * 3000, '{"a":' * 3000,
]  # fmt: skip
KINDS = [*DTYPES, "BF16", "F8_E4M3", "F8_E5M2", "F4", "C64", "f32", "", "F128", "__metadata__"]


def good_file(rng: np.random.Generator, path: Path) -> bytes:
    """A whole file of a few small tensors, some of them empty or without dimensions."""
    tensors = {}
    for i in range(rng.integers(0, 5)):
        shape = rng.integers(0, 4, size=rng.integers(0, 4))
        dtype = np.dtype(list(DTYPES.values())[rng.integers(len(DTYPES))])
        n = int(math.prod(shape)) * dtype.itemsize
        raw = rng.integers(0, 2 if dtype.kind == "b" else 256, n, dtype=np.uint8)
        tensors[f"{'äb.'[i % 3]}{i}"] = raw.view(dtype).reshape(shape)
    save_file(tensors, path)
    return path.read_bytes()


class Verbatim:
    """Stands in a header for text that is no value of Python's, such as `-0` or half a list."""

    def __init__(self, text: str) -> None:
        self.text = text


def dump(value: object) -> str:
    if isinstance(value, Verbatim):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    return json.dumps(value)


def any_value(rng: np.random.Generator) -> object:
    pick = rng.integers(4)
    if pick == 0:
        return NUMBERS[rng.integers(len(NUMBERS))]
    if pick == 1:
        return [NUMBERS[i] for i in rng.integers(len(NUMBERS), size=rng.integers(0, 4))]
    if pick == 2:
        return KINDS[rng.integers(len(KINDS))]
    return Verbatim(TEXTS[rng.integers(len(TEXTS))])


def change_header(rng: np.random.Generator, text: str, data: bytes) -> tuple[str, bytes]:
    """One change that knows the format: of an entry, a dtype, a shape, an offset or a name."""
    header = json.loads(text)
    names = list(header)
    kind = rng.integers(11)
    if not names or kind == 0:
        name = ["x", "__metadata__", "", "\u00e4"][rng.integers(4)]
        header[name] = any_value(rng) if rng.integers(2) else {"format": any_value(rng)}
        return dump(header), data
    entry = header[name := names[rng.integers(len(names))]]
    if kind == 1:
        entry["dtype"] = KINDS[rng.integers(len(KINDS))]
    elif kind == 2 and entry["shape"]:
        entry["shape"][rng.integers(len(entry["shape"]))] = any_value(rng)
    elif kind == 3:
        entry["shape"] = [0, *(NUMBERS[i] for i in rng.integers(len(NUMBERS), size=3))]
        entry["data_offsets"][1] = entry["data_offsets"][0]
    elif kind == 4:
        entry["shape"] = [1] * int(rng.integers(1, 80)) + entry["shape"]
    elif kind == 5:
        entry["data_offsets"][rng.integers(2)] = any_value(rng)
    elif kind == 6:
        step = int(rng.integers(-8, 9))
        entry["data_offsets"] = [n + step for n in entry["data_offsets"]]
    elif kind == 7:
        entry[["dtype", "shape", "data_offsets", "more"][rng.integers(4)]] = any_value(rng)
    elif kind == 8:
        other = header[names[rng.integers(len(names))]]
        entry["data_offsets"], other["data_offsets"] = other["data_offsets"], entry["data_offsets"]
    elif kind == 9:
        twice = dump({name: entry})[1:-1]
        return "{" + twice + "," + dump(header)[1:], data
    else:
        header[name] = [entry["dtype"], entry["shape"], entry["data_offsets"]]
    return dump(header), data


def damaged(rng: np.random.Generator, good: bytes) -> bytes:
    """A good file after one to three changes."""
    content = good
    for _ in range(rng.choice([1, 1, 2, 3])):
        length = int.from_bytes(content[:8], "little")
        kind = rng.integers(10)
        if kind < 5 and 8 + length <= len(content):
            try:
                text, data = content[8 : 8 + length].decode(), content[8 + length :]
                text, data = change_header(rng, text, data)
            except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
                continue  # an earlier change has left no header that could be changed
            if rng.integers(8) == 0:
                text = [" " + text, text + "\n \t", text + "\0", "\ufeff" + text][rng.integers(4)]
            head = text.encode("utf-8", "surrogatepass")
            content = len(head).to_bytes(8, "little") + head + data
        elif kind == 5:
            wrong = int(rng.choice([0, 1, length - 1, length + 1, len(content), 2**32, 2**63 - 1]))
            content = max(wrong, 0).to_bytes(8, "little") + content[8:]
        elif kind == 6:
            content = content[: rng.integers(len(content) + 1)]
        elif kind == 7:
            content += rng.bytes(int(rng.integers(1, 9)))
        elif content:  # a byte is changed, in the header more often than not
            at = int(rng.integers(min(len(content), 8 + length if kind == 8 else len(content))))
            content = content[:at] + rng.bytes(1) + content[at + 1 :]
    return content


def read_within_bounds(path: Path, size: int) -> dict[str, np.ndarray]:
    """Read a file and see that memory was taken in proportion to its size."""
    tracemalloc.start()
    try:
        return load_file(path)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100_000 + 100 * size


def refusal(ours: SafetensorsError, theirs: object, content: bytes) -> str:
    """Why a file was refused that the package may have read."""
    if isinstance(theirs, Exception):
        return "refused by both"
    reasons = [reason for reason in STRICTER if reason in str(ours)]
    assert reasons, (ours, content)
    return reasons[0]


def check_files(n: int, path: Path) -> Counter[str]:
    """Read `n` damaged files with both readers; count what happened."""
    reference = pytest.importorskip("safetensors.numpy")
    rust = pytest.importorskip("safetensors").SafetensorError
    rng = np.random.default_rng(0)
    outcomes: Counter[str] = Counter()
    for i in range(n):
        if i % 20 == 0:
            good = good_file(rng, path)
        content = damaged(rng, good)
        path.write_bytes(content)
        try:
            theirs = reference.load(content)
        except (rust, ValueError, KeyError, OverflowError) as error:  # KeyError: an unknown dtype
            theirs = error
        try:
            ours = read_within_bounds(path, len(content))
        except SafetensorsError as error:
            outcomes[refusal(error, theirs, content)] += 1
            continue
        assert not isinstance(theirs, Exception), (theirs, content)
        assert ours.keys() == theirs.keys()
        for name, array in ours.items():
            assert (array.dtype, array.shape) == (theirs[name].dtype, theirs[name].shape)
            assert array.tobytes() == theirs[name].tobytes()
            assert array.flags.writeable
        outcomes["accepted by both"] += 1
    return outcomes


def test_2000_damaged_files(tmp_path: Path) -> None:
    outcomes = check_files(2_000, tmp_path / "x")
    assert outcomes["refused by both"] > 1_000
    assert outcomes["accepted by both"] > 50
    assert outcomes.keys() > {"a name occurs twice", "needs dtype, shape and two data_offsets"}


@pytest.mark.long
def test_100_000_damaged_files(tmp_path: Path) -> None:
    outcomes = check_files(100_000, tmp_path / "x")
    assert outcomes["accepted by both"] > 2_500
    assert outcomes.keys() == {"refused by both", "accepted by both", *STRICTER}
