"""What an item measured: a stash key that items fill and the history reads.

An item that has something to remember says so in one line, whatever measured it::

    item.stash[FIGURES] = (Figure(metric="step_seconds", value=0.011, unit="s", better="lower"),)

The figures travel on the item's report, also out of the processes of xdist. Those of an item that
does not pass are forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pytest

from harness.history.measurement import Better

__all__ = ["DEFINITION", "FIGURES", "SERIES", "Better", "Figure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number that a run leaves behind.

    Attributes:
        metric: Its name, with the unit where it has one: ``examples_per_second``.
        value: What is compared over time: the median where there are several samples.
        unit: As a person writes it: ``s``, ``bytes``, ``examples/s``; empty for a plain number.
        better: Which way is good news: a change of a `neutral` figure never fails.
        samples: The measurements behind the value, in order; empty where there was just one.
    """

    metric: str
    value: float
    unit: str = ""
    better: Better = "neutral"
    samples: tuple[float, ...] = ()


FIGURES: Final = pytest.StashKey[tuple[Figure, ...]]()
"""Figures of one item, set by the item while it runs."""

SERIES: Final = pytest.StashKey[str]()
"""Under which name the figures are kept.

An item that does not say is known by its scenario's area and id where it has one, else by its node
id.
"""

DEFINITION: Final = pytest.StashKey[str]()
"""Digest of what the item ran: when it changes, its figures start new series."""
