"""The arithmetic of benchmarks, their file, and tiny rows end to end. No time decides a test."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from ranks import run_ranks

import qt
from benchmarks import __main__ as command
from benchmarks import engine_overhead, scaling, train, train_floor
from benchmarks.by_hand import loss_and_gradients
from benchmarks.claim import Claim, LeftOut, Samples, is_busy, race, require_close, spread
from benchmarks.readme import write_table
from benchmarks.results import line, machine, store
from benchmarks.shapes import MEDIUM, SMALL, batch
from benchmarks.tape import make_optimizer

TINY = qt.GPTConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, d_model=16)
ROW_KEYS = {"name", "ours", "peer", "peer_name", "unit", "ratio", "goal", "spread"}


def claim(unit: str = "ms", ours: tuple[float, ...] = (3.0, 2.0, 100.0)) -> Claim:
    samples = Samples(list(ours), [6.0, 5.0, 7.0], [1.0, 1.0, 1.0])
    return Claim("small/1", "them", unit, 1.5, lambda: samples)


def test_a_row_holds_medians_and_a_ratio_above_1_where_we_are_ahead() -> None:
    row = claim().row()
    assert row.keys() == ROW_KEYS
    assert (row["ours"], row["peer"], row["ratio"]) == (3.0, 6.0, 2.0)
    assert claim("tokens/s").row()["ratio"] == 0.5
    assert row["spread"]["control"] == 0


def test_spread_is_the_share_of_the_middle_half() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(2 / 3)
    assert is_busy({"control": 0.5})
    assert not is_busy({"control": 0.01})
    assert not is_busy({"ours": 0.3, "peer": 0.4, "control": 0.05})
    assert is_busy({"ours": 0.02, "peer": 1.49, "control": 0.06})  # its second thread had no core


def test_both_sides_take_turns() -> None:
    order = ""

    def run(side: str) -> None:
        nonlocal order
        order += side

    ticks = iter(range(100))
    samples = race(lambda: run("A"), lambda: run("B"), repeats=3, clock=lambda: next(ticks))
    assert order == "AB" * 4
    assert samples.ours == samples.peer == [1, 1, 1]
    assert samples.times(1e3).ours == [1000.0] * 3
    assert samples.per_second(8).peer == [8.0] * 3


def test_sides_that_differ_do_not_race() -> None:
    require_close("x", [1.0, 2.0], [1.0, 2.00001], 1e-5)
    with pytest.raises(ValueError, match=r"the loss differs by 0\.5, allowed is 1e-04"):
        require_close("the loss", 3.0, 2.0, 1e-4)
    with pytest.raises(ValueError, match="differs"):
        require_close("x", [np.nan], [1.0], 1e-4)


def test_new_rows_leave_the_others_as_they_are(tmp_path: Path) -> None:
    path, row = tmp_path / "results.json", claim().row()
    order = ["first", "small/1"]
    store(path, [row], order)
    store(path, [{**row, "name": "first", "ratio": 9.0}], order)
    store(path, [{**row, "ratio": 3.0}], order)
    table = json.loads(path.read_text(encoding="utf-8"))
    assert table.keys() == {"machine", "versions", "date", "rows"}
    assert [(r["name"], r["ratio"]) for r in table["rows"]] == [("first", 9.0), ("small/1", 3.0)]
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="is not a table of results"):
        store(path, [row], order)


def test_the_table_says_whether_a_goal_is_met_and_the_machine_was_busy() -> None:
    row = claim(ours=(3.0, 2.9, 3.1)).row()
    assert " met" in line(row)
    assert "not met" in line({**row, "ratio": 1.49})
    assert "busy" not in line(row)
    assert "busy" in line({**row, "spread": {"control": 0.4}})


def test_a_forced_kernel_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("threadpoolctl")
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert "forced" not in machine()
    if "matrix products for" in machine():  # NumPy's library is OpenBLAS
        monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
        assert machine().endswith(" (forced by OPENBLAS_CORETYPE)")


def test_by_hand_is_the_same_model() -> None:
    x, y = batch(TINY, 3)
    model = qt.GPT(TINY)
    for p in model.parameters():  # norm weights that are not 1
        p.data += np.random.default_rng(p.size).normal(0, 0.1, p.shape).astype(np.float32)
    engine_overhead.check(model, x, y)
    model.config = TINY.replace(norm_eps=0.1)  # the check can fail
    with pytest.raises(ValueError, match="differs"):
        engine_overhead.check(model, x, y)


def test_speed_changes_no_loss_beyond_rounding() -> None:
    """200 steps from the same seed: the library, and the plain formulas by hand in float64."""
    ours, plain = qt.GPT(SMALL), qt.GPT(SMALL).astype(np.float64)
    text = qt.data.load("stories", 30_000)
    ids = np.array(qt.CharTokenizer.train(text).encode(text)) % SMALL.vocab_size
    rng = np.random.default_rng(0)
    optimizers = [make_optimizer(model) for model in (ours, plain)]
    parameters, losses = dict(plain.named_parameters()), []
    for _ in range(200):
        x, y = qt.data.random_batch(ids, 4, 32, rng)
        loss = qt.functional.cross_entropy(ours(x), y)
        loss.backward()
        by_hand, gradients = loss_and_gradients(SMALL, plain.state_dict(), x, y)
        for name, gradient in gradients.items():
            parameters[name].grad = gradient
        for model, optimizer in zip((ours, plain), optimizers):
            qt.optim.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        optimizers[0].zero_grad()
        losses.append((loss.item(), by_hand))
    a, b = np.array(losses).T
    assert b[-1] < 0.7 * b[0]
    np.testing.assert_allclose(a, b, rtol=1e-3)


@pytest.mark.parametrize(("config", "B"), [(SMALL, 12), (MEDIUM, 8), (TINY, 3)])
def test_the_floor_has_the_arithmetic_of_a_step(config: qt.GPTConfig, B: int) -> None:
    """6 operations a weight and token, norms left out, and 12 T C a token for attention."""
    matrices = sum(p.size for p in qt.GPT(config).parameters() if p.ndim == 2)
    T, C = config.block_size, config.d_model
    wanted = B * T * (6 * matrices + 12 * config.n_layer * T * C)
    assert train_floor.flops(config, B) == wanted


def test_an_exponent_is_that_of_the_power_law() -> None:
    sizes = [1.0, 2.0, 4.0, 8.0]
    assert scaling.exponent(sizes, [3 * n**1.5 for n in sizes]) == pytest.approx(1.5)


def test_tiny_rows_end_to_end() -> None:
    trained = train.race_training(TINY, 2, 1, least=0, peer=lambda model, x, y: lambda *_: None)
    for samples in (engine_overhead.measure(TINY, 2, repeats=3), trained):
        assert min(samples.ours + samples.peer + samples.control) > 0


RACE = """
import json, qt, qt.distributed as dist
from benchmarks.data_parallel import race_ranks
dist.init_process_group()
config = qt.GPTConfig(vocab_size=11, block_size=8, n_layer=1, n_head=1, d_model=8)
for scaling in ("strong", "weak"):
    samples = race_ranks(config, 4, scaling, least=0)
    dist.get_rank() or print(json.dumps(vars(samples)))
