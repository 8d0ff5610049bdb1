"""Every metric against scikit-learn and SciPy, by counting, and at its limits."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as learn

from harness.oracles.arrays import ArgumentError, Float64
from harness.oracles.metrics_curves import counts_at, even_thresholds
from harness.oracles.metrics_values import METRIC_VALUES, metric_value

RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 2, (40, 3)).astype(np.float64)
SCORES = RNG.integers(0, 17, (40, 3)) / 16.0
NUMBERS = RNG.integers(0, 3, 40)
SHARES = RNG.dirichlet(np.ones(3), 40)
HOT = np.eye(3)[NUMBERS]
WEIGHTS = RNG.integers(0, 5, 40) / 4.0
SPREAD = np.repeat(WEIGHTS, 3)


def value(kind: str, y_true: Any, y_pred: Any, weights: Any = None, **arguments: Any) -> Any:
    """Return one metric."""
    return metric_value(kind, y_true, y_pred, sample_weight=weights, arguments=arguments)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_area_of_scikit_learn(weights: Float64 | None) -> None:
    """With a threshold between any two scores the trapezoids are exact."""
    flat = None if weights is None else SPREAD
    between = (np.arange(16) + 0.5) / 16
    found = value("auc", TRUTH, SCORES, weights, thresholds=tuple(between))
    expected = learn.roc_auc_score(TRUTH.ravel(), SCORES.ravel(), sample_weight=flat)
    assert found == pytest.approx(expected)
    by_label = value("auc", TRUTH, SCORES, weights, thresholds=tuple(between), multi_label=True)
    columns = [
        learn.roc_auc_score(TRUTH[:, label], SCORES[:, label], sample_weight=weights)
        for label in range(3)
    ]
    assert by_label == pytest.approx(np.mean(columns))
    shares = (1.0, 0.0, 3.0)
    weighted = value(
        "auc",
        TRUTH,
        SCORES,
        weights,
        thresholds=tuple(between),
        multi_label=True,
        label_weights=shares,
    )
    assert weighted == pytest.approx(np.average(columns, weights=shares))


def test_area_between_its_bounds() -> None:
    """The interpolated area lies between the smaller and the larger heights."""
    for curve in ("ROC", "PR"):
        low, middle, high = (
            value("auc", TRUTH, SCORES, num_thresholds=9, curve=curve, summation_method=method)
            for method in ("minoring", "interpolation", "majoring")
        )
        assert low <= middle <= high


def test_area_of_a_perfect_ranking() -> None:
    """Scores that tell the classes apart have area 1, logits too, and label weights nothing."""
    for curve in ("ROC", "PR"):
        assert value("auc", TRUTH, TRUTH, curve=curve) == pytest.approx(1.0)
        logits = 20.0 * (2.0 * TRUTH - 1.0)
        assert value("auc", TRUTH, logits, WEIGHTS, curve=curve, from_logits=True) == pytest.approx(
            1.0
        )
    assert value("auc", TRUTH, TRUTH, label_weights=(1.0, 0.5, 2.0)) == pytest.approx(1.0)
    none = value("auc", TRUTH, TRUTH, label_weights=(0.0, 0.0, 0.0), multi_label=True)
    assert none == 0.0


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_rates_of_scikit_learn(weights: Float64 | None) -> None:
    """Precision and recall at a threshold are those of the decisions."""
    flat = None if weights is None else SPREAD
    decided = (SCORES > 0.25).ravel()
    for kind, reference in (("precision", learn.precision_score), ("recall", learn.recall_score)):
        found = value(kind, TRUTH, SCORES, weights, thresholds=0.25)
        assert found == pytest.approx(reference(TRUTH.ravel(), decided, sample_weight=flat))
    several = value("precision", TRUTH, SCORES, weights, thresholds=[0.25, 1.0])
    assert several.shape == (2,)
    assert several[1] == 0.0


def test_likeliest_and_one_class() -> None:
    """Among the likeliest k every prediction is positive; one class is looked at alone."""
    found = value("recall", HOT, SHARES, top_k=1)
    assert found == pytest.approx(np.mean(SHARES.argmax(-1) == NUMBERS))
    column = value("precision", TRUTH, SCORES, class_id=1)
    assert column == value("precision", TRUTH[:, 1:2], SCORES[:, 1:2])


def test_counts() -> None:
    """The four counts share out all weights."""
    cells = [
        value(kind, TRUTH, SCORES, WEIGHTS)
        for kind in ("true_positives", "false_positives", "true_negatives", "false_negatives")
    ]
    assert sum(cells) == SPREAD.sum()
    assert counts_at(TRUTH, SCORES, None, [0.5]).true_positives[0] == np.sum(
        (SCORES > 0.5) & (TRUTH == 1)
    )


def test_operating_points() -> None:
    """The best rate among the thresholds that hold the other one, and 0 where none does."""
    alarms = [
        1 - learn.recall_score(1 - TRUTH.ravel(), SCORES.ravel() <= t) for t in (0.0, 0.5, 1.0)
    ]
    tpr = [learn.recall_score(TRUTH.ravel(), SCORES.ravel() > t) for t in (0.0, 0.5, 1.0)]
    best = max(hit for hit, alarm in zip(tpr, alarms, strict=True) if 1 - alarm >= 0.25)
    found = value("sensitivity_at_specificity", TRUTH, SCORES, at=0.25, num_thresholds=3)
    assert found == pytest.approx(best)
    truth = np.array([[1.0, 0.0]])
    lost = value("recall_at_precision", truth, np.array([[0.0, 1.0]]), at=1.0, num_thresholds=1)
    assert lost == 0.0
    one = value("precision_at_recall", TRUTH, SCORES, at=0.5, num_thresholds=3, class_id=1)
    assert 0.0 < one <= 1.0
    assert even_thresholds(1) == [0.5]


@pytest.mark.parametrize("average", ["micro", "macro", "weighted", "none"])
def test_f_score_of_scikit_learn(average: str) -> None:
    """F scores with any average are scikit-learn's."""
    decided = (SCORES > 0.25).astype(int)
    expected = learn.fbeta_score(
        TRUTH,
        decided,
        beta=2.0,
        average=None if average == "none" else average,
        sample_weight=WEIGHTS,
        zero_division=0,
    )
    found = value("fbeta_score", TRUTH, SCORES, WEIGHTS, average=average, beta=2.0, threshold=0.25)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_f_score_of_the_largest() -> None:
    """Without a threshold the largest of each sample is positive."""
    expected = learn.f1_score(NUMBERS, SHARES.argmax(-1), average="macro")
    assert value("f1_score", HOT, SHARES, average="macro") == pytest.approx(expected)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_explained_variance(weights: Float64 | None) -> None:
    """The score is scikit-learn's, and adjusted by the number of samples."""
    real, guess = RNG.normal(size=(2, 40, 3))
    for ours, theirs in (
        ("uniform_average", "uniform_average"),
        ("variance_weighted_average", "variance_weighted"),
        ("none", "raw_values"),
    ):
        expected = learn.r2_score(real, guess, sample_weight=weights, multioutput=theirs)
        np.testing.assert_allclose(
            value("r2_score", real, guess, weights, class_aggregation=ours), expected
        )
    plain = value("r2_score", real, guess, weights)
    adjusted = value("r2_score", real, guess, weights, num_regressors=4)
    assert adjusted == pytest.approx(1 - (1 - plain) * 39 / 35)


