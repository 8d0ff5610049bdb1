"""Adafactor against values worked out by hand."""

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.adafactor import AdafactorState, adafactor_start, adafactor_step
from harness.oracles.arrays import ArgumentError

W = np.array([3.0, -3.0])


def test_first_step_of_a_vector() -> None:
    """b_1 = 0, so u = sign(g), and the step is the rate times RMS(w) = 3."""
    after, state = adafactor_step(W, np.array([2.0, -0.5]), adafactor_start(W), learning_rate=0.25)
    np.testing.assert_allclose(after, [2.25, -2.25], rtol=1e-15)
    np.testing.assert_allclose(state.v, [4.0, 0.25])


def test_matrix_of_rank_one_needs_no_more_than_its_factors() -> None:
    """Where |g| is an outer product its factored square is exact, so u = sign(g)."""
    gradient = np.outer([1.0, -2.0], [3.0, 1.0, -0.5])
    start = np.full((2, 3), 2.0)
    after, state = adafactor_step(start, gradient, adafactor_start(start), learning_rate=0.5)
    np.testing.assert_allclose(after, start - np.sign(gradient), rtol=1e-12)
    np.testing.assert_allclose(state.v, gradient**2, rtol=1e-12)
    assert state.r is not None
    assert state.c is not None
    assert (state.r.shape, state.c.shape) == ((2,), (3,))


def test_cap_clip_and_least_length() -> None:
    """At t = 4 the cap is 0.5; u = 1 is clipped to 0.25; weights below 2 count as 2."""
    state = AdafactorState(3, np.ones(2))
    weights, gradient = np.array([1.0, -1.0]), np.array([1.0, 1.0])
    steps = [
        weights
        - adafactor_step(
            weights,
            gradient,
            state,
            learning_rate=8.0,
            epsilon_1=0.0,
            epsilon_2=2.0,
            clip_threshold=0.25,
            relative_step=relative,
        )[0]
        for relative in (True, False)
    ]
    np.testing.assert_allclose(steps, [[0.25, 0.25], [4.0, 4.0]], rtol=1e-15)


def test_state_must_fit_the_rank() -> None:
    """A matrix needs its factors, a vector has none."""
    with pytest.raises(ArgumentError, match=r"^r and c must be given from rank 2 on, got rank 2"):
        adafactor_step(
            np.ones((1, 1)), np.ones((1, 1)), AdafactorState(0, np.ones((1, 1))), learning_rate=0.1
        )
    with pytest.raises(ShapeError, match=r"^v must have shape \(2,\), got \(3,\)\."):
        adafactor_step(W, W, AdafactorState(0, np.zeros(3)), learning_rate=0.1)
