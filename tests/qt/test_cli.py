"""The command `qt`, called as a user calls it."""

import contextlib
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from qt import BPETokenizer, load_checkpoint
from qt.cli import build_parser, main, progress

QT = [sys.executable, "-m", "qt.cli"]
SMALL = ["--n-layer=1", "--n-head=2", "--d-model=16", "--block-size=16", "--batch-size=4"]


def qt(*args: object, stdin: str = "") -> SimpleNamespace:
    """Run the command line in this process, which saves the start of another."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode("utf-8"))))
        try:
            code = main([str(arg) for arg in args])
        except SystemExit as leave:  # argparse's way out
            code = leave.code
    return SimpleNamespace(returncode=code or 0, stdout=out.getvalue(), stderr=err.getvalue())


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "text.txt"
    path.write_text("the cat sat on the mat. the dög sat on the log.\n" * 60, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(text: Path) -> Path:
    out = text.parent / "run"
    done = qt("train", "--data", text, "--out", out, *SMALL, "--steps", 30, "--eval-every", 15,
              "--vocab-size", 280)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "validation loss" in done.stdout
    assert "step    30 of 30  validation loss" in done.stderr
    return out


def test_generate(run: Path) -> None:
    command = ["generate", "--checkpoint", run, "--prompt", "the c", "--max-new-tokens", 20]
    a, b, c = (qt(*command, *more) for more in ([], ["--no-cache"], ["--temperature", "0"]))
    assert a.returncode == 0, a.stderr
    assert a.stdout.startswith("the c")
    assert a.stdout == b.stdout
    assert c.returncode == 0


def test_eval_is_one_line_of_json(run: Path, text: Path) -> None:
    done = qt("eval", "--checkpoint", run, "--data", text)
    result = json.loads(done.stdout)
    assert set(result) == {"loss", "perplexity", "bits_per_byte", "tokens"}
    assert done.stdout.count("\n") == 1


def test_info(run: Path) -> None:
    result = json.loads(qt("info", "--checkpoint", run, "--json").stdout)
    assert result["step"] == 30
    assert result["config"]["d_model"] == 16
    shown = qt("info", "--checkpoint", run).stdout
    assert shown.startswith("step 30 in ")
    assert load_checkpoint(run).model.summary() in shown


def test_train_json(text: Path, tmp_path: Path) -> None:
    """One line for a program, the measurements still on standard error; early stop is said."""
    out = tmp_path / "run"
    done = qt("train", "--data", text, "--out", out, *SMALL, "--tokenizer=char",
              "--lr=1e-30", "--weight-decay=0", "--steps=50", "--eval-every=2", "--patience=2",
              "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert result["stopped_early"] is True
    assert result["step"] < 50
    assert result["val_bits_per_byte"] > 0
    assert "validation loss" in done.stderr
    again = qt("train", "--data", text, "--out", tmp_path / "again", *SMALL, "--tokenizer=char",
               "--lr=1e-30", "--weight-decay=0", "--steps=50", "--eval-every=2",
               "--patience=2")  # fmt: skip
    assert "stopped early: no better than" in again.stdout
    assert qt("train", "--resume", out).stderr == (
        f"error: {out} has stopped early: go on with a larger --patience\n"
    )
    more = qt("train", "--resume", out, "--patience=3", "--json", "--quiet")
    assert json.loads(more.stdout)["step"] > result["step"]


def test_every_model_flag_reaches_the_config(text: Path, tmp_path: Path) -> None:
    flags = {
        "n_layer": 2, "n_head": 4, "n_kv_head": 2, "d_model": 24, "d_ff": 40, "block_size": 12,
        "position": "learned", "norm": "layernorm", "ffn": "gelu_tanh", "dropout": 0.25,
    }  # fmt: skip
    argv = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    out = tmp_path / "run"
    done = qt("train", "--data", text, "--out", out, "--tokenizer=char", *argv, "--bias",
              "--qkv-bias", "--qk-norm", "--steps=1", "--batch-size=2", "--quiet")  # fmt: skip
    assert done.returncode == 0, done.stderr
    config = json.loads((out / "config.json").read_bytes())
    expected = flags | {"bias": True, "qkv_bias": True, "qk_norm": True}
    assert {name: config[name] for name in expected} == expected


def test_every_training_flag_reaches_the_record(text: Path, tmp_path: Path) -> None:
    flags = {
        "steps": 2, "batch_size": 3, "grad_accum": 2, "lr": 0.02, "min_lr": 0.001, "warmup": 1,
        "schedule": "inverse_sqrt", "optimizer": "sgd", "weight_decay": 0.3, "beta1": 0.5,
        "beta2": 0.75, "clip": 2.0, "eval_every": 1, "eval_batches": 4, "save_every": 1,
        "patience": 7, "seed": 5,
    }  # fmt: skip
    argv = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    out = tmp_path / "run"
    done = qt("train", "--data", text, "--out", out, "--tokenizer=word", "--vocab-size=5", *SMALL,
              *argv, "--quiet")  # fmt: skip
    assert done.returncode == 0, done.stderr
    training = json.loads((out / "training.json").read_bytes())["training"]
    assert {name: training[name] for name in flags} == flags
    assert json.loads((out / "config.json").read_bytes())["vocab_size"] == 5


def test_generate_json_and_stop(run: Path) -> None:
    command = ["generate", "--checkpoint", run, "--prompt", "the c", "--max-new-tokens", 30,
               "--temperature", "0"]  # fmt: skip
    plain = qt(*command).stdout
    result = json.loads(qt(*command, "--json", "--logprobs").stdout)
    assert set(result) == {"prompt", "text", "tokens", "seconds", "logprobs"}
    assert result["prompt"] + result["text"] + "\n" == plain
    assert result["tokens"] == len(result["logprobs"]) == 30
    assert max(result["logprobs"]) <= 0
    end = result["text"][3:5]
    stopped = json.loads(qt(*command, "--json", "--stop", "not there", "--stop", end).stdout)
    assert stopped["text"] == result["text"][: result["text"].index(end)]
    assert stopped["tokens"] < 30
    other = qt(*command, "--repetition-penalty", "1000").stdout
    assert other != plain


def test_tokenize(text: Path, tmp_path: Path) -> None:
    for kind in ("bpe", "char", "word"):
        path = tmp_path / f"{kind}.json"
        done = qt("tokenize", "train", "--data", text, "--out", path, "--tokenizer", kind)
        assert done.returncode == 0, done.stderr
        ids = qt("tokenize", "encode", "--tokenizer", path, "the dög").stdout
        assert qt("tokenize", "decode", "--tokenizer", path, ids).stdout == "the dög\n"
        encoded = qt("tokenize", "encode", "--tokenizer", path, "--json", "the dög")
        assert "ö" in "".join(json.loads(encoded.stdout)["tokens"])
    assert qt("tokenize", "decode", "--tokenizer", path, stdin=ids).stdout == "the dög\n"


def test_tokenize_reads_files_and_writes_json(text: Path, tmp_path: Path) -> None:
    path, end = tmp_path / "tok.json", "<|endoftext|>"
    done = qt("tokenize", "train", "--data", text, "--out", path, "--vocab-size=280", "--json")
    trained = json.loads(done.stdout)
    assert trained == {"out": str(path), "type": "bpe", "vocab_size": trained["vocab_size"]}
    ids = qt("tokenize", "encode", "--tokenizer", path, "--file", text).stdout
    (tmp_path / "ids").write_text(ids.replace(" ", ", "), encoding="utf-8")
    back = qt("tokenize", "decode", "--tokenizer", path, "--file", tmp_path / "ids", "--json")
    assert json.loads(back.stdout) == {"text": text.read_text(encoding="utf-8")}
    encode = ["tokenize", "encode", "--tokenizer", path, "--json", f"dög{end}"]
    plain, special = (json.loads(qt(*encode, *more).stdout) for more in ([], ["--special"]))
    assert special["ids"][-1] == trained["vocab_size"] - 1
    assert special["tokens"][-1] == end
    assert len(special["ids"]) == len(special["tokens"]) < len(plain["ids"])


def test_tokenize_reads_a_file_of_hugging_face(text: Path, tmp_path: Path) -> None:
    ours = BPETokenizer.train(text.read_text(encoding="utf-8"), 280)
    ours.save_huggingface(tmp_path / "tokenizer.json")
    done = qt("tokenize", "encode", "--tokenizer", tmp_path / "tokenizer.json", "the dög")
    assert [int(word) for word in done.stdout.split()] == ours.encode("the dög")


def test_ctrl_c_saves_and_resume_continues(text: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [*QT, "train", "--data", str(text), "--out", str(out), *SMALL, "--steps", "100000",
               "--eval-every", "100000"]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    metrics = out / "metrics.jsonl"
    for _ in range(300):
        time.sleep(0.1)
        if metrics.exists() and metrics.read_text().count("\n") > 2:
            break
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"is saved; go on with qt train --resume {out}" in stderr
    step = json.loads(qt("info", "--checkpoint", out, "--json").stdout)["step"]
    assert step > 0
    done = qt("train", "--resume", out, "--steps", step + 3)
    assert done.returncode == 0, done.stderr
    assert json.loads(qt("info", "--checkpoint", out, "--json").stdout)["step"] == step + 3


def test_threads_flag_and_quiet(text: Path, tmp_path: Path) -> None:
    done = qt("train", "--data", text, "--out", tmp_path / "r", *SMALL, "--steps", 2, "--quiet",
              "--tokenizer", "char", "--threads", 1)  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1


def damaged(run: Path, tmp_path: Path) -> Path:
    import shutil

    copy = tmp_path / "damaged"
    shutil.copytree(run, copy)
    model = next(copy.glob("checkpoints/step-000030/model.safetensors"))
    model.write_bytes(model.read_bytes()[:100])
    return copy


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ("train --data {tmp}/short --out {tmp}/r --tokenizer char", 1, "use a longer text"),
        ("generate --checkpoint {tmp}", 1, "there is no checkpoint"),
        ("generate --checkpoint {damaged}", 1, "is cut off"),
        ("generate --checkpoint {run} --prompt {long}", 1, "the model reads at most block_size=16"),
        ("eval --checkpoint {run} --data {tmp}/empty", 1, "is empty"),
        ("tokenize encode --tokenizer {text} x", 1, "no tokenizer file"),
        ("tokenize decode --tokenizer {run}/tokenizer.json 99999", 1, "99999"),
        ("dance", 2, "command: invalid choice"),
        ("tokenize dance", 2, "action: invalid choice"),
    ],
)
def test_errors_are_one_line(
    args: str, code: int, message: str, run: Path, text: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "short").write_text("too short", encoding="utf-8")
    broken = damaged(run, tmp_path) if "{damaged}" in args else ""
    filled = args.format(tmp=tmp_path, text=text, run=run, damaged=broken, long="x" * 99)
    done = qt(*filled.split())
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "r").exists() or not any((tmp_path / "r").iterdir())


def test_as_a_process() -> None:
    """`python -m qt.cli` prints UTF-8 whatever the locale, and passes the exit code on."""
    here = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*QT, "train", "--help"], capture_output=True, env=here)
    assert "1–2 minutes" in done.stdout.decode("utf-8")
    assert subprocess.run([*QT, "dance"], capture_output=True).returncode == 2


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no checkpoint"):
        qt("generate", "--checkpoint", tmp_path, "--debug")


COMMANDS = ["train", "generate", "eval", "info", "tokenize train", "tokenize encode",
            "tokenize decode"]  # fmt: skip


@pytest.mark.parametrize("command", ["", "tokenize", *COMMANDS])
def test_help_teaches(command: str) -> None:
    """What the command does, every flag, and examples with what they print or take."""
    done = qt(*command.split(), "--help")
    assert done.returncode == 0
    assert f"usage: qt {command}".strip() in done.stdout
    assert "qt train --data stories" in done.stdout or "examples" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


def test_the_help_shows_the_defaults_of_both_texts() -> None:
    shown = " ".join(qt("train", "--help").stdout.split())
    assert "updates of the weights (default: 1250; tinyshakespeare 2000)" in shown
    assert "attention heads of a block (default: 4)" in shown
    assert "how the rate goes on from there (default: cosine)" in shown


def test_the_examples_of_the_help_are_no_wrong_usage() -> None:
    """Every line `qt …` of a help text is understood by the parser."""
    parser = build_parser()
    seen = 0
    for command in ["", *COMMANDS]:
        for line in qt(*command.split(), "--help").stdout.splitlines():
            if line.startswith("  qt "):
                for part in line.split("|"):
                    parser.parse_args(shlex.split(part)[1:])
                    seen += 1
    assert seen >= 15


def test_a_closed_pipe_is_no_error(run: Path) -> None:
    for args in (["generate", "--checkpoint", str(run)], ["train", "--help"]):
        command = " ".join([*QT, *args, "| head -c 1"])
        done = subprocess.run(["sh", "-c", command], capture_output=True)
        assert done.stderr == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_an_error(run: Path) -> None:
    command = [*QT, "info", "--checkpoint", str(run)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "error: [Errno 28] No space left on device\n"


def test_ctrl_c_while_the_tokenizer_learns_leaves_nothing(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*args: object, **settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BPETokenizer, "train", interrupt)
    assert main(["train", "--data", str(text), "--out", str(tmp_path / "run")]) == 130
    assert main(["tokenize", "train", "--data", str(text), "--out", str(tmp_path / "tok")]) == 130
    assert capsys.readouterr().err == "interrupted\ninterrupted\n"
    assert not list(tmp_path.iterdir())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_shows_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(progress, "AGAIN", 0.0)
    for screen, quiet, seen in (
        (Terminal(), False, True), (Terminal(), True, False), (io.StringIO(), False, False)
    ):  # fmt: skip
        monkeypatch.setattr("sys.stderr", screen)
        with progress.Bar("training", 4, quiet) as bar:
            for step in range(5):
                bar.update(step, f"loss {step}.0")
        drawn = screen.getvalue()
        assert ("training ██████████░░░░░░░░░░ 2 of 4" in drawn) is seen
        assert ("loss 4.0" in drawn) is seen
        assert drawn.split("\r")[-2:] in ([" " * 79, ""], [""])  # wiped away
        assert "".join(progress.in_pieces("abcdefg", "encoding", quiet, size=3)) == "abcdefg"
        assert list(progress.with_bar([1, 2], "measuring")) == [1, 2]


def test_a_busy_terminal_counts_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "FIRST", 0.01)
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    with progress.busy("learning merges"):
        time.sleep(0.2)
    assert "learning merges … 0 s" in screen.getvalue()
    assert screen.getvalue().endswith(" \r")
