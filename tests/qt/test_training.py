"""The loop: it learns, resumes bit for bit, stops cleanly, and says what went wrong."""

import json
import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qt
from qt.checkpoint import CheckpointError
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
        "step", "train_loss", "val_loss", "val_bits_per_byte", "lr", "grad_norm",
        "tokens_per_second", "seconds",
    }  # fmt: skip
    assert "val_loss" not in lines[1]
    assert (run / "latest").read_text() == "step-000020\n"
    best = (run / "best").read_text().strip()
    lowest = min(lines[1:], key=lambda line: line.get("val_loss", np.inf))
    assert best == f"step-{lowest['step']:06d}"
    kept = {p.name for p in (run / "checkpoints").iterdir()}
    assert kept == {"step-000020", best}
    assert same(weights(trainer), qt.load_checkpoint(run).model.state_dict())


def test_same_seed_same_bits() -> None:
    a, b, c = make(), make(), make(seed=4)
    for trainer in (a, b, c):
        trainer.run()
    assert same(weights(a), weights(b))
    assert not same(weights(a), weights(c))


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


@pytest.mark.parametrize(("batch_size", "grad_accum"), [(4, 2), (2, 4), (1, 8)])
def test_accumulation_equals_the_large_batch(batch_size: int, grad_accum: int) -> None:
    """The same eight windows, at once or in turn: the same gradients and loss to rounding."""
    large = make(batch_size=8, dropout=0.0, steps=1, clip=0)
    small = make(batch_size=batch_size, grad_accum=grad_accum, dropout=0.0, steps=1, clip=0)
    for trainer in (large, small):
        trainer.model.astype(np.float64)
        trainer.run()
    for p, q in zip(large.model.parameters(), small.model.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad, rtol=1e-10, atol=1e-15)
    assert large.metrics[1]["train_loss"] == pytest.approx(small.metrics[1]["train_loss"], 1e-12)
    assert large.metrics[1]["grad_norm"] == pytest.approx(small.metrics[1]["grad_norm"], 1e-12)


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


@pytest.mark.parametrize("mode", [True, False])
def test_evaluate_leaves_the_mode_as_it_was(mode: bool) -> None:
    model = make().model
    model.train(mode)
    qt.evaluate(model, qt.data.windows(IDS[1800:], 4, 16))
    assert {module.training for module in model.modules()} == {mode}


def test_bits_per_byte() -> None:
    """All bits that the text costs, over all its bytes: ö and … are one token, but 2 and 3."""
    text = "the dög sat… " * 40
    tokenizer = qt.CharTokenizer.train(text)
    ids = np.array(tokenizer.encode(text))
    model = qt.GPT(
        qt.GPTConfig(tokenizer.vocab_size, block_size=16, n_layer=1, n_head=2, d_model=16)
    )
    trainer = qt.Trainer(model, ids, ids, qt.TrainingConfig(steps=1), tokenizer=tokenizer)
    trainer.run()
    loss, tokens = qt.evaluate(model, qt.data.windows(ids, 4, 16))
    bits = loss * tokens / np.log(2)
    assert trainer.metrics[-1]["val_bits_per_byte"] == pytest.approx(
        bits / len(text.encode("utf-8")), rel=1e-6
    )
    silent = qt.Trainer(model, ids, ids, qt.TrainingConfig(steps=1))
    assert "val_bits_per_byte" not in silent.run()[-1]


def test_patience(tmp_path: Path) -> None:
    trainer = make(tmp_path, lr=3.0, warmup=0, patience=2, steps=500, eval_every=5)
    metrics = trainer.run()
    losses = [line["val_loss"] for line in metrics[1:] if "val_loss" in line]
    assert trainer.stopped_early
    assert trainer.step < 500
    assert [line["step"] for line in metrics if line.get("stopped_early")] == [trainer.step]
    assert min(losses[:-2]) == trainer.best_val_loss < min(losses[-2:])
    assert all(min(losses[: i - 2]) > min(losses[i - 2 : i]) for i in range(3, len(losses)))

    again = make(tmp_path, lr=3.0, warmup=0, patience=2, steps=500, eval_every=5)
    again.resume(tmp_path)
    assert again.run() == metrics  # it had stopped, and stays so
    longer = make(tmp_path, lr=3.0, warmup=0, patience=3, steps=500, eval_every=5)
    longer.resume(tmp_path)
    assert not longer.stopped_early
    longer.run()
    assert longer.step > trainer.step


def test_no_patience_no_early_stop() -> None:
    trainer = make(lr=3.0, warmup=0, steps=40, eval_every=2)
    trainer.run()
    assert trainer.step == 40
    assert not trainer.stopped_early


def test_a_weight_that_is_not_a_number() -> None:
    trainer = make()
    trainer.model.layers[0].mlp.up_proj.weight.data[0, 0] = np.nan
    message = r"step 0 has validation loss nan .*weight layers\.0\.mlp\.up_proj\.weight\. Try"
    with pytest.raises(TrainingError, match=message):
        trainer.run()
    assert trainer.step == 0


