"""The ten promises on which everything else stands, and "any input".

Each test says what it promises and what goes wrong for users where the promise is broken. Inputs
are drawn by Hypothesis wherever they vary. (The ids of GPT-2, the second half of number 6, stand in
test_tokenizers_gpt2.py; runs that are killed, an extreme of number 7, in test_resume.py; the
classics of autograd in test_trust_autograd.py.)
"""

import ast
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bpe_plain import train_plain
from cell import cell_names
from gradcheck import check_op
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
from operations import OPERATIONS

import qt
import qt.functional as F
from qt.exercises import EXERCISES, check
from qt.tensor import Tensor
from qt.tokenizers.bpe_training import train_incremental

REPOSITORY = Path(__file__).parents[2]
LLAMA3 = {
    "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip

# Every kind of small model that a config can say.
configs = st.builds(
    qt.GPTConfig, vocab_size=st.just(17), block_size=st.just(12), n_layer=st.integers(1, 2),
    n_head=st.just(4), n_kv_head=st.sampled_from([1, 2, 4]), d_model=st.just(16), d_ff=st.just(24),
    position=st.sampled_from(["rope", "sinusoidal", "learned"]),
    norm=st.sampled_from(["rmsnorm", "layernorm"]),
    ffn=st.sampled_from(["swiglu", "relu", "gelu", "gelu_tanh"]), bias=st.booleans(),
    tie_embeddings=st.booleans(), qkv_bias=st.none() | st.booleans(), qk_norm=st.booleans(),
    rope_interleaved=st.booleans(), rope_scaling=st.none() | st.just(LLAMA3),
)  # fmt: skip


def loud(config: qt.GPTConfig, seed: int = 0) -> qt.GPT:
    """A float64 model with weights far from zero, so that no mistake hides in a small term."""
    model = qt.GPT(config, seed).astype(np.float64)
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.data[...] = rng.normal(1 if p.name.endswith("norm.weight") else 0, 0.3, p.shape)
    return model


def ids(*shape: int, V: int = 17, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, V, shape)


def tape(end: Tensor) -> Iterator[Tensor]:
    """Every tensor that `end` was made from, itself included."""
    found, stack = {end}, [end]
    while stack:
        yield (node := stack.pop())
        new = set(node._parents) - found
        found |= new
        stack += new


# 1. Gradients


@pytest.mark.parametrize("name", OPERATIONS)
def test_trust_01_gradient_check_of_every_operation(name: str) -> None:
    """Each backward against central differences: float64, broadcast, contiguous and strided.

    A wrong gradient does not crash. The loss still falls, only less far, and nobody knows why.
    """
    function, shapes, low, high = OPERATIONS[name]
    check_op(function, shapes, low, high)


def test_trust_01_no_operation_is_left_out() -> None:
    """Every function of `qt` that writes on the tape stands in the table of operations."""
    recording = set()
    for path in Path(qt.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name != "record":
                calls = [n.func for n in ast.walk(node) if isinstance(n, ast.Call)]
                if any(isinstance(f, ast.Name) and f.id == "record" for f in calls):
                    recording.add(node.name.strip("_"))
    checked = set()
    for function, shapes, low, _ in OPERATIONS.values():
        inputs = [Tensor(np.full(shape, float(low)), requires_grad=True) for shape in shapes]
        checked |= {node.op for node in tape(function(*inputs))}
    assert recording - checked == set()
    assert len(recording) > 25


# 2. Dtypes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPERATIONS)
def test_trust_02_dtype_in_is_dtype_out_for_values_and_gradients(name: str, dtype: type) -> None:
    """Also between the operations: what each backward gives, before the tape converts it.

    One float64 constant makes all that follows float64: twice the memory, and far slower.
    """
    function, shapes, low, high = OPERATIONS[name]
    rng = np.random.default_rng(0)
    inputs = [
        Tensor(rng.uniform(low, high, shape).astype(dtype), requires_grad=True) for shape in shapes
    ]
    out = function(*inputs)
    for node in tape(out):
        assert node.dtype == dtype, f"{node.op} made {node.dtype}"
        if not node.is_leaf:
            for parent, part in zip(node._parents, node._backward(np.ones_like(node.data))):
                if parent.requires_grad:  # the others are constants, whose gradient nobody makes
                    part = part() if callable(part) else part
                    assert part.dtype == dtype, f"{node.op} sends back {part.dtype}"
    out.backward(np.ones(out.shape))
    assert {x.grad.dtype for x in inputs} == {np.dtype(dtype)}


@settings(max_examples=40)
@given(configs, st.sampled_from([np.float32, np.float64]))
def test_trust_02_a_whole_model_keeps_its_dtype(config: qt.GPTConfig, dtype: type) -> None:
    """Logits, every tensor on the tape, gradients, cache, and weights after a step."""
    model = qt.GPT(config.replace(dropout=0.1)).astype(dtype)
    optimizer = qt.optim.AdamW(model.parameters())
    loss = F.cross_entropy(model(ids(2, 6)), ids(2, 6), label_smoothing=0.1)
    odd = {node.op for node in tape(loss) if node.dtype != dtype and node.requires_grad}
    assert odd == set()
    loss.backward()
    qt.optim.clip_grad_norm_(model.parameters(), 1e-3)
    assert {p.grad.dtype for p in model.parameters()} == {np.dtype(dtype)}
    optimizer.step()
    state = [a for entry in optimizer.state.values() for a in entry.values() if np.ndim(a)]
    cache = model.new_cache()
    logits, attention = model(ids(1, 3), cache=cache, return_attention=True)
    arrays = [p.data for p in model.parameters()] + state + attention
    assert {a.dtype for a in [*arrays, logits.data, cache.keys, cache.values]} == {np.dtype(dtype)}


# 3. The KV cache


@settings(max_examples=80)
@given(configs, st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(0, 99))
def test_trust_03_kv_cache_equals_full_forward_for_any_split_of_the_prompt(
    config: qt.GPTConfig, chunks: list[int], seed: int
) -> None:
    """Grouped heads, every kind of position, and keys that were turned at their own place.

    A cache that is a little wrong writes text that is a little worse: it is never noticed.
    """
    model, x = loud(config, seed), ids(2, 12, seed=seed)
    full, all_weights = model(x, return_attention=True)
    cache, start = model.new_cache(batch_size=2), 0
    for n in chunks:
        end = min(start + n, 12)
        if start < end:
            part, weights = model(x[:, start:end], cache=cache, return_attention=True)
            np.testing.assert_allclose(part.data, full.data[:, start:end], atol=1e-10)
            for w, whole in zip(weights, all_weights, strict=True):
                np.testing.assert_allclose(w, whole[:, :, start:end, :end], atol=1e-10)
        start = end
        assert cache.length == end


# 4. Causality


@settings(max_examples=80)
@given(configs, st.integers(0, 10), st.integers(0, 99))
def test_trust_04_changing_a_later_token_never_changes_earlier_logits(
    config: qt.GPTConfig, t: int, seed: int
) -> None:
    """Bit for bit, and no gradient flows back from the future either.

    A mask that leaks by one gives a wonderful training loss, and a model that writes nonsense.
    """
    model, x = loud(config, seed), ids(1, 12, seed=seed)
    changed = x.copy()
    changed[0, t + 1 :] = (x[0, t + 1 :] + 1) % 17
    before, after = model(x).data, model(changed).data
    np.testing.assert_array_equal(before[:, : t + 1], after[:, : t + 1])
    assert not np.allclose(before[:, t + 1 :], after[:, t + 1 :]), "the future is not read at all"
    embedded = []
    model.embed_tokens.register_forward_hook(
        lambda module, args, out: (
            embedded.append(Tensor(out.data, requires_grad=True)) or embedded[0]
        )
    )
    model(x)[:, : t + 1].sum().backward()
    reached = np.abs(embedded[0].grad[0]).sum(axis=-1) > 0
    assert reached[: t + 1].all()
    assert not reached[t + 1 :].any()


# 5. Rotary positions


@settings(max_examples=80)
@given(
    st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.sampled_from([2, 4, 8, 16]),
    st.booleans(), st.sampled_from([10000.0, 500000.0, 7.0]), st.none() | st.just(LLAMA3),
)  # fmt: skip
def test_trust_05_rope_scores_depend_on_the_distance_only(
    m: int, n: int, shift: int, D: int, interleaved: bool, theta: float, scaling: dict | None
) -> None:
    """q turned to place m, times k turned to place n, is a function of m - n.

    This is why a model finds "three words back" at the beginning and the end of a text alike.
    """
    q, k = np.random.default_rng(m).normal(size=(2, 1, 1, 1, D))

    def score(m: int, n: int) -> float:
        a, b = (
            F.apply_rope(Tensor(x), [place], theta, interleaved, scaling).data
            for x, place in ((q, m), (k, n))
        )
        return float((a * b).sum())

    assert score(m + shift, n + shift) == pytest.approx(score(m, n), abs=1e-9)
    assert score(m, m) == pytest.approx(float((q * k).sum()), abs=1e-9)
    first = F.apply_rope(Tensor(q), [1], theta, interleaved, scaling).data
    assert np.abs(first - q).max() > 1e-3, "place 1 is not turned at all"


@settings(max_examples=40)
@given(st.sampled_from([2, 4, 8, 16]), st.lists(st.integers(0, 1000), min_size=1, max_size=5))
def test_trust_05_both_pairings_are_one_rotation_up_to_a_permutation(
    D: int, places: list[int]
) -> None:
    """The paper pairs neighbours, Hugging Face's Llama the halves: reorder, turn, reorder back.

    Weights that are loaded with the wrong pairing give a fluent model that forgets word order.
    """
    x = np.random.default_rng(D).normal(size=(2, 3, len(places), D))
    order = [*range(0, D, 2), *range(1, D, 2)]  # neighbours to halves
    halves = F.apply_rope(Tensor(x[..., order]), places).data
    pairs = F.apply_rope(Tensor(x), places, interleaved=True).data
    np.testing.assert_allclose(halves, pairs[..., order], atol=1e-12)
    # By definition pair i, as a complex number, is multiplied by exp(i m θ^(-2i/D)).
    turn = np.exp(1j * np.outer(places, 10000.0 ** (-np.arange(0, D, 2) / D)))
    expected = (x[..., ::2] + 1j * x[..., 1::2]) * turn
    np.testing.assert_allclose(pairs[..., ::2], expected.real, atol=1e-9)
    np.testing.assert_allclose(pairs[..., 1::2], expected.imag, atol=1e-9)


# 6. Byte-pair encoding


def corpora(alphabet: str) -> st.SearchStrategy[dict[str, int]]:
    words = st.text(alphabet, min_size=1, max_size=12)
    return st.dictionaries(words, st.integers(1, 5), max_size=12)


@settings(max_examples=300)
@given(st.one_of(corpora("ab"), corpora("abcd"), corpora("aé日🙂")), st.integers(0, 40))
def test_trust_06_bpe_fast_equals_plain_on_random_corpora(
    words: dict[str, int], n_merges: int
) -> None:
    """The heap with its recounting does what counting everything anew does."""
    assert train_incremental(words, n_merges) == train_plain(words, n_merges)


@settings(max_examples=100)
@given(corpora("abc"), st.randoms(use_true_random=False))
@example({"ba": 1, "ab": 1, "ca": 1}, None)
def test_trust_06_ties_go_to_the_smallest_pair_whatever_the_order_of_the_words(
    words: dict[str, int], random: Any
) -> None:
    """The first merge is the most frequent pair and, of those, the smallest.

    Without a declared tie-break two machines learn different vocabularies from the same text.
    """
    pairs: Counter[tuple[int, int]] = Counter()
    for word, count in words.items():
        for pair in itertools.pairwise(word.encode()):
            pairs[pair] += count
    merges = train_incremental(words, 20)
    best = [pair for pair in pairs if pairs[pair] == max(pairs.values())]
    assert merges[:1] == sorted(best)[:1]
    items = sorted(words.items(), reverse=True)
    if random:
        random.shuffle(items)
    assert train_incremental(dict(items), 20) == merges


EMOJI = "👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪 ☃ e\u0301 日本語 नमस्ते \ufeff \U0010ffff"
TEXT = 'The fox sat by the well. "I\'ll wait," said the fox;  42 stars — Ça va? 🙂🙂\n' * 3
BPE = qt.BPETokenizer.train(TEXT, vocab_size=320)


@settings(max_examples=300)
@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(TEXT + EMOJI))))
@example(EMOJI)
@example("".join(map(chr, range(256))))
def test_trust_06_all_text_and_emoji_round_trip(text: str) -> None:
    """No unknown token, no lost space: what is encoded can be read again, byte for byte."""
    encoded = BPE.encode(text)
    assert BPE.decode(encoded) == text
    assert BPE.encode(text) == encoded, "the second time from memory"
    assert b"".join(BPE.vocab[i] for i in encoded) == text.encode("utf-8")


