"""Exact intervals of a share that was counted."""

from typing import NamedTuple

from scipy import special

from harness.statistics.verdict import FigureError

__all__ = ["Share", "exact_share"]


class Share(NamedTuple):
    """A share with its interval.

    Attributes:
        hits: How often it happened.
        trials: How often it could have.
        low: Lower end of the interval of the true share.
        high: Upper end.
    """

    hits: int
    trials: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """What was counted."""
        return self.hits / self.trials

    def __str__(self) -> str:
        """For example ``3/400 = 0.8 % [0.2, 2.2]``."""
        low, high = self.low * 100, self.high * 100
        return f"{self.hits}/{self.trials} = {self.share:.1%} [{low:.1f}, {high:.1f}]"


def exact_share(hits: int, trials: int, *, confidence: float = 0.95) -> Share:
    """Return a counted share with its exact interval.

    Each end is the share under which a count this far off has probability ``(1 - confidence) / 2``,
    so the interval holds the true share at least as often as stated, for any number of trials.

    Raises:
        FigureError: There were no trials, or not between none and all of them were hits.

    References:
        Clopper & Pearson, "The use of confidence or fiducial limits illustrated in the case of the
        binomial", Biometrika 26 (1934).
    """
    if not 0 <= hits <= trials or trials == 0:
        message = f"hits must lie between 0 and the trials, got {hits} of {trials}."
        raise FigureError(message)
    tail = (1.0 - confidence) / 2
    low = special.betaincinv(hits, trials - hits + 1, tail) if hits else 0.0
    high = special.betaincinv(hits + 1, trials - hits, 1.0 - tail) if hits < trials else 1.0
    return Share(hits, trials, float(low), float(high))
