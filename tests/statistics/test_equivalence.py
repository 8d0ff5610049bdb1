"""Equivalence over seeds: error rates, slow curves, diverged trainings."""

import numpy as np
import pytest

from harness.statistics.equivalence import judge_equivalence, margin_from_repeats
from harness.statistics.verdict import FigureError, Verdict

EPOCHS = np.arange(20)
CURVE = np.exp(-EPOCHS / 5.0)


def trainings(seed: int, *, seeds: int = 8, spread: float = 0.01) -> np.ndarray:
    """Falling losses, each seed with a level of its own and some noise an epoch."""
    rng = np.random.default_rng(seed)
    return np.asarray(
        CURVE + rng.normal(0, spread, (seeds, 1)) + rng.normal(0, spread / 3, (seeds, EPOCHS.size))
    )


def test_the_same_training_is_equivalent() -> None:
    """Differences far below the margin, at every epoch."""
    result = judge_equivalence(trainings(0), trainings(1), 0.05)
    assert result.verdict is Verdict.NO_CHANGE
    assert result.reason == "Equivalent at every epoch."
    assert result.final.equivalent
    assert not result.final.different
    assert (result.low < result.epochs).all()
    assert (result.high < result.margins).all()
    assert result.seeds == 8


def test_slower_convergence_is_a_regression() -> None:
    """Two epochs late, the same end."""
    slow = trainings(1) - CURVE + np.exp(-np.maximum(EPOCHS - 2, 0) / 5.0)
    result = judge_equivalence(trainings(0), slow, 0.05)
    assert result.final.equivalent
    assert result.verdict is Verdict.REGRESSION
    assert result.reason.startswith("The mean over the epochs differs by +0.0")
    assert 1 <= result.worst <= 4
    assert judge_equivalence(slow, trainings(0), 0.05).verdict is Verdict.IMPROVEMENT
    assert judge_equivalence(-trainings(0), -slow, 0.05, higher_is_better=True).verdict is (
        Verdict.REGRESSION
    )


def test_worse_in_one_figure_outweighs_better_in_the_other() -> None:
    """Faster at first, a worse end."""
    other = trainings(1) - 0.2
    other[:, -1] += 0.4
    assert judge_equivalence(trainings(0), other, 0.05).verdict is Verdict.REGRESSION


def test_too_much_noise_is_neither() -> None:
    """The reason says what to do."""
    result = judge_equivalence(trainings(0, spread=0.2), trainings(1, spread=0.2), 0.05)
    assert result.verdict is Verdict.COULD_NOT_JUDGE
    assert result.reason == (
        f"Neither equivalent, at worst in epoch {result.worst}, nor different: take more seeds "
        "than 8, or a wider margin."
    )
    assert result.final.detectable > 0.05


def test_identical_trainings_need_no_margin() -> None:
    """Bit-equal runs are equivalent within nothing."""
    assert judge_equivalence(trainings(0), trainings(0), 0.0).verdict is Verdict.NO_CHANGE


@pytest.mark.parametrize(
    ("base", "other", "verdict"),
    [(0, 1, Verdict.REGRESSION), (2, 1, Verdict.IMPROVEMENT), (1, 1, Verdict.NO_CHANGE)],
)
def test_diverged_trainings_count(base: int, other: int, verdict: Verdict) -> None:
    """NaN in one side's training is a result, and its pair is left out of the means."""
    first, second = trainings(0), trainings(1)
    first[:base, 7] = np.nan
    second[:other, 9] = np.inf
    result = judge_equivalence(first, second, 0.05)
    assert result.verdict is verdict
    assert result.diverged == (base, other)
    assert result.seeds == 8 - max(base, other)
    if base != other:
        assert result.reason == f"{other} trainings diverged, {base} of the base."


def test_two_seeds_are_too_few() -> None:
    """The numbers of such a comparison are not made up."""
    result = judge_equivalence(trainings(0, seeds=2), trainings(1, seeds=2), 0.05)
    assert result.verdict is Verdict.COULD_NOT_JUDGE
    assert result.reason == "2 pairs of seeds; 3 are the least."
    assert result.final.high == np.inf or np.isnan(result.final.high)
    assert not result.final.equivalent


