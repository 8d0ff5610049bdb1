"""Whether two environments train equally well: equivalence over seeds, in both directions.

A difference that is not significant proves nothing, least of all with five seeds. So the question
is turned round: two one-sided tests must both exclude a difference of the margin's size. Seeds are
paired, the same seed on both sides. A curve (loss at each epoch) is equivalent when it is at every
epoch; all tests must pass, so their number needs no correction. A curve that lags behind fails
where it lags, so slower convergence is found even when the end is the same.

Only when equivalence fails is a difference looked for, at the last epoch and in the mean over all.

References:
    Schuirmann, "A comparison of the two one-sided tests procedure and the power approach",
    J. Pharmacokinet. Biopharm. 15 (1987).
    Berger, "Multiparameter hypothesis testing and acceptance sampling", Technometrics 24 (1982):
    the intersection-union test behind the joint statement over epochs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from harness.statistics.verdict import FigureError, Verdict, verdict_of_direction

__all__ = ["Equivalence", "SeedDifference", "judge_equivalence", "margin_from_repeats"]

Float64 = NDArray[np.float64]

FEWEST_SEEDS = 3
"""Pairs below which a standard deviation means nothing."""

POWER = 0.9
"""Share of comparisons in which a difference of the detectable size is found."""

SMOOTHED = 2
"""Epochs on either side whose median deviation becomes an epoch's margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedDifference:
    """Other side less base in one figure, over the seeds, in the figure's own unit.

    Attributes:
        mean: Mean difference.
        low: Lower end of the interval with confidence ``1 - 2 alpha``; equivalence says that it
            lies within the margin.
        high: Upper end.
        margin: Largest difference that does not matter.
        equivalent: Whether the interval lies within the margin.
        different: Whether the difference is significant and at least half the margin.
        detectable: Smallest true difference that is found with probability 0.9.
    """

    mean: float
    low: float
    high: float
    margin: float
    equivalent: bool
    different: bool
    detectable: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """What two sets of trainings say about each other.

    Attributes:
        verdict: `NO_CHANGE` when the whole curve is equivalent, else the direction of a difference
            that was found, else it could not be judged.
        reason: One sentence that says why.
        final: The last epoch.
        mean: The mean over all epochs.
        epochs: Mean difference at each epoch, shape (epochs,).
        low: Lower end of its interval, shape (epochs,).
        high: Upper end.
        margins: Largest difference that does not matter, shape (epochs,).
        worst: Epoch, from 0, whose interval leaves its margin furthest or comes nearest to it.
        seeds: Pairs that were judged.
        diverged: Trainings with a figure that is not finite, of the base and of the other side;
            their pairs are left out.
        alpha: Probability of calling equivalent what differs by the margin, and of calling
            different what is the same.
    """

    verdict: Verdict
    reason: str
    final: SeedDifference
    mean: SeedDifference
    epochs: Float64
    low: Float64
    high: Float64
    margins: Float64
    worst: int
    seeds: int
    diverged: tuple[int, int]
    alpha: float


def margin_from_repeats(repeats: ArrayLike, *, deviations: float = 1.0) -> Float64:
    """Return the margin of each epoch from trainings of one environment, shape (epochs,).

    It is the standard deviation between the repeats, made smooth by a running median over five
    epochs: a difference that drowns in the choice of the seed does not matter.

    Args:
        repeats: Shape (repeats, epochs) or (repeats,), one training a row, each with its own seed.
        deviations: Standard deviations that make up the margin.

    Raises:
        FigureError: There are fewer than three repeats, or one of them diverged.
    """
    curves = _curves("repeats", repeats)
    if len(curves) < FEWEST_SEEDS or not np.isfinite(curves).all():
        message = (
            f"repeats must be at least {FEWEST_SEEDS} trainings with finite figures, got "
            f"{len(curves)}, {int(np.isfinite(curves).all(axis=1).sum())} of them finite. "
            "Record more repeats of the base."
        )
        raise FigureError(message)
    deviation = curves.std(axis=0, ddof=1)
    smooth = [
        np.median(deviation[max(epoch - SMOOTHED, 0) : epoch + SMOOTHED + 1])
        for epoch in range(deviation.size)
    ]
    return deviations * np.array(smooth)


