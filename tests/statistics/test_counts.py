"""Exact intervals of counted shares."""

import pytest
from scipy import stats

from harness.statistics.verdict import FigureError
from tests.performance.counts import exact_share


@pytest.mark.parametrize(("hits", "trials"), [(0, 200), (1, 200), (3, 400), (200, 200), (7, 9)])
def test_agrees_with_scipy(hits: int, trials: int) -> None:
    """The same ends as the binomial test's."""
    found = exact_share(hits, trials)
    known = stats.binomtest(hits, trials).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((known.low, known.high), abs=1e-12)


def test_reads_as_counted() -> None:
    """Count, share and interval in one."""
    assert str(exact_share(3, 400)) == "3/400 = 0.8% [0.2, 2.2]"
    assert exact_share(3, 400).share == 0.0075


@pytest.mark.parametrize(("hits", "trials"), [(0, 0), (-1, 3), (4, 3)])
def test_refuses_counts_that_cannot_be(hits: int, trials: int) -> None:
    """More hits than trials is a fault of the caller."""
    with pytest.raises(FigureError, match=rf"between 0 and the trials, got {hits} of {trials}\."):
        exact_share(hits, trials)
