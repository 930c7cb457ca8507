"""The loop: it learns, resumes bit for bit, stops cleanly, and says what went wrong."""

import json
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

import qt
from qt.training import TrainingError

TEXT = "the cat sat on the mat and the dog sat on the log. " * 40
TOKENIZER = qt.CharTokenizer.train(TEXT)
IDS = np.array(TOKENIZER.encode(TEXT))


def make(directory: Path | None = None, dropout: float = 0.1, **changes) -> qt.Trainer:
    config = qt.GPTConfig(
        vocab_size=TOKENIZER.vocab_size, block_size=16, n_layer=1, n_head=2, d_model=16,
        dropout=dropout,
    )  # fmt: skip
    settings = {"steps": 20, "batch_size": 4, "lr": 1e-2, "warmup": 5, "eval_every": 10,
                "eval_batches": 3, "log_every": 5, "seed": 3}  # fmt: skip
    training = qt.TrainingConfig(**{**settings, **changes})
    return qt.Trainer(
        qt.GPT(config), IDS[:1800], IDS[1800:], training, tokenizer=TOKENIZER, directory=directory
    )


def weights(trainer: qt.Trainer) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in trainer.model.state_dict().items()}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return all((a[name] == b[name]).all() for name in a)


def test_it_learns() -> None:
    metrics = make(steps=150, dropout=0.0).run()
    assert metrics[0]["val_loss"] == pytest.approx(np.log(TOKENIZER.vocab_size), abs=0.3)
    assert metrics[-1]["val_loss"] < 1.0


def test_a_run_directory(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "metrics.jsonl").write_text('{"step": 0, "val_loss": 9.0}\n', encoding="utf-8")
    trainer = make(run)
    metrics = trainer.run()
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines == metrics
    assert [line["step"] for line in lines] == [0, 5, 10, 15, 20]
    assert set(lines[2]) == {
        "step", "train_loss", "val_loss", "lr", "grad_norm", "tokens_per_second", "seconds"
    }  # fmt: skip
    assert "val_loss" not in lines[1]
    assert (run / "latest").read_text() == "step-000020\n"
    best = (run / "best").read_text().strip()
    kept = {p.name for p in (run / "checkpoints").iterdir()}
    assert kept == {"step-000020", best}
    assert same(weights(trainer), qt.load_checkpoint(run).model.state_dict())


def test_same_seed_same_bits() -> None:
    a, b, c = make(), make(), make(seed=4)
    for trainer in (a, b, c):
        trainer.run()
    assert same(weights(a), weights(b))
    assert not same(weights(a), weights(c))


def test_resume_is_bit_for_bit(tmp_path: Path) -> None:
    """Trust test: weights, optimizer, data order and random state (dropout's too) go on."""
    whole = make(tmp_path / "whole")
    whole.run()
    part = make(tmp_path / "part")

    def interrupt(line: dict) -> None:
        if line["step"] == 10:
            os.kill(os.getpid(), signal.SIGINT)

    part.on_log = interrupt
    with pytest.raises(KeyboardInterrupt):
        part.run()
    with (tmp_path / "part" / "metrics.jsonl").open("a") as file:  # what a crash may leave behind
        file.write(json.dumps({"step": 15, "train_loss": 9.0}) + '\n{"step": 16, "tra')
    resumed = make(tmp_path / "part")
    resumed.resume(tmp_path / "part")
    assert resumed.step == 10
    resumed.run()
    assert same(weights(whole), weights(resumed))

    def timeless(metrics: list[dict]) -> list[dict]:
        return [{k: v for k, v in m.items() if "second" not in k} for m in metrics]

    assert timeless(resumed.metrics) == timeless(whole.metrics)


def test_ctrl_c_saves_the_last_complete_step(tmp_path: Path) -> None:
    trainer = make(tmp_path, steps=1000)
    real = trainer.optimizer.step

    def step() -> None:
        if trainer.step == 6:  # in the middle of update 7
            os.kill(os.getpid(), signal.SIGINT)
        real()

    trainer.optimizer.step = step
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt, match="stopped after step 7"):
        trainer.run()
    assert signal.getsignal(signal.SIGINT) is before
    assert qt.load_checkpoint(tmp_path).step == 7


