"""Hugging Face's tokenizer.json, the file of a `BPETokenizer`, from and to its arguments.

It spells a token in GPT-2's alphabet, one visible sign a byte: a byte that is a visible sign of
Latin-1 is that sign, the others are U+0100 and on (a space is Ġ). Special tokens are plain text.
"""

from collections.abc import Sequence
from typing import Any

from qt.tokenizers.pretokenize import PATTERNS

VISIBLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
HIDDEN = [byte for byte in range(256) if byte not in VISIBLE]
BYTES = {chr(byte): byte for byte in VISIBLE} | {chr(256 + i): b for i, b in enumerate(HIDDEN)}
SIGNS = sorted(BYTES, key=lambda sign: BYTES[sign])  # by byte

# Keys that may say anything; any other must be off, or what `VALUES` names.
KNOWN = {"model", "vocab", "merges", "ignore_merges", "unk_token", "fuse_unk", "pre_tokenizer"}
KNOWN |= {"post_processor", "decoder", "added_tokens", "id", "content", "special", "normalized"}
VALUES = {"version": "1.0", "type": "BPE"}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}


def unspell(token: str) -> bytes:
    """Return the bytes that a token's signs stand for; `ValueError` for another sign."""
    if unknown := set(token) - BYTES.keys():
        raise ValueError(f"token {token!r:.80} has {min(unknown)!r}, which stands for no byte")
    return bytes([BYTES[sign] for sign in token])


def from_content(content: dict[str, Any]) -> dict[str, Any]:
    """Return the constructor's arguments; `ValueError` names what `BPETokenizer` cannot do."""
    if not content.keys() >= {"model", "pre_tokenizer"}:
        raise ValueError("it has no type, and no model and pre_tokenizer as a tokenizer.json has")
    model, added = content["model"], content.get("added_tokens") or []
    for part in (content, model, *added):
        for key, value in part.items():
            if value and key not in KNOWN and value != VALUES.get(key):
                raise ValueError(f"{key} is {value!r:.80}, which BPETokenizer cannot do")
    if (content.get("decoder") or BYTE_LEVEL)["type"] != "ByteLevel":
        raise ValueError(f"decoder is {content['decoder']!r:.80}, expected ByteLevel")
    ids = dict(model["vocab"])
    for token in added:
        if ids.setdefault(token["content"], token["id"]) != token["id"]:
            raise ValueError(f"token {token['content']!r:.80} has two ids")
    tokens = sorted(ids, key=lambda token: ids[token])
    places = {token: i for i, token in enumerate(tokens)}
    if places != ids:
        raise ValueError(f"the ids of {len(ids)} tokens must be 0 to {len(ids) - 1}, each once")
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    if unknown := {token for a, b in pairs for token in (a, b, a + b)} - places.keys():
        raise ValueError(f"its merges have {min(unknown)!r:.80}, which its vocab lacks")
    return {
        "merges": [(places[left], places[right]) for left, right in pairs],
        "special_tokens": [token["content"] for token in added],
        "tokens": tokens,
        "pattern": _pattern(content["pre_tokenizer"]),
        "ignore_merges": model.get("ignore_merges", False),
    }


def to_content(
    merges: Sequence[tuple[int, int]], special: dict[str, int], tokens: Sequence[str],
    pattern: str, ignore_merges: bool,
) -> dict[str, Any]:  # fmt: skip
    """Return what a file holds of them: `from_content` turned round."""
    pairs = [f"{tokens[left]} {tokens[right]}" for left, right in merges]
    model = {"type": "BPE", "ignore_merges": ignore_merges, "merges": pairs}
    model |= {"vocab": {token: i for i, token in enumerate(tokens)}}
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    added = [{"id": i, "content": t, "special": True, **plain} for t, i in special.items()]
    split = {"type": "Sequence", "pretokenizers": _steps(pattern)}
    content = {"version": "1.0", "added_tokens": added, "pre_tokenizer": split}
    return content | {"decoder": BYTE_LEVEL, "model": model}


def _steps(pattern: str) -> list[dict[str, Any]]:
    regex = {"Regex": PATTERNS[pattern]}
    split = {"type": "Split", "pattern": regex, "behavior": "Isolated", "invert": False}
    return [split, BYTE_LEVEL | {"use_regex": False}]


def _pattern(pre_tokenizer: dict[str, Any]) -> str:
    steps = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    steps = [{k: v or k == "trim_offsets" for k, v in step.items()} for step in steps]
    by_itself = [[BYTE_LEVEL], [BYTE_LEVEL | {"use_regex": True}]]  # ByteLevel splits as GPT-2
    for pattern in PATTERNS:
        if steps == _steps(pattern) or (pattern == "gpt2" and steps in by_itself):
            return pattern
    raise ValueError(f"pre_tokenizer is neither GPT-2's nor Llama 3's: {steps!r:.160}")
