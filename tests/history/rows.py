"""Made-up measurements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.history.measurement import EnvironmentKey, Measurement, Revision

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE = EnvironmentKey(values={"cpu": "a processor", "cores": "2", "keras": "3.14.0"})
NEWER = EnvironmentKey(values={"cpu": "a processor", "cores": "2", "keras": "3.15.1"})


def commit(number: int) -> str:
    """The hash of a commit; its first ten digits tell its number."""
    return f"{number:010d}".ljust(40, "c")


def row(value: float = 1.0, number: int = 0, **others: Any) -> Measurement:
    """One measurement of one commit, an hour after the commit before."""
    time = START + timedelta(hours=number)
    given: dict[str, Any] = {
        "scenario": "area/one",
        "metric": "step_seconds",
        "unit": "s",
        "better": "lower",
        "environment": HERE,
        "time": time + timedelta(minutes=5),
        "revision": Revision(id=commit(number), committed=time, branch="main"),
    }
    return Measurement.of(value=value, **(given | others))


def rows(values: Iterable[float], **others: Any) -> list[Measurement]:
    """One measurement a commit."""
    return [row(value, number, **others) for number, value in enumerate(values)]


def noisy(count: int, *, level: float = 0.01, seed: int = 0) -> list[float]:
    """Independent figures with a coefficient of variation of 2.7 %."""
    noise = np.random.default_rng(seed).standard_normal(count)
    return [float(value) for value in level * np.exp(0.027 * noise)]