def test_correlations() -> None:
    """Pearson's is SciPy's; Lin's is 1 for equal rows and lower for shifted ones."""
    real, guess = RNG.normal(size=(2, 6, 8))
    expected = [stats.pearsonr(real[row], guess[row]).statistic for row in range(6)]
    assert value("pearson_correlation", real, guess) == pytest.approx(np.mean(expected))
    assert value("concordance_correlation", real, real) == pytest.approx(1.0)
    shifted = value("concordance_correlation", real, real + 1.0)
    variance = real.var(axis=1)
    assert shifted == pytest.approx(np.mean(2 * variance / (2 * variance + 1.0)))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_overlap_of_scikit_learn(weights: Float64 | None) -> None:
    """Overlap over union is the Jaccard score of the classes."""
    guess = SHARES.argmax(-1)
    scores = learn.jaccard_score(NUMBERS, guess, average=None, sample_weight=weights)
    assert value("mean_iou", NUMBERS, guess, weights, num_classes=3) == pytest.approx(scores.mean())
    two = value("one_hot_iou", HOT, SHARES, weights, num_classes=3, target_class_ids=(0, 2))
    assert two == pytest.approx(scores[[0, 2]].mean())
    kept = NUMBERS != 1
    some = learn.jaccard_score(
        NUMBERS[kept],
        guess[kept],
        labels=[0, 1, 2],
        average=None,
        sample_weight=None if weights is None else weights[kept],
        zero_division=0,
    )
    found = value(
        "iou",
        HOT,
        SHARES,
        weights,
        num_classes=3,
        target_class_ids=(0, 2),
        ignore_class=1,
        sparse_y_true=False,
        sparse_y_pred=False,
    )
    assert found == pytest.approx(some[[0, 2]].mean())
    assert value("iou", NUMBERS, guess, num_classes=9, target_class_ids=(8,)) == 0.0
    binary = value("binary_iou", TRUTH, SCORES, target_class_ids=(1,), threshold=0.25)
    expected = learn.jaccard_score(TRUTH.ravel(), (SCORES >= 0.25).ravel())
    assert binary == pytest.approx(expected)


