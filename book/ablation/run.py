"""Run the ablation: from the parts of 2017 to those of today, one at a time. About 40 minutes.

    python book/ablation/run.py FOLDER      goes on where it was stopped; then page.py

Three sweeps: two learning rates for each variant; then with the better of the two three seeds at
equal bytes, and three at equal time. results.json beside this file holds what they gave.
"""

import json
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import qt
from qt.files import write_atomic

HERE = Path(__file__).resolve().parent
NOTEBOOK = HERE.parents[1] / "notebooks" / "09_training.ipynb"

# As nanoGPT trains on a CPU, but smaller. A run reads as many bytes as the text to learn from
# has: one pass.
BASE = {
    "dataset": "tinyshakespeare", "n_layer": 3, "n_head": 4, "d_model": 96, "block_size": 64,
    "batch_size": 12, "vocab_size": 1024, "warmup": 100, "weight_decay": 0.1, "beta2": 0.99,
    "eval_every": 100, "eval_batches": 20,
}  # fmt: skip
TRAIN_BYTES = 1_003_854
RATES = (1e-3, 3e-3)
RATE_SEED = 100  # the first of three that do not count
SEEDS = 3

# Each has all the changes of those before it.
STEPS = {
    "classic": {
        "position": "sinusoidal", "norm": "layernorm", "ffn": "relu", "bias": True,
        "tokenizer": "char",
    },
    "quiet waves": {"sinusoid_scale": 0.0283},  # 0.02 √2: as large as the embeddings
    "RoPE": {"position": "rope"},
    "RMSNorm": {"norm": "rmsnorm"},
    "SwiGLU": {"ffn": "swiglu"},
    "no biases": {"bias": False},
    "BPE": {"tokenizer": "bpe"},
}  # fmt: skip


def variants() -> dict[str, dict[str, object]]:
    """Name -> all its settings."""
    found, settings = {}, dict[str, object]()
    for name, change in STEPS.items():
        settings = settings | change
        found[name] = settings
    return found


def text(settings: dict[str, object]) -> str:
    return ",".join(f"{name}={value}" for name, value in settings.items())


def sweep(out: Path, rows: dict[str, dict[str, object]], *more: str) -> list[dict]:
    """Run `qt sweep`, and return its table."""
    command = [sys.executable, "-m", "qt.cli", "sweep", str(NOTEBOOK), "--out", str(out), *more]
    command += [word for name, value in BASE.items() for word in ("--set", f"{name}={value}")]
    command += [w for name, row in rows.items() for w in ("--variant", f"{name}:{text(row)}")]
    subprocess.run(command, check=True)
    return json.loads((out / "table.json").read_text(encoding="utf-8"))


def try_rates(out: Path) -> dict[str, dict[float, list[float]]]:
    """Name -> rate -> bits per byte, on seeds that do not count."""
    grid = "lr=" + ",".join(f"{rate:g}" for rate in RATES)
    table = sweep(
        out, variants(), "--grid", grid, "--seeds", str(SEEDS),
        "--set", f"seed={RATE_SEED}", "--set", f"train_bytes={TRAIN_BYTES}",
    )  # fmt: skip
    values = {row["label"]: row["metrics"]["val_bits_per_byte"]["values"] for row in table}
    return {name: {rate: values[f"{name} lr={rate:g}"] for rate in RATES} for name in STEPS}


def step_seconds(rows: dict[str, dict[str, object]], rounds: int = 15) -> dict[str, float]:
    """The median time of an update of each variant, in turns, so that all meet the same noise."""
    shape = ("n_layer", "n_head", "d_model", "block_size")
    trainers = {}
    for name, row in rows.items():
        parts = {k: row[k] for k in ("position", "norm", "ffn", "bias")}
        V = BASE["vocab_size"] if row["tokenizer"] == "bpe" else 65
        config = qt.GPTConfig(vocab_size=V, **{k: BASE[k] for k in shape}, **parts)
        ids = np.random.default_rng(0).integers(0, V, 50_000)
        plan = qt.TrainingConfig(steps=10_000, batch_size=BASE["batch_size"], eval_every=10_000)
        trainers[name] = qt.Trainer(qt.GPT(config), ids, ids[:1000], plan)
    times: dict[str, list[float]] = {name: [] for name in rows}
    for i in range(rounds):
        for name, trainer in trainers.items():
            start = time.process_time()
            for _ in range(5):
                trainer._update()
            if i:  # the first warms up
                times[name].append((time.process_time() - start) / 5)
    return {name: float(np.median(values)) for name, values in times.items()}


def main(folder: Path) -> None:
    """All three sweeps, and results.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tried = try_rates(folder / "rates")
    rates = {name: min(RATES, key=lambda rate: sum(tried[name][rate])) for name in STEPS}
    rows = {name: row | {"lr": rates[name]} for name, row in variants().items()}
    equal_bytes = sweep(
        folder / "bytes", rows, "--seeds", str(SEEDS), "--set", f"train_bytes={TRAIN_BYTES}"
    )
    by_name = {row["label"]: row for row in equal_bytes}

    kept = folder / "seconds.json"  # measured once: else a second start would ask for other runs
    if not kept.exists():
        write_atomic(kept, json.dumps(step_seconds(rows)))
    seconds = json.loads(kept.read_text(encoding="utf-8"))
    budget = seconds["classic"] * by_name["classic"]["metrics"]["steps"]["mean"]
    timed = {name: row | {"steps": round(budget / seconds[name])} for name, row in rows.items()}
    equal_time = sweep(folder / "time", timed, "--seeds", str(SEEDS))

    def numbers(table: list[dict]) -> dict[str, dict]:
        keep = ("val_bits_per_byte", "parameters", "steps", "bytes_read", "tokens_read")
        return {
            row["label"]: {name: row["metrics"][name]["values"] for name in keep} for row in table
        }

    results = {
        "date": time.strftime("%Y-%m-%d"), "python": platform.python_version(),
        "numpy": np.__version__, "base": BASE, "train_bytes": TRAIN_BYTES, "rates": rates,
        "tried": tried,
        "step_seconds": {name: round(value, 5) for name, value in seconds.items()},
        "budget_seconds": round(budget, 2), "bytes": numbers(equal_bytes),
        "time": numbers(equal_time),
    }  # fmt: skip
    write_atomic(HERE / "results.json", json.dumps(results, indent=1) + "\n")
    print(HERE / "results.json")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("error: name a folder for the runs: python book/ablation/run.py FOLDER")
    main(Path(sys.argv[1]))
