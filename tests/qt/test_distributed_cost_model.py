"""The cost model against what can be known otherwise: algorithms played by hand, and limits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qt
from qt.distributed import cost_model as cost

RANKS = st.integers(1, 2000)
BYTES = st.floats(1, 1e12)
LATENCY = st.floats(1e-7, 1e-2)
BANDWIDTH = st.floats(1e6, 1e12)


def play_ring(n_bytes: float, ranks: int, latency: float, bandwidth: float) -> float:
    """Move the parts of numbered arrays around a ring, and add up what each round takes."""
    own = [np.arange(ranks) + 100.0 * r for r in range(ranks)]  # a part for each rank
    wanted = sum(own)
    seconds = 0.0
    for phase in ("add", "copy"):
        for turn in range(ranks - 1):
            sent = []
            for r in range(ranks):
                part = (r - turn + (phase == "copy")) % ranks
                sent.append((r, part, own[r][part]))
            for r, part, value in sent:
                right = own[(r + 1) % ranks]
                right[part] = value + right[part] if phase == "add" else value
            seconds += latency + n_bytes / ranks / bandwidth
    for array in own:
        np.testing.assert_allclose(array, wanted)
    return seconds


def play_tree(n_bytes: float, ranks: int, latency: float, bandwidth: float) -> float:
    """Add whole arrays up a binomial tree to rank 0, and pass the sum down again."""
    own, seconds, distance = [1.0 + r for r in range(ranks)], 0.0, 1
    wanted, rounds = sum(own), []
    while distance < ranks:
        pairs = [(r, r + distance) for r in range(0, ranks - distance, 2 * distance)]
        for low, high in pairs:
            own[low] += own[high]
        rounds.append(pairs)
        distance *= 2
    for pairs in reversed(rounds):
        for low, high in pairs:
            own[high] = own[low]
    seconds = 2 * len(rounds) * (latency + n_bytes / bandwidth)
    assert own == [wanted] * ranks
    return seconds


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 7, 8, 16])
def test_the_formulas_count_the_rounds_of_the_algorithms(ranks: int) -> None:
    network = (1e6, ranks, 2e-5, 1e9)
    assert cost.all_reduce_seconds(*network) == pytest.approx(play_ring(*network))
    assert cost.all_reduce_seconds(*network, "tree") == pytest.approx(play_tree(*network))


@given(BYTES, RANKS, LATENCY, BANDWIDTH)
def test_an_all_reduce(n_bytes: float, ranks: int, latency: float, bandwidth: float) -> None:
    """One rank talks to nobody; the ring never sends more than twice the array."""
    seconds = cost.all_reduce_seconds(n_bytes, ranks, latency, bandwidth)
    assert cost.all_reduce_seconds(n_bytes, 1, latency, bandwidth) == 0
    assert seconds <= 2 * ranks * latency + 2 * n_bytes / bandwidth
    if ranks > 2:  # a short message is the tree's, a long one the ring's
        tiny, huge = 1e-9 * latency * bandwidth, 1e6 * ranks * latency * bandwidth
        times = {
            (size, name): cost.all_reduce_seconds(size, ranks, latency, bandwidth, name)
            for size in (tiny, huge)
            for name in ("ring", "tree")
        }
        assert times[tiny, "tree"] <= times[tiny, "ring"] * (1 + 1e-6)
        assert times[huge, "ring"] < times[huge, "tree"]


@given(st.integers(2, 64), LATENCY, BANDWIDTH)
def test_a_fit_finds_the_network_again(ranks: int, latency: float, bandwidth: float) -> None:
    sizes = [latency * bandwidth * x for x in (0.01, 0.1, 1, 10, 100, 1000)]
    seconds = [cost.all_reduce_seconds(n, ranks, latency, bandwidth) for n in sizes]
    found = cost.fit_all_reduce(sizes, seconds, ranks)
    assert found == pytest.approx((latency, bandwidth), rel=1e-6)
    noisy = np.array(seconds) * np.random.default_rng(0).uniform(0.9, 1.1, len(sizes))
    assert cost.fit_all_reduce(sizes, noisy.tolist(), ranks) == pytest.approx(found, rel=0.2)


@given(
    st.floats(1e-4, 100), BYTES, RANKS, LATENCY, BANDWIDTH, st.floats(0, 1),
    st.sampled_from(["strong", "weak"]),
)  # fmt: skip
def test_a_step(
    compute: float, n_bytes: float, ranks: int, latency: float, bandwidth: float, overlap: float,
    scaling: str,
) -> None:  # fmt: skip
    """Between what computing alone and talking alone take, and both after the other."""
    arguments = (compute, n_bytes, ranks, latency, bandwidth, overlap, scaling)
    own = compute / ranks if scaling == "strong" else compute
    talk = cost.all_reduce_seconds(n_bytes, ranks, latency, bandwidth)
    seconds = cost.step_seconds(*arguments)
    slack = 1 + 1e-9
    assert max(own, talk * (1 - overlap)) <= seconds * slack
    assert seconds <= (own + talk) * slack
    assert talk + own / 3 <= seconds * slack or overlap * talk <= own * 2 / 3 * slack
    assert cost.speedup(*arguments) <= ranks * slack
    assert cost.efficiency(*arguments) == pytest.approx(cost.speedup(*arguments) / ranks)
    alone = (compute, n_bytes, 1, latency, bandwidth, overlap, scaling)
    assert cost.speedup(*alone) == cost.efficiency(*alone) == 1
    weak = cost.efficiency(*arguments[:-1], "weak")
    assert weak >= cost.efficiency(*arguments[:-1], "strong") / slack  # more work for one message


@given(st.floats(1e-3, 10), st.floats(1e3, 1e9), st.floats(1e-5, 1e-2), BANDWIDTH)
def test_the_fastest_number_of_ranks(
    compute: float, n_bytes: float, latency: float, bandwidth: float
) -> None:
    network = (n_bytes, latency, bandwidth)
    best = cost.fastest_ranks(compute, *network)
    assert best == int(best) >= 1

    def seconds(ranks: int) -> float:
        return cost.step_seconds(compute, n_bytes, ranks, latency, bandwidth)

    fastest = seconds(int(best)) * (1 - 1e-9)
    for ranks in {1, 2, 3, 10, 1000, max(int(best) - 1, 1), int(best) + 1, 2 * int(best)}:
        assert fastest <= seconds(ranks)
    assert cost.fastest_ranks(1.0, 1e3, 0.0, 1e9) == math.inf


@pytest.mark.parametrize("tied", [True, False])
def test_flops_and_bytes_of_a_step(tied: bool) -> None:
    config = qt.GPTConfig(
        vocab_size=50, block_size=32, n_layer=2, n_head=2, d_model=16, d_ff=40, tie_embeddings=tied
    )
    model = qt.GPT(config)
    V, T, C, F, L = 50, 32, 16, 40, 2
    products = L * (4 * C * C + 3 * C * F) + V * C
    assert cost.step_flops(model, 10) == 10 * 3 * (2 * products + 4 * L * T * C)
    P = model.num_parameters()
    assert cost.gradient_bytes(model) == 4 * P
    ends = L * (4 * 2 * C + 3 * (C + F)) + V + C  # what goes in and comes out, a token
    assert cost.step_bytes(model, 10) == 4 * (10 * P + 3 * 10 * ends)
    assert cost.step_bytes(qt.GPT(config).astype(np.float64), 10) == 2 * cost.step_bytes(model, 10)


def test_six_times_parameters_times_tokens_where_the_block_is_short() -> None:
    config = qt.GPTConfig(vocab_size=64, block_size=16, n_layer=2, n_head=4, d_model=256)
    model = qt.GPT(config)
    exact = cost.step_flops(model, 1000)
    assert cost.approximate_flops(model.num_parameters(), 1000) == pytest.approx(exact, rel=0.05)


def test_the_roof() -> None:
    assert cost.roofline_seconds(8e9, 1e9, 4e9, 2e9) == 2.0  # arithmetic decides
    assert cost.roofline_seconds(1e9, 8e9, 4e9, 2e9) == 4.0  # memory


def test_wrong_use_is_named() -> None:
    with pytest.raises(ValueError, match="algorithm must be ring or tree, not 'star'"):
        cost.all_reduce_seconds(8, 2, 1e-6, 1e9, "star")
    with pytest.raises(ValueError, match="at least 1 rank, not 0"):
        cost.all_reduce_seconds(8, 0, 1e-6, 1e9)
    with pytest.raises(ValueError, match="scaling must be strong or weak, not 'big'"):
        cost.step_seconds(1, 8, 2, 1e-6, 1e9, scaling="big")
    with pytest.raises(ValueError, match="overlap must be from 0 to 1, not 2"):
        cost.step_seconds(1, 8, 2, 1e-6, 1e9, overlap=2)
    with pytest.raises(ValueError, match="at least 2 ranks"):
        cost.fit_all_reduce([8, 16], [1, 2], 1)
    with pytest.raises(ValueError, match="at least 2 sizes"):
        cost.fit_all_reduce([8], [1], 2)
    with pytest.raises(ValueError, match="do not grow with the size"):
        cost.fit_all_reduce([8, 1000], [2.0, 1.0], 2)
