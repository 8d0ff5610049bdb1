"""Every loss a second time: against derivatives by hand, by counting, and at its limits."""

import itertools
from typing import Any

import numpy as np
import pytest

from harness.oracles.arrays import ArgumentError, Float64
from harness.oracles.losses import LOSSES, Reduction, loss_and_gradient
from harness.oracles.losses_slopes import slopes
from harness.oracles.losses_values import (
    COUPLED,
    LOSS_VALUES,
    Unreduced,
    loss_total,
    unreduced,
)

RNG = np.random.default_rng(11)
HOT = np.eye(3)[[0, 2, 1, 1]]
SHARES = RNG.dirichlet(np.ones(3), 4)
LOGITS = RNG.normal(size=(4, 3)) * 2
REAL = RNG.normal(size=(4, 3))
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0])

BY_HAND: list[tuple[str, dict[str, Any], Any, Float64]] = [
    ("mean_squared_error", {}, REAL, LOGITS),
    ("mean_absolute_error", {}, REAL, LOGITS),
    ("huber", {"delta": 0.7}, REAL, LOGITS),
    ("binary_crossentropy", {"label_smoothing": 0.1}, HOT, SHARES),
    ("binary_crossentropy", {"from_logits": True, "label_smoothing": 0.2}, HOT, LOGITS),
    ("categorical_crossentropy", {"label_smoothing": 0.1}, HOT, SHARES),
    ("categorical_crossentropy", {"from_logits": True}, HOT, LOGITS),
    ("sparse_categorical_crossentropy", {"from_logits": True}, np.argmax(HOT, -1), LOGITS),
]


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize(("kind", "arguments", "y_true", "y_pred"), BY_HAND)
def test_agrees_with_the_one_by_hand(
    kind: str, arguments: dict[str, Any], y_true: Any, y_pred: Float64, reduction: Reduction
) -> None:
    """Value and slope are those of the implementation that is differentiated by hand."""
    by_hand = loss_and_gradient(
        kind, y_true, y_pred, reduction=reduction, sample_weight=WEIGHTS, **arguments
    )
    found = unreduced(kind, y_true, y_pred, arguments)
    values, factors = loss_total(found, reduction=reduction, sample_weight=WEIGHTS)

    def share(at: Float64) -> Float64:
        return unreduced(kind, y_true, at, arguments).values * factors

    slope = slopes(share, y_pred, coupled=False)

    assert float(np.sum(values * factors)) == pytest.approx(float(by_hand.values), rel=1e-13)
    np.testing.assert_allclose(slope.values, by_hand.gradient, rtol=1e-7, atol=1e-8)
    assert slope.smooth.all()


def test_formulas() -> None:
    """The short ones, worked out on one pair each."""
    one, two = np.array([[1.0, 0.0]]), np.array([[0.5, 0.25]])

    def value(kind: str, **arguments: Any) -> float:
        return float(np.ravel(unreduced(kind, one, two, arguments).values)[0])

    assert value("mean_absolute_percentage_error") == pytest.approx(100 * (0.5 + 2.5e6) / 2)
    assert value("mean_squared_logarithmic_error") == pytest.approx(
        (np.log(2 / 1.5) ** 2 + np.log(1.25) ** 2) / 2, rel=1e-6
    )
    assert value("log_cosh") == pytest.approx(np.log(np.cosh([0.5, 0.25])).mean())
    assert value("poisson") == pytest.approx((0.75 - np.log(0.5)) / 2, rel=1e-6)
    assert value("hinge") == pytest.approx((0.5 + 1.25) / 2)
    assert value("squared_hinge") == pytest.approx((0.25 + 1.5625) / 2)
    assert value("categorical_hinge") == pytest.approx(0.25 - 0.5 + 1.0)
    assert value("kl_divergence") == pytest.approx(np.log(2.0), rel=1e-4)
    assert value("cosine_similarity") == pytest.approx(-0.5 / np.hypot(0.5, 0.25))
    assert value("dice", axis=(1,)) == pytest.approx(1 - 2 * 0.5 / 1.75)
    assert value("dice") == pytest.approx(1 - 2 * 0.5 / 1.75)


