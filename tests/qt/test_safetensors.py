"""The file format: round trips, and files that cannot be trusted."""

import json
from pathlib import Path

import numpy as np
import pytest

from qt.safetensors import SafetensorsError, load_file, save_file

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b.weight": np.array(2.5),
    "empty": np.zeros((0, 4), np.float32),
    "ids": np.array([[1, -2]], dtype=np.int64),
    "mask": np.array([True, False]),
    "strided": np.arange(6.0).reshape(2, 3).T,
}


def test_round_trip(tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "x.safetensors")
    loaded = load_file(tmp_path / "x.safetensors")
    assert list(loaded) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)
        loaded[name][...] = 0  # writable: it is ours


def test_the_reference_implementation_reads_ours_and_we_read_its(tmp_path: Path) -> None:
    reference = pytest.importorskip("safetensors.numpy")
    save_file(ARRAYS, tmp_path / "ours")
    for name, array in reference.load_file(tmp_path / "ours").items():
        np.testing.assert_array_equal(array, ARRAYS[name])
    reference.save_file({k: np.ascontiguousarray(v) for k, v in ARRAYS.items()}, tmp_path / "its",
                        metadata={"made": "elsewhere"})  # fmt: skip
    for name, array in load_file(tmp_path / "its").items():
        np.testing.assert_array_equal(array, ARRAYS[name])


def file_with(header: object, data: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(**changes: object) -> dict:
    return {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is cut off or not a safetensors file: it has 0 bytes"),
        (b"\xff" * 16, "announce a header of"),
        (file_with(b"{nonsense"), "not JSON"),
        (file_with(b"\xff\xfe"), "not JSON in UTF-8"),
        (file_with([1, 2]), "not an object"),
        (file_with(b"[" * 100_000), "not JSON"),
        (file_with({"x": 3}), "x needs a known dtype"),
        (file_with(entry(dtype="F31")), "known dtype"),
        (file_with(entry(shape=[3])), r"shape \(3,\) and dtype float32 does not fit the 8 bytes"),
        (file_with(entry(shape=[-2])), "not whole numbers"),
        (file_with(entry(shape=[2.0])), "not whole numbers"),
        (file_with(entry(shape=[1] * 40)), "does not fit"),
        (file_with(entry(shape=[2**62, 2**62])), "does not fit"),
        (file_with(entry(data_offsets=[8, 16])), "begins at byte 8 of the data, expected 0"),
        (file_with(entry(data_offsets=[0])), "two data_offsets"),
        (file_with(entry()) + b"more", "something behind it"),
        (file_with(entry())[:-3], "the file is cut off"),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(SafetensorsError, match=message):
        load_file(path)


def test_a_dtype_that_the_format_lacks(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="complex128"):
        save_file({"x": np.ones(2, complex)}, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []
