"""The classics of autograd: what naive implementations get wrong."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operations import OPERATIONS

import qt.functional as F
from qt.tensor import Tensor

steps = st.tuples(st.sampled_from(["mean", "product", "tanh", "max"]), *[st.integers(0, 99)] * 2)


@settings(max_examples=200)
@given(st.lists(steps, min_size=1, max_size=40), st.floats(-1, 1))
def test_trust_autograd_equals_forward_differentiation_on_any_graph(
    program: list[tuple[str, int, int]], start: float
) -> None:
    """Random graphs in which values are used again and again, at any distance.

    The reference carries (value, slope) forward through the same steps: dual numbers, no tape.
    """
    nodes = [(Tensor(start, requires_grad=True), start, 1.0)]
    for kind, i, j in program:
        (a, x, dx), (b, y, dy) = nodes[i % len(nodes)], nodes[j % len(nodes)]
        if kind == "mean":
            nodes.append(((a + b) / 2, (x + y) / 2, (dx + dy) / 2))
        elif kind == "product":
            nodes.append((a * b, x * y, dx * y + x * dy))
        elif kind == "tanh":
            t = math.tanh(x - y)
            nodes.append(((a - b).tanh(), t, (1 - t * t) * (dx - dy)))
        else:
            nodes.append((F.relu(a - b), max(x - y, 0), dx - dy if x > y else 0.0))
    out, value, slope = nodes[-1]
    out.backward()
    assert out.item() == pytest.approx(value, abs=1e-12)
    assert float(nodes[0][0].grad if nodes[0][0].grad is not None else 0) == pytest.approx(
        slope, rel=1e-9, abs=1e-9
    )


def test_trust_autograd_order_is_topological_in_a_diamond_of_unequal_arms() -> None:
    """Depth first or breadth first, one arm comes too early and passes on half of its gradient."""
    x = Tensor(1.5, requires_grad=True)
    a = x * 2
    b = a * 3
    c = b * a  # 12 x²
    d = c + a  # + 2x
    d.backward()
    assert float(x.grad) == 24 * 1.5 + 2


def test_trust_autograd_adds_up_the_gradients_of_a_value_used_twice() -> None:
    x = Tensor(3.0, requires_grad=True)
    y = x * 3
    (y * y + y).backward()  # 9x² + 3x
    assert float(x.grad) == 18 * 3 + 3
    z = Tensor(np.ones((2, 2)), requires_grad=True)
    (z @ z + z[0] + z).sum().backward()
    assert z.grad.tolist() == [[7, 7], [5, 5]]


def test_trust_autograd_of_a_graph_50_000_deep_does_not_recurse() -> None:
    """Python stops at a thousand calls: a recursive walk fails on any real network."""
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y + x
    y.backward()
    assert float(x.grad) == 50_001
    del y  # freeing the chain must not recurse either


def test_trust_autograd_refuses_a_second_backward_unless_the_graph_was_retained() -> None:
    """The arrays of a used tape are gone: to go on with what is left would be silently wrong."""
    x = Tensor(2.0, requires_grad=True)
    y = x * x
    z = y * 3
    z.backward(retain_graph=True)
    assert float(x.grad) == 12
    z.backward()
    assert float(x.grad) == 24, "gradients add up"
    for used in (z, y + 1):
        with pytest.raises(RuntimeError, match="retain_graph=True"):
            used.backward()
    assert float(x.grad) == 24


@pytest.mark.parametrize("name", OPERATIONS)
def test_trust_autograd_gives_each_leaf_a_gradient_of_its_own(name: str) -> None:
    """The tape adds in place where it may; nobody else's array changes by that, nor is shared."""
    function, shapes, low, high = OPERATIONS[name]
    rng = np.random.default_rng(0)
    leaves = [Tensor(rng.uniform(low, high, shape), requires_grad=True) for shape in shapes]
    inputs = [leaf.data.copy() for leaf in leaves]
    out = function(*leaves) * 1.0
    result, upstream = out.data.copy(), rng.normal(size=out.shape)
    g = upstream.copy()
    out.backward(g, retain_graph=True)
    once = [np.array(leaf.grad) for leaf in leaves]
    for i, leaf in enumerate(leaves):
        assert leaf.grad is not None
        others = [g, out.data, *inputs, *(x.data for x in leaves)]
        others += [x.grad for x in leaves[:i] if x.grad is not None]
        assert not any(np.shares_memory(leaf.grad, other) for other in others)
    out.backward(g)
    for leaf, gradient in zip(leaves, once, strict=True):
        np.testing.assert_array_equal(leaf.grad, 2 * gradient)
    for now, before in zip([g, out.data, *(x.data for x in leaves)], [upstream, result, *inputs]):
        np.testing.assert_array_equal(now, before)
