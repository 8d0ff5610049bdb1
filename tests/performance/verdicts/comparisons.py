"""Counts how often comparisons of a thing with itself alarm, and how often they find a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from harness.statistics.stages import Stages
from harness.statistics.verdict import Verdict
from tests.performance.counts import exact_share
from tests.performance.verdicts.noise import CV, HEAVY, INDEPENDENT, Noise
from tests.performance.verdicts.recording import Recorded, load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]
    Rule = Callable[[Float64, Float64], tuple[bool, int]]
    """Takes both sides' costs; returns whether the other is called slower or faster, and pairs."""

__all__ = ["comparison_rows"]

STAGES = Stages()
EFFECTS = (0.0, 0.05, 0.10)
DISTURBED, DISTURBANCE = 0.05, 0.5
"""One process in twenty meets a neighbour that costs it half as much again, or more."""


class Disturbed(Noise):
    """Normal noise with processes that were held up."""

    def draw(self, rng: np.random.Generator, series: int, points: int) -> Float64:
        """Draw logarithms in units of the coefficient of variation, shape (series, points)."""
        values = rng.normal(size=(series, points))
        held = rng.random(values.shape) < DISTURBED
        return np.asarray(values + held * rng.exponential(DISTURBANCE / CV, values.shape))


def comparison_rows(*, comparisons: int) -> Iterator[tuple[str, str, str, str]]:
    """Cells: what is counted, noise, rule, count with its interval and mean number of pairs."""
    noises = (INDEPENDENT, HEAVY, Disturbed(name="held up"), Recorded(name="recorded"))
    for effect in EFFECTS:
        what = f"{effect:.0%} slower: called different" if effect else "A against A: alarms"
        for noise in noises:
            for name, rule in RULES.items():
                hits, pairs = 0, 0
                for base, other in _pairs(noise, comparisons):
                    called, used = rule(base, other * (1 + effect))
                    hits += called
                    pairs += used
                share = str(exact_share(hits, comparisons))
                yield what, noise.name, name, f"{share}, {pairs / comparisons:.0f} pairs"


def staged(base: Float64, other: Float64) -> tuple[bool, int]:
    """Ours: look at each stage, stop at a verdict."""
    for pairs in STAGES.pairs:
        look = STAGES.look(base[:pairs], other[:pairs])
        if look.finished:
            break
    return look.verdict in {Verdict.REGRESSION, Verdict.IMPROVEMENT}, look.estimate.pairs


def five_per_cent(base: Float64, other: Float64) -> tuple[bool, int]:
    """Five per cent on the means of five runs."""
    return abs(other[:5].mean() / base[:5].mean() - 1) > 0.05, 5


def five_per_cent_of_one(base: Float64, other: Float64) -> tuple[bool, int]:
    """Five per cent on one run against one, as a stored baseline gives."""
    return abs(other[0] / base[0] - 1) > 0.05, 1


def welch(base: Float64, other: Float64) -> tuple[bool, int]:
    """A t-test at five per cent on all pairs."""
    return float(stats.ttest_ind(base, other, equal_var=False).pvalue) < 0.05, base.size


RULES: dict[str, Rule] = {
    "harness": staged,
    "5 % on one run": five_per_cent_of_one,
    "5 % on means of 5": five_per_cent,
    "Welch, p < 0.05": welch,
}


def _pairs(noise: Noise, comparisons: int, *, seed: int = 23) -> Iterator[tuple[Float64, Float64]]:
    """Interleaved processes of one and the same cost, in an order drawn for each pair."""
    rng = np.random.default_rng(seed)
    most = STAGES.pairs[-1]
    scale = float(np.log(load()[0]).std()) if isinstance(noise, Recorded) else CV
    costs = np.exp(scale * noise.draw(rng, comparisons, 2 * most)).reshape(comparisons, most, 2)
    swapped = rng.random((comparisons, most)) < 0.5
    base = np.where(swapped, costs[..., 1], costs[..., 0])
    other = np.where(swapped, costs[..., 0], costs[..., 1])
    return zip(base, other, strict=True)