def test_hinge_keeps_signs() -> None:
    """Labels that are signs already stay what they are."""
    found = unreduced("hinge", np.array([[-1.0, 1.0]]), np.array([[0.5, 0.5]]), {})
    assert found.values[0] == pytest.approx((1.5 + 0.5) / 2)


def test_no_direction() -> None:
    """A vector of zeros has no cosine, which counts as 0."""
    assert unreduced("cosine_similarity", np.zeros((1, 2)), np.ones((1, 2)), {}).values[0] == 0.0


@pytest.mark.parametrize("logits", [False, True])
def test_focal_without_damping(logits: bool) -> None:  # noqa: FBT001
    """With gamma 0 a focal loss is the plain one, times its factors."""
    scores = LOGITS if logits else SHARES
    arguments = {"from_logits": logits, "label_smoothing": 0.25}
    for plain, focal, factor in (
        ("binary_crossentropy", "binary_focal_crossentropy", 1.0),
        ("categorical_crossentropy", "categorical_focal_crossentropy", 0.5),
    ):
        own = {"alpha": 0.5, "gamma": 0.0}
        expected = factor * unreduced(plain, HOT, scores, arguments).values
        got = unreduced(focal, HOT, scores, arguments | own).values
        np.testing.assert_allclose(got, expected, rtol=1e-7)


def test_class_balancing() -> None:
    """Positive labels weigh alpha, negative ones the rest."""
    balanced = {"apply_class_balancing": True, "alpha": 0.75, "axis": 0}
    ones, share = np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]])
    found = unreduced("binary_focal_crossentropy", ones, share, balanced).values
    np.testing.assert_allclose(found, np.array([0.75, 0.25]) * 0.25 * np.log(2.0))


def test_tversky_prices() -> None:
    """Alpha is the price of what is claimed and not so, beta of what is so and not claimed."""
    truth, claim = np.array([[1.0, 1.0, 0.0]]), np.array([[1.0, 0.0, 1.0]])
    found = unreduced("tversky", truth, claim, {"alpha": 0.25, "beta": 0.75, "axis": (1,)})
    assert found.values[0] == pytest.approx(1 - 1 / (1 + 0.25 + 0.75))
    claim = np.array([[1.0, 1.0, 1.0]])
    found = unreduced("tversky", truth, claim, {"alpha": 0.25, "beta": 0.75})
    assert found.values == pytest.approx(1 - 2 / 2.25)


def test_generalized_limits() -> None:
    """Towards 0 it is the cross-entropy of the true class."""
    numbers = np.array([[0], [2], [1], [1]])
    found = unreduced("categorical_generalized_cross_entropy", numbers, SHARES, {"q": 1e-9})
    true = SHARES[np.arange(4), numbers[:, 0]]
    np.testing.assert_allclose(found.values, -np.log(true), rtol=1e-6)


@pytest.mark.parametrize("itself", [False, True])
def test_circle_by_pairs(itself: bool) -> None:  # noqa: FBT001
    """Every pair on its own: near ones of a class, far ones of others."""
    rows = RNG.normal(size=(5, 3))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.array([0, 1, 0, 2, 1])
    found = unreduced(
        "circle", labels, rows, {"gamma": 4.0, "margin": 0.25, "remove_diagonal": not itself}
    )
    for index in range(5):
        near = far = 0.0
        for other in range(5):
            cosine = min(float(rows[index] @ rows[other]), 1.0)
            if labels[index] != labels[other]:
                far += np.exp(4.0 * max(cosine + 0.25, 0.0) * (cosine - 0.25))
            elif itself or index != other:
                near += np.exp(-4.0 * max(1.25 - cosine, 0.0) * (cosine - 0.75))
        assert found.values[index] == pytest.approx(np.log1p(near * far))
    assert found.counted is not None
    assert found.counted.tolist() == [1, 1, 1, float(itself), 1]


