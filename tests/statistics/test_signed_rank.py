"""The interval of Hodges and Lehmann: exact levels, coverage under any symmetric noise."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from harness.statistics.signed_rank import centres, fewest_values, signed_rank_tail
from harness.statistics.verdict import FigureError


def test_null_distribution_of_three_values() -> None:
    """Eight sets of signs have the rank sums 0, 1, 2, 3, 3, 4, 5, 6."""
    np.testing.assert_allclose(signed_rank_tail(3), np.array([1, 2, 3, 5, 6, 7, 8]) / 8)


def test_agrees_with_scipy() -> None:
    """The p-value of a sample is the level at which its interval begins to leave out zero."""
    values = np.random.default_rng(0).normal(0.6, 1.0, 14)
    p_value = float(stats.wilcoxon(values, method="exact").pvalue)
    assert centres(values, alpha=p_value * 1.001).low > 0
    assert centres(values, alpha=p_value * 0.999).low <= 0


def test_large_samples_use_the_normal_limit() -> None:
    """At the seam both ways of counting agree to half a per mille of probability."""
    exact, limit = signed_rank_tail(300), signed_rank_tail(301)
    middle = 300 * 301 // 4
    for offset in (-3000, -1000, 0):
        shifted = 301 * 302 / 4 - 300 * 301 / 4
        np.testing.assert_allclose(
            exact[middle + offset], limit[middle + round(shifted) + offset], atol=5e-3
        )


def test_too_few_values_bound_nothing() -> None:
    """Five values reach a two-sided level of 1/16 and no smaller one."""
    centre = centres(np.arange(5.0), alpha=0.05)
    assert (*map(float, centre[:3]),) == (2.0, -np.inf, np.inf)
    assert fewest_values(0.05) == 6
    assert np.isfinite(centres(np.arange(6.0), alpha=0.05).low)
    assert fewest_values(0.9) == 2


def test_samples_are_judged_row_by_row() -> None:
    """A table of samples gives what each row gives alone."""
    values = np.random.default_rng(1).normal(size=(4, 3, 12))
    together = centres(values, alpha=0.05)
    alone = centres(values[2, 1], alpha=0.05)
    assert together.estimate.shape == (4, 3)
    assert together.low[2, 1] == alone.low
    assert together.high[2, 1] == alone.high
    assert together.tail == alone.tail


@pytest.mark.parametrize("values", [[], [1.0, np.nan], 3.0, [np.inf]])
def test_refuses_what_is_no_sample(values: object) -> None:
    """A run that failed is left out by the caller and not counted as a figure."""
    with pytest.raises(FigureError, match=r"finite and at least one\. Leave failed runs out\."):
        centres(np.asarray(values, dtype=np.float64), alpha=0.05)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, np.nan])
def test_refuses_a_level_that_is_no_probability(alpha: float) -> None:
    """The message says what the number stands for."""
    with pytest.raises(FigureError, match=r"alpha must lie in \(0, 1\), got .*probability"):
        centres(np.arange(9.0), alpha=alpha)


@pytest.mark.parametrize("count", [8, 15, 30])
@pytest.mark.parametrize("noise", ["normal", "cauchy", "bimodal"])
def test_covers_as_often_as_it_says(count: int, noise: str) -> None:
    """Tails that no average survives leave the coverage at its exact value."""
    rng = np.random.default_rng(count)
    draws: dict[str, Callable[..., np.ndarray]] = {
        "normal": rng.normal,
        "cauchy": rng.standard_cauchy,
        "bimodal": lambda size: rng.choice([-1.0, 1.0], size) * rng.uniform(1, 2, size),
    }
    samples = 4000
    values = draws[noise](size=(samples, count)) + 3.0
    centre = centres(values, alpha=0.1)
    missed = float(np.mean((centre.low > 3.0) | (centre.high < 3.0)))
    assert missed == pytest.approx(2 * centre.tail, abs=4 * np.sqrt(0.1 * 0.9 / samples))
    assert 2 * centre.tail <= 0.1
