"""What byte-pair encoding promises at its edges; from mutants of `qt.tokenizers.bpe`."""

import itertools
from pathlib import Path

import pytest

from qt import BPETokenizer
from qt.tokenizers import bpe
from qt.tokenizers.bpe_files import SIGNS

ENDINGS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]


def test_without_a_size_there_are_1024_ids() -> None:
    text = " ".join(map("".join, itertools.product("abcdefghij", repeat=3)))
    assert BPETokenizer.train(text).vocab_size == 1024


@pytest.mark.parametrize("pattern", ["gpt2", "llama3"])
def test_a_trained_tokenizer_splits_as_its_training_did(pattern: str) -> None:
    tokenizer = BPETokenizer.train("1234567", 300, special_tokens=(), pattern=pattern)
    assert tokenizer.pattern == pattern
    assert len(tokenizer.encode("1234567")) == {"gpt2": 1, "llama3": 3}[pattern]


@pytest.mark.parametrize(("pattern", "ids"), [("gpt2", [49, 50, 256]), ("llama3", [*b"1234"])])
def test_no_merge_joins_what_the_pattern_parts(pattern: str, ids: list[int]) -> None:
    assert BPETokenizer([(51, 52)], pattern=pattern).encode("1234") == ids


@pytest.mark.parametrize("pattern", ["gpt2", "llama3"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_text_cut_inside_an_english_ending_has_the_same_ids(ending: str, pattern: str) -> None:
    tokenizer = BPETokenizer.train(f"we{ending} ", 300, pattern=pattern)
    text = f"we{ending}"
    assert len(tokenizer.encode(text)) == 2
    for cut in range(1, len(text)):
        assert list(tokenizer.encode_iterable([text[:cut], text[cut:]])) == tokenizer.encode(text)


@pytest.mark.parametrize("byte", [0, 1, 127])
def test_the_first_and_the_last_ascii_byte_are_kept_beside_merges(byte: int) -> None:
    tokenizer, text = BPETokenizer([(97, 98)]), f"{chr(byte)}ab{chr(byte)}"
    assert tokenizer.encode(text) == [byte, 256, byte]
    assert tokenizer.decode([byte, 256, byte]) == text
    assert BPETokenizer([(byte, byte)]).encode(chr(byte) * 3) == [256, byte]


def test_a_short_word_is_merged_once_and_then_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer, merged = BPETokenizer([(97, 98)]), []
    merge = bpe.apply_merges
    monkeypatch.setattr(
        bpe, "apply_merges", lambda ids, *rest: merged.append(len(ids)) or merge(ids, *rest)
    )
    short, long = "ab" * (bpe.CACHED_LENGTH // 2), "ab" * (bpe.CACHED_LENGTH // 2) + "a"
    for _ in range(3):
        assert tokenizer.encode(short) == [256] * (bpe.CACHED_LENGTH // 2)
        assert len(tokenizer.encode(long)) == bpe.CACHED_LENGTH // 2 + 1
    assert sorted(merged) == [len(short), *[len(long)] * 3]


@pytest.mark.parametrize(
    "tokenizer",
    [
        BPETokenizer([(97, 98)], pattern="llama3"),
        BPETokenizer([(97, 98)], ignore_merges=True),
        BPETokenizer([], tokens=[*SIGNS, "ab"]),
    ],
    ids=["another split", "words taken whole", "a token that no merge makes"],
)
def test_gpt2s_files_refuse_each_thing_that_they_cannot_say(
    tokenizer: BPETokenizer, tmp_path: Path
) -> None:
    wanted = r"^GPT-2's files have only its split and merged tokens: use save\(\)$"
    with pytest.raises(ValueError, match=wanted):
        tokenizer.save_gpt2(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_tokens_without_a_byte_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the tokens lack a byte$"):
        BPETokenizer([], tokens=SIGNS[:-1])
