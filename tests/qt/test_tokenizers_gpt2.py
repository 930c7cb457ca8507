"""GPT-2's own merges: our ids must be GPT-2's on nasty text.

The ids below were made once by an independent program, the `tokenizers` library 0.22.2 (byte-level
BPE), from the same two files. tests/parity has many more texts, for machines that have the library.
"""

import json

import pytest

from qt import BPETokenizer

# fmt: off
GPT2_IDS = {
    'Hello world': [
        15496, 995,
    ],
    "I'll don't we've 'tis 'S 'LL it's": [
        40, 1183, 836, 470, 356, 1053, 705, 48010, 705, 50, 705, 3069, 340, 338,
    ],
    '  leading\t\ttabs\n\n\nlines   \n end   ': [
        220, 3756, 197, 197, 8658, 82, 628, 198, 6615, 220, 220, 220, 198, 886, 220, 220, 220,
    ],
    '\x00\x01\x1c\x1d\x1e\x1f\x7f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000x': [
        188, 189, 216, 217, 218, 219, 221, 126, 227, 1849, 157, 248, 222, 447, 225, 447, 101,
        447, 102, 447, 107, 5099, 222, 87,
    ],
    'a\x1cb \x1c c\x85\x85d\u200b\u200be\ufeff': [
        64, 216, 65, 220, 216, 269, 126, 227, 126, 227, 67, 39009, 68, 171, 119, 123,
    ],
    'e\u0301 \u0928\u092e\u0938\u094d\u0924\u0947 \u0e01\u0e47 \u0e01\u0e33\u0e25\u0e31'
    '\u0e07': [
        68, 136, 223, 28225, 101, 11976, 106, 11976, 116, 24231, 235, 11976, 97, 24231, 229,
        220, 19567, 223, 31479, 229, 220, 19567, 223, 19567, 111, 19567, 98, 19567, 109, 19567,
        229,
    ],
    '\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f3\ufe0f\u200d'
    '\U0001f308 \U0001f44d\U0001f3fd \U0001f1e9\U0001f1ea': [
        41840, 102, 447, 235, 41840, 102, 447, 235, 41840, 100, 447, 235, 41840, 99, 12520, 237,
        111, 37929, 447, 235, 8582, 234, 230, 50169, 235, 8582, 237, 121, 12520, 229, 102, 8582,
        229, 103,
    ],
    '\u65e5\u672c\u8a9e\u3068\u4e2d\u6587 \u6df7\u5408 \u0627\u0644\u0639\u0631\u0628\u064a'
    '\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea \u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac'
    ' \u0440\u0443\u0441\u0441\u043a\u0438\u0439': [
        33768, 98, 17312, 105, 45739, 252, 30201, 40792, 23877, 229, 10545, 115, 115, 28938,
        230, 28981, 44690, 26897, 39848, 22654, 45632, 14360, 95, 49603, 37778, 33951, 103,
        7377, 243, 39377, 39377, 138, 115, 26180, 29945, 43000, 138, 105, 220, 21169, 35072,
        21727, 21727, 31583, 18849, 140, 117,
    ],
    '\xbd \xb2 \xb3 \u2167 \u0663 \u0be7\u0be8 \u3007 \u4e00\u4e8c \u32bf': [
        23141, 1587, 110, 1587, 111, 2343, 227, 100, 18923, 96, 220, 156, 107, 100, 156, 107,
        101, 220, 5099, 229, 220, 31660, 12859, 234, 220, 159, 232, 123,
    ],
    '\U0001d518\U0001d52b\U0001d526\U0001d520\U0001d52c\U0001d521\U0001d522 \U00010348 '
    '\U0002070e\U00020731 \U0001e900\U0001e901': [
        47728, 242, 246, 47728, 242, 104, 47728, 242, 99, 47728, 242, 254, 47728, 242, 105,
        47728, 242, 94, 47728, 242, 95, 220, 172, 238, 235, 230, 220, 172, 254, 250, 236, 172,
        254, 250, 109, 220, 172, 252, 97, 222, 172, 252, 97, 223,
    ],
    '<|endoftext|> text': [
        27, 91, 437, 1659, 5239, 91, 29, 2420,
    ],
    '\u01c5 \u02b0 \xaa \xba \ufb01 \u0130\u0131 \xdf \u1e9e': [
        131, 227, 220, 134, 108, 1587, 103, 1587, 118, 27332, 105, 223, 34754, 108, 30102, 6184,
        253, 28053, 118, 252,
    ],
    "'''s '' 'll''re": [
        7061, 6, 82, 10148, 705, 297, 7061, 260,
    ],
    "1234567890 12,345.67 3rd 4'th": [
        10163, 2231, 30924, 3829, 1105, 11, 27712, 13, 3134, 513, 4372, 604, 470, 71,
    ],
    '\r\n\r\n \r x': [
        201, 198, 201, 198, 220, 201, 2124,
    ],
    '__init__ foo_bar CamelCase': [
        834, 15003, 834, 22944, 62, 5657, 43281, 20448,
    ],
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa                    !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!': [
        24794, 24794, 24794, 24794, 24794, 24794, 24794, 7252, 220, 220, 220, 220, 220, 220,
        220, 220, 220, 220, 220, 220, 220, 220, 220, 220, 220, 220, 220, 220, 34635, 34635,
        34635, 13896, 3228,
    ],
    '\u2019s \u2019ll \u201cq\u201d\u2014x\u2026': [
        447, 247, 82, 564, 247, 297, 564, 250, 80, 447, 251, 960, 87, 1399,
    ],
    '\U000e0041\U000f0000\U0010ffff\uffff\ufffd': [
        175, 254, 223, 223, 175, 108, 222, 222, 176, 237, 123, 123, 171, 123, 123, 4210,
    ],
}
# fmt: on


@pytest.fixture(scope="module")
def gpt2(data_dir):
    return BPETokenizer.from_gpt2(data_dir / "gpt2/encoder.json", data_dir / "gpt2/merges.txt")


@pytest.mark.parametrize("text", GPT2_IDS, ids=range(len(GPT2_IDS)))
def test_trust_06_ids_are_gpt2s(gpt2, text):
    ids = gpt2.encode(text)
    assert ids == GPT2_IDS[text]
    assert list(gpt2.encode_iterable(text)) == GPT2_IDS[text]  # a character at a time
    assert gpt2.decode(ids) == text


def test_the_special_token_is_gpt2s(gpt2):
    assert gpt2.special_tokens == {"<|endoftext|>": 50256}
    ids = gpt2.encode("Hello world<|endoftext|>", allowed_special="all")
    assert ids == [15496, 995, 50256]


def test_gpt2s_files_are_written_as_they_were_read(gpt2, data_dir, tmp_path):
    gpt2.save_gpt2(tmp_path)
    assert (tmp_path / "merges.txt").read_bytes() == (data_dir / "gpt2/merges.txt").read_bytes()
    ours, theirs = (
        json.loads((d / "encoder.json").read_bytes()) for d in (tmp_path, data_dir / "gpt2")
    )
    assert ours == theirs


def test_gpt2_goes_through_our_own_file(gpt2, tmp_path):
    gpt2.save(tmp_path / "tok.json")
    again = BPETokenizer.load(tmp_path / "tok.json")
    assert (again.vocab, again.merges) == (gpt2.vocab, gpt2.merges)
    assert again.special_tokens == gpt2.special_tokens