def judge_equivalence(
    base: ArrayLike,
    other: ArrayLike,
    margin: ArrayLike,
    *,
    higher_is_better: bool = False,
    alpha: float = 0.05,
) -> Equivalence:
    """Return the verdict on trainings of two environments with the same seeds.

    Args:
        base: Figures of the base, shape (seeds, epochs), or (seeds,) for one figure a training.
        other: Figures of the other side, same seeds in the same order.
        margin: Largest difference that does not matter, for all epochs or shape (epochs,).
        higher_is_better: The figure is an accuracy and not a loss.
        alpha: See `Equivalence.alpha`.

    Raises:
        FigureError: Shapes do not fit, the margin is negative or not finite, or `alpha` is not in
            (0, 0.5).
    """
    first, second = _curves("base", base), _curves("other", other)
    if first.shape != second.shape:
        message = (
            f"other must have the shape of base {first.shape}, got {second.shape}. "
            "Leave out a seed that is missing on one side, and cut curves to equal length."
        )
        raise FigureError(message)
    margins = np.broadcast_to(np.asarray(margin, np.float64), first.shape[1:])
    if not (np.isfinite(margins) & (margins >= 0)).all():
        message = f"margin must be finite and not negative, got {margin!r}."
        raise FigureError(message)
    if not 0.0 < alpha < 0.5:  # noqa: PLR2004 - from here on the interval is empty
        message = f"alpha must lie in (0, 0.5), got {alpha}. 0.05 is usual."
        raise FigureError(message)
    finite = [np.isfinite(side).all(axis=1) for side in (first, second)]
    diverged = (int(np.sum(~finite[0])), int(np.sum(~finite[1])))
    both = finite[0] & finite[1]
    differences = second[both] - first[both]
    epochs, reach = _interval(differences, 1 - alpha)
    slack = np.abs(epochs) + reach - margins
    final = _difference(differences[:, -1], float(margins[-1]), alpha)
    mean = _difference(differences.mean(axis=1), float(margins.mean()), alpha)
    worst = int(np.argmax(slack))
    verdict, reason = _verdict(
        equivalent=bool((slack <= 0).all()),
        parts={"last epoch": final, "mean over the epochs": mean},
        diverged=diverged,
        seeds=len(differences),
        worst=worst,
        higher_is_better=higher_is_better,
    )
    return Equivalence(
        verdict=verdict,
        reason=reason,
        final=final,
        mean=mean,
        epochs=epochs,
        low=epochs - reach,
        high=epochs + reach,
        margins=margins,
        worst=worst,
        seeds=len(differences),
        diverged=diverged,
        alpha=alpha,
    )


def _verdict(
    *,
    equivalent: bool,
    parts: dict[str, SeedDifference],
    diverged: tuple[int, int],
    seeds: int,
    worst: int,
    higher_is_better: bool,
) -> tuple[Verdict, str]:
    if diverged[0] != diverged[1]:
        worse = diverged[1] > diverged[0]
        verdict = Verdict.REGRESSION if worse else Verdict.IMPROVEMENT
        return verdict, f"{diverged[1]} trainings diverged, {diverged[0]} of the base."
    if seeds < FEWEST_SEEDS:
        return Verdict.COULD_NOT_JUDGE, f"{seeds} pairs of seeds; {FEWEST_SEEDS} are the least."
    if equivalent:
        return Verdict.NO_CHANGE, "Equivalent at every epoch."
    found = {
        verdict_of_direction(upwards=part.mean > 0, higher_is_better=higher_is_better): (name, part)
        for name, part in parts.items()
        if part.different
    }
    for verdict in (Verdict.REGRESSION, Verdict.IMPROVEMENT):
        if verdict in found:
            name, part = found[verdict]
            return verdict, f"The {name} differs by {part.mean:+.3g}, margin {part.margin:.3g}."
    return Verdict.COULD_NOT_JUDGE, (
        f"Neither equivalent, at worst in epoch {worst}, nor different: take more seeds than "
        f"{seeds}, or a wider margin."
    )


def _difference(differences: Float64, margin: float, alpha: float) -> SeedDifference:
    """One figure over the seeds, shape (seeds,)."""
    means, reaches = _interval(differences[:, None], 1 - alpha)
    mean, reach = float(means[0]), float(reaches[0])
    # Two figures are tested, each on two sides.
    _, wide = _interval(differences[:, None], 1 - alpha / 4)
    spare = max(differences.size - 1, 1)
    error = float(wide[0]) / float(special.stdtrit(spare, 1 - alpha / 4))
    bar = max(float(wide[0]), margin / 2)
    return SeedDifference(
        mean=mean,
        low=mean - reach,
        high=mean + reach,
        margin=margin,
        equivalent=abs(mean) + reach <= margin,
        different=abs(mean) > wide[0] and abs(mean) >= margin / 2,
        detectable=bar + float(special.stdtrit(spare, POWER)) * error,
    )


def _interval(differences: Float64, level: float) -> tuple[Float64, Float64]:
    """Mean and reach of the one-sided Student interval at `level`, shapes (epochs,)."""
    seeds, epochs = differences.shape
    if seeds < FEWEST_SEEDS:
        return np.full(epochs, np.nan), np.full(epochs, np.inf)
    error = differences.std(axis=0, ddof=1) / np.sqrt(seeds)
    return differences.mean(axis=0), error * float(special.stdtrit(seeds - 1, level))


def _curves(name: str, figures: ArrayLike) -> Float64:
    """The figures as (seeds, epochs)."""
    curves = np.asarray(figures, dtype=np.float64)
    if curves.ndim == 1:
        curves = curves[:, None]
    if curves.ndim != 2 or not curves.size:  # noqa: PLR2004 - seeds, epochs
        message = f"{name} must be trainings by epochs, got shape {curves.shape}."
        raise FigureError(message)
    return curves