def test_it_runs_outside_the_main_thread() -> None:
    trainer = make(steps=2)
    thread = threading.Thread(target=trainer.run)
    thread.start()
    thread.join()
    assert trainer.step == 2


def test_accumulation_equals_the_large_batch() -> None:
    a = make(batch_size=8, dropout=0.0, steps=3)
    b = make(batch_size=4, grad_accum=2, dropout=0.0, steps=3)
    for trainer in (a, b):
        trainer.model.astype(np.float64)
        trainer.run()
    np.testing.assert_allclose(
        weights(a)["embed_tokens.weight"], weights(b)["embed_tokens.weight"], atol=1e-9
    )


def test_threads_change_nothing_but_rounding() -> None:
    runs = []
    for n in (1, 2, 2, 3):
        qt.set_num_threads(n)
        try:
            trainer = make(batch_size=5, dropout=0.0, steps=4)
            trainer.run()
        finally:
            qt.set_num_threads(1)
        runs.append(weights(trainer))
    one, two, again, three = runs
    assert same(two, again)
    for other in (two, three):
        for name in one:
            np.testing.assert_allclose(other[name], one[name], atol=2e-4)


def test_threads_and_dropout_do_not_mix() -> None:
    qt.set_num_threads(2)
    try:
        with pytest.raises(ValueError, match="use --threads 1, or no dropout"):
            make(dropout=0.1)
    finally:
        qt.set_num_threads(1)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        qt.set_num_threads(0)


def test_evaluate_is_the_mean_over_tokens() -> None:
    trainer = make()
    batches = qt.data.windows(IDS[1800:], 4, 16)
    loss, tokens = qt.evaluate(trainer.model, batches)
    assert tokens == len(IDS) - 1801
    trainer.model.eval()
    total = sum(
        qt.functional.cross_entropy(trainer.model(x[i : i + 1]), y[i : i + 1]).item() * y.shape[1]
        for x, y in batches
        for i in range(len(x))
    )
    assert loss == pytest.approx(total / tokens, rel=1e-5)
    with pytest.raises(ValueError, match="nothing to evaluate"):
        qt.evaluate(trainer.model, [])


def test_a_loss_that_is_not_a_number() -> None:
    trainer = make()
    trainer.model.layers[0].mlp.up_proj.weight.data[0, 0] = np.nan
    with pytest.raises(TrainingError, match=r"step 1 has loss nan and gradient norm nan"):
        trainer.run()
    assert trainer.step == 0


def test_schedules() -> None:
    config = qt.TrainingConfig(lr=1.0, warmup=0, steps=10)
    assert config.learning_rate(0) == 1.0
    assert config.learning_rate(10) == 0.1
    assert qt.TrainingConfig(lr=0.5, schedule="constant").learning_rate(999) == 0.5


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_optimizers_by_name(name: str) -> None:
    make(optimizer=name, steps=2).run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, not 0"),
        ({"eval_batches": 0}, "eval_batches must be at least 1, not 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"lr": -1.0}, "lr must not be negative"),
        ({"schedule": "step"}, "schedule must be"),
        ({"optimizer": "lion"}, "optimizer must be"),
    ],
)
def test_bad_settings(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_a_text_shorter_than_a_block() -> None:
    model = make().model
    with pytest.raises(ValueError, match="16 tokens, but one block takes 16 and one more"):
        qt.Trainer(model, IDS[:16], IDS[:50])
    with pytest.raises(ValueError, match="at least 2 are needed"):
        qt.Trainer(model, IDS, IDS[:1])


def test_resume_needs_a_training_run(tmp_path: Path) -> None:
    trainer = make()
    qt.save_checkpoint(tmp_path, model=trainer.model)
    with pytest.raises(ValueError, match="cannot be resumed"):
        trainer.resume(tmp_path)
