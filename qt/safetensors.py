"""Tensors in a file: the safetensors format, which holds data and cannot hold code.

Eight bytes with the length of a header, little-endian; the header, JSON that names each tensor with
its dtype, shape and place; then the numbers, one tensor after another. The `safetensors` package
reads what `save_file` writes, and all that `load_file` accepts, which trusts nothing in the file.
"""

import json
import math
import os
from typing import Any, BinaryIO

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


def save_file(tensors: dict[str, Array], path: str | os.PathLike[str]) -> None:
    """Write named arrays atomically. Raises `TypeError` for a dtype that the format lacks."""
    header, chunks, begin = {}, [], 0
    for name, tensor in tensors.items():
        array = np.asarray(tensor)
        dtype = array.dtype.newbyteorder("<")
        if dtype not in NAMES or name == "__metadata__":
            raise TypeError(f"safetensors cannot hold {array.dtype} under the name {name}")
        end, shape = begin + array.nbytes, list(array.shape)
        header[name] = {"dtype": NAMES[dtype], "shape": shape, "data_offsets": [begin, end]}
        chunks.append(np.ascontiguousarray(array, dtype).data)
        begin = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)  # the numbers begin at a multiple of eight bytes
    write_atomic(path, len(text).to_bytes(8, "little"), text, *chunks)


def load_file(path: str | os.PathLike[str]) -> dict[str, Array]:
    """Read all arrays of a file. Raises `SafetensorsError` that says what is wrong with it."""
    try:
        with open(path, "rb") as file:
            return _read(file)
    except (ValueError, OverflowError, RecursionError) as error:  # JSON's and NumPy's too
        raise SafetensorsError(f"{path} cannot be read as safetensors: {error}") from None


def _read(file: BinaryIO) -> dict[str, Array]:
    size, length = os.fstat(file.fileno()).st_size, int.from_bytes(file.read(8), "little")
    if length > min(size - 8, MAX_HEADER):
        wrong = f"of {size} bytes the first 8 announce a header of {length}"
        raise ValueError(f"the file is cut off or not a safetensors file: {wrong}")
    text = file.read(length).decode("utf-8")
    header = json.loads(
        text, object_pairs_hook=_table, parse_int=lambda n: -1 if n == "-0" else int(n)
    )
    json.dumps(header, ensure_ascii=False).encode("utf-8")  # refuses half a surrogate pair
    metadata = header.pop("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("the header is not an object of tensors, with texts as its __metadata__")
    places = []
    for name, entry in header.items():
        match entry:
            case {"dtype": str(kind), "shape": [*shape], "data_offsets": [begin, end]} if (
                len(entry) == 3
                and len(shape) <= 64
                and all(type(n) is int and 0 <= n < 2**63 for n in (begin, end, *shape))
            ):
                places.append((begin, end, shape, kind, name))
            case _:
                raise ValueError(f"{name} needs dtype, shape and two data_offsets: {entry!s:.99}")
    tensors, begun, size = {}, 0, size - 8 - length
    for begin, end, shape, kind, name in sorted(places):
        if kind not in DTYPES:
            raise ValueError(f"{name} is {kind}, which NumPy lacks: convert the file to F32")
        edge = begun + math.prod(shape) * np.dtype(DTYPES[kind]).itemsize
        if (begin, end) != (begun, edge) or end > size:
            where = f"bytes {begin} to {end} of {size}, expected {begun} to {edge}"
            raise ValueError(f"the file is cut off or wrong: {name}, {kind} {shape}, has {where}")
        tensors[name] = np.fromfile(file, DTYPES[kind], math.prod(shape)).reshape(shape)
        if kind == "BOOL" and (tensors[name].view("u1") > 1).any():
            raise ValueError(f"{name} has truth values that are neither 0 nor 1")
        begun = edge
    if begun < size:
        raise ValueError(f"the file has {size - begun} bytes more than its header describes")
    return {name: tensors[name] for name in header}


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name occurs twice in the header")
    return dict(pairs)
