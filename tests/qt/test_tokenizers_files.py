"""Other people's files: what is read and written, and what is refused by name."""

import json

import pytest

from qt import BPETokenizer
from qt.tokenizers.bpe_files import BYTES, SIGNS, unspell
from qt.tokenizers.pretokenize import PATTERNS

TEXT = (
    "The fox sat by the well. The moon rose; the fox's well-known well, 1234567. Ça va 🙂\r\n" * 3
)


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.train(TEXT, 300, special_tokens=["<|begin|>", "<|end|>"], pattern="llama3")


@pytest.fixture
def content(tokenizer):
    return json.loads(json.dumps(tokenizer._content()))


def read(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")
    return BPETokenizer.from_huggingface(path)


def test_the_alphabet_is_gpt2s():
    assert "".join(SIGNS[33:127]) == "".join(map(chr, range(33, 127)))
    assert (SIGNS[0], SIGNS[10], SIGNS[32], SIGNS[127], SIGNS[160], SIGNS[173]) == tuple("ĀĊĠġłŃ")
    assert len(set(SIGNS)) == len(BYTES) == 256
    assert unspell("Ġthe") == b" the"
    with pytest.raises(ValueError, match="token '日' has '日', which stands for no byte"):
        unspell("日")


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("whole", [False, True])
def test_a_file_gives_the_same_tokenizer(tmp_path, pattern, whole):
    trained = BPETokenizer.train(TEXT, 300, pattern=pattern)
    ours = BPETokenizer(trained.merges, ["<|end|>"], pattern=pattern, ignore_merges=whole)
    for save, load in (
        (ours.save, BPETokenizer.load),
        (ours.save_huggingface, BPETokenizer.from_huggingface),
    ):
        save(tmp_path / "tokenizer.json")
        again = load(tmp_path / "tokenizer.json")
        assert (again.vocab, again.merges) == (ours.vocab, ours.merges)
        assert again.special_tokens == ours.special_tokens
        assert (again.pattern, again.ignore_merges) == (pattern, whole)
        assert again.encode(TEXT) == ours.encode(TEXT)
        assert again._content() == ours._content()


def test_ids_of_another_order_are_kept(tmp_path, tokenizer, content):
    model = content["model"]
    order = sorted(model["vocab"])
    model["vocab"] = {token: i for i, token in enumerate(order)}
    for added in content["added_tokens"]:
        added["id"] = model["vocab"][added["content"]]
    other = read(tmp_path / "t.json", content)
    ids, others = (t.encode(TEXT + "<|end|>", allowed_special="all") for t in (tokenizer, other))
    assert [order[i] for i in others] == [tokenizer.tokens[i] for i in ids]
    assert other.decode(others) == TEXT + "<|end|>"
    other.save(tmp_path / "again.json")
    assert BPETokenizer.load(tmp_path / "again.json").encode(TEXT) == other.encode(TEXT)


def test_merges_may_be_pairs_and_two_may_make_one_token(tmp_path, content):
    model = content["model"]
    model["merges"] = [["t", "h"], ["h", "e"], ["th", "e"], ["t", "he"], ["x", "t"]]
    signs = {*SIGNS, "th", "he", "the", "xt"}
    model["vocab"] = {token: i for i, token in enumerate(sorted(signs))}
    content["added_tokens"] = []
    tokenizer = read(tmp_path / "t.json", content)

    def spelled(text):
        return [tokenizer.tokens[i] for i in tokenizer.encode(text)]

    assert spelled("the") == ["the"]  # t h first, then th e
    assert spelled("xthe") == ["xt", "he"] or spelled("xthe") == ["x", "the"]
    assert tokenizer.vocab_size == 260


def test_a_word_that_is_a_token_is_taken_whole_with_ignore_merges(tmp_path, content):
    content["model"]["vocab"]["Ġfoxes"] = len(content["model"]["vocab"])
    content["model"]["ignore_merges"] = True
    tokenizer = read(tmp_path / "t.json", content)
    assert tokenizer.encode(" foxes") == [tokenizer.vocab_size - 1]
    assert tokenizer.decode(tokenizer.encode(" foxes")) == " foxes"
    content["model"]["ignore_merges"] = False
    assert len(read(tmp_path / "t.json", content).encode(" foxes")) > 1
    with pytest.raises(ValueError, match="only its split and merged tokens: use save"):
        read(tmp_path / "t.json", content).save_gpt2(tmp_path)


BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}


