"""Autograd: gradients by hand, by numbers, and in the right order."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from qt.exercises.exercise import exercise


def numerical_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    def square(x: np.ndarray) -> float:
        return float((x**2).sum())

    def cubes(x: np.ndarray) -> float:
        return float((x**3).sum() + x.ravel()[0] * x.ravel()[-1])

    yield square, np.array([3.0]), 0.1
    yield cubes, np.array([1.0, 2.0]), 0.5
    yield cubes, rng.normal(size=(3, 2)), 0.01


@exercise(
    "autograd.numerical_gradient",
    title="Central differences",
    minutes=10,
    difficulty=1,
    todo="move each entry of a copy of x by h both ways and see how f changes",
    hint="np.ndindex(x.shape) walks over all places of an array of any shape.",
    cases=numerical_cases,
    mistakes=(
        ("/ (2 * h)", "/ h", "you divided by h: the two points are 2h apart"),
        ("/ (2 * h)", "", "you did not divide by the distance 2h"),
        (
            "(f(above) - f(below)) / (2 * h)",
            "(f(above) - f(x)) / h",
            "you went one way only: f(x + h) - f(x - h) has a far smaller error",
        ),
        ("f(above) - f(below)", "f(below) - f(above)", "the sign is wrong: f(x + h) comes first"),
    ),
)
def numerical_gradient(f: "Callable[[np.ndarray], float]", x: np.ndarray, h: float) -> np.ndarray:
    """The gradient of f at x: (f(x + h) - f(x - h)) / 2h for each entry of x by itself.

    f takes an array of x's shape and returns a number. x is float64 and stays as it is; the result
    has its shape.

    >>> numerical_gradient(lambda x: float((x**2).sum()), np.array([3.0, -1.0]), 0.5)
    array([ 6., -2.])
    """
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[place] += h
        below[place] -= h
        gradient[place] = (f(above) - f(below)) / (2 * h)
    return gradient


def cross_entropy_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([1.0, 2.0, 0.5]), 0
    yield np.zeros(4), 3
    yield np.array([1000.0, 0.0]), 1
    yield rng.normal(size=9), 4


@exercise(
    "autograd.cross_entropy_gradient",
    title="The gradient of softmax and cross-entropy",
    minutes=10,
    difficulty=2,
    todo="return the softmax of the logits, less 1 at the target",
    hint="The loss is log Σ exp(z) - z[target]. The first term's derivative is the softmax.",
    cases=cross_entropy_cases,
    mistakes=(
        (
            "p[target] -= 1",
            "p = -p\n    p[target] += 1",
            "the sign is wrong: it is p - 1 at the target",
        ),
        ("    p[target] -= 1\n", "", "you returned the softmax alone: take 1 off at the target"),
        (
            "logits - logits.max()",
            "logits",
            "exp overflows for large logits: take their maximum off first",
        ),
        ("p[target] -= 1", "p -= 1", "you took 1 off everywhere: only at the target"),
    ),
)
def cross_entropy_gradient(logits: np.ndarray, target: int) -> np.ndarray:
    """(V,), a class -> (V,): the gradient of -log softmax(logits)[target] with respect to logits.

    Logits of 1000 must not overflow. `logits` stays as it is.

    >>> cross_entropy_gradient(np.zeros(2), 1)
    array([ 0.5, -0.5])
    """
    p = np.exp(logits - logits.max())
    p /= p.sum()
    p[target] -= 1
    return p


def multiply_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield np.array([1.0, 10.0]), np.array([2.0, 3.0]), np.array([5.0, 7.0])
    yield np.ones((2, 3)), np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    yield np.ones((2, 3)), np.array([[2.0], [4.0]]), np.arange(6.0).reshape(2, 3)
    yield np.ones((2, 2)), np.array(3.0), np.ones((2, 2))
    yield tuple(rng.normal(size=s).astype(np.float32) for s in ((2, 3, 4), (3, 1), (2, 1, 4)))


@exercise(
    "autograd.multiply_backward",
    title="Broadcasting, backwards",
    minutes=15,
    difficulty=3,
    todo="multiply the gradient by the other factor, then sum over every stretched axis",
    hint="Broadcasting adds axes on the left and stretches axes of length 1. Sum over the first "
    "kind until the number of axes is right, then over the second with keepdims=True.",
    cases=multiply_cases,
    mistakes=(
        (
            "((gradient * b, a), (gradient * a, b))",
            "((gradient * a, a), (gradient * b, b))",
            "the factors are swapped: the derivative of a·b with respect to a is b",
        ),
        (
            "        for axis, length in enumerate(x.shape):\n"
            "            if length == 1:\n"
            "                g = g.sum(axis=axis, keepdims=True)\n",
            "",
            "an axis of length 1 was stretched: sum over it too, with keepdims=True",
        ),
        (
            "            g = g.sum(axis=0)\n",
            "            g = g.mean(axis=0)\n",
            "you took the mean over a stretched axis: every copy adds its share, so sum",
        ),
        (
            "        while g.ndim > x.ndim:\n            g = g.sum(axis=0)\n",
            "",
            "broadcasting added axes on the left: sum over them until the shape fits",
        ),
    ),
)
def multiply_backward(
    gradient: np.ndarray, a: np.ndarray, b: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The gradients of a and of b, when `gradient` is that of a * b, which may broadcast.

    Each result has the shape of its factor: where an entry was used several times, its gradients
    add up.

    >>> multiply_backward(np.ones((2, 2)), np.array([1.0, 2.0]), np.array([[3.0], [4.0]]))
    (array([7., 7.]), array([[3.],
           [3.]]))
    """
    results = []
    for g, x in ((gradient * b, a), (gradient * a, b)):
        while g.ndim > x.ndim:
            g = g.sum(axis=0)
        for axis, length in enumerate(x.shape):
            if length == 1:
                g = g.sum(axis=axis, keepdims=True)
        results.append(g)
    return results[0], results[1]


