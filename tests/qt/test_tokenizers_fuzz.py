"""Damaged tokenizer files: a ValueError that names the file, or a tokenizer that works. No more."""

import json
import resource
import sys
from random import Random

import pytest

from qt import BPETokenizer, CharTokenizer, WordTokenizer
from qt.tokenizers import load_tokenizer

TEXT = "The fox sat by the well, 1234. The fox's well-known well! é 日本 🙂 <|end|><|a|>\n\n x " * 2
DEEP = "[" * 3000 + "]" * 3000
WRONG = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**30,
    1e999,
    float("nan"),
    "",
    "a",
    "Ġ",
    "a b",
    "日",
    [],
    {},
]
WRONG += [[[]], {"a": 0}, ["a", "b"], [97, 98], "x" * 10_000, "\ud800", list(range(300)), "gpt2"]
RAW = [
    DEEP,
    "9" * 5000,
    "-1e999",
    "NaN",
    '"\\ud800"',
    "[" * 3000,
    '{"a":' * 3000,
    '"\\u0000"',
    "\x00",
]


def originals():
    """Content of each kind of file: (kind, JSON or both of GPT-2's)."""
    gpt2 = BPETokenizer.train(TEXT, 290, special_tokens=["<|end|>", "<|a|>"])
    llama3 = BPETokenizer.train(TEXT, 290, special_tokens=["<|end|>"], pattern="llama3")
    by_itself = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    model = gpt2._content()["model"]
    return [
        ("any", CharTokenizer.train(TEXT)._content()),
        ("any", WordTokenizer.train(TEXT)._content()),
        ("any", llama3._content()),
        ("huggingface", {**gpt2._content(), "pre_tokenizer": by_itself}),
        ("gpt2", {"vocab": model["vocab"], "merges": model["merges"]}),
    ]


def places(value, path=()):
    """Every place in a JSON value, as the keys that lead there."""
    found = [path] if path else []
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, dict | list):
        for key, item in inside:
            found += places(item, (*path, key)) if isinstance(item, dict | list) else [(*path, key)]
    return found


def change_a_value(content, random):
    """Put another value, or one from elsewhere, in a place; or take it away."""
    content = json.loads(json.dumps(content))
    # The long lists hide the short ones: first choose how deep to go.
    every = places(content)
    depth = random.choice(sorted({len(path) for path in every}))
    *path, last = random.choice([path for path in every if len(path) == depth])
    place = content
    for key in path:
        place = place[key]
    how = random.randrange(5)
    if how == 0:
        del place[last]
    elif how == 1 and isinstance(place, list):
        place.append(random.choice([*WRONG, place[0]]))
    elif how == 1:
        place[random.choice(["new", "type", "normalizer", "merges"])] = random.choice(WRONG)
    elif how == 2:
        other = (
            random.choice(list(place)) if isinstance(place, dict) else random.randrange(len(place))
        )
        place[last], place[other] = place[other], place[last]
    else:
        place[last] = random.choice(WRONG)
    return content


def change_the_text(data, random):
    """Flip, cut, repeat or insert bytes."""
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 3, 20])):
        at, n = random.randrange(len(data) + 1), random.choice([1, 1, 8, 100])
        how = random.randrange(5)
        if how == 0:
            data[at : at + 1] = bytes([random.randrange(256)])
        elif how == 1:
            del data[at : at + n]
        elif how == 2:
            data[at:at] = data[at : at + n]
        elif how == 3:
            data[at:at] = random.choice(RAW).encode()
        else:
            del data[at:]
    return bytes(data)


def files_of(kind, content, random):
    """The bytes of one damaged file, or of GPT-2's two."""
    if kind != "gpt2":
        whole = json.dumps(content).encode()
        changed = json.dumps(change_a_value(content, random)).encode()
        return [changed if random.random() < 0.6 else change_the_text(whole, random)]
    if random.random() < 0.5:
        content = change_a_value(content, random)
    lines = content.get("merges")
    lines = map(str, lines) if isinstance(lines, list) else [str(lines)]
    merges = "\n".join(["#version: 0.2", *lines]).encode("utf-8", "replace")
    files = [json.dumps(content.get("vocab")).encode(), merges]
    if random.random() < 0.6:
        which = random.randrange(2)
        files[which] = change_the_text(files[which], random)
    return files


def check(load, paths):
    """True if the tokenizer was read; then it must work."""
    try:
        tokenizer = load(*paths)
    except ValueError as error:
        ours = str(paths[0]) in str(error) and len(str(error)) < 1000
        if not ours:
            raise AssertionError("an error that does not name the file") from error
        return False
    if isinstance(tokenizer, BPETokenizer):
        for allowed in ("none", "all"):
            ids = tokenizer.encode(TEXT, allowed)
            assert tokenizer.decode(ids) == TEXT
            assert list(tokenizer.encode_iterable(TEXT.splitlines(True), allowed)) == ids
    ids = list(range(tokenizer.vocab_size))
    assert "".join(tokenizer.decode_iterable(ids)) == tokenizer.decode(ids)
    if isinstance(tokenizer, CharTokenizer):
        assert tokenizer.encode(tokenizer.decode(ids)) == ids
    return True


def peak_megabytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def fuzz(tmp_path, n, seed):
    random, kinds, before = Random(seed), originals(), peak_megabytes()
    read = 0
    for i in range(n):
        kind, content = kinds[i % len(kinds)]
        paths = [tmp_path / "a.json", tmp_path / "merges.txt"][: 1 + (kind == "gpt2")]
        for path, data in zip(paths, files_of(kind, content, random)):
            path.write_bytes(data)
        loads = {"any": load_tokenizer, "huggingface": BPETokenizer.from_huggingface}
        try:
            read += check(loads.get(kind, BPETokenizer.from_gpt2), paths)
        except Exception as error:
            raise AssertionError(
                f"mutation {i} of seed {seed}, a {kind} file: {error!r}"
            ) from error
    assert 0.02 * n < read < 0.9 * n  # the mutations are neither harmless nor all fatal
    assert peak_megabytes() - before < 200


def test_damaged_files(tmp_path):
    fuzz(tmp_path, 2_000, seed=0)


@pytest.mark.long
def test_many_damaged_files(tmp_path):
    fuzz(tmp_path, 100_000, seed=1)


def test_undamaged_files_are_read(tmp_path):
    for kind, content in originals():
        if kind != "gpt2":
            (tmp_path / "a.json").write_text(json.dumps(content), encoding="utf-8")
            assert check(load_tokenizer, [tmp_path / "a.json"])
