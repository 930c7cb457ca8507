"""All gradients in one array: what is packed comes out again, in the same places."""

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from qt.distributed.flat import flatten, unflatten

SHAPES = st.lists(arrays_of.array_shapes(min_dims=0, max_dims=3, max_side=5), min_size=1)


@given(SHAPES, st.lists(st.floats(-1e6, 1e6, width=32)), st.sampled_from(["f4", "f8"]), st.data())
def test_unflatten_undoes_flatten(
    shapes: list[tuple[int, ...]], numbers: list[float], dtype: str, data: st.DataObject
) -> None:
    elements = st.floats(allow_nan=False, width=32)
    arrays = [data.draw(arrays_of.arrays(dtype, shape, elements=elements)) for shape in shapes]
    flat = flatten(arrays, numbers)
    assert flat.dtype == np.dtype(dtype)
    assert flat.ndim == 1
    again, rest = unflatten(flat, shapes)
    assert rest == numbers
    for one, other in zip(arrays, again, strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.shares_memory(other, flat), "a view: nothing is copied back"


def test_the_buffer_is_new_and_takes_any_layout() -> None:
    a: npt.NDArray[np.float32] = np.arange(6, dtype=np.float32).reshape(2, 3)
    flat = flatten([a.T, a[:, ::2]], [7.0])
    assert flat.tolist() == [0, 3, 1, 4, 2, 5, 0, 2, 3, 5, 7]
    flat[:] = -1
    assert a[1, 2] == 5


def test_adding_two_buffers_adds_all_of_them() -> None:
    """What the all-reduce relies on: every element of every rank has the same place."""
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (5,), (2, 1, 2)]
    one, other = ([rng.normal(size=shape) for shape in shapes] for _ in range(2))
    arrays, numbers = unflatten(flatten(one, [1, 2]) + flatten(other, [10, 20]), shapes)
    assert numbers == [11, 22]
    for array, a, b in zip(arrays, one, other, strict=True):
        np.testing.assert_array_equal(array, a + b)
