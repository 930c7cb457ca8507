"""Texts to learn from, and batches of them.

`load("stories")` is made on the spot by `qt.stories`, whose true entropy is known;
`load("tinyshakespeare")` is found or downloaded; `load("my.txt")` is any UTF-8 text file.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from qt.stories import stories, stories_entropy, stories_nats  # noqa: F401
from qt.tensor import Array

Batch = tuple[Array, Array]  # (B, T) tokens to read, (B, T) tokens to predict
URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


class DataError(ValueError):
    """A text that cannot be had, or cannot be used."""


def load(name: str | Path, size: int = 2_000_000, seed: int = 0) -> str:
    """The text called `name`: "stories", "tinyshakespeare", or a path to a UTF-8 file.

    `size` (characters, at least; whole stories) and `seed` are for "stories" alone, of which there
    is no end. Raises `DataError` when there is no such text, or it is empty or not UTF-8.
    """
    if name == "stories":
        return stories(size, seed)
    path = _tinyshakespeare() if name == "tinyshakespeare" else Path(name)
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte {error.start} is 0x{error.object[error.start]:02x}"
        raise DataError(
            f"{path} is not UTF-8 text: {byte}; convert it, for instance with iconv"
        ) from None
    except OSError as error:
        names = 'use "stories", "tinyshakespeare", or the path of a text file'
        raise DataError(f'there is no data called "{name}" ({error.strerror}): {names}') from None
    if not text:
        raise DataError(f"{path} is empty: there is nothing to learn from")
    return text


def load_splits(name: str | Path, size: int = 2_000_000, seed: int = 0) -> tuple[str, str]:
    """Training and validation text: 9 : 1, or "stories" from disjoint seeds, of `size` and 1/10."""
    if name == "stories":
        return stories(size, seed), stories(max(size // 10, 1), seed, split="val")
    text = load(name)
    cut = int(0.9 * len(text))
    return text[:cut], text[cut:]


def _tinyshakespeare() -> Path:
    """A million characters of plays: in the folder `QT_DATA_DIR`, or downloaded once."""
    path = Path(os.environ.get("QT_DATA_DIR", ""), "tinyshakespeare.txt")
    if not os.environ.get("QT_DATA_DIR") or not path.exists():
        try:
            import pooch

            cache = pooch.os_cache("quantatissu")
            path = Path(pooch.retrieve(URL, f"sha256:{SHA256}", path.name, cache))
        except (ImportError, OSError, ValueError) as error:  # a wrong hash is a ValueError
            way_out = 'go online with pooch installed, set QT_DATA_DIR, or use "stories"'
            raise DataError(f"no {path.name} ({error}): {way_out}") from None
    import hashlib  # here: it takes a while to import

    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise DataError(f"{path} is another text: its SHA-256 is {found}, expected {SHA256}")
    return path


def random_batch(ids: Array, batch_size: int, block_size: int, rng: np.random.Generator) -> Batch:
    """(N,) -> (B, T), (B, T): B random windows, and the same one token on: the targets."""
    _check(ids, batch_size, block_size, least=block_size + 1)
    starts = rng.integers(0, len(ids) - block_size, size=batch_size)
    batch = ids[starts[:, None] + np.arange(block_size + 1)]  # (B, T + 1)
    return batch[:, :-1], batch[:, 1:]


def windows(ids: Array, batch_size: int, block_size: int) -> list[Batch]:
    """(N,) -> batches (B, T), (B, T) that cover the text once, in windows that do not overlap.

    The last batch may be smaller, and what does not fill a block comes as one shorter window.
    """
    _check(ids, batch_size, block_size, least=2)
    whole = (len(ids) - 1) // block_size * block_size
    x, y = (part.reshape(-1, block_size) for part in (ids[:whole], ids[1 : whole + 1]))
    batches = [(x[i : i + batch_size], y[i : i + batch_size]) for i in range(0, len(x), batch_size)]
    if whole < len(ids) - 1:
        batches.append((ids[None, whole:-1], ids[None, whole + 1 :]))
    return batches


def _check(ids: Array, batch_size: int, block_size: int, least: int) -> None:
    """Raise what a wrong call deserves; `DataError` for a text of fewer than `least` tokens."""
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise TypeError(f"ids are {ids.dtype} {ids.shape}: expected integers of shape (N,)")
    if batch_size < 1 or block_size < 1:
        raise ValueError(f"batch_size is {batch_size}, block_size is {block_size}: use 1 or more")
    if len(ids) < least:
        few = f"the text has {len(ids)} tokens, but one block takes {least - 1} and one more"
        raise DataError(f"{few}: at least {least} are needed, use a longer text or smaller blocks")
