"""Tensors in a file: the safetensors format, which holds data and cannot hold code.

Eight bytes with the length of a header, little-endian; the header, JSON that names each tensor with
its dtype, shape and place; then the numbers, one tensor after another. That is all of it, so it is
here rather than in a dependency: `qt` needs NumPy alone, and a learner can read how weights are
stored. Most of the lines distrust the file. Files are interchangeable with the `safetensors`
package; a test holds them so.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from qt.files import write_atomic
from qt.tensor import Array

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip
NAMES = {np.dtype(code): name for name, code in DTYPES.items()}
MAX_HEADER = 100_000_000  # bytes; the limit that the reference implementation sets


class SafetensorsError(ValueError):
    """The file is not a whole, well-formed safetensors file."""


def save_file(tensors: Mapping[str, Array], path: str | os.PathLike[str]) -> None:
    """Write named arrays atomically. Raises `TypeError` for a dtype that the format lacks."""
    header: dict[str, Any] = {}
    chunks: list[bytes] = []
    offset = 0
    for name, tensor in tensors.items():
        array = np.asarray(tensor)
        if array.dtype.newbyteorder("<") not in NAMES:
            raise TypeError(f"{name}: safetensors cannot hold {array.dtype}")
        dtype = array.dtype.newbyteorder("<")
        data = array.astype(dtype, copy=False).tobytes()
        header[name] = {
            "dtype": NAMES[dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        chunks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of eight bytes
    write_atomic(path, b"".join([len(text).to_bytes(8, "little"), text, *chunks]))


def load_file(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read all arrays of a file. Raises `SafetensorsError` that says what is wrong with it.

    Nothing in the file is trusted: sizes are checked against the file before memory is taken.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_HEADER):
            raise SafetensorsError(
                f"{path} is cut off or not a safetensors file: it has {size} bytes, "
                f"its first 8 announce a header of {length}"
            )
        try:
            header = json.loads(file.read(length).decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise SafetensorsError(f"{path}: the header is not JSON in UTF-8 ({error})") from None
        if not isinstance(header, dict):
            raise SafetensorsError(f"{path}: the header is not an object of named tensors")
        header.pop("__metadata__", None)
        places = {name: _place(path, name, entry) for name, entry in header.items()}
        expected = 0
        for name, (_, _, begin, end) in sorted(places.items(), key=lambda item: item[1][2:]):
            if begin != expected:
                raise SafetensorsError(
                    f"{path}: {name} begins at byte {begin} of the data, expected {expected}"
                )
            expected = end
        if 8 + length + expected != size:
            raise SafetensorsError(
                f"{path} has {size} bytes, but its header describes {8 + length + expected}: "
                "the file is cut off or has something behind it"
            )
        data = file.read()
    return {
        name: np.frombuffer(data, dtype, math.prod(shape), begin).reshape(shape).copy()
        for name, (dtype, shape, begin, _) in places.items()
    }


def _place(path: Path, name: str, entry: Any) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """Check one entry of the header: dtype, shape and the two offsets must agree."""
    try:
        dtype = np.dtype(DTYPES[entry["dtype"]])
        shape = tuple(entry["shape"])
        begin, end = entry["data_offsets"]
    except (KeyError, TypeError, ValueError):
        raise SafetensorsError(
            f"{path}: {name} needs a known dtype, a shape and two data_offsets, "
            f"but has {str(entry)[:200]}"
        ) from None
    if not all(type(n) is int and n >= 0 for n in (*shape, begin, end)):
        raise SafetensorsError(f"{path}: {name} has sizes that are not whole numbers from 0 up")
    if len(shape) > 32 or math.prod(shape) * dtype.itemsize != end - begin:
        raise SafetensorsError(
            f"{path}: {name} of shape {shape} and dtype {dtype} does not fit the {end - begin} "
            "bytes it is given"
        )
    return dtype, shape, begin, end
