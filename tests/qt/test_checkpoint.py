"""Checkpoints: whole or not there, and nothing in them is trusted."""

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import qt
import qt.checkpoint
import qt.files
from qt.checkpoint import CheckpointError

CONFIG = qt.GPTConfig(vocab_size=300, block_size=8, n_layer=1, n_head=2, d_model=16)
TOKENIZER = qt.BPETokenizer.train("the cat and the dog and the bird " * 3, vocab_size=300)


def make(seed: int = 0) -> qt.GPT:
    return qt.GPT(qt.GPTConfig(**{**CONFIG.to_dict(), "vocab_size": TOKENIZER.vocab_size}), seed)


def trained(steps: int = 2) -> tuple[qt.GPT, qt.optim.AdamW]:
    model = make()
    optimizer = qt.optim.AdamW(qt.optim.decay_groups(model, 0.1), lr=1e-2)
    for _ in range(steps):
        x = np.arange(8)[None]
        qt.functional.cross_entropy(model(x), x).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model, optimizer


def save(directory: Path, step: int = 2) -> Path:
    model, optimizer = trained()
    return qt.save_checkpoint(
        directory, model=model, tokenizer=TOKENIZER, optimizer=optimizer, step=step, extra={"a": 1}
    )


def test_round_trip(tmp_path: Path) -> None:
    model, optimizer = trained()
    place = save(tmp_path / "run")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "checkpoints", "config.json", "latest", "tokenizer.json"
    ]  # fmt: skip
    assert sorted(p.name for p in place.iterdir()) == [
        "model.safetensors", "optimizer.safetensors", "state.json"
    ]  # fmt: skip
    for path in (tmp_path / "run", place):
        loaded = qt.load_checkpoint(path)
        assert (loaded.step, loaded.extra) == (2, {"a": 1})
        assert loaded.model.config == model.config
        for name, array in model.state_dict().items():
            np.testing.assert_array_equal(loaded.model.state_dict()[name], array)
        assert loaded.tokenizer is not None
        assert loaded.tokenizer.encode("the bird") == TOKENIZER.encode("the bird")
        other = qt.optim.AdamW(qt.optim.decay_groups(loaded.model, 0.1))
        other.load_state_dict(loaded.optimizer_state)
        assert other.param_groups[0]["lr"] == 1e-2
        for p, q in zip(model.parameters(), loaded.model.parameters()):
            for key, value in optimizer.state[p].items():
                np.testing.assert_array_equal(other.state[q][key], value)


def test_the_same_step_twice(tmp_path: Path) -> None:
    save(tmp_path)
    model = make(seed=5)
    qt.save_checkpoint(tmp_path, model=model, step=2)
    loaded = qt.load_checkpoint(tmp_path)
    np.testing.assert_array_equal(
        loaded.model.state_dict()["norm.weight"], model.state_dict()["norm.weight"]
    )
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-000002"]


@pytest.mark.parametrize("step", [2, 3])
@pytest.mark.parametrize("after", range(9))
def test_a_full_disk_leaves_the_old_checkpoint_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, step: int
) -> None:
    """The disk fills up at the `after`-th sync, whichever file that is."""
    save(tmp_path)
    before = qt.load_checkpoint(tmp_path).model.state_dict()
    real, calls = qt.files.os.fsync, []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == after + 1:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(qt.files.os, "fsync", fsync)
    changed = make(seed=9)
    with contextlib.suppress(OSError):
        qt.save_checkpoint(tmp_path, model=changed, optimizer=trained()[1], step=step)
    monkeypatch.undo()
    loaded = qt.load_checkpoint(tmp_path)
    found, new = loaded.model.state_dict(), changed.state_dict()
    # The old one or the new one, each whole; the new one for certain if nothing failed.
    choices = [new] if loaded.step == 3 or len(calls) <= after else [before, new]
    assert any(all((found[name] == c[name]).all() for name in found) for c in choices)
    left = [p for p in tmp_path.rglob("*") if p.name.endswith(".tmp") or p.name.startswith(".step")]
    assert left == []