def wrongly_equivalent(*, deviation_factor: float = 1.0, alpha: float = 0.1) -> float:
    """Share of comparisons called equivalent though the last epoch differs by the margin."""
    rng = np.random.default_rng(8)
    count = 0
    for _ in range(500):
        difference = rng.normal(0.0, 1.0, (6, 3))
        mean = difference.mean(axis=0)
        difference = mean + (difference - mean) * deviation_factor
        difference[:, -1] += 3.0
        result = judge_equivalence(np.zeros((6, 3)), difference, 3.0, alpha=alpha)
        count += result.verdict is Verdict.NO_CHANGE
    return count / 500


def test_a_difference_of_the_margin_is_called_equivalent_as_rarely_as_stated() -> None:
    """At most alpha; one in ten here, so that 500 comparisons show it."""
    assert 0.05 < wrongly_equivalent() < 0.1 + 3 * np.sqrt(0.09 / 500)


@pytest.mark.parametrize(("factor", "alpha"), [(0.5, 0.1), (1.0, 0.2)])
def test_faults_would_show(factor: float, alpha: float) -> None:
    """Half the deviation, or a level for one side used on both, passes too often."""
    limit = 0.1 + 3 * np.sqrt(0.09 / 500)
    assert wrongly_equivalent(deviation_factor=factor, alpha=alpha) > limit


def test_equal_trainings_are_seldom_called_different() -> None:
    """Both figures together, both directions; no margin, so that only significance counts."""
    rng = np.random.default_rng(9)
    called = 0
    for _ in range(600):
        result = judge_equivalence(np.zeros((6, 5)), rng.normal(size=(6, 5)), 0.0, alpha=0.1)
        called += result.verdict is not Verdict.COULD_NOT_JUDGE
    assert 0.03 < called / 600 < 0.1 + 3 * np.sqrt(0.09 / 600)


def test_a_detectable_difference_is_found() -> None:
    """About nine in ten."""
    rng = np.random.default_rng(10)
    draws = rng.normal(size=(600, 8, 1))
    size = np.mean([judge_equivalence(0 * d, d, 0.1).final.detectable for d in draws[:200]])
    hits = [judge_equivalence(0 * d, d + size, 0.1).final.different for d in draws[200:]]
    assert np.mean(hits) == pytest.approx(0.9, abs=0.06)


def test_margin_comes_from_repeats() -> None:
    """The deviation between repeats, smoothed over five epochs, a figure of 1.0 for one outlier."""
    repeats = np.array([-1.0, 0.0, 1.0])[:, None] * np.array([1.0, 1, 9, 1, 1, 1])
    np.testing.assert_allclose(margin_from_repeats(repeats), np.ones(6))
    np.testing.assert_allclose(margin_from_repeats([1.0, 2.0, 3.0], deviations=2.0), [2.0])


def test_refuses_repeats_that_tell_nothing() -> None:
    """Two repeats, or a diverged one."""
    with pytest.raises(FigureError, match=r"at least 3 trainings .* got 2, 2 of them finite\."):
        margin_from_repeats([1.0, 2.0])
    with pytest.raises(FigureError, match=r"got 3, 2 of them finite\. Record more repeats"):
        margin_from_repeats([1.0, 2.0, np.nan])


def test_refuses_figures_that_do_not_fit() -> None:
    """Each message says what to do or what was got."""
    good = trainings(0)
    with pytest.raises(FigureError, match=r"shape of base \(8, 20\), got \(7, 20\)\. Leave out"):
        judge_equivalence(good, good[1:], 0.1)
    with pytest.raises(FigureError, match=r"other must be trainings by epochs, got shape \(\)"):
        judge_equivalence(good, 1.0, 0.1)
    with pytest.raises(FigureError, match=r"margin must be finite and not negative, got -1"):
        judge_equivalence(good, good, -1)
    with pytest.raises(FigureError, match=r"alpha must lie in \(0, 0\.5\), got 0\.5\. 0\.05"):
        judge_equivalence(good, good, 0.1, alpha=0.5)