# 7. Exact resume

LINE = "the cat sat on the mat and the dog sat on the log. " * 8
CHARACTERS = qt.CharTokenizer.train(LINE)
LINE_IDS = np.array(CHARACTERS.encode(LINE))


def trainer(directory: Path, optimizer: str, weights_seed: int = 1) -> qt.Trainer:
    config = qt.GPTConfig(
        vocab_size=CHARACTERS.vocab_size, block_size=8, n_layer=1, n_head=2, d_model=16, dropout=0.2
    )
    training = qt.TrainingConfig(
        steps=6, batch_size=2, grad_accum=2, lr=1e-2, warmup=2, eval_every=3, eval_batches=2,
        save_every=1, log_every=1, seed=3, optimizer=optimizer,
    )  # fmt: skip
    model = qt.GPT(config, weights_seed)
    return qt.Trainer(
        model, LINE_IDS[:300], LINE_IDS[300:], training, tokenizer=CHARACTERS, directory=directory
    )


def watched_run(trainer: qt.Trainer, crash_after: int = 99) -> SimpleNamespace:
    """Run, perhaps until a crash, and keep all that may differ: the batches of each step too."""
    batches: list[tuple[int, list[list[int]]]] = []

    def see(module: Any, args: tuple[Any, ...], output: Any) -> None:
        if module.training:
            batches.append((trainer.step, args[0].tolist()))

    def crash(line: dict[str, Any]) -> None:
        if line["step"] > crash_after:
            raise RuntimeError("crash")

    trainer.model.register_forward_hook(see)
    trainer.on_log = crash
    try:
        trainer.run()
    except RuntimeError:
        assert trainer.step == crash_after + 1, "the last step was done, but not saved"
    drawn_from = [m.generator for m in trainer.model.modules() if isinstance(m, qt.nn.Dropout)]
    return SimpleNamespace(
        batches=batches,
        weights=trainer.model.state_dict(),
        optimizer=trainer.optimizer.state_dict(),
        random=[g.bit_generator.state for g in (trainer.rng, *drawn_from)],
        metrics=[{k: v for k, v in m.items() if "second" not in k} for m in trainer.metrics],
        best=trainer.best_val_loss,
    )


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("k", range(6))
def test_trust_07_resume_at_step_k_equals_uninterrupted_bit_for_bit(
    tmp_path: Path, k: int, optimizer: str
) -> None:
    """Weights, moments, batches, random states, metrics; also with dropout and accumulation.

    A run that repeats its batches after each resume learns part of its text twice, and the rest
    never.
    """
    whole = watched_run(trainer(tmp_path / "whole", optimizer))
    watched_run(trainer(tmp_path / "part", optimizer), crash_after=k)
    part = trainer(tmp_path / "part", optimizer, weights_seed=2)  # all of it must be replaced
    if k:
        with (tmp_path / "part/metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"step": 5, "tra')  # what a crash may leave behind
        part.resume(tmp_path / "part")
        assert part.step == k
    else:  # nothing was saved yet: begin again
        part = trainer(tmp_path / "part", optimizer)
    resumed = watched_run(part)
    assert resumed.batches == [(step, x) for step, x in whole.batches if step >= k]
    np.testing.assert_equal(vars(resumed) | {"batches": 0}, vars(whole) | {"batches": 0})
    lines = (tmp_path / "part/metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 1, 2, 3, 4, 5, 6]


# 8. It learns


@settings(max_examples=8)
@given(configs, st.integers(0, 99))
def test_trust_08_one_batch_overfits(config: qt.GPTConfig, seed: int) -> None:
    """A model that can learn can learn 16 tokens by heart, whatever its parts: loss < 0.05.

    The quickest test of forward, backward and optimizer together.
    """
    model = qt.GPT(config.replace(d_model=32, d_ff=64), seed)
    optimizer = qt.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    # No token twice in a row, and two beginnings: each place has one continuation. (To rotary
    # attention "a" and "a a" look the same: every average of equal values is that value.)
    order = np.random.default_rng(seed).permutation(17)
    x = np.stack([order[:9], np.roll(order, 5)[:9]])
    for _ in range(150):
        loss = F.cross_entropy(model(x[:, :-1]), x[:, 1:])
        loss.backward()
        qt.optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.05


@settings(max_examples=25)
@given(configs, st.integers(65, 3000), st.integers(0, 99))
def test_trust_08_the_first_loss_is_ln_v(config: qt.GPTConfig, V: int, seed: int) -> None:
    """An untrained model knows nothing, so each token surprises it by ln V, within 0.1 (V from 65).

    A higher loss means weights that start too large: the first steps then only undo them.
    """
    model = qt.GPT(config.replace(vocab_size=V, d_model=64, d_ff=None), seed)
    x = ids(16, 13, V=V, seed=seed)
    loss = F.cross_entropy(model(x[:, :-1]), x[:, 1:]).item()
    assert abs(loss - math.log(V)) < 0.1


# 9. Notebooks

FOLDER = REPOSITORY / "notebooks"
NOTEBOOKS = sorted(p for p in FOLDER.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)


def offline(root: Path, *command: object) -> subprocess.CompletedProcess[str]:
    """Run Python in `root`, from where it reaches no network and no other folder."""
    guard = Path(__file__).parents[1] / "notebooks/offline"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("QT_", "TISS"))
    }
    environment |= {
        "OFFLINE_ROOT": str(root), "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join([str(guard), str(Path(qt.__file__).parents[1])]),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]]),
    }  # fmt: skip
    for name in ("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR",
                 "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):  # fmt: skip
        (root / name).mkdir(parents=True)
        environment[name] = str(root / name)
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=root, env=environment, capture_output=True,
        text=True, timeout=900,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("import socket; socket.create_connection(('192.0.2.1', 80), 5)", "no network here"),
        ("import urllib.request as u; u.urlopen('http://example.org')", "no network here"),
        ("open('../elsewhere', 'w')", "nothing may be written here"),
        ("import subprocess, sys; subprocess.run([sys.executable, '-c', 'open(\"../x\", \"w\")'], "
         "check=True)", "nothing may be written here"),
        ("import pathlib; pathlib.Path('a').mkdir(); open('a/b', 'w'); import qt", ""),
    ],
)  # fmt: skip
def test_trust_09_the_guard_holds(tmp_path: Path, code: str, refused: str) -> None:
    """What runs the notebooks below does refuse, or their success would say nothing."""
    done = offline(tmp_path / "root", "-c", code)
    assert refused in done.stderr
    assert (done.returncode == 0) == (refused == ""), done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_trust_09_make_test_runs_every_notebook() -> None:
    """Every cell of every notebook is run by `make test`, in order; none asks to be skipped."""
    assert NOTEBOOKS
    make = shutil.which("make") or pytest.skip("there is no make here")
    dry = subprocess.run([make, "-n", "test"], cwd=REPOSITORY, capture_output=True, text=True)
    assert dry.returncode == 0, dry.stderr
    ran = next(line for line in dry.stdout.splitlines() if "--nbval " in line).split()
    for path in NOTEBOOKS:
        name = path.relative_to(REPOSITORY).as_posix()
        assert any(word.rstrip(";") == name for word in ran), f"make test does not run {name}"
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        assert [c["execution_count"] for c in code] == [*range(1, len(code) + 1)], name
        for cell in code:
            asked = "".join(cell["source"]) + str(cell["metadata"].get("tags", []))
            assert "NBVAL_SKIP" not in asked.upper().replace("-", "_"), f"{name} skips a cell"
            assert "raises-exception" not in asked, f"{name} expects an error"
            assert not [out for out in cell["outputs"] if out["output_type"] == "error"], name


