"""Losses by hand, gradients by finite differences, and the relations between losses."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.arrays import ArgumentError, Float64
from harness.oracles.losses import EPSILON, LOSSES, Reduction, loss_and_gradient, sigmoid

RNG = np.random.default_rng(7)
HOT = np.eye(3)[[0, 2, 1, 1]]
PROBABILITIES = RNG.dirichlet(np.ones(3), 4)
LOGITS = RNG.normal(size=(4, 3)) * 3
REAL = RNG.normal(size=(4, 3))
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0])

CASES: list[tuple[str, dict[str, float | bool], Float64, Float64]] = [
    ("mean_squared_error", {}, REAL, LOGITS),
    ("mean_absolute_error", {}, REAL, LOGITS),
    ("huber", {"delta": 0.7}, REAL, LOGITS),
    ("binary_crossentropy", {"label_smoothing": 0.1}, HOT, PROBABILITIES),
    ("binary_crossentropy", {"from_logits": True, "label_smoothing": 0.2}, HOT, LOGITS),
    ("categorical_crossentropy", {"label_smoothing": 0.1}, HOT, PROBABILITIES),
    ("categorical_crossentropy", {}, HOT, PROBABILITIES * 1.7),
    ("categorical_crossentropy", {"from_logits": True}, HOT, LOGITS),
    ("sparse_categorical_crossentropy", {}, np.argmax(HOT, -1), PROBABILITIES),
    ("sparse_categorical_crossentropy", {"from_logits": True}, np.argmax(HOT, -1), LOGITS),
    ("weighted_mse", {"penalty": 3.0}, REAL, LOGITS),
    ("focal_loss", {"gamma": 1.5, "alpha": 0.4}, HOT, PROBABILITIES),
]

REDUCTIONS: tuple[Reduction, ...] = (
    "sum_over_batch_size",
    "mean",
    "sum",
    "mean_with_sample_weight",
    "none",
)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("kind", "arguments", "y_true", "y_pred"), CASES)
def test_gradient_is_the_finite_difference(
    kind: str,
    arguments: dict[str, float | bool],
    y_true: Float64,
    y_pred: Float64,
    reduction: Reduction,
) -> None:
    """The derivative meets a central difference of the (summed) weighted loss."""

    def total(at: Float64) -> float:
        value = loss_and_gradient(
            kind, y_true, at, reduction=reduction, sample_weight=WEIGHTS, **arguments
        )
        return float(np.sum(value.values))

    gradient = loss_and_gradient(
        kind, y_true, y_pred, reduction=reduction, sample_weight=WEIGHTS, **arguments
    ).gradient
    step = 1e-6
    for index in np.ndindex(y_pred.shape):
        shift = np.zeros_like(y_pred)
        shift[index] = step
        slope = (total(y_pred + shift) - total(y_pred - shift)) / (2 * step)
        assert gradient[index] == pytest.approx(slope, rel=1e-5, abs=1e-7)


def test_errors_by_hand() -> None:
    """Errors (1, -3): MSE 5, MAE 2, Huber(1) (0.5 + 2.5) / 2; 2x for the under-prediction."""
    true, pred = np.array([[0.0, 0.0]]), np.array([[1.0, -3.0]])
    assert LOSSES["mean_squared_error"](true, pred).values.tolist() == [5.0]
    assert LOSSES["mean_absolute_error"](true, pred).values.tolist() == [2.0]
    assert LOSSES["huber"](true, pred).values.tolist() == [1.5]
    assert LOSSES["weighted_mse"](true, pred).values.tolist() == [9.5]


def test_crossentropies_by_hand() -> None:
    """-log(0.95) and -log(0.1) of the documented example; -log 0.6 and so on for the binary one."""
    true = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    pred = np.array([[0.05, 0.95, 0.0], [0.1, 0.8, 0.1]])
    values = LOSSES["categorical_crossentropy"](true, pred).values
    np.testing.assert_allclose(values, [-math.log(0.95), -math.log(0.1)], rtol=1e-14)
    true, pred = np.array([[0.0, 1.0], [0.0, 0.0]]), np.array([[0.6, 0.4], [0.4, 0.6]])
    values = LOSSES["binary_crossentropy"](true, pred).values
    both = -math.log(0.4)
    np.testing.assert_allclose(values, [both, (-math.log(0.6) + both) / 2], rtol=1e-14)


def test_focal_loss_by_hand() -> None:
    """(0.25 * 0.1**2 * -log 0.9 + 0.25 * 0.3**2 * -log 0.7) over 4 elements."""
    true, pred = np.eye(2), np.array([[0.9, 0.1], [0.3, 0.7]])
    expected = -0.25 * (0.1**2 * math.log(0.9) + 0.3**2 * math.log(0.7)) / 4
    value = loss_and_gradient("focal_loss", true, pred)
    assert float(value.values) == pytest.approx(expected, rel=1e-12)


def test_certain_probabilities_are_clipped() -> None:
    """A probability of 0 for the true class costs -log(1e-7), and its slope is 0."""
    result = LOSSES["binary_crossentropy"](np.array([[1.0]]), np.array([[0.0]]))
    assert result.values.tolist() == [-math.log(EPSILON)]
    assert result.gradient.tolist() == [[0.0]]


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=5))
def test_huber_meets_both_of_its_limits(errors: list[float]) -> None:
    """With a large delta it is half the squared error, with a small one delta times the error."""
    pred = np.array([errors])
    true = np.zeros_like(pred)
    wide = LOSSES["huber"](true, pred, delta=1e3).values
    np.testing.assert_allclose(wide, 0.5 * LOSSES["mean_squared_error"](true, pred).values)
    narrow = LOSSES["huber"](true, pred, delta=1e-9).values / 1e-9
    np.testing.assert_allclose(narrow, LOSSES["mean_absolute_error"](true, pred).values, atol=1e-9)


def test_sparse_equals_categorical_of_one_hot() -> None:
    """Class indices, flat or as a column, mean the one-hot rows."""
    expected = LOSSES["categorical_crossentropy"](HOT, PROBABILITIES)
    for indices in (np.argmax(HOT, -1), np.argmax(HOT, -1)[:, np.newaxis]):
        got = LOSSES["sparse_categorical_crossentropy"](indices, PROBABILITIES)
        np.testing.assert_array_equal(got.values, expected.values)


def test_logits_equal_probabilities() -> None:
    """A crossentropy from logits is that of their softmax or sigmoid."""
    powers = np.exp(LOGITS)
    softmax = powers / powers.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(
        LOSSES["categorical_crossentropy"](HOT, LOGITS, from_logits=True).values,
        LOSSES["categorical_crossentropy"](HOT, softmax).values,
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        LOSSES["binary_crossentropy"](HOT, LOGITS, from_logits=True).values,
        LOSSES["binary_crossentropy"](HOT, sigmoid(LOGITS)).values,
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("sum_over_batch_size", 8.0 / 3),
        ("mean", 8.0 / 3),
        ("sum", 8.0),
        ("mean_with_sample_weight", 2.0),
        ("none", [2.0, 0.0, 6.0]),
    ],
)
def test_reductions_by_hand(reduction: Reduction, expected: float | list[float]) -> None:
    """Values 1, 5, 3 with weights 2, 0, 2."""
    pred = np.array([[1.0], [5.0], [3.0]])
    result = loss_and_gradient(
        "mean_absolute_error",
        np.zeros((3, 1)),
        pred,
        reduction=reduction,
        sample_weight=np.array([2.0, 0.0, 2.0]),
    )
    np.testing.assert_allclose(result.values, expected, rtol=1e-15)


def test_weights_that_sum_to_zero_give_zero() -> None:
    """A mean over no weight is 0, not NaN."""
    result = loss_and_gradient(
        "mean_squared_error",
        np.zeros((2, 1)),
        np.ones((2, 1)),
        reduction="mean_with_sample_weight",
        sample_weight=np.zeros(2),
    )
    assert float(result.values) == 0.0
    assert result.gradient.tolist() == [[0.0], [0.0]]


def test_sigmoid_does_not_overflow() -> None:
    """Large arguments of either sign stay within [0, 1]."""
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_arguments_are_checked() -> None:
    """Unknown losses and reductions, foreign shapes and classes are refused."""
    with pytest.raises(ArgumentError, match=r"^loss must be one of mean_squared_error, .*'mse'"):
        loss_and_gradient("mse", REAL, REAL)
    with pytest.raises(ArgumentError, match=r"^reduction must be one of .*, got 'average'\.$"):
        loss_and_gradient("huber", REAL, REAL, reduction="average")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"^delta must be greater than 0, got 0\.$"):
        loss_and_gradient("huber", REAL, REAL, delta=0)
    with pytest.raises(ShapeError, match=r"^sample_weight must have shape \(4,\), got \(3,\)\."):
        loss_and_gradient("huber", REAL, REAL, sample_weight=np.ones(3))
    with pytest.raises(ShapeError, match=r"^y_true must have shape \(4, 3\), got \(3,\)\."):
        loss_and_gradient("huber", np.zeros(3), REAL)
    with pytest.raises(ArgumentError, match=r"^indices must lie in \[0, 3\), got 3\.$"):
        loss_and_gradient("sparse_categorical_crossentropy", np.array([0, 1, 2, 3]), REAL)