@pytest.mark.parametrize(
    ("pre_tokenizer", "pattern"),
    [
        (BYTE_LEVEL, "gpt2"),
        ({**BYTE_LEVEL, "trim_offsets": True, "use_regex": True}, "gpt2"),
        ({"type": "Sequence", "pretokenizers": [BYTE_LEVEL]}, "gpt2"),
    ],
)
def test_the_other_spellings_of_gpt2s_split(tmp_path, content, pre_tokenizer, pattern):
    content["pre_tokenizer"] = pre_tokenizer
    assert read(tmp_path / "t.json", content).pattern == pattern


def test_what_does_not_matter_may_be_there_and_the_rest_absent(tmp_path, content, tokenizer):
    content |= {
        "post_processor": {"type": "TemplateProcessing"},
        "normalizer": None,
        "padding": None,
    }
    content["model"] |= {"unk_token": "<unk>", "fuse_unk": True, "dropout": None}
    assert read(tmp_path / "t.json", content).encode(TEXT) == tokenizer.encode(TEXT)
    del content["version"], content["decoder"], content["model"]["type"]  # as old GPT-2 files
    assert read(tmp_path / "t.json", content).encode(TEXT) == tokenizer.encode(TEXT)


def test_gpt2s_two_files(tmp_path):
    ours = BPETokenizer.train(TEXT, 300, special_tokens=["<|a b|>", "<é>"])
    ours.save_gpt2(tmp_path)
    files = tmp_path / "encoder.json", tmp_path / "merges.txt"
    assert files[1].read_bytes().startswith(b"#version: 0.2\n")
    again = BPETokenizer.from_gpt2(*files)
    assert (again.vocab, again.merges) == (ours.vocab, ours.merges)
    assert again.special_tokens == ours.special_tokens
    windows = files[1].read_bytes().replace(b"\n", b"\r\n")
    files[1].write_bytes(windows)
    assert BPETokenizer.from_gpt2(*files).merges == ours.merges


def test_gpt2s_files_cannot_say_llama3s_split(tmp_path, tokenizer):
    with pytest.raises(ValueError, match="GPT-2's files have only its split"):
        tokenizer.save_gpt2(tmp_path)
    assert list(tmp_path.iterdir()) == []


SPLIT = {"type": "Split", "pattern": {"Regex": PATTERNS["llama3"]}, "behavior": "Isolated"}
SPLIT |= {"invert": False}
LAST = {**BYTE_LEVEL, "use_regex": False}


