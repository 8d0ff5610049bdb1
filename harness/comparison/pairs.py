"""What pairs of fresh processes cost, and what that says about two environments."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.statistics.signed_rank import fewest_values
from harness.statistics.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.statistics.ratio import RatioEstimate
    from harness.statistics.verdict import Verdict

__all__ = [
    "ALPHA",
    "METRICS",
    "Metric",
    "MetricResult",
    "Pair",
    "fewest_pairs",
    "judge_pairs",
    "last_look",
    "metrics_of",
    "plan_stages",
    "round_costs",
]

ALPHA: Final = 0.01
"""False alarms of one scenario's comparison, all metrics and all looks together."""

_SHARES: Final = (0.5, 0.7, 0.85, 1.0)
"""When to look, as shares of the pairs that the budget allows."""

_FEWEST_FOR_LOOKS: Final = 24
"""With fewer pairs than this there is one look, at the end: an earlier one could find nothing."""

_MOST_PAIRS: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is compared; more of it is worse.

    Attributes:
        name: As in the figures of a process.
        title: For people.
        unit: Of a shown value.
        scale: From the figure to that unit.
        leniency: Its margin in units of the margin asked for: a compilation happens once a process
            and varies several times as much as a step.
    """

    name: str
    title: str
    unit: str
    scale: float
    leniency: float = 1.0


METRICS: Final = (
    Metric(name="step_seconds", title="step time", unit="ms", scale=1e3),
    Metric(name="compile_seconds", title="compile time", unit="s", scale=1.0, leniency=5.0),
    Metric(name="peak_rss_bytes", title="peak memory", unit="MiB", scale=2.0**-20),
    Metric(name="peak_device_bytes", title="device memory", unit="MiB", scale=2.0**-20),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One fresh process of each arm, measured in turns.

    Attributes:
        base: Figures of the first environment.
        other: Figures of the second.
        control: Figures of the first environment once more.
    """

    base: Mapping[str, float]
    other: Mapping[str, float]
    control: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricResult:
    """What the pairs say about one metric.

    Attributes:
        metric: Which.
        base: Median of the first environment, in the figure's own unit.
        estimate: Second environment over first.
        control: First environment over itself.
        verdict: What follows.
    """

    metric: Metric
    base: float
    estimate: RatioEstimate
    control: RatioEstimate
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """Plain values; what has no bound is null."""
        found = self.estimate
        return {
            "metric": self.metric.name,
            "base": self.base,
            "ratio": found.ratio,
            "low": _finite(found.low),
            "high": _finite(found.high),
            "confidence": found.confidence,
            "pairs": found.pairs,
            "margin": found.margin,
            "detectable": _finite(found.detectable),
            "control_ratio": self.control.ratio,
            "control_low": _finite(self.control.low),
            "control_high": _finite(self.control.high),
            "verdict": self.verdict.value,
        }


def round_costs(rounds: Sequence[Mapping[str, float]], arms: Sequence[str]) -> dict[str, float]:
    """The cost of each arm from rounds measured in turns.

    The first arm has its median. Every other has that times the median of its ratios within
    rounds, so that a neighbour who takes the machine for a second spoils one round and not the
    pair. Swapping two arms inverts their ratio.

    Args:
        rounds: Cost by arm in each round.
        arms: Names, the base first.
    """
    logs = {arm: np.log([found[arm] for found in rounds]) for arm in arms}
    base = float(np.median(logs[arms[0]]))
    return {arm: math.exp(base + float(np.median(logs[arm] - logs[arms[0]]))) for arm in arms}


def plan_stages(most: int, metrics: int) -> Stages | None:
    """When to look, decided before anything is compared; None for once, at the very end.

    Args:
        most: How many pairs there is time for.
        metrics: The false alarms are dealt out to so many.
    """
    if most < _FEWEST_FOR_LOOKS:
        return None
    most = min(most, _MOST_PAIRS)
    pairs = tuple(math.ceil(share * most) for share in _SHARES)
    return Stages(pairs=pairs, alpha=ALPHA / metrics)


def last_look(pairs: int, metrics: int, before: Stages | None = None) -> Stages | None:
    """A look at all pairs, once time is up; None where even these cannot show anything.

    Time alone decides how many pairs there are, so that this look may spend whatever the looks
    before it have left of `ALPHA`.

    Args:
        pairs: How many there are.
        metrics: The false alarms are dealt out to so many.
        before: The looks that were planned; those reached have spent their share.
    """
    left = ALPHA / metrics
    if before is not None:
        reached = (stage for stage, count in enumerate(before.pairs) if count <= pairs)
        left -= sum(before.level(stage) for stage in reached)
    if left <= 0.0 or pairs < fewest_values(left):
        return None
    return Stages(pairs=(pairs,), alpha=left)


def fewest_pairs(metrics: int) -> int:
    """Pairs below which nothing can be excluded, however large it is."""
    return fewest_values(ALPHA / metrics)


def judge_pairs(
    pairs: Sequence[Pair], stages: Stages, margin: float
) -> tuple[tuple[MetricResult, ...], bool]:
    """What the pairs measured so far say about each metric, and whether that settles it.

    A run is over when the step time is settled: the other metrics are judged by the same pairs.

    Raises:
        FigureError: A figure is not a positive number.
    """
    results = []
    settled = False
    for metric in metrics_of(pairs):
        costs = {
            side: np.array([getattr(pair, side)[metric.name] for pair in pairs])
            for side in ("base", "other", "control")
        }
        look = stages.look(
            costs["base"],
            costs["other"],
            control=(costs["base"], costs["control"]),
            margin=margin * metric.leniency,
        )
        if look.control is None:
            continue
        settled = settled or (metric is METRICS[0] and look.finished)
        results.append(
            MetricResult(
                metric=metric,
                base=float(np.median(costs["base"])),
                estimate=look.estimate,
                control=look.control,
                verdict=look.verdict,
            )
        )
    return tuple(results), settled


def metrics_of(pairs: Sequence[Pair]) -> tuple[Metric, ...]:
    """The metrics that every process of these pairs has a figure of."""
    sides = [side for pair in pairs for side in (pair.base, pair.other, pair.control)]
    return tuple(metric for metric in METRICS if all(metric.name in side for side in sides))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
