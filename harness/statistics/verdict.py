"""The four answers of everything that judges figures, and which way is worse."""

import enum

from harness.errors import HarnessUsageError

__all__ = ["FigureError", "Verdict", "verdict_of_direction"]


class FigureError(HarnessUsageError, ValueError):
    """Figures, or numbers that say how to judge them, that cannot be judged: a ratio of zero."""


class Verdict(enum.StrEnum):
    """What a comparison or a history says about one figure."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NO_CHANGE = "no change"
    COULD_NOT_JUDGE = "could not judge"

    @property
    def exit_status(self) -> int:
        """0 when there is no regression, 1 for a regression, 2 when it could not be judged."""
        return {Verdict.REGRESSION: 1, Verdict.COULD_NOT_JUDGE: 2}.get(self, 0)


def verdict_of_direction(*, upwards: bool, higher_is_better: bool) -> Verdict:
    """Return what a change means: more seconds are worse, more examples a second are better."""
    return Verdict.IMPROVEMENT if upwards == higher_is_better else Verdict.REGRESSION
