"""What an item measured: a stash key that items fill and the history reads.

An item that has something to remember says so in one line, whatever measured it::

    item.stash[FIGURES] = (Figure(metric="step_seconds", value=0.011, unit="s", better="lower"),)

The figures travel on the item's report, also out of the processes of xdist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import pytest

__all__ = ["FIGURES", "Better", "Figure"]

Better: TypeAlias = Literal["lower", "higher", "neutral"]
"""Which way is good news; `neutral` figures are remembered, and a change of them never fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that a run leaves behind.

    Attributes:
        metric: Its name, with the unit where it has one: ``examples_per_second``.
        value: What is compared over time: the median where there are several samples.
        unit: As a person writes it: ``s``, ``bytes``, ``examples/s``; empty for a plain number.
        better: Which way is good news.
        samples: The measurements behind the value, in order; empty where there was just one.
    """

    metric: str
    value: float
    unit: str = ""
    better: Better = "neutral"
    samples: tuple[float, ...] = ()


FIGURES: Final = pytest.StashKey[tuple[Figure, ...]]()
"""Figures of one item, set by the item while it runs."""
