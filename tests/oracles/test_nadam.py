"""Nadam against values worked out by hand."""

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.arrays import as_float32
from harness.oracles.nadam import (
    NadamState,
    nadam_momentum,
    nadam_product,
    nadam_start,
    nadam_step,
)

W = np.array([1.0, -1.0])


def test_momentum_grows_towards_beta_1() -> None:
    """0.96 / 2 is taken off at first, nothing in the end."""
    assert nadam_momentum(1, beta_1=0.5) == 0.5 * (1 - 0.48)
    assert nadam_momentum(2000, beta_1=0.5) == pytest.approx(0.5)
    rounded = nadam_momentum(1, beta_1=0.9, float32_constants=True)
    assert rounded == as_float32(0.9) * (1 - 0.5 * as_float32(0.96))


def test_product() -> None:
    """Of no momentum, of one, of two."""
    one, two = nadam_momentum(1, beta_1=0.5), nadam_momentum(2, beta_1=0.5)
    assert [nadam_product(count, beta_1=0.5) for count in range(3)] == [1.0, one, one * two]


def test_first_step() -> None:
    """beta_1 0.5: mu_1 = 0.26, mu_2 = 0.2696; m = g / 2 and the corrected root is |g|."""
    after, state = nadam_step(
        W, np.array([2.0, -2.0]), nadam_start(W), learning_rate=0.5, beta_1=0.5, epsilon=0.0
    )
    size = 0.2696 * 0.5 / (1 - 0.26 * 0.2696) + 0.74 / 0.74
    np.testing.assert_allclose(after, [1 - 0.5 * size, -1 + 0.5 * size], rtol=1e-12)
    np.testing.assert_allclose(state.momentum, [1.0, -1.0])


def test_shapes_are_checked() -> None:
    """A moment of another variable is refused."""
    with pytest.raises(ShapeError, match=r"^velocity must have shape \(2,\), got \(3,\)\."):
        nadam_step(W, W, NadamState(0, W, np.zeros(3)), learning_rate=0.1)
