"""Metrics by hand, and their independence of how samples are split into batches."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.arrays import ArgumentError
from harness.oracles.metrics import METRICS, confusion, f1, weighted_mean

SCORES = np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])
TRUTH = np.eye(3)[[0, 2, 1, 2]]
BINARY_TRUE = np.array([1.0, 0.0, 1.0, 1.0, 0.0])
BINARY_SCORE = np.array([0.9, 0.8, 0.5, 0.2, 0.1])


def test_categorical_accuracies_by_hand() -> None:
    """Rows 0 and 3 are right, row 2 ties and its first class is taken: 2 of 4."""
    assert METRICS["categorical_accuracy"](TRUTH, SCORES) == 0.5
    indices = np.argmax(TRUTH, -1)
    assert METRICS["sparse_categorical_accuracy"](indices, SCORES) == 0.5
    weighted = METRICS["categorical_accuracy"](
        TRUTH, SCORES, sample_weight=np.array([3.0, 1.0, 0.0, 0.0])
    )
    assert weighted == 0.75


def test_top_k_counts_ties_in() -> None:
    """In row 2 both tied classes are among the top 1; row 1 needs the top 2."""
    assert METRICS["top_k_categorical_accuracy"](TRUTH, SCORES, k=1) == 0.75
    assert METRICS["top_k_categorical_accuracy"](TRUTH, SCORES, k=2) == 1.0
    indices = np.argmax(TRUTH, -1)
    assert METRICS["sparse_top_k_categorical_accuracy"](indices, SCORES, k=1) == 0.75
    with pytest.raises(ArgumentError, match=r"^k must be greater than 0, got 0\.$"):
        METRICS["top_k_categorical_accuracy"](TRUTH, SCORES, k=0)


def test_binary_metrics_by_hand() -> None:
    """Above 0.5: one hit, one false alarm, two misses; a score of 0.5 is not above."""
    assert METRICS["binary_accuracy"](BINARY_TRUE, BINARY_SCORE) == 0.4
    assert confusion(BINARY_TRUE, BINARY_SCORE) == (1.0, 1.0, 2.0)
    assert METRICS["precision"](BINARY_TRUE, BINARY_SCORE) == 0.5
    assert METRICS["recall"](BINARY_TRUE, BINARY_SCORE) == pytest.approx(1 / 3)


def test_f1_at_the_threshold() -> None:
    """Inclusive: 2 hits, 1 false alarm, 1 miss give 4 / 6; exclusive: 2 / 5."""
    assert f1(BINARY_TRUE, BINARY_SCORE) == pytest.approx(4 / 6)
    assert f1(BINARY_TRUE, BINARY_SCORE, inclusive=False) == pytest.approx(2 / 5)


def test_nothing_positive_gives_zero() -> None:
    """0 / 0 is 0 for precision, recall and F1."""
    none = np.zeros(3)
    for name in ("precision", "recall", "f1"):
        assert METRICS[name](none, none) == 0.0


def test_weights_act_on_counts() -> None:
    """A false alarm of weight 3 beside a hit of weight 1 gives a precision of 1 / 4."""
    weights = np.array([1.0, 3.0, 0.0, 0.0, 0.0])
    assert METRICS["precision"](BINARY_TRUE, BINARY_SCORE, sample_weight=weights) == 0.25


def test_mean_errors_by_hand() -> None:
    """Errors (1, -3) and (0, 4): means 5 and 8, 2 and 2; the root is over all elements."""
    true, pred = np.zeros((2, 2)), np.array([[1.0, -3.0], [0.0, 4.0]])
    weights = np.array([1.0, 3.0])
    assert METRICS["mean_squared_error"](true, pred) == 6.5
    assert METRICS["mean_squared_error"](true, pred, sample_weight=weights) == 7.25
    assert METRICS["mean_absolute_error"](true, pred) == 2.0
    assert METRICS["root_mean_squared_error"](true, pred) == math.sqrt(6.5)


def test_weighted_mean_of_no_weight_is_zero() -> None:
    """All weights 0 give 0, as Keras' division does."""
    assert weighted_mean([1.0, 2.0], np.zeros(2)) == 0.0


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0.1, 9)), min_size=2), st.data())
def test_mean_does_not_depend_on_the_partition(
    pairs: list[tuple[float, float]], data: st.DataObject
) -> None:
    """Sums of two parts, divided at the end, come to the mean over all."""
    cut = data.draw(st.integers(1, len(pairs) - 1))
    values, weights = (np.array(column) for column in zip(*pairs, strict=True))
    parts = [(values[:cut], weights[:cut]), (values[cut:], weights[cut:])]
    total = sum(weighted_mean(v, w) * w.sum() for v, w in parts)
    assert weighted_mean(values, weights) == pytest.approx(total / weights.sum(), abs=1e-9)


def test_weights_must_lead_the_shape() -> None:
    """Weights of another number of samples are refused."""
    with pytest.raises(ShapeError, match=r"^sample_weight must have shape \(4,\), got \(3,\)\."):
        METRICS["categorical_accuracy"](TRUTH, SCORES, sample_weight=np.ones(3))


def test_elementwise_weights_reach_elements() -> None:
    """Wrong elements of weight 0 do not matter."""
    weights = np.array([1.0, 0.0, 0.0, 0.0, 1.0])
    assert METRICS["binary_accuracy"](BINARY_TRUE, BINARY_SCORE, sample_weight=weights) == 1.0
