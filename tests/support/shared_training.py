"""A program for several ranks: they train together and each alone, and note what differs.

`mpirun -n 2 python shared_training.py FOLDER` leaves a file for each rank: rank-0.json, …
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import qt
import qt.distributed as dist

TEXT = "the cat sat on the mat and the dog sat on the log. a bird saw them both!\n" * 40
TOKENIZER = qt.CharTokenizer.train(TEXT)
IDS = np.array(TOKENIZER.encode(TEXT))
# In float64 where nothing else is said. What may be odd about sharing: 7 rows for 2 or 4 ranks, and
# more threads than rows.
RUNS: dict[str, dict[str, Any]] = {
    "even": {"batch_size": 8},
    "odd": {"batch_size": 7, "grad_accum": 2},
    "threads": {"batch_size": 5, "threads": 3},
    "unclipped": {"batch_size": 8, "clip": 0.0, "optimizer": "sgd", "lr": 0.05},
    "float32": {"batch_size": 8, "dtype": "float32"},
}


def make(kind: type[qt.Trainer], dtype: str = "float64", dropout: float = 0.0, **changes: Any):
    config = qt.GPTConfig(
        vocab_size=TOKENIZER.vocab_size, block_size=16, n_layer=1, n_head=2, d_model=16,
        dropout=dropout,
    )  # fmt: skip
    settings = {"steps": 20, "batch_size": 8, "lr": 1e-2, "warmup": 2, "eval_every": 10,
                "eval_batches": 3, "log_every": 5, "seed": 3}  # fmt: skip
    model = qt.GPT(config).astype(np.dtype(dtype).type)
    training = qt.TrainingConfig(**{**settings, **changes})
    return kind(model, IDS[:2500], IDS[2500:], training, tokenizer=TOKENIZER)


def digest(model: qt.GPT) -> str:
    weights = model.state_dict().values()
    return hashlib.sha256(b"".join(array.tobytes() for array in weights)).hexdigest()


def compare(name: str) -> dict[str, Any]:
    """Train on all ranks, and then on each alone: how far apart they end."""
    settings = dict(RUNS[name])
    qt.set_num_threads(settings.pop("threads", 1))
    shared, alone = make(dist.DataParallelTrainer, **settings), make(qt.Trainer, **settings)
    shared.run(), alone.run()
    qt.set_num_threads(1)
    ours, theirs = shared.model.state_dict(), alone.model.state_dict()
    numbers = ("train_loss", "val_loss", "val_bits_per_byte", "grad_norm", "lr")
    lines = zip(shared.metrics, alone.metrics, strict=True)
    differences = [
        abs(a[key] - b[key]) for a, b in lines for key in numbers if key in a or key in b
    ]
    return {
        "weights": max(float(np.abs(ours[key] - theirs[key]).max()) for key in theirs),
        "moved": float(np.abs(theirs["norm.weight"] - 1).max()),
        "metrics": max(differences), "digest": digest(shared.model),
        "same_bits": digest(shared.model) == digest(alone.model),
        "steps": [line["step"] for line in shared.metrics],
    }  # fmt: skip


def error(work: Any) -> str:
    try:
        work()
    except (RuntimeError, ValueError) as problem:
        return str(problem)
    return "none"


def refusals(rank: int) -> dict[str, str]:
    """What each rank is told of misuse, and what each is told of another one's fault."""

    def train(seed: int = 3, odd_rank: bool = False) -> None:
        trainer = make(dist.DataParallelTrainer, seed=seed)
        if odd_rank and rank == 1:
            real = trainer.optimizer.step

            def step() -> None:
                real()
                if trainer.step == 7:
                    trainer.model.norm.weight.data[3] += 1e-9

            trainer.optimizer.step = step
        trainer.run()

    return {
        "too few rows": error(lambda: make(dist.DataParallelTrainer, batch_size=1)),
        "dropout": error(lambda: make(dist.DataParallelTrainer, dropout=0.1)),
        "twice": error(dist.init_process_group),
        "no array": error(lambda: dist.all_reduce([1.0])),  # type: ignore[arg-type]
        "a view": error(lambda: dist.all_reduce(np.ones((4, 4))[:, 1])),
        "op": error(lambda: dist.all_reduce(np.ones(2), "mean")),
        "settings": error(lambda: train(seed=rank)),
        "weights": error(lambda: train(odd_rank=True)),
    }


def main(folder: Path) -> None:
    dist.init_process_group("mpi")
    rank, ranks = dist.get_rank(), dist.get_world_size()
    reduced = {}
    for op in ("sum", "max", "min"):
        array = np.array([[rank + 1.0, -rank]])
        dist.all_reduce(array, op)
        reduced[op] = array.tolist()
    dist.barrier()
    found = {
        "rank": rank, "ranks": ranks, "reduced": reduced, "runs": {n: compare(n) for n in RUNS},
        "refusals": refusals(rank) if ranks > 1 else {},
    }  # fmt: skip
    dist.destroy_process_group()
    (folder / f"rank-{rank}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