def test_a_weight_that_goes_bad_on_the_way(tmp_path: Path) -> None:
    """The message has the step, its learning rate and the weight; the last save is sound."""
    trainer = make(tmp_path, save_every=3, dropout=0.0)

    def spoil(line: dict) -> None:
        if line["step"] == 5:
            trainer.model.norm.weight.data[3] = np.inf

    trainer.on_log = spoil
    message = r"step 6 has loss nan and gradient norm nan \(learning rate 0\.01\).*weight norm\.w"
    with pytest.raises(TrainingError, match=message):
        trainer.run()
    assert trainer.step == 5
    assert qt.load_checkpoint(tmp_path).step == 3


def test_a_gradient_that_is_not_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make(dropout=0.0)
    real = qt.training.clip_grad_norm_

    def clip(parameters: list, max_norm: float) -> float:
        trainer.model.layers[0].self_attn.v_proj.weight.grad[2, 2] = -np.inf
        return real(parameters, max_norm)

    monkeypatch.setattr(qt.training, "clip_grad_norm_", clip)
    with pytest.raises(TrainingError, match=r"step 1 .*gradient of layers\.0\.self_attn\.v_proj"):
        trainer.run()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_rate_that_blows_up_says_so_once(threads: int) -> None:
    """Overflows on the way there give no warnings (which are errors here)."""
    qt.set_num_threads(threads)
    try:
        trainer = make(lr=1e25, warmup=0, optimizer="sgd", dropout=0.0, clip=0, steps=100)
        with pytest.raises(TrainingError, match=r"\(learning rate 1e\+25\)"):
            trainer.run()
    finally:
        qt.set_num_threads(1)


