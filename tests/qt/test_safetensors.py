"""The file format: round trips, and files that cannot be trusted."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import qt
from qt.safetensors import SafetensorsError, load_file, save_file

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b.weight": np.array(2.5),
    "empty": np.zeros((0, 4), np.float32),
    "ids": np.array([[1, -2]], dtype=np.int64),
    "mask": np.array([True, False]),
    "big-endian": np.arange(3, dtype=">i4"),
    "grün": np.ones((), np.float16),
    "strided": np.arange(6.0).reshape(2, 3).T,
}


def test_round_trip(tmp_path: Path) -> None:
    save_file(ARRAYS, tmp_path / "x.safetensors")
    loaded = load_file(tmp_path / "x.safetensors")
    assert list(loaded) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert loaded[name].dtype == array.dtype.newbyteorder("=")
        np.testing.assert_array_equal(loaded[name], array)
        loaded[name][...] = 0  # writable: it is ours


def test_the_reference_implementation_reads_ours_and_we_read_its(tmp_path: Path) -> None:
    reference = pytest.importorskip("safetensors.numpy")
    save_file(ARRAYS, tmp_path / "ours")
    for name, array in reference.load_file(tmp_path / "ours").items():
        np.testing.assert_array_equal(array, ARRAYS[name])
    plain = {k: np.array(v, v.dtype.newbyteorder("="), order="C") for k, v in ARRAYS.items()}
    reference.save_file(plain, tmp_path / "its", metadata={"made": "elsewhere"})
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
        (b"", "the file is cut off or not a safetensors file: of 0 bytes the first 8 announce"),
        (b"\xff" * 16, "of 16 bytes the first 8 announce a header of 18446744073709551615"),
        (file_with(b"{nonsense"), "cannot be read as safetensors: Expecting property name"),
        (file_with(b"\xff\xfe"), "'utf-8' codec can't decode byte 0xff"),
        (file_with(json.dumps(entry()).encode("utf-16")), "'utf-8' codec can't decode byte 0xff"),
        (file_with([1, 2]), "not an object of tensors"),
        (file_with(b"[" * 100_000), "recursion depth"),
        (file_with(b'{"x": 1, "x": 1}'), "a name occurs twice"),
        (file_with(b'{"\\ud800": 1}'), "surrogates not allowed"),
        (file_with({**entry(), "__metadata__": {"a": 1}}), "texts as its __metadata__"),
        (file_with({"x": 3}), "x needs dtype, shape and two data_offsets: 3"),
        (file_with(entry(more=1)), "x needs dtype, shape and two data_offsets"),
        (file_with(entry(dtype="F31")), "x is F31, which NumPy lacks"),
        (file_with(entry(dtype="BF16")), "x is BF16, which NumPy lacks: convert the file to F32"),
        (file_with(entry(dtype=["F32"])), "needs dtype"),
        (file_with(entry(shape=[3])), r"x, F32 \[3\], has bytes 0 to 8 of 8, expected 0 to 12"),
        (file_with(entry(shape=[-2])), r"needs dtype, .* \[-2\]"),
        (file_with(entry(shape=[2.0])), r"needs dtype, .* \[2.0\]"),
        (file_with(entry(shape=[True, 2])), r"needs dtype, .* \[True, 2\]"),
        (file_with(b'{"x": {"dtype": "F32", "shape": [2], "data_offsets": [-0, 8]}}'), "needs"),
        (file_with(entry(shape=[float("nan")])), r"needs dtype, .* \[nan\]"),
        (file_with(entry(shape=[1] * 64 + [2])), "needs dtype"),
        (file_with(entry(shape=[2**63, 0], data_offsets=[0, 0]), b""), "needs dtype"),
        (file_with(entry(shape=[2**62, 0], data_offsets=[0, 0]), b""), "array is too big"),
        (file_with(entry(shape=[2**62, 2**62])), "expected 0 to 8507059"),
        (file_with(entry(data_offsets=[8, 16])), "has bytes 8 to 16 of 8, expected 0 to 8"),
        (file_with(entry(data_offsets=[0])), "two data_offsets"),
        (file_with({**entry(), "y": entry()["x"]}), "y, .* 0 to 8 of 8, expected 8 to 16"),
        (file_with(entry(dtype="BOOL", shape=[8]), b"\0\1" * 3 + b"\2\0"), "neither 0 nor 1"),
        (file_with(entry()) + b"more", "the file has 4 bytes more than its header describes"),
        (file_with(entry())[:-3], "the file is cut off or wrong: x, .* 0 to 8 of 5"),
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
    with pytest.raises(TypeError, match="__metadata__"):  # a name with a meaning of its own
        save_file({"__metadata__": np.ones(2)}, tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_large_header_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write((100_000_001).to_bytes(8, "little"))
        file.truncate(200_000_000)
    with pytest.raises(SafetensorsError, match="announce a header of 100000001"):
        load_file(path)


def test_files_need_no_memory_beside_their_arrays(tmp_path: Path) -> None:
    array = np.arange(4_000_000, dtype=np.float64)  # 32 MB
    tracemalloc.start()
    try:
        save_file({"a": array, "b": array[:1000]}, tmp_path / "x")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        loaded = load_file(tmp_path / "x")
        assert tracemalloc.get_traced_memory()[1] < array.nbytes + 1_000_000
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(loaded["a"], array)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    save_file({"a": np.zeros(3)}, tmp_path / "x")

    def fail(*args: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(qt.files.os, failing, fail)
    with pytest.raises(OSError, match="the disk is full"):
        save_file({"a": np.ones(3)}, tmp_path / "x")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    np.testing.assert_array_equal(load_file(tmp_path / "x")["a"], np.zeros(3))
