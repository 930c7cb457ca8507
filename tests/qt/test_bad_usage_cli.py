"""Wrong uses of the command `qt`: what was typed, the exit code, and the one line that is said."""

import io
import json
import os
import shutil
from pathlib import Path

import pytest

from qt.cli import main

TRAIN = "train --data {text} --out {new} "
GENERATE = "generate --checkpoint {run} "
ENCODE = "tokenize encode --tokenizer {run}/tokenizer.json "
DECODE = "tokenize decode --tokenizer {run}/tokenizer.json "
SEE_TRAIN = "; see qt train --help"
SEE_GENERATE = "; see qt generate --help"
SMALL = "--n-layer 1 --n-head 2 --d-model 16 --block-size 16 --tokenizer char --steps 4 --quiet"


def at_least(flag: str, least: int, found: str) -> str:
    return f"{flag}: must be a whole number of at least {least}, not {found!r}"


# What is wrong by itself, whatever the files hold: exit code 2.
WRONG_USAGE = [
    ("", "the following arguments are required: command; see qt --help"),
    ("train", "qt train needs --data and --out, or --resume"),
    ("train --data {text}", "qt train needs --data and --out, or --resume"),
    ("train --out {new}", "qt train needs --data and --out, or --resume"),
    (TRAIN + "--steps 0", at_least("--steps", 1, "0") + SEE_TRAIN),
    (TRAIN + "--steps many", at_least("--steps", 1, "many") + SEE_TRAIN),
    (TRAIN + "--steps 1.5", at_least("--steps", 1, "1.5") + SEE_TRAIN),
    (TRAIN + "--batch-size -3", at_least("--batch-size", 1, "-3") + SEE_TRAIN),
    (TRAIN + "--warmup -1", at_least("--warmup", 0, "-1") + SEE_TRAIN),
    (TRAIN + "--threads 0", at_least("--threads", 1, "0") + SEE_TRAIN),
    (TRAIN + "--patience 0", at_least("--patience", 1, "0") + SEE_TRAIN),
    (TRAIN + "--seed -1", at_least("--seed", 0, "-1") + SEE_TRAIN),
    (TRAIN + "--vocab-size 0", at_least("--vocab-size", 1, "0") + SEE_TRAIN),
    (TRAIN + "--lr 0", "--lr: must be a number above 0, not '0'" + SEE_TRAIN),
    (TRAIN + "--lr nan", "--lr: must be a number above 0, not 'nan'" + SEE_TRAIN),
    (TRAIN + "--lr fast", "--lr: must be a number above 0, not 'fast'" + SEE_TRAIN),
    (TRAIN + "--clip -1", "--clip: must be a number of at least 0, not '-1'" + SEE_TRAIN),
    (TRAIN + "--beta2 1", "--beta2: must be a number from 0 to below 1, not '1'" + SEE_TRAIN),
    (TRAIN + "--dropout 1", "--dropout: must be a number from 0 to below 1, not '1'" + SEE_TRAIN),
    (
        TRAIN + "--weight-decay inf",
        "--weight-decay: must be a number of at least 0, not 'inf'" + SEE_TRAIN,
    ),
    (
        TRAIN + "--position alibi",
        "--position: must be rope or sinusoidal or learned, not 'alibi'" + SEE_TRAIN,
    ),
    (
        TRAIN + "--schedule step",
        "--schedule: must be constant or linear or cosine or wsd or inverse_sqrt, not 'step'"
        + SEE_TRAIN,
    ),
    (
        TRAIN + "--optimizer lion",
        "--optimizer: must be adamw or adam or sgd, not 'lion'" + SEE_TRAIN,
    ),
    (TRAIN + "--step 3", "unrecognized arguments: --step 3; see qt --help"),
    (TRAIN + "--steps", "--steps: expected one argument" + SEE_TRAIN),
    (
        TRAIN + "--tokenizer char --vocab-size 300",
        "--vocab-size is for bpe and word: a char tokenizer has every character of the text",
    ),
    (
        "train --resume {run} --d-model 8",
        "--d-model cannot change when a run is resumed: start a new one",
    ),
    (
        "train --resume {run} --qk-norm",
        "--qk-norm cannot change when a run is resumed: start a new one",
    ),
    ("generate", "the following arguments are required: --checkpoint" + SEE_GENERATE),
    (
        GENERATE + "--temperature -1",
        "--temperature: must be a number of at least 0, not '-1'" + SEE_GENERATE,
    ),
    (GENERATE + "--top-k 0", at_least("--top-k", 1, "0") + SEE_GENERATE),
    (
        GENERATE + "--top-p 1.5",
        "--top-p: must be a number above 0 and at most 1, not '1.5'" + SEE_GENERATE,
    ),
    (GENERATE + "--min-p -0.1", "--min-p: must be a number from 0 to 1, not '-0.1'" + SEE_GENERATE),
    (
        GENERATE + "--repetition-penalty 0",
        "--repetition-penalty: must be a number above 0, not '0'" + SEE_GENERATE,
    ),
    (GENERATE + "--max-new-tokens -1", at_least("--max-new-tokens", 0, "-1") + SEE_GENERATE),
    (GENERATE + "--stop=", "--stop: must not be empty" + SEE_GENERATE),
    (GENERATE + "--logprobs", "--logprobs needs --json"),
    ("eval --checkpoint {run}", "the following arguments are required: --data; see qt eval --help"),
    ("tokenize", "the following arguments are required: action; see qt tokenize --help"),
    (
        "tokenize train --data {text} --out {new} --tokenizer subword",
        "--tokenizer: must be bpe or char or word, not 'subword'; see qt tokenize train --help",
    ),
    (ENCODE + "x --file {text}", "give the input as an argument or with --file, not both"),
]