@pytest.mark.parametrize("name", sorted(qt.optim.SCHEDULES))
def test_schedules(name: str) -> None:
    config = qt.TrainingConfig(lr=1.0, warmup=3, steps=20, schedule=name)
    rates = [config.learning_rate(step) for step in range(21)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates == [qt.optim.SCHEDULES[name](step, 1.0, 0.1, 3, 20) for step in range(21)]
    exact = qt.TrainingConfig(lr=1.0, min_lr=0.5, warmup=0, steps=5, schedule=name)
    assert min(exact.learning_rate(step) for step in range(9)) >= 0.5
    trainer = make(schedule=name, lr=1e-3, steps=3, log_every=1)
    assert [line["lr"] for line in trainer.run()[1:]] == [
        trainer.config.learning_rate(step) for step in range(3)
    ]


def test_eval_batches_none_measures_on_all_windows() -> None:
    whole, some = (make(eval_batches=n, steps=2, eval_every=1) for n in (None, 1))
    first, second, last = (line["val_loss"] for line in whole.run() if "val_loss" in line)
    lines = [line["val_loss"] for line in some.run() if "val_loss" in line]
    assert (first, second) != (lines[0], lines[1])
    assert last == lines[-1]  # the last measurement takes all windows anyway


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_optimizers_by_name(name: str) -> None:
    make(optimizer=name, steps=2).run()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be a whole number of at least 1, not 0"),
        ({"steps": "5"}, "steps must be a whole number of at least 1, not '5'"),
        ({"steps": 5.0}, "steps must be a whole number of at least 1, not 5.0"),
        ({"steps": True}, "steps must be a whole number of at least 1, not True"),
        ({"steps": None}, "steps must be a whole number of at least 1, not None"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
        ({"grad_accum": -1}, "grad_accum must be a whole number of at least 1, not -1"),
        ({"eval_every": 0}, "eval_every must be a whole number of at least 1, not 0"),
        ({"eval_batches": 0}, "eval_batches must be a whole number of at least 1, not 0"),
        ({"eval_batches": [3]}, "eval_batches must be a whole number of at least 1, not [3]"),
        ({"save_every": 0}, "save_every must be a whole number of at least 1, not 0"),
        ({"log_every": 2.5}, "log_every must be a whole number of at least 1, not 2.5"),
        ({"patience": 0}, "patience must be a whole number of at least 1, not 0"),
        ({"warmup": -1}, "warmup must be a whole number of at least 0, not -1"),
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
        ({"lr": -1.0}, "lr must be a number of at least 0, not -1.0"),
        ({"lr": float("nan")}, "lr must be a number of at least 0, not nan"),
        ({"lr": float("inf")}, "lr must be a number of at least 0, not inf"),
        ({"lr": "1e-3"}, "lr must be a number of at least 0, not '1e-3'"),
        ({"min_lr": -0.1}, "min_lr must be a number of at least 0, not -0.1"),
        ({"weight_decay": -1}, "weight_decay must be a number of at least 0, not -1"),
        ({"clip": -1}, "clip must be a number of at least 0, not -1"),
        ({"clip": None}, "clip must be a number of at least 0, not None"),
        ({"beta1": 1.0}, "beta1 must be in [0, 1), not 1.0"),
        ({"beta2": -0.1}, "beta2 must be a number of at least 0, not -0.1"),
        (
            {"schedule": "step"},
            "schedule must be constant or linear or cosine or wsd or inverse_sqrt, not 'step'",
        ),
        ({"schedule": ["cosine"]}, "schedule must be"),
        ({"optimizer": "lion"}, "optimizer must be adamw or adam or sgd, not 'lion'"),
        ({"optimizer": None}, "optimizer must be"),
    ],
)
def test_bad_settings(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        qt.TrainingConfig(**changes)
    with pytest.raises(ValueError, match=re.escape(message)):
        qt.TrainingConfig.from_dict({"colour": "red", **changes})


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    config = qt.TrainingConfig(steps=np.int64(2), lr=np.float32(0.5), patience=np.int8(3))
    assert json.loads(json.dumps(vars(config))) == vars(config)
    assert (config.steps, config.lr, config.patience) == (2, 0.5, 3)


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


@pytest.mark.parametrize("saved", ["sgd", "adamw"])
def test_an_optimizer_of_another_kind(tmp_path: Path, saved: str) -> None:
    make(tmp_path, optimizer=saved, steps=2).run()
    other = make(optimizer="adam" if saved == "sgd" else "sgd")
    with pytest.raises(ValueError, match="cannot be resumed"):
        other.resume(tmp_path)


def test_a_model_of_another_shape(tmp_path: Path) -> None:
    make(tmp_path, steps=2).run()
    wide = qt.GPTConfig(TOKENIZER.vocab_size, block_size=16, n_layer=1, n_head=2, d_model=32)
    with pytest.raises(CheckpointError, match=r"cannot be resumed: .*shape"):
        qt.Trainer(qt.GPT(wide), IDS, IDS).resume(tmp_path)


NONSENSE = [None, -1, "many", [], [[]], {}, [{"state": 1}], [{"bit_generator": "PCG64"}] * 3]


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize(
    "key", ["random_states", "metrics", "seconds", "best_val_loss", "without_gain"]
)
def test_a_state_that_a_hand_broke(tmp_path: Path, key: str, value: Any) -> None:
    """It is refused with our own error, or it makes sense."""
    make(tmp_path, steps=2).run()
    path = tmp_path / "checkpoints" / "step-000002" / "state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    state["extra"][key] = value
    path.write_text(json.dumps(state), encoding="utf-8")
    sensible = value == -1 and key != "metrics" and key != "random_states"
    sensible |= value is None and key == "best_val_loss"  # nothing measured yet
    if sensible or (key == "metrics" and value in ([], [[]], {}, NONSENSE[-1], NONSENSE[-2])):
        make().resume(tmp_path)
        return
    with pytest.raises(CheckpointError, match="cannot be resumed"):
        make().resume(tmp_path)
    del state["extra"][key]
    path.write_text(json.dumps(state), encoding="utf-8")
    with pytest.raises(CheckpointError, match=f"its state.json has no '{key}'"):
        make().resume(tmp_path)


def test_float64_goes_on_in_float64(tmp_path: Path) -> None:
    whole, part = make(), make(tmp_path, steps=10)
    for trainer in (whole, part):
        trainer.model.astype(np.float64)
    whole.run()
    part.config = whole.config
    part.on_log = lambda line: os.kill(os.getpid(), signal.SIGINT) if line["step"] == 10 else None
    with pytest.raises(KeyboardInterrupt):
        part.run()
    resumed = make(tmp_path)
    resumed.resume(tmp_path)
    resumed.run()
    assert weights(resumed)["norm.weight"].dtype == np.float64
    assert same(weights(whole), weights(resumed))


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    trainer = make(tmp_path, steps=1000)

    def step() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the second one should not come back")

    trainer.optimizer.step = step
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert signal.getsignal(signal.SIGINT) is before
    assert trainer.step == 0
    assert not (tmp_path / "latest").exists()


def test_a_run_of_a_run_that_is_done(tmp_path: Path) -> None:
    trainer = make(tmp_path, steps=3)
    metrics = list(trainer.run())
    assert trainer.run() == metrics
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == metrics


def test_a_new_run_in_the_folder_of_an_old_one(tmp_path: Path) -> None:
    make(tmp_path, steps=20).run()
    make(tmp_path, steps=10, seed=9, eval_every=5).run()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 5, 10]
    assert qt.load_checkpoint(tmp_path).step == 10
    best = (tmp_path / "best").read_text().strip()
    assert {p.name for p in (tmp_path / "checkpoints").iterdir()} == {"step-000010", best}


def test_files_are_strict_json(tmp_path: Path) -> None:
    """No NaN and no Infinity, which other programs refuse: not even before a measurement."""
    trainer = make(tmp_path, steps=40, save_every=1, eval_every=30, log_every=1)

    def no_constants(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    def check(line: dict) -> None:
        for path in [*tmp_path.rglob("*.json"), *tmp_path.rglob("*.jsonl")]:
            for text in path.read_text().splitlines() if path.suffix == ".jsonl" else [None]:
                json.loads(text or path.read_text(), parse_constant=no_constants)

    trainer.on_log = check
    trainer.run()
