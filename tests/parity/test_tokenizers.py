"""Our ids are those of `tokenizers`, `tiktoken` and `transformers`, through files of both sides."""

import json
import re
import unicodedata

import pytest
import tiktoken
import tokenizers
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from qt import BPETokenizer
from qt.tokenizers.pretokenize import PATTERNS

END = "<|endoftext|>"
NASTY = [
    "",
    "Hello world",
    "I'll don't we've 'tis 'S 'LL it's IT'S '\u017f it'\u017fx 'ﬅ '''s 'll''re O'RE x'Dy 'VEx",
    "  leading\t\ttabs\n\n\nlines   \n end   ",
    " \n \n\n  x\r\n\r\n \r y \n",
    "!!\n\n  ?\r\n\r\r.\n a.\nb",
    "\x00\x01\x08\x0b\x0c\x1b\x1c\x1d\x1e\x1f\x7f\x80\x85\x9f\xa0",
    "a\x1cb \x1c c\x85\x85d\u200b\u200be\ufeff\u2028\u2029\u202f\u3000x \u00a0\u00a0y",
    " " * 1000 + "x" + "\n" * 999 + "\t" * 501 + "y" + " \n" * 300,
    "a" * 5000 + "!" * 3000 + "1" * 1000 + "\u0301" * 500,
    "e\u0301 a\u0308\u0323 \u0928\u092e\u0938\u094d\u0924\u0947 \u0e01\u0e47 \u0e01\u0e33\u0e25",
    "Z\u0351\u036b\u0343\u036aa\u0302\u031el\u0348g\u032eo\u0321",
    "👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪🇫🇷 1️⃣ ☃️ 🙂🙂",
    "日本語と中文 混合 العربية עברית Ελληνικά русский हिन्दी ไทย 한국어 ქართული",
    "½ ² ³ Ⅷ ٣ ௧௨ 〇 一二 ㊿ ① ¼x 12½ 1234567890 12,345.67 3rd 4'th x1y22z333w4444",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𠜎𠜱 𞤀𞤁 𝟘𝟙 𐄇",
    "ǅ ʰ ª º ﬁ İı ß ẞ K Å",
    "\U000e0041\U000f0000\U0010ffff\uffff\ufffd\ufdd0\ue000",
    "<|endoftext|> <|endoftext <|endoftext|><|endoftext|>x <|end|> ",
    "def f(x):\n    return x**2  # ok\n\n\nif __name__ == '__main__':\n\tprint(f(3))\n",
    "https://example.org/a?b=c&d=%20#e __init__ foo_bar CamelCase $1,000.00 50% a@b.c",
]
# Not every program knows the same Unicode version: characters that this Python's has.
KNOWN = st.characters(codec="utf-8", exclude_categories=("Cs", "Cn"))
TEXTS = st.text(
    st.one_of(KNOWN, st.sampled_from(" \n\r\t'\x1c\xa0slreSVſ1.!a日\u0301")), max_size=60
)


def known(text):
    return "".join(c for c in text if unicodedata.category(c) != "Cn")


@pytest.fixture(scope="module")
def corpus(data_dir):
    files = [data_dir / "tinyshakespeare.txt", *sorted((data_dir / "books").glob("*.txt"))]
    return [file.read_text(encoding="utf-8") for file in files]


@pytest.fixture(scope="module")
def gpt2(data_dir):
    return BPETokenizer.from_gpt2(data_dir / "gpt2/encoder.json", data_dir / "gpt2/merges.txt")


@pytest.fixture(scope="module")
def llama3_file(data_dir, tmp_path_factory):
    """A tokenizer as Llama 3's, trained by `tokenizers`: its split, added tokens, pairs."""
    pre, regex = tokenizers.pre_tokenizers, tokenizers.Regex(PATTERNS["llama3"])
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = pre.Sequence(
        [pre.Split(regex, "isolated"), pre.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=2000, initial_alphabet=pre.ByteLevel.alphabet(), show_progress=False
    )
    text = (data_dir / "books/alice_in_wonderland.txt").read_text(encoding="utf-8")
    tokenizer.train_from_iterator([text, *NASTY] * 2, trainer)
    tokenizer.add_special_tokens(["<|begin_of_text|>", END, "<|eot|>", "<|eot|><|eot|>"])
    path = tmp_path_factory.mktemp("llama3") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="module", params=["gpt2", "llama3", "llama3 whole words"])
def pair(request, tmp_path_factory):
    """One of our tokenizers, and the one of `tokenizers` that has the same file."""
    path = tmp_path_factory.mktemp("pair") / "tokenizer.json"
    if request.param == "gpt2":
        ours = request.getfixturevalue("gpt2")
        ours.save_huggingface(path)
    else:
        content = json.loads(request.getfixturevalue("llama3_file").read_bytes())
        content["model"]["ignore_merges"] = "whole" in request.param
        model = content["model"]
        del model["merges"][1500:]  # so that whole words differ from merged ones
        path.write_text(json.dumps(content), encoding="utf-8")
        ours = BPETokenizer.from_huggingface(path)
    return ours, tokenizers.Tokenizer.from_file(str(path))