@pytest.mark.parametrize("labels", [[], [1], [1, 1], [1, 2], [2, 2]])
def test_transcript_by_all_paths(labels: list[int]) -> None:
    """Each path of four steps is read: repetitions are one label, then blanks fall out."""
    steps, classes = 4, 3
    scores = RNG.normal(size=(1, steps, classes))
    shares = np.exp(scores[0]) / np.exp(scores[0]).sum(axis=-1, keepdims=True)
    likely = 0.0
    for path in itertools.product(range(classes), repeat=steps):
        if [label for label, _ in itertools.groupby(path) if label] == labels:
            likely += float(np.prod([shares[step][label] for step, label in enumerate(path)]))
    filled = np.array([labels + [0] * (2 - len(labels))])

    found = unreduced("ctc", filled, scores, {})

    assert float(found.values[0]) == pytest.approx(-np.log(likely), rel=1e-13)


def test_nothing_is_predicted_where_nothing_counts() -> None:
    """What is NaN at an ignored label leaves the others alone."""
    kind, arguments = "sparse_categorical_crossentropy", {"ignore_class": -1}
    numbers = np.array([0, -1, 1, 1])
    holes = np.where((numbers == -1)[:, None], np.nan, SHARES)
    found, whole = (unreduced(kind, numbers, at, arguments) for at in (holes, SHARES))
    assert found.values.tolist() == whole.values.tolist()
    assert found.values[1] == 0.0


@pytest.mark.parametrize("column", [False, True])
def test_ignored_class(column: bool) -> None:  # noqa: FBT001
    """What is ignored neither adds to the sum nor counts in the mean."""
    numbers = np.array([0, 2, 1, 1])
    arguments = {"ignore_class": 1}
    found = unreduced(
        "sparse_categorical_crossentropy",
        numbers[:, None] if column else numbers,
        SHARES,
        arguments,
    )
    expected = -np.log([SHARES[0, 0], SHARES[1, 2]])
    values, factors = loss_total(found, reduction="mean")
    assert float(np.sum(values * factors)) == pytest.approx(expected.mean())
    values, factors = loss_total(found, reduction="sum", sample_weight=WEIGHTS)
    assert float(np.sum(values * factors)) == pytest.approx(expected @ WEIGHTS[:2])


def test_everything_ignored() -> None:
    """A mean over nothing is 0."""
    nothing = Unreduced(np.ones(2), np.zeros(2))
    assert loss_total(nothing, reduction="mean")[1].tolist() == [0.0, 0.0]


def test_weight_of_a_sample() -> None:
    """One weight per sample is that of all its positions; a loss of one number has none."""
    values, factors = loss_total(Unreduced(np.ones((4, 2))), reduction="sum", sample_weight=WEIGHTS)
    assert float(np.sum(values * factors)) == 2 * WEIGHTS.sum()
    assert loss_total(Unreduced(np.array(3.0)), reduction="mean", sample_weight=WEIGHTS)[1] == 1.0


def test_unknown() -> None:
    """A loss that is none is named, and every loss by hand of Keras' own is here too."""
    with pytest.raises(ArgumentError, match="loss must be one of"):
        unreduced("guess", HOT, SHARES, {})
    assert set(LOSSES) - set(LOSS_VALUES) == {"weighted_mse", "focal_loss"}
    assert set(LOSS_VALUES) >= COUPLED


def test_slopes_of_coupled_samples() -> None:
    """A sum over everything is differentiated by every prediction alone."""
    found = slopes(lambda at: np.array([np.sum(at) ** 2]), REAL, coupled=True)
    np.testing.assert_allclose(found.values, 2.0 * REAL.sum(), rtol=1e-8)


def test_corners_are_not_smooth() -> None:
    """A corner at, or just beside, a prediction has no derivative to compare with."""
    at = np.array([[2.0, 3.0, 3.00005]])
    found = slopes(
        lambda x: np.sum(np.abs(x - np.array([1.0, 3.0, 3.0])), axis=1), at, coupled=False
    )
    assert found.smooth.tolist() == [[True, False, False]]
