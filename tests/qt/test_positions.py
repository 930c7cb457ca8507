"""Sinusoids and rotary angles, by their formulas."""

import math

import numpy as np
import pytest

from qt.positions import rope_angles, sinusoidal_table


def test_sinusoids_are_those_of_the_paper() -> None:
    table = sinusoidal_table(7, 6)
    for t in range(7):
        for i in range(3):
            angle = t / 10000 ** (2 * i / 6)
            assert table[t, 2 * i] == pytest.approx(math.sin(angle), abs=1e-15)
            assert table[t, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-15)


@pytest.mark.parametrize("theta", [10000.0, 500000.0])
def test_the_angle_of_pair_i_at_place_m(theta: float) -> None:
    angles = rope_angles([[0, 3], [1, 100]], 8, theta)
    assert angles.shape == (2, 2, 4)
    np.testing.assert_allclose(angles[0, 1], [3 * theta ** (-2 * i / 8) for i in range(4)])
    np.testing.assert_allclose(angles[1, 1], [100 * theta ** (-2 * i / 8) for i in range(4)])


def test_scaling_slows_the_slow_pairs_and_leaves_the_fast_ones() -> None:
    """Llama 3.1's rule, as its paper's code has it, by wavelength."""
    scaling = {
        "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }  # fmt: skip
    plain = rope_angles(1, 128, 500000.0)
    expected = []
    for frequency in plain:
        wavelength = 2 * math.pi / frequency
        if wavelength < 8192 / 4:
            expected.append(frequency)
        elif wavelength > 8192 / 1:
            expected.append(frequency / 8)
        else:
            smooth = (8192 / wavelength - 1) / (4 - 1)
            expected.append((1 - smooth) * frequency / 8 + smooth * frequency)
    np.testing.assert_allclose(rope_angles(1, 128, 500000.0, scaling), expected, rtol=1e-12)
    assert 0 < sum(a == b for a, b in zip(plain, expected)) < 64, "the test sees both kinds"
