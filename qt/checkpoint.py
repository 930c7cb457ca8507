"""Save a model so that nothing is ever half-written, and load it so that nothing is trusted.

    DIR/config.json  tokenizer.json
    DIR/checkpoints/step-000500/  model.safetensors  optimizer.safetensors  state.json
    DIR/latest  DIR/best          each one line: step-000500

A checkpoint is written whole beside its place, synced, renamed, and only then named by `latest`.
"""

from __future__ import annotations

import json
import operator
import shutil
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from qt.files import sync_directory, write_atomic
from qt.model import GPT, GPTConfig
from qt.optim import Optimizer
from qt.safetensors import load_file, save_file
from qt.tokenizers import Tokenizer, load_tokenizer


class CheckpointError(ValueError):
    """A checkpoint that is missing, damaged, or of another kind."""


@dataclass
class Checkpoint:
    """What `load_checkpoint` found. `optimizer_state` is for `Optimizer.load_state_dict`."""

    model: GPT
    tokenizer: Tokenizer | None
    optimizer_state: dict[str, Any] | None
    step: int
    extra: dict[str, Any]
    path: Path


def save_checkpoint(
    directory: str | Path, *, model: GPT, tokenizer: Tokenizer | None = None, best: bool = False,
    optimizer: Optimizer | None = None, step: int = 0, extra: dict[str, Any] | None = None,
) -> Path:  # fmt: skip
    """Write `directory/checkpoints/step-…`, name it in `latest`, and in `best` too if it is that.

    Returns its path. Raises `ValueError` for a bad step, `TypeError` for an `extra` that JSON
    cannot hold, `OSError` for a full disk; what `latest` names is whole at every moment.
    (A run folder has one config.json, so that of a model of another shape takes its place.)
    """
    if not isinstance(step, Integral) or step < 0:
        raise ValueError(f"step must be a whole number from 0 up, not {step!r}")
    run, place = Path(directory), Path(directory, "checkpoints", f"step-{int(step):06d}")
    saved = optimizer.state_dict() if optimizer else {"state": {}, "param_groups": None}
    state = {"step": int(step), "optimizer": saved["param_groups"], "extra": extra or {}}
    text = json.dumps(state, indent=1)  # fails, if at all, before anything is written
    beside, old = (place.with_name(f".{place.name}.{end}") for end in ("new", "old"))
    shutil.rmtree(beside, ignore_errors=True)  # of a process that was killed here
    beside.mkdir(parents=True)
    try:
        save_file(model.state_dict(), beside / "model.safetensors")
        if optimizer:
            entries = [(f"{i}.", entry) for i, entry in saved["state"].items()]
            arrays = {i + key: np.asarray(entry[key]) for i, entry in entries for key in entry}
            save_file(arrays, beside / "optimizer.safetensors")
        write_atomic(beside / "state.json", text)
        if place.exists():  # an older one of this step: `old` until the new one is in its place
            shutil.rmtree(old, ignore_errors=True)
            place.rename(old)
        beside.rename(place)
        sync_directory(place.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
    write_atomic(run / "config.json", json.dumps(model.config.to_dict(), indent=1) + "\n")
    if tokenizer is not None:
        tokenizer.save(run / "tokenizer.json")
    for name in ("best", "latest") if best else ("latest",):
        write_atomic(run / name, place.name + "\n")
    return place


def load_checkpoint(directory: str | Path) -> Checkpoint:
    """Read a run directory's latest checkpoint, or one checkpoint.

    Raises `CheckpointError` when it is missing, cut off, or does not fit its config.
    """
    run, place = _resolve(Path(directory))
    try:
        state, config = _read_json(place / "state.json"), _read_json(run / "config.json")
        model, weights = GPT(GPTConfig.from_dict(config)), load_file(place / "model.safetensors")
        if any(array.dtype == np.float64 for array in weights.values()):
            model.astype(np.float64)
        model.load_state_dict(weights)
        optimizer: dict[str, Any] | None = None
        if groups := state.get("optimizer"):
            optimizer = {"state": {}, "param_groups": groups}
            for name, array in load_file(place / "optimizer.safetensors").items():
                i, key = name.split(".", 1)
                value = array if array.ndim else array.item()
                optimizer["state"].setdefault(int(i), {})[key] = value
        file = run / "tokenizer.json"
        tokenizer = load_tokenizer(file) if file.exists() else None
        if tokenizer and tokenizer.vocab_size > model.config.vocab_size:
            sizes = f"{tokenizer.vocab_size} tokens, but the model {model.config.vocab_size}"
            raise ValueError(f"{file.name} has {sizes}: it belongs to another model")
        step, extra = operator.index(state.get("step")), {**state.get("extra", {})}
        return Checkpoint(model, tokenizer, optimizer, step, extra, place)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise CheckpointError(f"{place} cannot be loaded: {error}") from None


def _resolve(path: Path) -> tuple[Path, Path]:
    """The run directory and the checkpoint that a path means: one of them, or `latest`."""
    if (path / "state.json").exists():
        return path.absolute().parent.parent, path
    try:
        name = (path / "latest").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        raise CheckpointError(f"there is no checkpoint in {path}: `qt train` makes one") from None
    for folder in (name, f".{name}.old"):  # the second after a crash between two renames
        if Path(name).name == name and (path / "checkpoints" / folder / "state.json").exists():
            return path, path / "checkpoints" / folder
    raise CheckpointError(f"{path / 'latest'} names {name!r}, which is not a checkpoint there")


def _read_json(path: Path) -> Any:
    try:
        return {**json.loads(path.read_bytes())}
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} is not a JSON object: {error}") from None


def prune(directory: str | Path) -> None:
    """Delete a run's checkpoints that neither `latest` nor `best` names, and half-written ones."""
    files = [file for file in (Path(directory, "latest"), Path(directory, "best")) if file.exists()]
    keep = [file.read_text(encoding="utf-8").strip() for file in files]
    for place in Path(directory).glob("checkpoints/*step-*"):
        if place.name not in keep:
            shutil.rmtree(place, ignore_errors=True)
