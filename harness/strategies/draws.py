"""Draw tables of scenario files to Hypothesis strategies that shrink to the simplest value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, assert_never

from hypothesis import strategies as st

from harness.spec.vary import (
    BooleansDraw,
    Draw,
    FloatsDraw,
    IntegersDraw,
    ListsDraw,
    OneOfDraw,
    SampledFromDraw,
)

__all__ = ["draws", "strategy_for"]


def draws(vary: Mapping[str, Draw]) -> st.SearchStrategy[dict[str, Any]]:
    """One value under every dotted key, in the order of the file."""
    return st.fixed_dictionaries({key: strategy_for(draw) for key, draw in vary.items()})


def strategy_for(draw: Draw) -> st.SearchStrategy[Any]:
    """The strategy of one draw.

    Numbers shrink towards zero or the end next to it, lists towards the shortest, `sampled_from`
    and `one_of` towards what the file names first.
    """
    match draw:
        case IntegersDraw():
            return st.integers(*draw.integers)
        case FloatsDraw():
            return _floats(draw)
        case BooleansDraw():
            return st.booleans()
        case SampledFromDraw():
            return st.sampled_from(draw.sampled_from)
        case ListsDraw():
            shortest, longest = draw.lengths
            return st.lists(strategy_for(draw.lists), min_size=shortest, max_size=longest)
        case OneOfDraw():
            return st.one_of([strategy_for(part) for part in draw.one_of])
        case _:
            assert_never(draw)


def _floats(draw: FloatsDraw) -> st.SearchStrategy[float]:
    low, high = draw.floats
    finite: st.SearchStrategy[float]
    if draw.step is None:
        finite = st.floats(low, high, allow_nan=False, allow_infinity=False)
    else:
        finite = _multiples(low, high, draw.step)
    extras = [math.nan] if draw.nan else []
    extras += [math.inf, -math.inf] if draw.inf else []
    return finite if not extras else st.one_of(finite, st.sampled_from(extras))


def _multiples(low: float, high: float, step: float) -> st.SearchStrategy[float]:
    """Multiples of `step`: exact in every dtype when it is a power of two."""
    first, last = math.ceil(low / step), math.floor(high / step)
    return st.integers(first, last).map(lambda count: count * step)