dist.destroy_process_group()
"""


def test_two_ranks_race_one() -> None:
    done = run_ranks(2, "-c", RACE, cwd=Path(command.__file__).parent.parent)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 2
    for samples in rows:
        assert len(samples["ours"]) == len(samples["peer"]) == len(samples["control"]) >= 9
        assert min(samples["ours"] + samples["peer"] + samples["control"]) > 0


def test_the_command_runs_what_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking() -> Samples:
        raise LeftOut("no such text")

    def unfair() -> Samples:
        raise ValueError("the loss differs")

    def without_torch() -> Samples:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    measures = {"a": lacking, "b": claim().measure, "c": without_torch, "d": unfair}
    claims = {name: Claim(name, "them", "ms", None, m) for name, m in measures.items()}
    monkeypatch.setattr(command, "all_claims", lambda: claims)
    path = tmp_path / "results.json"
    assert command.main(["--out", str(path), "a", "b", "c"]) == 0
    assert [row["name"] for row in json.loads(path.read_text("utf-8"))["rows"]] == ["b"]
    printed = capsys.readouterr().out
    assert "left out: a: no such text" in printed
    assert "left out: c: No module named 'torch'" in printed
    assert command.main(["--out", str(path), "d"]) == 1
    assert capsys.readouterr().err == "error: d: the loss differs\n"
    with pytest.raises(SystemExit) as stopped:
        command.main(["nobody"])
    assert stopped.value.code == 2


def test_the_table_of_the_readme_is_that_of_the_results(tmp_path: Path) -> None:
    root = Path(command.__file__).parent.parent
    readme, results = root / "README.md", root / "benchmarks/results.json"
    copy = tmp_path / "README.md"
    copy.write_text(readme.read_text(encoding="utf-8").replace("×**", "× once**"), encoding="utf-8")
    write_table(results, copy)
    assert copy.read_text(encoding="utf-8") == readme.read_text(encoding="utf-8")
    copy.write_text("no marks", encoding="utf-8")
    with pytest.raises(ValueError, match="lacks the marks"):
        write_table(results, copy)


def test_all_rows_have_names_of_their_own() -> None:
    claims = command.all_claims()
    goals = {
        "train_small/1", "train_small/2", "train_medium/1", "train_medium/2", "train_floor",
        "engine_overhead", "decode", "decode_batch", "prefill", "long_context/time",
        "bpe_train_1000", "bpe_train_4096", "bpe_encode/tokenizers", "bpe_encode/tiktoken",
        "memory/train_small", "memory/train_medium", "import",
        "run_added/namespaces", "run_added/landlock",
        "tiss_check", "tiss_help", "parse_check/10000", "format/10000", "run_steps/10000",
        "lsp_edit/mixed", "lsp_completion/mixed", "lsp_hover/mixed",
    }  # fmt: skip
    assert {name for name, c in claims.items() if c.goal is not None} == goals
    assert "torch" not in vars(sys.modules["benchmarks.decode"])
