"""Optimizers against their formulas written out, clipping, schedules."""

import itertools
import math

import numpy as np
import pytest

import qt
from qt.nn import Parameter
from qt.tensor import Tensor


def parameters() -> list[Parameter]:
    rng = np.random.default_rng(0)
    return [Parameter(rng.normal(size=(3, 2))), Parameter(rng.normal(size=4))]


def gradients(step: int) -> list[np.ndarray]:
    rng = np.random.default_rng(100 + step)
    return [rng.normal(size=(3, 2)), rng.normal(size=4)]


def run(optimizer: qt.optim.Optimizer, ps: list[Parameter], steps: int, first: int = 0) -> None:
    for step in range(first, first + steps):
        for p, g in zip(ps, gradients(step)):
            p.grad = g
        optimizer.step()


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["Adam", "AdamW"])
def test_adam_as_in_the_paper(kind: str, decay: float) -> None:
    ps = parameters()
    expected = [p.data.copy() for p in ps]
    m, v = [0.0, 0.0], [0.0, 0.0]
    run(getattr(qt.optim, kind)(ps, lr=0.01, betas=(0.8, 0.9), weight_decay=decay), ps, 20)
    for t in range(1, 21):
        for i, g in enumerate(gradients(t - 1)):
            if kind == "Adam":
                g = g + decay * expected[i]
            else:
                expected[i] = expected[i] * (1 - 0.01 * decay)
            m[i] = 0.8 * m[i] + 0.2 * g
            v[i] = 0.9 * v[i] + 0.1 * g**2
            m_hat, v_hat = m[i] / (1 - 0.8**t), v[i] / (1 - 0.9**t)
            expected[i] = expected[i] - 0.01 * m_hat / (np.sqrt(v_hat) + 1e-8)
    for p, e in zip(ps, expected):
        np.testing.assert_allclose(p.data, e, rtol=1e-10)


@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_momentum(nesterov: bool) -> None:
    ps = parameters()
    expected = [p.data.copy() for p in ps]
    v = [0.0, 0.0]
    optimizer = qt.optim.SGD(ps, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=nesterov)
    run(optimizer, ps, 10)
    for t in range(10):
        for i, g in enumerate(gradients(t)):
            g = g + 0.01 * expected[i]
            v[i] = 0.9 * v[i] + g
            expected[i] = expected[i] - 0.1 * (g + 0.9 * v[i] if nesterov else v[i])
    for p, e in zip(ps, expected):
        np.testing.assert_allclose(p.data, e, rtol=1e-10)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_state_continues_bit_for_bit(kind: str) -> None:
    settings = {"momentum": 0.9} if kind == "SGD" else {}
    a, b = parameters(), parameters()
    one = getattr(qt.optim, kind)(a, lr=0.01, **settings)
    run(one, a, 10)
    first = getattr(qt.optim, kind)(b, lr=0.5, **settings)
    first.param_groups[0]["lr"] = 0.01
    run(first, b, 4)
    second = getattr(qt.optim, kind)(b, lr=0.7, **settings)
    second.load_state_dict(first.state_dict())
    run(second, b, 6, first=4)
    assert all((p.data == q.data).all() for p, q in zip(a, b))


def test_groups_and_decay_groups() -> None:
    model = qt.GPT(qt.GPTConfig(vocab_size=11, n_layer=1, d_model=16, n_head=2))
    groups = qt.optim.decay_groups(model, 0.1)
    assert [g["weight_decay"] for g in groups] == [0.1, 0.0]
    assert all(p.ndim == 2 for p in groups[0]["params"])
    assert {p.name for p in groups[1]["params"]} == {
        "layers.0.input_layernorm.weight", "layers.0.post_attention_layernorm.weight", "norm.weight"
    }  # fmt: skip
    optimizer = qt.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.99)
    a, b = parameters()
    optimizer = qt.optim.AdamW([{"params": [a], "lr": 0.0, "weight_decay": 0.5}, {"params": [b]}])
    before = a.data.copy(), b.data.copy()
    run(optimizer, [a, b], 1)
    assert (a.data == before[0]).all()
    assert (b.data != before[1]).all()


def test_a_parameter_without_gradient_stays() -> None:
    p, q = parameters()
    before = p.data.copy()
    q.grad = np.ones(4)
    qt.optim.AdamW([p, q]).step()
    assert (p.data == before).all()


def test_float32_stays_float32() -> None:
    p = Parameter(np.ones(3, np.float32))
    optimizer = qt.optim.AdamW([p])
    p.grad = np.ones(3, np.float32)
    optimizer.step()
    assert p.data.dtype == np.float32
    assert all(a.dtype == np.float32 for a in optimizer.state[p].values() if hasattr(a, "dtype"))


def test_clip_grad_norm() -> None:
    p, q = parameters()
    p.grad, q.grad = np.full((3, 2), 3.0), np.full(4, 4.0)
    norm = math.sqrt(6 * 9 + 4 * 16)
    assert qt.optim.clip_grad_norm_([p, q], 1.0) == pytest.approx(norm)
    clipped = math.sqrt((p.grad**2).sum() + (q.grad**2).sum())
    assert clipped == pytest.approx(norm / (norm + 1e-6))
    before = p.grad.copy()
    qt.optim.clip_grad_norm_([p, q], 100.0)
    assert (p.grad == before).all()
    assert qt.optim.clip_grad_norm_([Tensor([1.0])], 1.0) == 0.0


