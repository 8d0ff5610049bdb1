"""Noise of benchmark series, drawn, with standard deviation one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AR_HALF", "CALIBRATED", "CV", "HEAVY", "INDEPENDENT", "Noise"]

CV = 0.027
"""Coefficient of variation of a step's time from commit to commit, as the issue states it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """One kind of noise.

    Attributes:
        name: As printed.
        correlation: Of neighbouring commits; an autoregression of order one.
        freedom: Degrees of freedom of Student's t for independent noise; 0 for normal noise.
    """

    name: str
    correlation: float = 0.0
    freedom: int = 0

    def draw(self, rng: np.random.Generator, series: int, points: int) -> NDArray[np.float64]:
        """Draw flat series, shape (series, points)."""
        if self.freedom:
            scale = np.sqrt(self.freedom / (self.freedom - 2))
            return np.asarray(rng.standard_t(self.freedom, (series, points)) / scale)
        values = rng.normal(size=(series, points))
        if not self.correlation:
            return values
        values[:, 1:] *= np.sqrt(1 - self.correlation**2)
        return np.asarray(signal.lfilter([1.0], [1.0, -self.correlation], values, axis=-1))


INDEPENDENT = Noise(name="independent")
AR_HALF = Noise(name="AR(1) 0.5", correlation=0.5)
HEAVY = Noise(name="t3", freedom=3)

CALIBRATED = (
    INDEPENDENT,
    Noise(name="AR(1) 0.2", correlation=0.2),
    Noise(name="AR(1) 0.3", correlation=0.3),
    Noise(name="AR(1) 0.4", correlation=0.4),
    AR_HALF,
    HEAVY,
)
"""Noises under which the history's false alarms are kept: the three stated, and those between."""
