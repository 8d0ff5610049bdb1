"""Batch normalisation against sums written out, and against itself in two forms."""

import numpy as np
import pytest

from harness.oracles.dense import DenseLayer, forward
from harness.oracles.normalization import BatchNorm, folded, moved, normalized_batch

LAYER = BatchNorm(
    gamma=np.array([2.0, 0.5]),
    beta=np.array([0.25, -1.0]),
    mean=np.array([0.5, -0.5]),
    variance=np.array([1.0, 4.0]),
)

BATCH = np.array([[1.0, 2.0], [3.0, 2.0]])


def test_moving_statistics_take_a_hundredth_of_the_batch() -> None:
    """Two examples, 1 and 3, have mean 2 and a biased variance of 1."""
    mean, variance = moved(LAYER, BATCH)
    assert mean.tolist() == pytest.approx([0.515, -0.475])
    assert variance.tolist() == pytest.approx([1.0, 3.96])


def test_a_batch_is_normalised_by_itself() -> None:
    """A column without variance becomes beta, another one is spread by gamma."""
    first = 2.0 / np.sqrt(1.001)
    found = normalized_batch(LAYER, BATCH)
    assert found[:, 0].tolist() == pytest.approx([0.25 - first, 0.25 + first])
    assert found[:, 1].tolist() == [-1.0, -1.0]


@pytest.mark.parametrize("bias", [None, np.array([0.75])])
def test_folded_into_the_next_layer(bias: np.ndarray | None) -> None:
    """Normalised by moving statistics and then multiplied is multiplied once."""
    following = DenseLayer(np.array([[0.5], [-2.0]]), bias, "tanh")
    scaled = (BATCH - LAYER.mean) / np.sqrt(LAYER.variance + 1e-3) * LAYER.gamma + LAYER.beta
    (found,) = forward((folded(LAYER, following),), BATCH)[1:]
    assert found == pytest.approx(forward((following,), scaled)[-1], rel=1e-13)