def test_cosine_with_warmup() -> None:
    settings = {"max_lr": 1.0, "min_lr": 0.1, "warmup_steps": 4, "total_steps": 14}
    lr = [qt.optim.cosine_with_warmup(step, **settings) for step in range(20)]
    np.testing.assert_allclose(lr[:5], [0.2, 0.4, 0.6, 0.8, 1.0])
    assert lr[9] == pytest.approx(0.55)  # half way down
    assert lr[14:] == [0.1] * 6
    assert (np.diff(lr[4:15]) < 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: qt.optim.AdamW([]), "no parameters"),
        (lambda p: qt.optim.AdamW(p, lr=-1.0), "lr must not be negative, but is -1.0"),
        (lambda p: qt.optim.AdamW(p, betas=(0.9, 1.0)), "betas must be in"),
        (lambda p: qt.optim.AdamW([{"params": p, "momentum": 1}]), "unknown settings momentum"),
        (lambda p: qt.optim.AdamW([p[0], p[0]]), "twice"),
        (lambda p: qt.optim.SGD(p, nesterov=True), "momentum > 0"),
    ],
)
def test_bad_input(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(parameters())


def test_state_of_another_model_is_refused() -> None:
    a = qt.optim.AdamW(parameters())
    run(a, a.param_groups[0]["params"], 1)
    b = qt.optim.AdamW([Parameter(np.ones((2, 2))), Parameter(np.ones(4))])
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        b.load_state_dict(a.state_dict())
    with pytest.raises(ValueError, match=r"saved groups have \[2\] parameters, this one's \[1\]"):
        qt.optim.AdamW(parameters()[:1]).load_state_dict(a.state_dict())


SCHEDULE = {"max_lr": 1.0, "min_lr": 0.1, "warmup_steps": 4, "total_steps": 24}


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("constant", {4: 1, 14: 1, 24: 1, 99: 1}),
        ("linear", {4: 1, 14: 0.55, 24: 0.1, 99: 0.1}),
        ("cosine", {4: 1, 14: 0.55, 24: 0.1, 99: 0.1}),
        ("wsd", {4: 1, 14: 1, 20: 1, 22: 0.55, 24: 0.1, 99: 0.1}),
        ("inverse_sqrt", {4: 1, 19: 0.5, 9999: 0.1}),
    ],
)
def test_schedules(name: str, at: dict[int, float]) -> None:
    schedule = qt.optim.SCHEDULES[name]
    warmup = [schedule(step, **SCHEDULE) for step in range(5)]
    np.testing.assert_allclose(warmup, [0.2, 0.4, 0.6, 0.8, 1])
    for step, lr in at.items():
        assert schedule(step, **SCHEDULE) == pytest.approx(lr), step
    rates = [schedule(step, **SCHEDULE) for step in range(4, 100)]
    assert all(a >= b - 1e-12 for a, b in itertools.pairwise(rates)), "it never rises again"


def test_clip_by_value() -> None:
    p = Parameter(np.zeros(4))
    p.grad = np.array([-3.0, -0.5, 0.5, 3.0])
    qt.optim.clip_grad_value_([p, Parameter(np.zeros(1))], 1.0)
    assert p.grad.tolist() == [-1, -0.5, 0.5, 1]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("clip", [qt.optim.clip_grad_norm_, qt.optim.clip_grad_value_])
def test_clipping_refuses_what_is_not_finite(clip, bad: float) -> None:
    good, broken = Parameter(np.zeros(2), "a.weight"), Parameter(np.zeros(2), "b.weight")
    good.grad, broken.grad = np.ones(2), np.array([1, bad])
    with pytest.raises(RuntimeError, match=r"gradient of b\.weight is not finite"):
        clip([good, broken], 1.0)
    assert good.grad.tolist() == [1, 1], "nothing was scaled"


def test_state_of_another_kind_is_refused() -> None:
    ps = parameters()
    sgd, adam = qt.optim.SGD(ps, momentum=0.9), qt.optim.Adam(ps)
    run(sgd, ps, 1)
    with pytest.raises(ValueError, match=r"holds momentum_buffer, but Adam keeps step, exp_avg"):
        adam.load_state_dict(sgd.state_dict())
    assert adam.state == {}


def test_wrong_groups() -> None:
    with pytest.raises(ValueError, match='needs "params"'):
        qt.optim.SGD([{"lr": 1.0}])
    with pytest.raises(TypeError, match="moves Tensors, not ndarray"):
        qt.optim.SGD([np.zeros(2)])


def test_sgd_dampening_leaves_the_first_step_whole() -> None:
    p = Parameter(np.zeros(1))
    optimizer = qt.optim.SGD([p], lr=1.0, momentum=0.5, dampening=0.5)
    for expected in (-1.0, -2.0, -3.0):  # v: 1, then ½ + ½ each time
        p.grad = np.ones(1)
        optimizer.step()
        assert p.data[0] == pytest.approx(expected)
