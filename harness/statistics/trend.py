"""The verdict on a benchmark's history as it stands at its last commit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.statistics.change_places import noise_of
from harness.statistics.change_scores import AFTER, FEWEST_BETWEEN, MOST_CORRELATION
from harness.statistics.changes import FEWEST, SMALLEST, Change, find_changes
from harness.statistics.cleaning import Float64
from harness.statistics.verdict import Verdict, verdict_of_direction

__all__ = ["Trend", "judge_history"]

HALF = 0.5
"""Part of a change that must be left for it to stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """What a history says at its last commit.

    Attributes:
        verdict: `REGRESSION` while one stands: a change for the worse that is not acknowledged and
            that later changes have not made good by at least half.
        reason: One sentence that says why.
        standing: The change that the verdict is about, or None.
        changes: All changes found, acknowledged ones included, oldest first.
        level: Median figure of the present level, in the unit of the history.
        level_points: Commits of the present level.
        points: Commits judged.
        noise: Standard deviation about the levels, relative: 0.027 is 2.7 per cent.
        correlation: Likeliest correlation of the noise of neighbouring commits.
    """

    verdict: Verdict
    reason: str
    standing: Change | None
    changes: tuple[Change, ...]
    level: float
    level_points: int
    points: int
    noise: float
    correlation: float


def judge_history(
    values: Sequence[float] | Float64,
    *,
    higher_is_better: bool = False,
    acknowledged: Sequence[int] = (),
    quarantined: Sequence[int] = (),
    smallest: float = SMALLEST,
) -> Trend:
    """Return the verdict on a history.

    Args:
        values: One positive figure a commit, oldest first; NaN where a commit has none.
        higher_is_better: The figure is a speed or an accuracy and not a cost.
        acknowledged: Commits at which a change is known: judged from there on alone.
        quarantined: Commits whose figures do not count.
        smallest: Smallest relative change to report.

    Raises:
        FigureError: A value is not positive, or a commit named does not exist.
    """
    found = find_changes(
        values, acknowledged=acknowledged, quarantined=quarantined, smallest=smallest
    )
    figures = np.delete(np.asarray(values, dtype=np.float64), np.asarray(quarantined, np.int64))
    present = figures[~np.isnan(figures)][found.start :]
    judged = found.points >= FEWEST  # fewer tell nothing about noise
    noise, correlation = noise_of(found.residuals) if judged else (np.nan, np.nan)
    standing = _standing(found.changes, higher_is_better=higher_is_better)
    verdict, reason = _verdict(
        standing, present.size, found.points, correlation, higher_is_better=higher_is_better
    )
    return Trend(
        verdict=verdict,
        reason=reason,
        standing=standing,
        changes=found.changes,
        level=float(np.median(present)) if present.size else float("nan"),
        level_points=int(present.size),
        points=found.points,
        noise=float(noise),
        correlation=float(correlation),
    )


def _standing(changes: tuple[Change, ...], *, higher_is_better: bool) -> Change | None:
    """The change to report: the first regression not made good, else the last improvement."""
    known = max(
        (number for number, change in enumerate(changes) if change.acknowledged), default=-1
    )
    new = changes[known + 1 :]
    sizes = [float(np.log(change.ratio)) for change in new]
    worse, better = [], []
    for number, change in enumerate(new):
        since = sum(sizes[number:]) / sizes[number]
        if (change.ratio > 1.0) != higher_is_better:
            worse += [change] if since >= HALF else []
        # What only takes back an earlier loss is no gain.
        elif min(since, sum(sizes) / sizes[number]) >= HALF:
            better.append(change)
    return worse[0] if worse else better[-1] if better else None


def _verdict(
    standing: Change | None, level: int, points: int, correlation: float, *, higher_is_better: bool
) -> tuple[Verdict, str]:
    if standing is not None:
        verdict = verdict_of_direction(
            upwards=standing.ratio > 1.0, higher_is_better=higher_is_better
        )
        return verdict, (
            f"The level changed by {standing.ratio - 1:+.1%} "
            f"({standing.low - 1:+.1%} to {standing.high - 1:+.1%})."
        )
    need = FEWEST if level == points else FEWEST_BETWEEN + int(AFTER[0])
    if level < need:
        return Verdict.COULD_NOT_JUDGE, (
            f"The present level has {level} commits; {need} are needed to judge it."
        )
    limit = MOST_CORRELATION + 2 / np.sqrt(points)
    if correlation > limit:
        return Verdict.COULD_NOT_JUDGE, (
            f"Neighbouring commits are correlated by {correlation:.2f}; false alarms are bounded "
            f"up to {MOST_CORRELATION}."
        )
    return Verdict.NO_CHANGE, f"No change of level in {level} commits."
