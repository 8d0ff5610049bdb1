"""A series as one line of characters."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ASCII", "BLOCKS", "sparkline"]

BLOCKS: Final = "▁▂▃▄▅▆▇█"
ASCII: Final = "_.-:=+*#"
"""The same for terminals that know no blocks."""

_NONE: Final = "x"


def sparkline(values: Sequence[float], *, width: int = 60, signs: str = BLOCKS) -> str:
    """One character a value, the lowest for the least; `x` for what is no number.

    Of more values than `width`, neighbours share a character, which shows their median.

    Args:
        values: The series, oldest first.
        width: Most characters.
        signs: The characters, the lowest first.
    """
    columns = min(width, len(values))
    edges = [round(column * len(values) / columns) for column in range(columns + 1) if columns]
    pools = [values[start:stop] for start, stop in pairwise(edges)]
    shown = [_middle(pool) for pool in pools]
    finite = [value for value in shown if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return "".join(_sign(value, low, high, signs) for value in shown)


def _middle(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return median(finite) if finite else math.nan


def _sign(value: float, low: float, high: float, signs: str) -> str:
    if not math.isfinite(value):
        return _NONE
    if low == high:
        return signs[len(signs) // 2]
    return signs[round((value - low) / (high - low) * (len(signs) - 1))]
