"""Batch normalisation against sums written out, and against itself in two forms."""

import numpy as np
import pytest

from harness.oracles.dense import DenseLayer, forward
from harness.oracles.normalization import (
    BatchNorm,
    folded,
    moved,
    normalized_batch,
    normalized_groups,
    predicted_batch,
    unit_vectors,
)

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


def test_moving_statistics_at_another_momentum() -> None:
    """Half of the old and half of the batch."""
    mean, variance = moved(LAYER, BATCH, momentum=0.5)
    assert mean.tolist() == [1.25, 0.75]
    assert variance.tolist() == [1.0, 2.0]


def test_a_prediction_is_made_with_moving_statistics() -> None:
    """The batch itself does not matter."""
    found = predicted_batch(LAYER, BATCH, epsilon=3.0)
    assert found[:, 0].tolist() == [0.75, 2.75]
    assert found[:, 1].tolist() == pytest.approx([-1.0 + 1.25 / np.sqrt(7.0)] * 2)


def test_groups_are_normalised_one_by_one() -> None:
    """Two groups of two: each has its own mean and deviation; one group is the whole row."""
    row = np.array([[1.0, 3.0, 10.0, 14.0]])
    found = normalized_groups(row, 2, epsilon=3.0)
    assert found.tolist() == [pytest.approx([-0.5, 0.5, -2.0 / 7**0.5, 2.0 / 7**0.5])]
    whole = normalized_groups(row, 1, epsilon=0.5)
    assert whole == pytest.approx((row - 7.0) / np.sqrt(28.0))


def test_unit_vectors_have_length_one() -> None:
    """In the direction of each row."""
    assert unit_vectors(np.array([[3.0, -4.0], [0.0, 2.0]])).tolist() == [[0.6, -0.8], [0.0, 1.0]]


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
