"""QuantaTissu's model library: every part of a modern GPT in plain NumPy.

Start with the notebooks; `qt.GPT`, `qt.BPETokenizer` and `qt.generate` are where they lead.
"""

import importlib

from qt.parallel import get_num_threads, keep_freed_memory, set_num_threads, use_one_blas_thread

use_one_blas_thread()  # before the next imports load NumPy
keep_freed_memory()

from qt import attention, data, functional, generation, nn, optim, positions  # noqa: E402
from qt.attention import KVCache  # noqa: E402
from qt.checkpoint import Checkpoint, load_checkpoint, save_checkpoint  # noqa: E402
from qt.generation import generate, stream, stream_text  # noqa: E402
from qt.model import GPT, GPTConfig  # noqa: E402
from qt.tensor import Tensor, no_grad  # noqa: E402
from qt.tokenizers import BPETokenizer, CharTokenizer, WordTokenizer  # noqa: E402
from qt.training import Trainer, TrainingConfig, evaluate  # noqa: E402

__version__ = "0.1.0"

__all__ = [
    "GPT", "BPETokenizer", "CharTokenizer", "Checkpoint", "GPTConfig", "KVCache", "Tensor",
    "Trainer", "TrainingConfig", "WordTokenizer", "attention", "data", "evaluate", "exercises",
    "functional", "generate", "generation", "get_num_threads", "load_checkpoint", "nn", "no_grad",
    "optim", "positions", "save_checkpoint", "set_num_threads", "stream", "stream_text", "viz",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Import `qt.viz` (which loads Matplotlib) and `qt.exercises` when they are first used."""
    if name in ("exercises", "viz"):
        return importlib.import_module(f"qt.{name}")
    raise AttributeError(f"module 'qt' has no attribute {name!r}")
