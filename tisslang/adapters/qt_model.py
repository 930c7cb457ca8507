"""`qt:CHECKPOINT`: the package's own GPT writes the reply. Imported only when it is asked for."""

import os
import threading
import time

import qt
from qt.tokenizers import Tokenizer
from tisslang.adapters.adapter import Reply, failure, given_up, too_slow
from tisslang.values import Value

MAX_NEW_TOKENS = 256
TEMPERATURE = 0.8  # that of `qt generate`
_END_OF_TEXT = ("<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "</s>")


def open_checkpoint(path: str) -> "QtModel":
    """The adapter for a run directory of `qt train`, or one checkpoint; else `ValueError`."""
    checkpoint = qt.load_checkpoint(os.path.expanduser(path))
    if checkpoint.tokenizer is None:
        raise ValueError(f"{path} has no tokenizer.json: its model knows ids, not text")
    return QtModel(checkpoint.model, checkpoint.tokenizer)


class QtModel:
    """Continues the prompt. The same prompt gives the same reply.

    Such a model has only learned to continue a text, so it is not shown the directives.
    """

    def __init__(self, model: qt.GPT, tokenizer: Tokenizer) -> None:
        # Reading does not change a model in this mode, so threads need no lock.
        model.eval()
        self._model = model
        self._tokenizer = tokenizer
        special = tokenizer.special_tokens
        self._stop_ids = [special[token] for token in _END_OF_TEXT if token in special]
        self._closed = threading.Event()

    def reply(self, prompt: str, directives: dict[str, list[Value]], timeout: float) -> Reply:
        """At most 256 tokens that follow the prompt, or its end where it is too long to read."""
        end = time.monotonic() + timeout
        try:
            ids = self._read(prompt)
            new: list[int] = []
            for column in qt.stream(
                self._model,
                [ids],
                MAX_NEW_TOKENS,
                seed=0,
                temperature=TEMPERATURE,
                stop_ids=self._stop_ids,
            ):
                new.append(int(column[0]))
                self._require_time(end, timeout)
            text = self._tokenizer.decode(new[:-1] if new[-1] in self._stop_ids else new)
        except ValueError as error:
            raise failure(f"the qt model cannot reply: {error}") from None
        return Reply(text, len(ids) + len(new))

    def close(self) -> None:
        """End the calls that are under way, each before its next token."""
        self._closed.set()

    def _read(self, prompt: str) -> list[int]:
        ids = self._tokenizer.encode(prompt)
        # A model continues at least one token. One that stands for nothing is the end of a text
        # before, else whatever comes first in the vocabulary.
        return ids[-self._model.config.block_size :] or self._stop_ids[:1] or [0]

    def _require_time(self, end: float, timeout: float) -> None:
        if self._closed.is_set():
            raise given_up("the qt model")
        if time.monotonic() >= end:
            raise too_slow("the qt model", timeout)