def damage(path: Path, how: str) -> None:
    if how == "truncate":
        path.write_bytes(path.read_bytes()[:-7])
    elif how == "remove":
        path.unlink()
    elif how == "garbage":
        path.write_bytes(b"\x80garbage")
    elif how == "list":
        path.write_text("[1]", encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "how", "message"),
    [
        ("model.safetensors", "truncate", "the file is cut off"),
        ("model.safetensors", "remove", r"No such file.*model\.safetensors"),
        ("model.safetensors", "garbage", "not a safetensors file"),
        ("optimizer.safetensors", "truncate", "the file is cut off"),
        ("optimizer.safetensors", "remove", r"No such file.*optimizer\.safetensors"),
        ("state.json", "garbage", "not a JSON object"),
        ("state.json", "list", "'list' object is not a mapping"),
        ("state.json", "remove", "names 'step-000002', which is not a checkpoint there"),
        ("../../config.json", "garbage", "not a JSON object"),
        ("../../config.json", "remove", r"No such file.*config\.json"),
        ("../../latest", "remove", "there is no checkpoint in"),
        ("../../latest", "garbage", "which is not a checkpoint there"),
        ("../../tokenizer.json", "garbage", "no tokenizer file"),
    ],
)
def test_damaged_checkpoints(tmp_path: Path, file: str, how: str, message: str) -> None:
    damage(save(tmp_path) / file, how)
    with pytest.raises(CheckpointError, match=message):
        qt.load_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_model": 32}, r"has shape \(\d+, 16\), but this model needs \(\d+, 32\)"),
        ({"n_layer": 2}, "missing .*layers.1"),
        ({"tie_embeddings": False}, "missing .*lm_head.weight"),
        ({"d_model": "wide"}, "whole number"),
        ({"colour": "red"}, "unknown model settings: colour"),
    ],
)
def test_a_config_that_disagrees(tmp_path: Path, change: dict, message: str) -> None:
    save(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=message):
        qt.load_checkpoint(tmp_path)


def test_a_tokenizer_of_another_model(tmp_path: Path) -> None:
    save(tmp_path)
    small = qt.GPT(qt.GPTConfig(**{**CONFIG.to_dict(), "vocab_size": 5}))
    qt.save_checkpoint(tmp_path, model=small, step=3)
    with pytest.raises(CheckpointError, match="belongs to another model"):
        qt.load_checkpoint(tmp_path)


def test_float64_stays_float64(tmp_path: Path) -> None:
    model = make().astype(np.float64)
    qt.save_checkpoint(tmp_path, model=model)
    assert qt.load_checkpoint(tmp_path).model.state_dict()["norm.weight"].dtype == np.float64


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no checkpoint in"):
        qt.load_checkpoint(tmp_path / "nowhere")


def test_extra_must_be_json(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="JSON"):
        qt.save_checkpoint(tmp_path, model=make(), extra={"x": object()})
    assert not (tmp_path / "latest").exists()


def test_a_crash_between_two_renames(tmp_path: Path) -> None:
    place = save(tmp_path)
    place.rename(place.with_name(f".{place.name}.old"))
    assert qt.load_checkpoint(tmp_path).step == 2


def test_a_copied_checkpoint_still_says_what_is_missing(tmp_path: Path) -> None:
    place = save(tmp_path / "run")
    (tmp_path / "a" / "b").mkdir(parents=True)
    shutil.copytree(place, tmp_path / "a" / "b" / "copy")
    with pytest.raises(CheckpointError, match=r"No such file.*config\.json"):
        qt.load_checkpoint(tmp_path / "a" / "b" / "copy")


@pytest.mark.parametrize("step", [np.int64(3), np.uint8(3), 3])
def test_steps_of_numpy(tmp_path: Path, step: int) -> None:
    assert qt.save_checkpoint(tmp_path, model=make(), step=step).name == "step-000003"
    assert qt.load_checkpoint(tmp_path).step == 3


@pytest.mark.parametrize("step", [-1, 2.0, 2.5, "2", None, np.float64(2), float("nan")])
def test_steps_that_are_none(tmp_path: Path, step: int) -> None:
    with pytest.raises(ValueError, match="step must be a whole number from 0 up, not"):
        qt.save_checkpoint(tmp_path, model=make(), step=step)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"step": "two"}, {"step": 2.5}, {"step": None}, {"extra": "all"}, {"extra": [1]},
        {"extra": None}, {"optimizer": 5},
    ],
    ids=repr,
)  # fmt: skip
def test_a_state_that_a_hand_broke(tmp_path: Path, change: dict) -> None:
    """Our own error, here or from the optimizer that is asked to take it over."""
    path = save(tmp_path) / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}), encoding="utf-8")
    if "optimizer" in change:
        trainer = qt.Trainer(make(), np.arange(99) % 9, np.arange(99) % 9)
        with pytest.raises(CheckpointError, match="cannot be resumed"):
            trainer.resume(tmp_path)
        return
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        qt.load_checkpoint(tmp_path)
    path.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(CheckpointError, match="not a JSON object"):
        qt.load_checkpoint(tmp_path)


def test_optimizer_arrays_of_another_name(tmp_path: Path) -> None:
    place = save(tmp_path)
    qt.safetensors.save_file({"exp_avg": np.ones(3)}, place / "optimizer.safetensors")
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        qt.load_checkpoint(tmp_path)


def test_best_is_named_and_kept(tmp_path: Path) -> None:
    for step in range(4):
        qt.save_checkpoint(tmp_path, model=make(), step=step, best=step == 1)
    (tmp_path / "checkpoints" / ".step-000009.new").mkdir()  # of a process that was killed
    (tmp_path / "checkpoints" / "mine").mkdir()
    qt.checkpoint.prune(tmp_path)
    left = sorted(p.name for p in (tmp_path / "checkpoints").iterdir())
    assert left == ["mine", "step-000001", "step-000003"]
    assert (tmp_path / "best").read_text() == "step-000001\n"
