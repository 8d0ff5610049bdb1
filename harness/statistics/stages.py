"""Looking at a comparison several times without more false alarms: alpha spent in fixed stages."""

from dataclasses import dataclass

import numpy as np

from harness.statistics.ratio import (
    MARGIN,
    POWER,
    RatioEstimate,
    estimate_ratio,
    judge_ratio,
)
from harness.statistics.signed_rank import Float64, fewest_values
from harness.statistics.verdict import FigureError, Verdict

__all__ = ["Look", "Stages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at the pairs measured so far says.

    Attributes:
        estimate: Other side over base.
        control: Base over base, or None where there is no control.
        verdict: As it stands now.
        finished: Whether further pairs would be a waste: a verdict is there, or the last stage is.
    """

    estimate: RatioEstimate
    control: RatioEstimate | None
    verdict: Verdict
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """When to look, and how much of the false alarms each look may spend.

    By look k at n_k of n pairs, ``alpha * (n_k / n)**2`` is spent. What a look adds is its own
    level, so that their sum bounds all alarms however the looks hang together. The looks share
    pairs, so the true rate is lower: 0.6 of `alpha` with the stages below, measured. Boundaries
    that use the correlation would be about 8 % narrower, and exact only in the limit of many pairs.

    Attributes:
        pairs: Numbers of pairs at which to look, increasing.
        alpha: Probability of any false alarm, upwards or downwards, over all looks.

    References:
        Kim & DeMets, "Design and analysis of group sequential tests based on the type I error
        spending rate function", Biometrika 74 (1987), with rho = 2.
        Jennison & Turnbull, "Repeated confidence intervals", J. R. Statist. Soc. B 51 (1989).
    """

    pairs: tuple[int, ...] = (12, 16, 20, 24, 32)
    alpha: float = 0.01

    def __post_init__(self) -> None:
        """Refuse stages that cannot be gone through.

        Raises:
            FigureError: The stages do not increase, `alpha` is outside (0, 1), or not even the
                last look has pairs enough to find anything.
        """
        if not 0.0 < self.alpha < 1.0:
            message = f"alpha must lie in (0, 1), got {self.alpha}. 0.01 is one false alarm in 100."
            raise FigureError(message)
        steps = np.diff((0, *self.pairs))
        if not self.pairs or (steps <= 0).any():
            message = f"The stages must be positive and increase, got {self.pairs}."
            raise FigureError(message)
        need = fewest_values(self.level(len(self.pairs) - 1))
        if self.pairs[-1] < need:
            message = (
                f"The last stage must have at least {need} pairs to find anything with "
                f"{self.alpha:.2%} false alarms, got {self.pairs[-1]}. Measure more pairs."
            )
            raise FigureError(message)

    def level(self, stage: int) -> float:
        """Return the false alarms that look number `stage`, from 0, may add."""
        shares = [(pairs / self.pairs[-1]) ** 2 for pairs in self.pairs]
        return self.alpha * (shares[stage] - (shares[stage - 1] if stage else 0.0))

    def look(
        self,
        base: Float64,
        other: Float64,
        *,
        control: tuple[Float64, Float64] | None = None,
        margin: float = MARGIN,
        power: float = POWER,
        higher_is_better: bool = False,
    ) -> Look:
        """Return what the pairs measured so far say, at the last stage they reach.

        The intervals hold the true ratio at all looks at once with probability ``1 - alpha``.
        Between two stages the earlier one's pairs are judged; the others wait for the next. The
        control never ends a run early: it is judged with the rest.

        Args:
            base: Costs of the base in the pairs so far, in the order they were measured.
            other: Costs of the other side.
            control: Two runs of the base in each round.
            margin: Smallest relative change that matters.
            power: See `RatioEstimate.detectable`.
            higher_is_better: The figure is a speed and not a cost.

        Raises:
            FigureError: Costs do not form pairs of positive numbers.
        """
        size = min(len(base), len(other))
        reached = [stage for stage, pairs in enumerate(self.pairs) if pairs <= size]
        stage = reached[-1] if reached else 0
        count = self.pairs[stage] if reached else size

        def estimate(first: Float64, second: Float64) -> RatioEstimate:
            return estimate_ratio(
                np.asarray(first)[:count],
                np.asarray(second)[:count],
                alpha=self.level(stage),
                confidence=1.0 - self.alpha,
                margin=margin,
                power=power,
            )

        result = estimate(base, other)
        check = None if control is None else estimate(*control)
        verdict = judge_ratio(result, higher_is_better=higher_is_better, control=check)
        if not reached:
            verdict = Verdict.COULD_NOT_JUDGE
        last = stage == len(self.pairs) - 1
        return Look(
            estimate=result,
            control=check,
            verdict=verdict,
            finished=last or verdict is not Verdict.COULD_NOT_JUDGE,
        )
