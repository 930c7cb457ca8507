"""`qt:CHECKPOINT`: the package's own GPT as the model behind PROMPT_AGENT."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qt
from qt.tokenizers import Tokenizer
from tisslang.adapters import open_adapter
from tisslang.adapters.qt_model import QtModel
from tisslang.errors import TissCommandError

TEXT = "the cat sat on the mat and the dog sat on the log. "
CHARACTERS = qt.CharTokenizer.train(TEXT)
PIECES = qt.BPETokenizer.train(TEXT * 3, vocab_size=280)
END = PIECES.special_tokens["<|endoftext|>"]


def make(tokenizer: Tokenizer, **changes: Any) -> qt.GPT:
    shape = {"block_size": 32, "n_layer": 1, "n_head": 2, "d_model": 16} | changes
    return qt.GPT(qt.GPTConfig(**{"vocab_size": tokenizer.vocab_size} | shape), seed=1)


def ask(adapter: Any, prompt: str, timeout: float = 60) -> Any:
    return adapter.reply(prompt, {"persona": ["a pirate"]}, timeout)


def refused(adapter: Any, prompt: str, timeout: float = 60) -> TissCommandError:
    with pytest.raises(TissCommandError) as caught:
        ask(adapter, prompt, timeout)
    assert caught.value.kind == "agent"
    return caught.value


def at_token(model: qt.GPT, number: int, action: Callable[[], object]) -> None:
    """Do something while the model works on its token of that number."""
    count = 0

    def hook(*_: object) -> None:
        nonlocal count
        count += 1
        if count == number:
            action()

    model.register_forward_hook(hook)


def test_a_checkpoint_replies(tmp_path: Path) -> None:
    model = make(CHARACTERS)
    place = qt.save_checkpoint(tmp_path / "run", model=model, tokenizer=CHARACTERS)
    ids = CHARACTERS.encode("the cat")
    new = qt.generate(model, [ids], 256, temperature=0.8, seed=0)[0, len(ids) :]
    for path in (tmp_path / "run", place):
        adapter = open_adapter(f"qt:{path}")
        for _ in range(2):
            assert ask(adapter, "the cat") == (CHARACTERS.decode(new), len(ids) + 256)
        adapter.close()


def test_the_end_of_text_ends_the_reply() -> None:
    model = make(PIECES)
    ids = PIECES.encode("the cat")
    expected = qt.generate(model, [ids], 256, temperature=0.8, seed=0, stop_ids=[END])[0]
    assert expected[-1] == END, "this seed draws the token, or the test shows nothing"
    new = expected[len(ids) : -1]
    assert len(new) > 0
    assert ask(QtModel(model, PIECES), "the cat") == (PIECES.decode(new), len(expected))


def test_a_long_prompt_keeps_its_end() -> None:
    adapter = QtModel(make(CHARACTERS), CHARACTERS)
    long = TEXT * 20
    assert ask(adapter, long) == ask(adapter, long[-32:])
    assert ask(adapter, long).tokens == 32 + 256


@pytest.mark.parametrize("tokenizer", [CHARACTERS, PIECES, qt.WordTokenizer.train(TEXT)])
def test_an_empty_prompt_is_continued(tokenizer: Tokenizer) -> None:
    reply = ask(QtModel(make(tokenizer), tokenizer), "")
    assert reply.text
    assert reply.tokens > 1


def test_what_the_tokenizer_cannot_encode() -> None:
    error = refused(QtModel(make(CHARACTERS), CHARACTERS), "the Kat")
    assert "the qt model cannot reply: text has 'K' (U+004B) at position 4" in error.message
    refused(QtModel(make(PIECES), PIECES), "half \ud800 a character")


def test_damaged_weights_and_unknown_tokens() -> None:
    model = make(CHARACTERS)
    model.norm.weight.data[:] = np.nan
    assert "damaged" in refused(QtModel(model, CHARACTERS), "the").message
    wider = make(CHARACTERS, vocab_size=500)
    assert "this vocabulary has the ids 0 to" in refused(QtModel(wider, CHARACTERS), "the").message


def test_dropout_is_off_and_threads_do_not_meet() -> None:
    adapter = QtModel(make(CHARACTERS, dropout=0.5), CHARACTERS)
    prompts = [TEXT[i : i + 9] for i in range(8)]
    alone = [ask(adapter, prompt) for prompt in prompts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda prompt: ask(adapter, prompt), prompts)) == alone


def test_time_is_looked_at_between_tokens() -> None:
    error = refused(QtModel(make(CHARACTERS), CHARACTERS), "the", timeout=0)
    assert error.message == "the qt model did not finish the reply within 0 s"
    model = make(CHARACTERS)
    late = threading.Event()
    at_token(model, 3, lambda: late.wait(0.3))
    assert "within 0.2 s" in refused(QtModel(model, CHARACTERS), "the", timeout=0.2).message


def test_ctrl_c_ends_a_call() -> None:
    model, tokens = make(CHARACTERS), []
    at_token(model, 3, lambda: signal.raise_signal(signal.SIGINT))
    model.register_forward_hook(lambda *_: tokens.append(1))
    adapter = QtModel(model, CHARACTERS)
    with pytest.raises(KeyboardInterrupt):
        ask(adapter, "the")
    assert len(tokens) <= 4
    assert ask(adapter, "the").text, "the next call works"


def test_close_ends_a_call() -> None:
    model = make(CHARACTERS)
    adapter = QtModel(model, CHARACTERS)
    at_token(model, 3, adapter.close)
    assert "the run has ended" in refused(adapter, "the").message
    refused(adapter, "the")


def test_checkpoints_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no checkpoint in .*missing: `qt train` makes"):
        open_adapter(f"qt:{tmp_path}/missing")
    qt.save_checkpoint(tmp_path / "ids", model=make(CHARACTERS))
    with pytest.raises(ValueError, match=r"ids has no tokenizer.json: its model knows ids"):
        open_adapter(f"qt:{tmp_path}/ids")
    place = qt.save_checkpoint(tmp_path / "cut", model=make(CHARACTERS), tokenizer=CHARACTERS)
    (place / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(ValueError, match="cannot be loaded"):
        open_adapter(f"qt:{tmp_path}/cut")


def test_without_numpy_there_is_a_clear_line() -> None:
    program = """if True:
        import sys
        sys.modules["numpy"] = None
        from tisslang.adapters import open_adapter
        try:
            open_adapter("qt:run")
        except ValueError as error:
            print(error)"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("the agent 'qt' needs NumPy: ")
