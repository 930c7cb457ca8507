"""Sampling dials on known distributions; the cache changes nothing; streams and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qt
from qt.generation import next_token_probabilities, stream, stream_text

P = np.array([0.1, 0.4, 0.2, 0.3])
LOGITS = np.log(P)


def make(**changes) -> qt.GPT:
    settings = {"vocab_size": 20, "block_size": 16, "n_layer": 2, "n_head": 2, "d_model": 16}
    model = qt.GPT(qt.GPTConfig(**{**settings, **changes}))
    for p in model.parameters():  # far from uniform, so that sampling has something to do
        p.data *= 8 if p.ndim > 1 else 1
    return model


@pytest.mark.parametrize(
    ("dials", "expected"),
    [
        ({}, P),
        ({"temperature": 0}, [0, 1, 0, 0]),
        ({"temperature": 0.5}, P**2 / (P**2).sum()),
        ({"top_k": 1}, [0, 1, 0, 0]),
        ({"top_k": 2}, [0, 4 / 7, 0, 3 / 7]),
        ({"top_k": 9}, P),
        ({"top_p": 0.4}, [0, 1, 0, 0]),
        ({"top_p": 0.41}, [0, 4 / 7, 0, 3 / 7]),
        ({"top_p": 1.0}, P),
        ({"min_p": 0.5}, [0, 4 / 9, 2 / 9, 3 / 9]),
        ({"min_p": 0.0}, P),
        ({"top_p": 0.9}, [0, 4 / 9, 2 / 9, 3 / 9]),  # 0.4 + 0.3 + 0.2, not quite exact in binary
        ({"temperature": 1e-300}, [0, 1, 0, 0]),
        ({"top_k": 3, "top_p": 0.5}, [0, 4 / 7, 0, 3 / 7]),
    ],
)
def test_dials(dials: dict, expected) -> None:
    p = next_token_probabilities(LOGITS, **dials)
    assert p.dtype == np.float64
    np.testing.assert_allclose(p, expected, atol=1e-12)


@given(
    st.lists(st.floats(-50, 50), min_size=1, max_size=20),
    st.floats(0.01, 5), st.integers(1, 25), st.floats(0.01, 1), st.floats(0, 1),
)  # fmt: skip
def test_dials_always_leave_a_distribution(logits, temperature, k, top_p, min_p) -> None:
    p = next_token_probabilities(logits, temperature, k, top_p, min_p)
    assert p.sum() == pytest.approx(1)
    assert (p >= 0).all()
    assert (p > 0).sum() <= k
    best = np.asarray(logits) >= max(logits) - 1e-6
    assert p[best].sum() > 0


def test_draws_follow_the_probabilities() -> None:
    model = make()
    prompt = np.array([[3, 1, 4]])
    p = next_token_probabilities(model(prompt).data[0, -1])
    drawn = [int(qt.generate(model, prompt, 1, seed=seed)[0, -1]) for seed in range(2000)]
    frequencies = np.bincount(drawn, minlength=20) / 2000
    np.testing.assert_allclose(frequencies, p, atol=0.04)


@pytest.mark.parametrize("position", ["rope", "sinusoidal", "learned"])
@pytest.mark.parametrize("new", [5, 13, 60])
def test_cache_changes_nothing(position: str, new: int) -> None:
    """Also far beyond the block, where the oldest half is forgotten."""
    model = make(position=position, n_kv_head=1)
    prompt = np.array([[3, 1, 4], [1, 5, 9]])
    for temperature in (0.0, 1.0):
        a, b = (qt.generate(model, prompt, new, temperature=temperature, seed=7, use_cache=c)
                for c in (True, False))  # fmt: skip
        assert a.shape == (2, 3 + new)
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a[:, :3], prompt)


def test_greedy_is_the_naive_loop() -> None:
    model, ids = make(), [[2, 7]]
    for _ in range(10):
        ids = [[*ids[0], int(model(ids).data[0, -1].argmax())]]
    assert qt.generate(model, [[2, 7]], 10, temperature=0).tolist() == ids


def test_stop_ids_end_a_row() -> None:
    model = make()
    free = qt.generate(model, [[3], [8]], 12, temperature=1.0, seed=1)
    stop = int(free[0, 4])
    first = free[0, 1:].tolist().index(stop) + 1
    out = qt.generate(model, [[3]], 12, temperature=1.0, seed=1, stop_ids={stop})
    assert out[0, -1] == stop
    assert stop not in out[0, 1:-1]
    both = qt.generate(model, [[3], [8]], 12, seed=1, stop_ids={stop})
    assert (both[0, first:] == stop).all()


def test_streams_and_modes() -> None:
    model = make(dropout=0.5)
    model.train()
    columns = list(stream(model, [[1, 2]], 6, seed=3))
    assert model.training
    np.testing.assert_array_equal(
        np.stack(columns, axis=1), qt.generate(model, [[1, 2]], 6, seed=3)[:, 2:]
    )
    iterator = stream(model, [[1, 2]], 6)
    next(iterator)
    assert (qt.Tensor(np.ones(1), requires_grad=True) * 2).requires_grad, "no_grad leaked"
    assert qt.generate(model, [[1, 2]], 0).tolist() == [[1, 2]]


def test_text_stream_holds_back_half_a_character() -> None:
    tokenizer = qt.BPETokenizer.train("grün ☃ ", vocab_size=257)
    model = qt.GPT(qt.GPTConfig(vocab_size=257, block_size=16, n_layer=1, n_head=2, d_model=16))
    pieces = list(stream_text(model, tokenizer, "g", max_new_tokens=40, seed=0))
    ids = qt.generate(model, [tokenizer.encode("g")], 40, seed=0)[0, 1:]
    assert "".join(pieces) == tokenizer.decode(ids)
    assert list(stream_text(model, tokenizer, "", max_new_tokens=2))
    one_line = qt.CharTokenizer.train("no line end")
    assert list(stream_text(model, one_line, "", max_new_tokens=0)) == []


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ({"temperature": -1}, "temperature must be 0"),
        ({"temperature": float("inf")}, "temperature must be 0"),
        ({"top_k": 0}, "top_k must be a whole number of at least 1, not 0"),
        ({"top_p": 0.0}, "top_p must be above 0"),
        ({"top_p": 1.5}, "top_p must be above 0"),
        ({"min_p": 2}, "min_p must be from 0 to 1"),
        ({"max_new_tokens": -1}, "max_new_tokens must be a whole number from 0 up"),
    ],
)
def test_bad_dials(dials: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        qt.generate(make(), [[1]], **dials)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ([[0] * 17], "the prompt has 17 tokens, but the model reads at most block_size=16"),
        ([[]], r"T >= 1, not \(1, 0\)"),
        ([1, 2], r"shape \(B, T\)"),
        ([[25]], "id 25 is outside the vocabulary"),
    ],
)
def test_bad_prompts(prompt, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        qt.generate(make(), prompt)


def test_bad_logits() -> None:
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="NaN or infinity"):
            next_token_probabilities([0.0, bad])
    with pytest.raises(ValueError, match="NaN or infinity"):
        next_token_probabilities([-np.inf, -np.inf])
    with pytest.raises(ValueError, match=r"shape \(V,\), not \(1, 2\)"):
        next_token_probabilities([[0.0, 1.0]])


def test_repetition_penalty() -> None:
    """As in the paper: scores above 0 are divided, those below multiplied, each id once."""
    logits = np.array([2.0, -1.0, 0.5, 1.9])
    p = next_token_probabilities(logits, repetition_penalty=2.0, seen=[0, 1, 0])
    expected = np.exp([1.0, -2.0, 0.5, 1.9])
    np.testing.assert_allclose(p, expected / expected.sum())
    model, prompt = make(), [[3, 3, 3]]
    text = qt.generate(model, prompt, 8, temperature=0, repetition_penalty=1e9)[0, 3:]
    assert len(set(text.tolist())) == len(text), "no id comes twice"


@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize("position", ["rope", "learned", "sinusoidal"])
def test_prompts_of_different_lengths(position: str, use_cache: bool) -> None:
    model = make(position=position)
    prompts = [[1, 2, 3, 4, 5], [6], [7, 8]]
    together = qt.generate(model, prompts, 6, temperature=0, use_cache=use_cache)
    assert together.shape == (3, 11)
    for row, prompt in zip(together, prompts):
        alone = qt.generate(model, [prompt], 6, temperature=0, use_cache=use_cache)[0]
        assert row[5 - len(prompt) :].tolist() == alone.tolist()
    ids, mask = qt.generation.left_pad(prompts, pad_id=9)
    assert ids[1].tolist() == [9, 9, 9, 9, 6]
    padded = qt.generate(model, ids, 6, temperature=0, attention_mask=mask, use_cache=use_cache)
    assert padded[:, 5:].tolist() == together[:, 5:].tolist()


def test_a_padded_batch_past_the_block() -> None:
    model = make(block_size=8)
    cached = qt.generate(model, [[1, 2, 3, 4, 5], [6]], 20, temperature=0)
    plain = qt.generate(model, [[1, 2, 3, 4, 5], [6]], 20, temperature=0, use_cache=False)
    assert cached.tolist() == plain.tolist()


def test_log_probabilities_are_the_models_own() -> None:
    model = make()
    out, logprobs = qt.generate(
        model, [[1, 2], [3, 4]], 5, temperature=0.7, top_k=3, return_logprobs=True
    )
    assert logprobs.shape == (2, 5)
    log_p = qt.functional.log_softmax(model(out[:, :-1])).data  # (B, T, V)
    for b in range(2):
        for t in range(5):
            assert logprobs[b, t] == pytest.approx(log_p[b, t + 1, out[b, t + 2]], abs=1e-5)
    none, empty = qt.generate(model, [[1]], 0, return_logprobs=True)
    assert (none.shape, empty.shape) == ((1, 1), (1, 0))


def test_a_row_that_stopped_is_certain() -> None:
    model = make()
    first = int(qt.generate(model, [[1]], 1, temperature=0)[0, -1])
    out, logprobs = qt.generate(
        model, [[1], [2]], 4, temperature=0, stop_ids=first, return_logprobs=True
    )
    assert (out[0, 1:] == first).all()
    assert (logprobs[0, 1:] == 0).all()
    assert logprobs[0, 0] < 0


def test_text_ends_before_a_stop_string() -> None:
    tokenizer = qt.CharTokenizer.train("abcdefghijklmnopqrst")
    model = make()
    whole = "".join(stream_text(model, tokenizer, "abc", temperature=0, max_new_tokens=12))
    for stop in (whole[4:7], whole[0], whole[-1], whole[2:4], "zz", whole[-2:] + "z"):
        pieces = list(
            stream_text(model, tokenizer, "abc", [stop, "yy"], temperature=0, max_new_tokens=12)
        )
        assert "".join(pieces) == whole.split(stop)[0]
        assert "" not in pieces
    with pytest.raises(ValueError, match="a stop string is empty"):
        next(stream_text(model, tokenizer, "abc", ""))