def steps(*pretokenizers):
    return {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [*pretokenizers]}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normalizer": {"type": "NFC"}}, "normalizer is {'type': 'NFC'}, which BPETok"),
        ({"truncation": {"max_length": 9}}, "truncation is {'max_length': 9}, which"),
        ({"padding": {"strategy": "BatchLongest"}}, "padding is"),
        ({"version": "2.0"}, "version is '2.0', which"),
        ({"novelty": 1}, "novelty is 1, which"),
        (
            {"decoder": {"type": "Metaspace"}},
            "decoder is {'type': 'Metaspace'}, expected ByteLevel",
        ),
        ({"pre_tokenizer": None}, "damaged"),
        (
            {"pre_tokenizer": {"type": "Metaspace"}},
            "pre_tokenizer is neither GPT-2's nor Llama 3's",
        ),
        ({"pre_tokenizer": {**BYTE_LEVEL, "add_prefix_space": True}}, "pre_tokenizer is neither"),
        ({"pre_tokenizer": {**BYTE_LEVEL, "use_regex": False}}, "pre_tokenizer is neither"),
        (steps(SPLIT), "pre_tokenizer is neither"),
        (steps(SPLIT, BYTE_LEVEL), "pre_tokenizer is neither"),
        (steps({**SPLIT, "behavior": "Removed"}, LAST), "pre_tokenizer is neither"),
        (steps({**SPLIT, "invert": True}, LAST), "pre_tokenizer is neither"),
        (steps({**SPLIT, "pattern": {"Regex": r"\p{L}+"}}, LAST), "pre_tokenizer is neither"),
        (steps({**SPLIT, "pattern": {"String": " "}}, LAST), "pre_tokenizer is neither"),
        (steps(SPLIT, LAST, {"type": "Digits"}), "pre_tokenizer is neither"),
        ({"model.type": "Unigram"}, "type is 'Unigram', which"),
        ({"model.type": "WordPiece"}, "type is 'WordPiece', which"),
        ({"model.dropout": 0.1}, "dropout is 0.1, which"),
        ({"model.byte_fallback": True}, "byte_fallback is True, which"),
        ({"model.continuing_subword_prefix": "##"}, "continuing_subword_prefix is '##', which"),
        ({"model.end_of_word_suffix": "</w>"}, "end_of_word_suffix is '</w>', which"),
        ({"model.ignore_merges": "yes"}, "no bool 'yes'"),
        ({"model.merges": ["a b c"]}, "too many values"),
        ({"model.merges": ["ab"]}, "not enough values"),
        ({"model.merges": ["a b", "ab c", "x y"]}, "its merges have '.*', which its vocab lacks"),
        (
            {"model.merges": ["h e"] * 2},
            r"merge \(104, 101\) must join two ids below 300, and once",
        ),
        ({"model.merges": 7}, "'int' object is not iterable"),
        ({"model.vocab": ["a"]}, "damaged"),
        ({"model.vocab": {"a": 0}}, "its merges have|the ids of"),
        (
            {"model.vocab": {"a": 0}, "model.merges": [], "added_tokens": []},
            "the tokens lack a byte",
        ),
        ({"model.vocab": {"a": 1}, "model.merges": [], "added_tokens": []}, "the ids of 1 tokens"),
        ({"model.vocab": {"日": 0}, "model.merges": [], "added_tokens": []}, "tokens lack a byte"),
        ({"added_tokens": [{"content": "<x>", "id": 900}]}, "the ids of .* tokens must be 0 to"),
        ({"added_tokens": [{"content": "<x>", "id": 0}]}, "the ids of 301 tokens must be 0 to 300"),
        ({"added_tokens": [{"content": "t", "id": 900}]}, "token 't' has two ids"),
        (
            {"added_tokens": [{"content": "t", "id": 116}]},
            "special token 't' is spelled as another",
        ),
        (
            {"added_tokens": [{"content": "<x>", "id": 300, "lstrip": True}]},
            "lstrip is True, which",
        ),
        (
            {"added_tokens": [{"content": "<x>", "id": 300, "rstrip": True}]},
            "rstrip is True, which",
        ),
        ({"added_tokens": [{"content": "<x>", "single_word": True}]}, "single_word is True, which"),
        ({"added_tokens": [7]}, "damaged"),
        ({"added_tokens": [{"id": 300}]}, "damaged: KeyError.'content'"),
        ({"model": 7}, "damaged"),
    ],
)
def test_anything_else_is_refused_by_name(tmp_path, content, changes, message):
    for key, value in changes.items():
        place = content["model"] if key.startswith("model.") else content
        place[key.removeprefix("model.")] = value
    with pytest.raises(ValueError, match=message) as caught:
        read(tmp_path / "t.json", content)
    assert str(tmp_path / "t.json") in str(caught.value)


@pytest.mark.parametrize(
    ("encoder", "merges", "message"),
    [
        (b"", b"", "Expecting value"),
        (b"[]", b"", "not a mapping"),
        (b"{}", b"", "the tokens lack a byte"),
        (b'{"a": 0}', b"a b", "its merges have"),
        (b'{"a": 0}', b"ab", "not enough values"),
        (b'{"a": 0}', b"\xff", "can't decode"),
        (b'{"a": 1e400}', b"", "the ids of 1 tokens must be 0 to 0, each once"),
        (b'{"a": [], "b": {}}', b"", "damaged: TypeError"),
    ],
)
def test_damaged_gpt2_files(tmp_path, encoder, merges, message):
    files = tmp_path / "encoder.json", tmp_path / "merges.txt"
    files[0].write_bytes(encoder)
    files[1].write_bytes(merges)
    with pytest.raises(ValueError, match=message) as caught:
        BPETokenizer.from_gpt2(*files)
    assert str(files[0]) in str(caught.value)
