"""Compares costs as ratios inside one interleaved run, so that the machine's mood cancels."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Measure = Callable[[], float]
"""Runs its subject once and returns what it cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Cost of one subject over that of the base, from pairs of neighbouring runs.

    Attributes:
        name: The subject.
        cost: Median cost of one run.
        ratio: Median of the paired ratios.
        low: Lower end of its 95 % confidence interval, from order statistics: no distribution is
            assumed.
        high: Upper end.
        pairs: Number of pairs.
    """

    name: str
    cost: float
    ratio: float
    low: float
    high: float
    pairs: int

    def line(self, unit: str, scale: float = 1.0) -> str:
        """One row of a table."""
        return (
            f"  {self.name:<28} {self.cost * scale:10.2f} {unit:<8} "
            f"x {self.ratio:.4f}  [{self.low:.4f}, {self.high:.4f}]  n={self.pairs}"
        )


def compare(subjects: Mapping[str, Measure], *, rounds: int, base: str) -> tuple[Ratio, ...]:
    """Run all subjects in every round, in an order drawn anew, and compare each with the base.

    Args:
        subjects: What to measure, by name.
        rounds: Pairs per subject.
        base: The subject that the others are divided by.
    """
    order = random.Random(0)
    for measure in subjects.values():
        measure()
    costs: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        names = list(subjects)
        order.shuffle(names)
        for name in names:
            costs[name].append(subjects[name]())
    return tuple(_ratio(name, costs[name], costs[base]) for name in subjects)


def _ratio(name: str, costs: list[float], base: list[float]) -> Ratio:
    ratios = sorted(cost / other for cost, other in zip(costs, base, strict=True))
    rank = _rank(len(ratios))
    return Ratio(
        name=name,
        cost=median(costs),
        ratio=median(ratios),
        low=ratios[rank],
        high=ratios[-1 - rank],
        pairs=len(ratios),
    )


def _rank(pairs: int) -> int:
    """Largest k for which the k-th smallest and k-th largest ratio enclose the median at 95 %."""
    tail = 0.0
    for rank in range(pairs // 2):
        tail += math.comb(pairs, rank) / 2**pairs
        if 2 * tail > 0.05:
            return max(rank - 1, 0)
    return 0
