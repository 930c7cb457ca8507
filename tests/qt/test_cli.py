"""The command `qt`, run as a user runs it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

QT = [sys.executable, "-m", "qt.cli"]
SMALL = ["--n-layer=1", "--n-head=2", "--d-model=16", "--block-size=16", "--batch-size=4"]


def qt(*args: str | Path, **options) -> subprocess.CompletedProcess:
    return subprocess.run([*QT, *map(str, args)], capture_output=True, text=True, timeout=120,
                          encoding="utf-8", **options)  # fmt: skip


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
    result = json.loads(qt("info", "--checkpoint", run).stdout)
    assert result["step"] == 30
    assert result["config"]["d_model"] == 16


def test_tokenize(text: Path, tmp_path: Path) -> None:
    for kind in ("bpe", "char", "word"):
        path = tmp_path / f"{kind}.json"
        done = qt("tokenize", "train", "--data", text, "--out", path, "--tokenizer", kind)
        assert done.returncode == 0, done.stderr
        ids = qt("tokenize", "encode", "--tokenizer", path, "the dög").stdout
        assert qt("tokenize", "decode", "--tokenizer", path, ids).stdout == "the dög\n"
    assert qt("tokenize", "decode", "--tokenizer", path, input=ids).stdout == "the dög\n"


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
    step = json.loads(qt("info", "--checkpoint", out).stdout)["step"]
    assert step > 0
    done = qt("train", "--resume", out, "--steps", step + 3)
    assert done.returncode == 0, done.stderr
    assert json.loads(qt("info", "--checkpoint", out).stdout)["step"] == step + 3


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
        ("train --data nowhere --out {tmp}/r", 1, 'no data called "nowhere"'),
        ("train --data {tmp}/empty --out {tmp}/r", 1, "is empty"),
        ("train --data {tmp}/latin --out {tmp}/r", 1, "not UTF-8"),
        ("train --data {tmp}/short --out {tmp}/r --tokenizer char", 1, "use a longer text"),
        ("train --data {text}", 2, "--data and --out"),
        ("train --data {text} --out {run}", 1, "holds a run already"),
        ("train --data {text} --out {tmp}/r --d-model 30 --n-head 4", 1, "cannot be cut into"),
        ("train --data {text} --out {tmp}/r --position alibi", 2, "invalid choice"),
        ("train --data {text} --out {tmp}/r --steps many", 2, "invalid int value"),
        ("train --resume {run} --d-model 8", 1, "--d-model cannot change"),
        ("train --resume {run} --steps 20", 1, "has 30 steps already: give --steps above that"),
        ("train --resume {tmp}", 1, "no run that can be resumed"),
        ("generate --checkpoint {tmp}", 1, "there is no checkpoint"),
        ("generate --checkpoint {damaged}", 1, "is cut off"),
        ("generate --checkpoint {run} --top-k 0", 1, "top_k must be at least 1"),
        ("generate --checkpoint {run} --prompt {long}", 1, "the model reads at most block_size=16"),
        ("eval --checkpoint {run} --data {tmp}/empty", 1, "is empty"),
        ("tokenize encode --tokenizer {text} x", 1, "no tokenizer file"),
        ("tokenize decode --tokenizer {run}/tokenizer.json 1,x", 1, "ids must be whole numbers"),
        ("tokenize decode --tokenizer {run}/tokenizer.json 99999", 1, "99999"),
        ("", 2, "required"),
        ("dance", 2, "invalid choice"),
    ],
)
def test_errors_are_one_line(
    args: str, code: int, message: str, run: Path, text: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "latin").write_bytes("Grüße".encode("latin-1"))
    (tmp_path / "short").write_text("too short", encoding="utf-8")
    broken = damaged(run, tmp_path) if "{damaged}" in args else ""
    filled = args.format(tmp=tmp_path, text=text, run=run, damaged=broken, long="x" * 99)
    done = qt(*filled.split())
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
    assert not (tmp_path / "r").exists() or not any((tmp_path / "r").iterdir())


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = qt("generate", "--checkpoint", tmp_path, "--debug")
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("args", [[], ["train"], ["generate"], ["eval"], ["tokenize", "train"]])
def test_help(args: list[str]) -> None:
    done = qt(*args, "--help")
    assert done.returncode == 0
    assert "usage: qt" in done.stdout


def test_a_closed_pipe_is_no_error(run: Path) -> None:
    command = " ".join([*QT, "generate", "--checkpoint", str(run), "| head -c 1"])
    done = subprocess.run(["sh", "-c", command], capture_output=True)
    assert done.stderr == b""
