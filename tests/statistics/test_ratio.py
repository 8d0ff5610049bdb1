"""Ratios of pairs: estimate, interval, what could have been seen, verdict."""

import numpy as np
import pytest

from harness.statistics.ratio import RatioEstimate, estimate_ratio, judge_ratio, log_ratios
from harness.statistics.verdict import FigureError, Verdict

BASE = np.full(20, 2.0)


def estimate(ratio: float, low: float, high: float) -> RatioEstimate:
    """A finished estimate with the margin of five per cent."""
    return RatioEstimate(
        ratio=ratio,
        low=low,
        high=high,
        confidence=0.99,
        pairs=20,
        margin=0.05,
        detectable=0.04,
        power=0.9,
    )


def test_a_constant_ratio_is_found_exactly() -> None:
    """Without noise the interval is the ratio itself."""
    found = estimate_ratio(BASE, BASE * 1.25)
    for value in (found.ratio, found.low, found.high):
        assert value == pytest.approx(1.25, rel=1e-14)
    assert found.pairs == 20
    assert found.confidence == 0.99
    # Half the margin must still be cleared.
    assert found.detectable == pytest.approx(np.sqrt(1.05) - 1, rel=1e-9)


def test_a_few_ruined_pairs_do_not_move_it() -> None:
    """Four of twenty pairs with a neighbour on the machine: the mean would say 1.7."""
    other = BASE * np.exp(np.linspace(-0.01, 0.01, 20)) * 1.02
    other[[3, 8, 9, 17]] *= 10.0
    found = estimate_ratio(BASE, other)
    assert found.ratio == pytest.approx(1.02, abs=0.01)
    assert found.low > 1.0


def test_too_few_pairs_say_so() -> None:
    """Six pairs can exclude nothing at one per cent."""
    found = estimate_ratio(BASE[:6], BASE[:6] * 2)
    assert (found.low, found.high, found.detectable) == (0.0, np.inf, np.inf)
    assert found.ratio == 2.0
    assert judge_ratio(found) is Verdict.COULD_NOT_JUDGE


def test_a_change_of_the_detectable_size_is_found_as_often_as_stated() -> None:
    """Nine in ten, on average over runs with the same noise."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 0.04, (600, 24))
    known = [estimate_ratio(np.ones(24), np.exp(row)).detectable for row in noise[:200]]
    seen = np.log1p(np.mean(known))
    hits = [
        judge_ratio(estimate_ratio(np.ones(24), np.exp(row + seen))) is Verdict.REGRESSION
        for row in noise[200:]
    ]
    assert np.mean(hits) == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (estimate(1.06, 1.03, 1.09), Verdict.REGRESSION),
        (estimate(0.94, 0.91, 0.97), Verdict.IMPROVEMENT),
        (estimate(1.01, 1.005, 1.02), Verdict.NO_CHANGE),
        (estimate(1.00, 0.97, 1.04), Verdict.NO_CHANGE),
        (estimate(1.02, 0.97, 1.06), Verdict.COULD_NOT_JUDGE),
        (estimate(0.97, 0.95, 1.01), Verdict.COULD_NOT_JUDGE),
        (estimate(1.02, 1.001, 1.06), Verdict.COULD_NOT_JUDGE),
        (estimate(1.40, 0.90, 2.00), Verdict.COULD_NOT_JUDGE),
    ],
)
def test_a_verdict_needs_significance_and_size(found: RatioEstimate, verdict: Verdict) -> None:
    """A sure half per cent alarms nobody, and a large guess neither."""
    assert judge_ratio(found) is verdict
    turned = {Verdict.REGRESSION: Verdict.IMPROVEMENT, Verdict.IMPROVEMENT: Verdict.REGRESSION}
    assert judge_ratio(found, higher_is_better=True) is turned.get(verdict, verdict)


def test_a_control_that_differs_voids_the_run() -> None:
    """When the base is six per cent slower than itself, nothing else can be believed."""
    slow = estimate(1.06, 1.03, 1.09)
    assert judge_ratio(slow, control=estimate(1.0, 0.98, 1.02)) is Verdict.REGRESSION
    assert judge_ratio(slow, control=estimate(1.01, 1.005, 1.02)) is Verdict.REGRESSION
    assert judge_ratio(slow, control=slow) is Verdict.COULD_NOT_JUDGE


def test_exit_statuses() -> None:
    """0 no regression, 1 regression, 2 could not judge."""
    assert {str(verdict): verdict.exit_status for verdict in Verdict} == {
        "regression": 1,
        "improvement": 0,
        "no change": 0,
        "could not judge": 2,
    }


def test_log_ratios_are_of_the_other_over_the_base() -> None:
    """Twice the cost is +log 2."""
    np.testing.assert_allclose(log_ratios(np.ones(2), np.array([2.0, 0.5])), np.log([2.0, 0.5]))


def test_refuses_what_is_not_paired() -> None:
    """A lost run takes its partner with it."""
    with pytest.raises(FigureError, match=r"come in pairs, got \(20,\) of the base and \(19,\)"):
        estimate_ratio(BASE, BASE[1:])
    with pytest.raises(FigureError, match=r"come in pairs, got \(0,\)"):
        estimate_ratio(BASE[:0], BASE[:0])


@pytest.mark.parametrize("cost", [0.0, -1.0, np.nan, np.inf])
def test_refuses_costs_that_are_none(cost: float) -> None:
    """The message names side and place."""
    wrong = np.where(np.arange(20) == 7, cost, 1.0)
    with pytest.raises(FigureError, match=r"other\[7\] must be a positive cost, got"):
        estimate_ratio(BASE, wrong)
    with pytest.raises(FigureError, match=r"base\[7\] must be a positive cost, got"):
        estimate_ratio(wrong, BASE)


def test_refuses_a_margin_or_power_out_of_range() -> None:
    """A margin of nothing would make every difference count."""
    with pytest.raises(FigureError, match=r"margin must be positive, got 0\.0\. 0\.05 stands"):
        estimate_ratio(BASE, BASE, margin=0.0)
    with pytest.raises(FigureError, match=r"power must lie in \[0\.5, 1\), got 1\.0"):
        estimate_ratio(BASE, BASE, power=1.0)
