"""Save a model so that nothing is ever half-written, and load it so that nothing is trusted.

    DIR/config.json  tokenizer.json
    DIR/checkpoints/step-000500/  model.safetensors  optimizer.safetensors  state.json
    DIR/latest                    one line: step-000500

A checkpoint is written whole beside its place, synced, renamed, and only then named by `latest`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qt.files import sync_directory, write_atomic
from qt.model import GPT, GPTConfig
from qt.optim import Optimizer
from qt.safetensors import SafetensorsError, load_file, save_file
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
    directory: str | os.PathLike[str],
    *,
    model: GPT,
    tokenizer: Tokenizer | None = None,
    optimizer: Optimizer | None = None,
    step: int = 0,
    extra: dict[str, Any] | None = None,
) -> Path:
    """Write `directory/checkpoints/step-…` and name it in `directory/latest`. Returns its path.

    `extra` is anything that JSON can hold. Raises `OSError` when the disk is full or may not be
    written, `TypeError` for an `extra` that is not JSON; an earlier checkpoint is then still whole.
    (A run folder has one config.json, so that of a model of another shape takes its place.)
    """
    directory = Path(directory)
    tensors, scalars = _flatten(optimizer.state_dict()) if optimizer else ({}, None)
    try:
        state = json.dumps({"step": step, "optimizer": scalars, "extra": extra or {}}, indent=1)
    except (TypeError, ValueError) as error:
        raise TypeError(f"extra must be something that JSON can hold: {error}") from None
    place = directory / "checkpoints" / f"step-{step:06d}"
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}."))
    try:
        save_file(model.state_dict(), beside / "model.safetensors")
        if optimizer:
            save_file(tensors, beside / "optimizer.safetensors")
        write_atomic(beside / "state.json", state)
        beside.chmod(0o755)
        _move_into_place(beside, place)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    write_atomic(directory / "config.json", json.dumps(model.config.to_dict(), indent=1) + "\n")
    if tokenizer is not None:
        tokenizer.save(directory / "tokenizer.json")
    write_atomic(directory / "latest", place.name + "\n")
    return place


def _move_into_place(beside: Path, place: Path) -> None:
    """Rename, after moving an older checkpoint of the same step out of the way."""
    old = place.with_name(f".{place.name}.old")
    if place.exists():
        shutil.rmtree(old, ignore_errors=True)
        place.rename(old)
    try:
        beside.rename(place)
    except BaseException:
        if old.exists():
            old.rename(place)
        raise
    try:
        sync_directory(place.parent)
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _flatten(state: dict[str, Any]) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    """Split an optimizer's state into arrays, named `number.key`, and the JSON that is left."""
    arrays = {
        f"{i}.{key}": value
        for i, entry in state["state"].items()
        for key, value in entry.items()
        if isinstance(value, np.ndarray)
    }
    scalars = {
        str(i): {key: value for key, value in entry.items() if f"{i}.{key}" not in arrays}
        for i, entry in state["state"].items()
    }
    return arrays, {"state": scalars, "param_groups": state["param_groups"]}


def _unflatten(arrays: dict[str, Any], scalars: dict[str, Any]) -> dict[str, Any]:
    state = {int(i): dict(entry) for i, entry in scalars["state"].items()}
    for name, array in arrays.items():
        i, key = name.split(".", 1)
        state[int(i)][key] = array
    return {"state": state, "param_groups": scalars["param_groups"]}


def resolve(directory: str | os.PathLike[str]) -> tuple[Path, Path]:
    """The run directory and the checkpoint that `directory` means: one of them, or `latest`."""
    path = Path(directory)
    if (path / "state.json").exists():
        return path.absolute().parent.parent, path
    if not (path / "config.json").exists():
        raise CheckpointError(
            f"there is no checkpoint in {path}: expected a folder made by `qt train --out` or "
            "save_checkpoint()"
        )
    try:
        name = (path / "latest").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        raise CheckpointError(f"{path} has no checkpoint yet: there is no file `latest`") from None
    place = path / "checkpoints" / name
    old = place.with_name(f".{name}.old")
    if not place.exists() and old.exists():  # a crash between two renames
        place = old
    if Path(name).name != name or not (place / "state.json").exists():
        raise CheckpointError(f"{path / 'latest'} names {name!r}, which is not a checkpoint there")
    return path, place


def load_checkpoint(directory: str | os.PathLike[str]) -> Checkpoint:
    """Read a run directory's latest checkpoint, or one checkpoint.

    Raises `CheckpointError` when it is missing, cut off, or does not fit its config.
    """
    run, place = resolve(directory)
    state = _read_json(place / "state.json")
    try:
        model = GPT(GPTConfig.from_dict(_read_json(run / "config.json")))
        weights = load_file(place / "model.safetensors")
        if all(array.dtype == np.float64 for array in weights.values()):
            model.astype(np.float64)
        model.load_state_dict(weights)
        optimizer = None
        if state.get("optimizer") is not None:
            arrays = load_file(place / "optimizer.safetensors")
            optimizer = _unflatten(arrays, state["optimizer"])
        tokenizer = None
        if (run / "tokenizer.json").exists():
            tokenizer = load_tokenizer(run / "tokenizer.json")
            if tokenizer.vocab_size > model.config.vocab_size:
                raise ValueError(
                    f"tokenizer.json has {tokenizer.vocab_size} tokens, but the model "
                    f"{model.config.vocab_size}: it belongs to another model"
                )
        return Checkpoint(model, tokenizer, optimizer, int(state["step"]), state["extra"], place)
    except FileNotFoundError as error:
        raise CheckpointError(f"{place} is incomplete: {error.filename} is missing") from None
    except SafetensorsError as error:
        raise CheckpointError(f"{error}; use an older checkpoint beside {place.name}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{place} cannot be loaded: {error}") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing") from None
    except ValueError as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds {type(value).__name__}, expected an object")
    return value


def prune(directory: str | os.PathLike[str], keep: set[str]) -> None:
    """Delete the checkpoints of a run whose names are not in `keep`."""
    for place in (Path(directory) / "checkpoints").glob("step-*"):
        if place.name not in keep:
            with contextlib.suppress(OSError):
                shutil.rmtree(place)
