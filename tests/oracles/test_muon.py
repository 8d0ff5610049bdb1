"""Muon against a singular value decomposition."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.arrays import ArgumentError
from harness.oracles.muon import MuonState, muon_start, muon_step, orthogonalized


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.integers(0, 99))
def test_iteration_acts_on_the_singular_values(
    rows: int, columns: int, steps: int, seed: int
) -> None:
    """Singular vectors stay; each value runs through the polynomial."""
    matrix = np.random.default_rng(seed).standard_normal((rows, columns))
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    values = values / (np.linalg.norm(matrix) + 1e-7)
    for _ in range(steps):
        values = 3.4445 * values - 4.775 * values**3 + 2.0315 * values**5
    expected = left @ np.diag(values) @ right
    np.testing.assert_allclose(orthogonalized(matrix, steps=steps), expected, atol=1e-9)


def test_five_iterations_come_near_one() -> None:
    """From a hundredth of the norm on."""
    for shape in ((3, 2), (2, 3)):
        matrix = np.zeros(shape)
        matrix[0, 0], matrix[1, 1] = 10.0, 0.2
        values = np.linalg.svd(orthogonalized(matrix), compute_uv=False)
        assert ((values > 0.6) & (values < 1.3)).all()


def test_step() -> None:
    """No iteration: m = g + 0.5 m, looked ahead or not, over its norm, times rate and scale."""
    gradient, weights = np.array([[3.0, 4.0]]), np.zeros((1, 2))
    state = MuonState(np.array([[2.0, 0.0]]))
    arguments: dict[str, Any] = {"learning_rate": 0.5, "momentum": 0.5, "ns_steps": 0}
    plain, after = muon_step(weights, gradient, state, nesterov=False, rms_rate=None, **arguments)
    np.testing.assert_allclose(after.momentum, [[4.0, 4.0]])
    np.testing.assert_allclose(plain, [[-0.5 / np.sqrt(2)] * 2], rtol=1e-6)
    ahead, _ = muon_step(weights, gradient, state, rms_rate=0.25, **arguments)
    expected = -0.5 * 0.25 * np.sqrt(2) * np.array([[5.0, 6.0]]) / np.sqrt(61.0)
    np.testing.assert_allclose(ahead, expected, rtol=1e-6)


def test_shapes_are_checked() -> None:
    """Vectors are not for Muon, nor is another variable's momentum."""
    vector = np.ones(2)
    with pytest.raises(ArgumentError, match=r"^matrix must have two axes, got 1\.$"):
        muon_step(vector, vector, muon_start(vector), learning_rate=0.1)
    with pytest.raises(ShapeError, match=r"^momentum must have shape \(1, 2\), got \(2,\)\."):
        muon_step(np.ones((1, 2)), np.ones((1, 2)), MuonState(vector), learning_rate=0.1)
