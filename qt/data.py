"""Texts to learn from, and batches of them.

`load("stories")` is made on the spot by `qt.stories`, whose true entropy is known;
`load("tinyshakespeare")` is found or downloaded; `load("my.txt")` is any UTF-8 text file.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qt.stories import stories, stories_entropy, stories_nats
from qt.tensor import Array

__all__ = [
    "DataError",
    "load",
    "load_splits",
    "random_batch",
    "stories_entropy",
    "stories_nats",
    "windows",
]

SHAKESPEARE_URL = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
STORIES_SIZE = 2_000_000  # characters, unless another size is asked for


class DataError(ValueError):
    """A text that cannot be had, or cannot be used."""


def load(name: str | os.PathLike[str], size: int = STORIES_SIZE, seed: int = 0) -> str:
    """The text called `name`: "stories", "tinyshakespeare", or a path to a UTF-8 file.

    `size` (characters, at least; whole stories) and `seed` are for "stories" alone, of which there
    is no end. Raises `DataError` when there is no such text, or it is empty or not UTF-8.
    """
    if name == "stories":
        return stories(size, seed)
    if name == "tinyshakespeare":
        return _tinyshakespeare()
    path = Path(name)
    if not path.exists():
        raise DataError(
            f'there is no data called "{name}": use "stories", "tinyshakespeare", '
            "or the path of a text file"
        )
    return _read(path)


def load_splits(
    name: str | os.PathLike[str], size: int = STORIES_SIZE, seed: int = 0
) -> tuple[str, str]:
    """Training and validation text.

    For "stories" the two come from disjoint seeds; validation has a tenth of `size`. Of any other
    text the first 90 % of the characters are for training.
    """
    if name == "stories":
        return stories(size, seed), stories(max(size // 10, 1), seed, split="val")
    text = load(name)
    cut = int(0.9 * len(text))
    return text[:cut], text[cut:]


def _read(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 text: byte {error.start} is 0x{error.object[error.start]:02x}; "
            "convert it, for instance with iconv"
        ) from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    if not text:
        raise DataError(f"{path} is empty: there is nothing to learn from")
    return text


def _tinyshakespeare() -> str:
    """A million characters of plays: in `QT_DATA_DIR`, or downloaded once and checked."""
    directory = os.environ.get("QT_DATA_DIR")
    if directory:
        path = Path(directory) / "tinyshakespeare.txt"
        if path.exists():
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found != SHAKESPEARE_SHA256:
                raise DataError(
                    f"{path} is another text than expected: its SHA-256 begins {found[:12]}, "
                    f"not {SHAKESPEARE_SHA256[:12]}"
                )
            return _read(path)
    way_out = (
        'put tinyshakespeare.txt into a folder and name it with QT_DATA_DIR; or use "stories", '
        "which needs neither file nor network"
    )
    try:
        import pooch
    except ImportError:
        raise DataError(
            f"downloading tinyshakespeare needs pooch: pip install pooch; or {way_out}"
        ) from None
    try:
        return _read(
            Path(
                pooch.retrieve(
                    SHAKESPEARE_URL,
                    known_hash=f"sha256:{SHAKESPEARE_SHA256}",
                    path=pooch.os_cache("quantatissu"),
                    fname="tinyshakespeare.txt",
                )
            )
        )
    except (OSError, ValueError) as error:  # requests' errors are OSErrors, a wrong hash ValueError
        raise DataError(
            f"tinyshakespeare could not be downloaded ({type(error).__name__}): go online and try "
            f"again; or {way_out}"
        ) from error


def random_batch(
    ids: npt.NDArray[np.integer], batch_size: int, block_size: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """(N,) -> (B, T), (B, T): B random windows, and the same one token on: the targets.

    Raises `DataError` for a text shorter than one block and the token behind it.
    """
    if len(ids) <= block_size:
        raise DataError(
            f"the text has {len(ids)} tokens, but one block takes {block_size} and one more: "
            "use a longer text or a smaller block_size"
        )
    starts = rng.integers(0, len(ids) - block_size, size=batch_size)
    places = starts[:, None] + np.arange(block_size + 1)  # (B, T + 1)
    batch = ids[places]
    return batch[:, :-1], batch[:, 1:]


def windows(
    ids: npt.NDArray[np.integer], batch_size: int, block_size: int
) -> list[tuple[Array, Array]]:
    """(N,) -> batches (B, T), (B, T) that cover the text once, in windows that do not overlap.

    The last batch may be smaller, and what does not fill a block comes as one shorter window.
    """
    if len(ids) < 2:
        raise DataError(f"the text has {len(ids)} tokens: at least 2 are needed, one to predict")
    x, y = ids[:-1], ids[1:]
    whole = len(x) // block_size * block_size
    batches = []
    for i in range(0, whole, batch_size * block_size):
        part = slice(i, min(i + batch_size * block_size, whole))
        batches.append((x[part].reshape(-1, block_size), y[part].reshape(-1, block_size)))
    if whole < len(x):
        batches.append((x[None, whole:], y[None, whole:]))
    return batches