def theirs(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))
def test_nasty_text_as_tokenizers(pair, text):
    ours, hf = pair
    text = known(text)
    ids = ours.encode(text, allowed_special="all")  # as `tokenizers` always does
    assert ids == theirs(hf, text)
    assert list(ours.encode_iterable(re.findall("(?s).{1,7}", text), allowed_special="all")) == ids
    assert ours.decode(ids) == hf.decode(ids, skip_special_tokens=False) == text


@settings(max_examples=300)
@given(text=TEXTS)
def test_any_text_as_tokenizers(pair, text):
    ours, hf = pair
    assert ours.encode(text, allowed_special="all") == theirs(hf, text)


def test_books_as_tokenizers(pair, corpus):
    ours, hf = pair
    for text in corpus:
        ids = ours.encode(text)
        assert ids == theirs(hf, text)
        assert list(ours.encode_iterable(re.split(r"(?<=\n)", text))) == ids


@settings(max_examples=200)
@given(data=st.data())
def test_any_ids_decode_as_tokenizers(pair, data):
    ours, hf = pair
    ids = data.draw(st.lists(st.integers(0, ours.vocab_size - 1), max_size=30))
    assert ours.decode(ids) == hf.decode(ids, skip_special_tokens=False)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_we_train_is_read_by_tokenizers(tmp_path, corpus, pattern):
    special = ["<|a|>", "<|a|><|b|>", "<|日|>"]
    ours = BPETokenizer.train(corpus[1][:50_000], 600, special_tokens=special, pattern=pattern)
    ours.save(tmp_path / "tokenizer.json")
    peer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert peer.get_vocab_size() == ours.vocab_size
    for text in [*map(known, NASTY), "x<|a|><|b|><|a|> <|日|>", corpus[1]]:
        assert ours.encode(text, allowed_special="all") == theirs(peer, text)


def test_gpt2s_files_of_ours_are_read_by_tokenizers(tmp_path, corpus):
    ours = BPETokenizer.train(corpus[1][:50_000], 600)
    ours.save_gpt2(tmp_path)
    files = str(tmp_path / "encoder.json"), str(tmp_path / "merges.txt")
    peer = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(*files))
    peer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    for text in [*map(known, NASTY), corpus[1]]:
        assert ours.encode(text) == theirs(peer, text)


# The published forms of the two splits, as tiktoken's own encodings have them.
TIKTOKEN = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "llama3": PATTERNS["llama3"],
}


def tiktoken_of(tokenizer, pattern):
    special = tokenizer.special_tokens
    ranks = {t: i for i, t in enumerate(tokenizer.vocab) if i not in special.values()}
    return tiktoken.Encoding(
        pattern, pat_str=TIKTOKEN[pattern], mergeable_ranks=ranks, special_tokens=special
    )


@pytest.fixture(scope="module")
def gpt2_as_tiktoken(gpt2):
    return tiktoken_of(gpt2, "gpt2")


def test_gpt2_as_tiktoken(gpt2, gpt2_as_tiktoken, corpus):
    peer = gpt2_as_tiktoken
    for text in [*map(known, NASTY), *corpus]:
        assert gpt2.encode(text) == peer.encode_ordinary(text)
        assert gpt2.encode(text, allowed_special="all") == peer.encode(text, allowed_special="all")


@settings(max_examples=300)
@given(text=TEXTS)
def test_any_text_as_tiktoken(gpt2, gpt2_as_tiktoken, text):
    assert gpt2.encode(text) == gpt2_as_tiktoken.encode_ordinary(text)


def test_llama3s_split_as_tiktoken(corpus):
    ours = BPETokenizer.train(corpus[1][:50_000], 600, special_tokens=(), pattern="llama3")
    peer = tiktoken_of(ours, "llama3")
    for text in [*map(known, NASTY), *corpus]:
        assert ours.encode(text) == peer.encode_ordinary(text)


def test_transformers_reads_both_formats(gpt2, tmp_path):
    gpt2.save_gpt2(tmp_path)
    gpt2.save_huggingface(tmp_path / "tokenizer.json")
    peers = [
        transformers.GPT2Tokenizer(str(tmp_path / "encoder.json"), str(tmp_path / "merges.txt")),
        transformers.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json")),
    ]
    for text in [*map(known, NASTY[:8]), NASTY[11], f"Hello{END}world"]:
        ids = gpt2.encode(text, allowed_special="all")
        for peer in peers:
            assert peer.encode(text, add_special_tokens=False) == ids, type(peer)