def test_means_and_accuracies() -> None:
    """Weighted means of losses, matches and values."""
    real, guess = RNG.normal(size=(2, 40, 3))
    error = learn.mean_squared_error(real, guess, sample_weight=WEIGHTS)
    assert value("mean_squared_error", real, guess, WEIGHTS) == pytest.approx(error)
    assert value("root_mean_squared_error", real, guess, WEIGHTS) == pytest.approx(error**0.5)
    wrapped = value("mean_metric_wrapper", real, guess, WEIGHTS, fn="mean_squared_error")
    assert wrapped == pytest.approx(error)
    assert value("mean", real, guess, WEIGHTS) == pytest.approx(
        np.average(guess.mean(axis=1), weights=WEIGHTS)
    )
    assert value("sum", real, guess, WEIGHTS) == pytest.approx(guess.sum(axis=1) @ WEIGHTS)
    assert value("sum", real, guess) == pytest.approx(guess.sum())
    expected = learn.accuracy_score(NUMBERS, SHARES.argmax(-1), sample_weight=WEIGHTS)
    for kind, truth in (("categorical_accuracy", HOT), ("sparse_categorical_accuracy", NUMBERS)):
        assert value(kind, truth, SHARES, WEIGHTS) == pytest.approx(expected)
    top = learn.top_k_accuracy_score(NUMBERS, SHARES, k=2, sample_weight=WEIGHTS)
    found = value("sparse_top_k_categorical_accuracy", NUMBERS, SHARES, WEIGHTS, k=2)
    assert found == pytest.approx(top)
    assert value("accuracy", TRUTH, TRUTH, WEIGHTS) == 1.0
    assert value("binary_accuracy", TRUTH, SCORES, threshold=0.25) == pytest.approx(
        np.mean((SCORES > 0.25) == TRUTH)
    )


def test_numbers_outside_of_the_classes() -> None:
    """A place whose true or predicted number is no class counts in no overlap."""
    truth, guess = np.array([0, 1, 1, -1, 7, 0, 1]), np.array([0, 1, 0, 1, 0, 2, -1])
    inside = value("mean_iou", truth[:3], guess[:3], num_classes=2)
    assert inside == pytest.approx(0.5)
    assert value("mean_iou", truth, guess, num_classes=2) == inside
    assert value("mean_iou", truth, guess, num_classes=2, ignore_class=7) == inside


def test_ignored_class_of_a_metric() -> None:
    """A mean over what is not ignored."""
    found = value("sparse_categorical_crossentropy", NUMBERS, SHARES, WEIGHTS, ignore_class=1)
    plain = value("sparse_categorical_crossentropy", NUMBERS, SHARES)
    assert plain == pytest.approx(learn.log_loss(NUMBERS, SHARES))
    kept = NUMBERS != 1
    losses = -np.log(SHARES[np.arange(40), NUMBERS])
    assert found == pytest.approx(np.average(losses[kept], weights=WEIGHTS[kept]))


def test_unknown() -> None:
    """A metric that is none is named."""
    with pytest.raises(ArgumentError, match="metric must be one of"):
        value("guess", HOT, SHARES)
    assert len(METRIC_VALUES) == 45