@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_trust_09_every_notebook_runs_from_a_clean_directory_without_a_network(
    tmp_path: Path, path: Path
) -> None:
    """A learner opens it cold, perhaps on a train, and nothing is left but in its own folder."""
    place = tmp_path / "notebooks"
    place.mkdir()
    shutil.copy(path, place)
    before = {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()}
    done = offline(tmp_path, FOLDER / "execute.py", place / path.name)
    assert done.returncode == 0, done.stderr
    assert before == {p: p.read_bytes() for p in path.parent.rglob("*") if p.is_file()}
    for name in ("HOME", "TMPDIR"):
        assert [p for p in (tmp_path / name).rglob("*") if p.is_file()] == [], f"left in {name}"


# 10. Exercises


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda e: e.id)
def test_trust_10_of_every_exercise_the_stub_helps_and_the_solution_passes(
    exercise: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a learner meets them: a cell with few names, first as it is given, then solved.

    An exercise that its own solution fails, or an unhelpful "assert False", ends a course.
    """
    monkeypatch.setenv("QT_PROGRESS", "")

    def written(source: str) -> Callable[..., Any]:
        cell = cell_names(exercise.lesson)
        exec(compile(source, "<cell>", "exec", dont_inherit=True), cell)
        return cell[exercise.name]

    stub = check(exercise.id, written(exercise.stub_source))
    assert not stub
    assert repr(stub).splitlines() == [
        f"✗ {exercise.id}: not written yet",
        f"  to do     {exercise.todo}",
        f"  hint      {exercise.hint}",
    ]
    solution = check(exercise.id, written(exercise.solution_source))
    assert solution, solution
    cases = len(list(exercise.cases(np.random.default_rng(0))))
    assert repr(solution) == f"✓ {exercise.id}: all {cases} cases pass"


# Any input


@settings(max_examples=60)
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), st.data())
def test_trust_any_broadcastable_shapes(shapes: Any, data: st.DataObject) -> None:
    """The gradient of a repeated value is the sum over its copies, also where a size is 0 or 1."""
    operations: list[Callable[..., Tensor]] = [
        lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b,
        lambda a, b: a**b,
    ]  # fmt: skip
    a, b = shapes.input_shapes
    operation = data.draw(st.sampled_from(operations))
    assert operation(Tensor(np.ones(a)), Tensor(np.ones(b))).shape == shapes.result_shape
    check_op(operation, [a, b], low=0.5)


@settings(max_examples=40)
@given(
    mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=2),
    st.tuples(*[st.integers(1, 3)] * 3),
)
def test_trust_any_broadcastable_batches_of_matrices(shapes: Any, sizes: tuple) -> None:
    (a, b), (N, K, M) = shapes.input_shapes, sizes
    check_op(lambda x, y: x @ y, [(*a, N, K), (*b, K, M)])


@settings(max_examples=40)
@given(configs, st.permutations(range(4)), st.integers(0, 99))
def test_trust_any_permutation_of_a_batch(
    config: qt.GPTConfig, order: list[int], seed: int
) -> None:
    """Texts of a batch do not see each other: not in logits, not in what is written.

    The gradient of the mean loss is the same whatever their order.
    """
    model, x = loud(config, seed), ids(4, 8, seed=seed)
    y = ids(4, 8, seed=seed + 1)
    np.testing.assert_allclose(model(x[order]).data, model(x).data[order], atol=1e-10)
    gradients = []
    for rows in (range(4), order):
        model.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        gradients.append(np.concatenate([p.grad.reshape(-1) for p in model.parameters()]))
    np.testing.assert_allclose(*gradients, atol=1e-10)
    written, moved = (qt.generate(model, x[rows], 3, temperature=0) for rows in (range(4), order))
    np.testing.assert_array_equal(moved, written[order])


@settings(max_examples=300)
@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=4))
@example(bytes(range(256)), [])
@example("€🙂".encode()[:-1], [2, 5])
def test_trust_any_byte_string_through_the_tokenizer(data: bytes, cuts: list[int]) -> None:
    """As ids: all bytes decode, and what is no UTF-8 is marked, never lost, never an error.

    As text, whatever encoding it was read with: it round-trips, in one piece or in many.
    """
    assert BPE.decode(list(data)) == data.decode("utf-8", errors="replace")
    assert "".join(BPE.decode_iterable(list(data))) == data.decode("utf-8", errors="replace")
    for text in (data.decode("latin-1"), data.decode("utf-8", errors="replace")):
        assert BPE.decode(BPE.encode(text)) == text
        edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
        pieces = [text[a:b] for a, b in itertools.pairwise(edges)]
        assert list(BPE.encode_iterable(pieces)) == BPE.encode(text)
    broken = data.decode("utf-8", errors="surrogateescape")
    if broken != data.decode("utf-8", errors="replace"):
        with pytest.raises(ValueError, match="lone surrogate"):
            BPE.encode(broken)
