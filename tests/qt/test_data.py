"""Where texts come from, and how they are cut into batches."""

import sys
from pathlib import Path

import numpy as np
import pytest

import qt
from qt.data import DataError, random_batch, windows


def test_stories_are_told_on_the_spot() -> None:
    text = qt.data.load("stories", size=5000)
    assert len(text) >= 5000
    assert text == qt.data.load("stories", size=5000)
    assert text != qt.data.load("stories", size=5000, seed=1)
    train, val = qt.data.load_splits("stories", size=5000)
    assert train == text
    assert len(val) < len(train)
    assert not set(train.split("\n\n")[:-1]) & set(val.split("\n\n")[:-1])


def test_tinyshakespeare(data_dir: Path) -> None:
    text = qt.data.load("tinyshakespeare")
    assert len(text) == 1_115_394
    train, val = qt.data.load_splits("tinyshakespeare")
    assert (len(train), len(val)) == (1_003_854, 111_540)
    assert qt.CharTokenizer.train(text).vocab_size == 65


def test_tinyshakespeare_without_folder_or_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooch = pytest.importorskip("pooch")
    monkeypatch.setenv("QT_DATA_DIR", str(tmp_path))

    def offline(*args: object, **kwargs: object) -> str:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", offline)
    with pytest.raises(DataError, match=r"no route to host.*go online .*QT_DATA_DIR.*stories"):
        qt.data.load("tinyshakespeare")
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match=r"pooch installed, .*QT_DATA_DIR.*stories"):
        qt.data.load("tinyshakespeare")


def test_tinyshakespeare_must_be_the_text_it_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tinyshakespeare.txt").write_text("To be", encoding="utf-8")
    monkeypatch.setenv("QT_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError, match="SHA-256"):
        qt.data.load("tinyshakespeare")


def test_any_file(tmp_path: Path) -> None:
    path = tmp_path / "my.txt"
    path.write_bytes("Grüße\r\n😀".encode())
    assert qt.data.load(path) == "Grüße\r\n😀"
    assert qt.data.load(str(path)) == "Grüße\r\n😀"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: there is nothing to learn from"),
        (b"abc\xff", "not UTF-8 text: byte 3 is 0xff"),
        (None, 'there is no data called .*No such file.*: use "stories", "tinyshakespeare"'),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        qt.data.load(path)


def test_a_folder_is_not_a_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Is a directory"):
        qt.data.load(tmp_path)


def test_random_batch() -> None:
    ids = np.arange(50)
    x, y = random_batch(ids, 200, 8, np.random.default_rng(0))
    assert x.shape == y.shape == (200, 8)
    assert (y == x + 1).all()
    assert x.min() == 0  # the first token is used, and
    assert y.max() == 49  # the last one too
    with pytest.raises(DataError, match="8 tokens, but one block takes 8 and one more"):
        random_batch(np.arange(8), 1, 8, np.random.default_rng(0))


@pytest.mark.parametrize("n", [2, 8, 9, 10, 33, 34, 70])
def test_windows_cover_the_text_once(n: int) -> None:
    batches = windows(np.arange(n), 2, 8)
    inputs = np.concatenate([x.reshape(-1) for x, _ in batches])
    assert inputs.tolist() == list(range(n - 1))
    assert all((y == x + 1).all() and x.shape[0] <= 2 and x.shape[1] <= 8 for x, y in batches)
    with pytest.raises(DataError, match="1 tokens, but one block takes 1 and one more"):
        windows(np.arange(1), 2, 8)


@pytest.mark.parametrize(
    ("ids", "sizes", "error", "message"),
    [
        (np.arange(9.0), (2, 4), TypeError, r"ids are float64 \(9,\): expected integers"),
        (np.arange(8).reshape(2, 4), (2, 4), TypeError, r"ids are int64 \(2, 4\): expected"),
        (np.arange(9), (0, 4), ValueError, "batch_size is 0, block_size is 4: use 1 or more"),
        (np.arange(9), (2, -1), ValueError, "batch_size is 2, block_size is -1: use 1 or more"),
        (np.array([]), (2, 4), DataError, "the text has 0 tokens"),
    ],
)
def test_wrong_calls(
    ids: np.ndarray, sizes: tuple[int, int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        random_batch(ids, *sizes, np.random.default_rng(0))
    with pytest.raises(error, match=message):
        windows(ids, *sizes)
