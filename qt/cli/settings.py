"""The settings of `qt train`: what each flag takes and means, and the defaults for each text."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from qt import model, training
from qt.cli.arguments import below_one, from_zero, one_of, positive, whole
from qt.model import GPTConfig
from qt.training import TrainingConfig

# What differs from the defaults of GPTConfig and TrainingConfig. A file of your own gets the recipe
# of `stories`; Shakespeare has nanoGPT's recipe for a CPU.
PRESETS: dict[str, dict[str, Any]] = {
    "stories": {
        "tokenizer": "bpe", "vocab_size": 2048, "block_size": 128, "n_layer": 3, "steps": 1250,
        "batch_size": 6, "lr": 4e-3, "warmup": 50, "weight_decay": 0.05, "beta2": 0.98,
        "eval_every": 200,
    },
    "tinyshakespeare": {
        "tokenizer": "char", "vocab_size": 1024, "block_size": 64, "steps": 2000,
        "batch_size": 12, "lr": 1e-3, "warmup": 100, "eval_every": 250,
    },
}  # fmt: skip

Flags = dict[str, tuple[dict[str, Any], str]]  # setting: what its flag takes, and what it means


def _count(least: int = 1) -> dict[str, Any]:
    return {"type": whole(least), "metavar": "N"}


def _value(kind: Callable[[str], float]) -> dict[str, Any]:
    return {"type": kind, "metavar": "X"}


SWITCH: dict[str, Any] = {"action": "store_true", "default": None}
MODEL: Flags = {
    "n_layer": (_count(), "blocks, one on top of the other"),
    "n_head": (_count(), "attention heads of a block"),
    "n_kv_head": (_count(), "key and value heads, each for a group of heads (default: --n-head)"),
    "d_model": (_count(), "width of the residual stream"),
    "d_ff": (_count(), "width inside the feed-forward part (default: 8/3 or 4 times --d-model)"),
    "block_size": (_count(), "tokens that the model sees at once"),
    "position": (one_of(model.CHOICES["position"]), "how a token knows its place"),
    "norm": (one_of(model.CHOICES["norm"]), "what keeps the size of the numbers"),
    "ffn": (one_of(model.CHOICES["ffn"]), "the feed-forward part"),
    "bias": (SWITCH, "biases in linear layers and LayerNorm"),
    "qkv_bias": (SWITCH, "biases for queries, keys and values alone"),
    "qk_norm": (SWITCH, "RMSNorm over each head's queries and keys"),
    "dropout": (_value(below_one), "share of numbers that is dropped while training"),
}
TRAINING: Flags = {
    "steps": (_count(), "updates of the weights"),
    "batch_size": (_count(), "windows of --block-size tokens in a batch"),
    "grad_accum": (_count(), "batches an update; their gradients are averaged"),
    "lr": (_value(positive), "highest learning rate"),
    "min_lr": (_value(from_zero), "lowest, at the end (default: a tenth of --lr)"),
    "warmup": (_count(0), "updates in which the rate rises from 0"),
    "schedule": (one_of(training.CHOICES["schedule"]), "how the rate goes on from there"),
    "optimizer": (one_of(training.CHOICES["optimizer"]), "how gradients move weights"),
    "weight_decay": (_value(from_zero), "pull of the matrices towards 0"),
    "beta1": (_value(below_one), "memory of gradients; for sgd its momentum"),
    "beta2": (_value(below_one), "memory of squared gradients"),
    "clip": (_value(from_zero), "longest gradient of all weights together; 0 does not clip"),
    "eval_every": (_count(), "updates between two measurements on the validation text"),
    "eval_batches": (_count(), "batches of each such measurement"),
    "save_every": (_count(), "updates between two checkpoints (default: one at each measurement)"),
    "patience": (_count(), "stop after N measurements without a better loss (default: never)"),
    "seed": (_count(0), "of weights and data order: same seed, same run"),
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add a group of flags for the model, and one for the training."""
    for title, flags in (("model", MODEL), ("training", TRAINING)):
        group = parser.add_argument_group(title)
        for name, (takes, text) in flags.items():
            if "default: " not in text and takes is not SWITCH:
                text += f" (default: {default_of(name)})"
            group.add_argument(flag(name), **takes, help=text)


def flag(name: str) -> str:
    """A setting as it is written on the command line: "n_layer" is --n-layer."""
    return "--" + name.replace("_", "-")


def default_of(name: str) -> str:
    """A setting's default in words, with that of tinyshakespeare where it is another."""
    known = {f.name: f.default for kind in (GPTConfig, TrainingConfig) for f in fields(kind)}
    usual, plays = (PRESETS[data].get(name, known.get(name)) for data in PRESETS)
    return f"{usual}" if usual == plays else f"{usual}; tinyshakespeare {plays}"


def given(args: argparse.Namespace, flags: Flags) -> dict[str, Any]:
    """Those of the settings that stand on the command line."""
    return {name: getattr(args, name) for name in flags if getattr(args, name) is not None}