# What fails because of what the files hold: exit code 1.
FAILURES = [
    (
        "train --data nowhere --out {new}",
        'there is no data called "nowhere" (No such file or directory): use "stories", '
        '"tinyshakespeare", or the path of a text file',
    ),
    ("train --data {empty} --out {new}", "{empty} is empty: there is nothing to learn from"),
    (
        "train --data {latin} --out {new}",
        "{latin} is not UTF-8 text: byte 2 is 0xfc; convert it, for instance with iconv",
    ),
    (
        "train --data {text} --out {run}",
        "{run} holds a run already: go on with --resume {run}, or use another --out",
    ),
    ("train --data {text} --out {text}", "{text} is a file: --out names a new folder"),
    (
        TRAIN + "--d-model 30 --n-head 4",
        "d_model=30 is not a multiple of n_head=4",
    ),
    (
        "train --resume {run} --steps 3",
        "{run} has 4 steps already: give --steps above that",
    ),
    (
        "train --resume {tmp}",
        "{tmp} holds no run that can be resumed: there is no {tmp}/training.json",
    ),
    (
        "train --resume {nonsense}",
        "{nonsense}/training.json is damaged: threads must be a whole number above 0, not 'two'",
    ),
    (
        GENERATE + "--prompt ☃",
        "text has '☃' (U+2603) at position 0, none of the 11 characters: remove it, train on text "
        "that has it, or use BPETokenizer, which encodes any text",
    ),
    (
        "generate --checkpoint {mute}",
        "{mute} has no tokenizer.json: its model knows ids, not text",
    ),
    (
        "tokenize encode --tokenizer {tmp}/no.json x",
        "{tmp}/no.json cannot be read: No such file or directory; "
        "qt tokenize train makes a tokenizer",
    ),
    (ENCODE + "--file {latin}", "{latin} is not UTF-8 text: byte 2 is 0xfc; convert it, for "
     "instance with iconv"),
    (ENCODE + "--file {tmp}/no.txt", "{tmp}/no.txt cannot be read: No such file or directory"),
    (ENCODE, "standard input is not UTF-8 text: byte 0 is 0xff; convert it, for instance with "
     "iconv"),
    (
        DECODE + "1,x",
        "ids must be whole numbers, parted by spaces or commas: "
        "invalid literal for int() with base 10: 'x'",
    ),
    (
        "tokenize train --data {text} --out {tmp}/no/tok.json",
        "there is no folder {tmp}/no: make it first",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files and runs that the wrong uses name."""
    tmp = tmp_path_factory.mktemp("bad")
    names = ("text", "empty", "latin", "run", "mute", "nonsense", "new")
    place = {name: tmp / name for name in names} | {"tmp": tmp}
    place["text"].write_text("the cat sat on the mat. " * 40, encoding="utf-8")
    place["empty"].touch()
    place["latin"].write_bytes("Grüße".encode("latin-1"))
    assert main(f"train --data {place['text']} --out {place['run']} {SMALL}".split()) == 0
    for name in ("mute", "nonsense"):
        shutil.copytree(place["run"], place[name])
    (place["mute"] / "tokenizer.json").unlink()
    record = json.loads((place["run"] / "training.json").read_bytes())
    (place["nonsense"] / "training.json").write_text(json.dumps(record | {"threads": "two"}))
    return place


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [(typed, 2, said) for typed, said in WRONG_USAGE]
    + [(typed, 1, said) for typed, said in FAILURES],
)
def test_one_line_and_an_exit_code(
    typed: str, code: int, said: str, places: dict[str, Path], monkeypatch, capsys
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))
    argv = typed.format(**places).split()
    try:
        found = main(argv)
    except SystemExit as error:  # argparse's way out
        found = error.code
    output = capsys.readouterr()
    assert output.err == f"error: {said.format(**places)}\n"
    assert output.out == ""
    assert found == code
    assert not places["new"].exists()


BROKEN_RECORDS = {
    "[]": "data must be a text, not None",
    '{"data": 7}': "data must be a text, not 7",
    '{"data": "stories", "threads": 0, "training": {}}': "threads must be a whole number above 0",
    '{"data": "stories", "threads": true, "training": {}}': "threads must be a whole number",
    '{"data": "stories", "threads": 1, "training": 5}': "training must be an object, not 5",
    '{"data": "stories", "threads": 1, "training": {"steps": 0}}': "is damaged: steps must be",
    '{"data": "stories", "threads": 1, "training": {"lr": "x"}}': "is damaged: lr must be",
    "{": "is not JSON",
    "": "is not JSON",
    "[" * 100_000: "is not JSON",
    "\xff": "is not JSON",
}


@pytest.mark.parametrize("content", BROKEN_RECORDS, ids=lambda text: text[:60])
def test_a_damaged_training_json_is_said_in_one_line(
    content: str, places: dict[str, Path], capsys
) -> None:
    path = places["nonsense"] / "training.json"
    path.write_bytes(content.encode("latin-1"))
    before = sorted(places["nonsense"].iterdir())
    assert main(["train", "--resume", str(places["nonsense"]), "--steps", "9"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path} ")
    assert BROKEN_RECORDS[content] in error
    assert error.count("\n") == 1
    assert sorted(places["nonsense"].iterdir()) == before


def test_a_folder_that_may_not_be_written(places: dict[str, Path], capsys, monkeypatch) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied", str(places["new"]))

    monkeypatch.setattr(os, "mkdir", refuse)
    argv = f"train --data {places['text']} --out {places['new']} {SMALL}".split()
    assert main(argv) == 1
    assert capsys.readouterr().err == f"error: {places['new']}: Permission denied\n"
