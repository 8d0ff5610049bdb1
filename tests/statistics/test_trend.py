"""What a history says at its last commit."""

import numpy as np
import pytest

from harness.statistics.trend import judge_history
from harness.statistics.verdict import Verdict
from tests.statistics.histories import noisy


@pytest.mark.parametrize(
    ("steps", "verdict", "standing"),
    [
        ((), Verdict.NO_CHANGE, None),
        (((40, 0.1),), Verdict.REGRESSION, 40),
        (((40, -0.1),), Verdict.IMPROVEMENT, 40),
        (((40, 0.15), (60, -0.13)), Verdict.NO_CHANGE, None),
        (((40, 0.3), (60, -0.07)), Verdict.REGRESSION, 40),
        (((40, -0.13), (60, 0.15)), Verdict.REGRESSION, 60),
        (((40, -0.2), (60, 0.07)), Verdict.REGRESSION, 60),
        (((40, -0.1), (60, -0.1)), Verdict.IMPROVEMENT, 60),
    ],
)
def test_a_regression_stands_until_it_is_made_good(
    steps: tuple[tuple[int, float], ...], verdict: Verdict, standing: int | None
) -> None:
    """By at least half; an improvement that only takes back a loss is none."""
    trend = judge_history(noisy(steps, points=80))
    assert trend.verdict is verdict
    assert len(trend.changes) == len(steps)
    if standing is None:
        assert trend.standing is None
    else:
        assert trend.standing is not None
        assert trend.standing.first <= standing <= trend.standing.last


def test_says_level_noise_and_reason() -> None:
    """Ten per cent on five milliseconds with 2.7 % of noise."""
    trend = judge_history(noisy(((40, 0.1),), points=80))
    assert trend.level == pytest.approx(5.5, rel=0.02)
    assert (trend.points, trend.level_points) == (80, 80 - trend.changes[0].likely)
    assert trend.noise == pytest.approx(0.027, rel=0.3)
    assert trend.correlation <= 0.3
    assert trend.reason.startswith("The level changed by +")
    flat = judge_history(noisy())
    assert flat.reason == "No change of level in 60 commits."


def test_higher_may_be_better() -> None:
    """Ten per cent more examples a second."""
    assert judge_history(noisy(((40, 0.1),)), higher_is_better=True).verdict is Verdict.IMPROVEMENT
    assert judge_history(noisy(((40, -0.1),)), higher_is_better=True).verdict is Verdict.REGRESSION


def test_an_acknowledged_change_stands_no_more() -> None:
    """Nor does what came before it; what comes after does."""
    values = noisy(((30, 0.1), (60, 0.1)), points=80)
    assert judge_history(values, acknowledged=[60]).verdict is Verdict.NO_CHANGE
    trend = judge_history(values, acknowledged=[30])
    assert trend.verdict is Verdict.REGRESSION
    assert trend.standing == trend.changes[1]


@pytest.mark.parametrize("count", [0, 1, 13])
def test_too_few_commits(count: int) -> None:
    """The reason says how many it takes."""
    trend = judge_history(noisy()[:count], quarantined=[])
    assert trend.verdict is Verdict.COULD_NOT_JUDGE
    assert trend.reason == f"The present level has {count} commits; 14 are needed to judge it."
    assert np.isnan(trend.noise)
    assert np.isnan(trend.level) == (count == 0)


def test_a_wandering_history_cannot_be_judged() -> None:
    """Neighbours correlated far above what the false alarms are bounded for."""
    verdicts = [judge_history(noisy(seed=seed, points=100, rho=0.9)) for seed in range(30)]
    unjudged = [trend for trend in verdicts if trend.verdict is Verdict.COULD_NOT_JUDGE]
    assert len(unjudged) >= 20
    assert unjudged[0].reason == (
        f"Neighbouring commits are correlated by {unjudged[0].correlation:.2f}; false alarms are "
        "bounded up to 0.5."
    )


def test_quarantined_commits_are_not_in_the_level() -> None:
    """The last five commits ran on a busy machine."""
    values = noisy()
    values[55:] *= 10
    trend = judge_history(values, quarantined=range(55, 60))
    assert trend.verdict is Verdict.NO_CHANGE
    assert trend.level_points == 55
    assert trend.level == pytest.approx(5.0, rel=0.02)