def order_cases(rng: np.random.Generator) -> Iterator[tuple[Any, ...]]:
    yield "loss", {"loss": ["product"], "product": ["a", "b"], "a": [], "b": []}
    yield "d", {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}
    yield "y", {"y": ["x", "h"], "h": ["x"], "x": [], "unused": []}
    yield "x", {"x": []}
    yield "n3000", {"n0": [], **{f"n{i}": [f"n{i - 1}"] for i in range(1, 3001)}}
    nodes = [str(i) for i in range(12)]
    yield "11", {n: [str(p) for p in rng.integers(0, int(n), 2)] if n != "0" else [] for n in nodes}


@exercise(
    "autograd.order",
    title="Topological order without recursion",
    minutes=20,
    difficulty=3,
    todo="list the nodes so that each stands behind all its parents, with a loop and a stack",
    hint="Put a node on the stack twice: first to visit its parents, then, marked as ready, to be "
    "listed. Parents go on in reverse, so that the first one is on top.",
    cases=order_cases,
    mistakes=(
        (
            "            stack += [(parent, False) for parent in reversed(parents[node])]\n",
            "            stack += [(parent, False) for parent in parents[node]]\n",
            "you took the last parent first: visit parents from left to right",
        ),
        (
            "    stack = [(root, False)]\n",
            "    def visit(node):\n"
            "        if node not in seen:\n"
            "            seen.add(node)\n"
            "            for parent in parents[node]:\n"
            "                visit(parent)\n"
            "            order.append(node)\n"
            "    visit(root)\n"
            "    stack = []\n",
            "a function that calls itself ends at about 1000 levels: use a loop and a stack",
        ),
        ("elif node not in seen:", "else:", "a node that is used twice stands in the list twice"),
        (
            "            stack.append((node, True))\n",
            "            order.append(node)\n",
            "you listed a node before its parents: list it when they are done",
        ),
    ),
)
def topological_order(root: str, parents: dict[str, list[str]]) -> list[str]:
    """The nodes that `root` is made from, and root last: each node behind all its parents.

    `parents[node]` lists what a node was made from. Go depth first and take parents from left to
    right, so that the order is unique. Chains of thousands of nodes must work.

    >>> topological_order("d", {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []})
    ['a', 'b', 'c', 'd']
    """
    order: list[str] = []
    seen: set[str] = set()
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(parent, False) for parent in reversed(parents[node])]
    return order
