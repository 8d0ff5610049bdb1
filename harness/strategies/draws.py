"""Draw tables of scenario files to Hypothesis strategies that shrink to the simplest value."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any, Final, assert_never

from hypothesis import strategies as st

from harness.spec.vary import (
    WHOLE,
    AnyDraw,
    BooleansDraw,
    Draw,
    FloatsDraw,
    IntegersDraw,
    ListsDraw,
    OneOfDraw,
    SampledFromDraw,
)
from harness.strategies.pipelines import pipelines

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["draws", "strategy_for"]

_FINITE_SHARE: Final = 3
"""Finite draws for each special one, so that a list of eight is not made of NaN and infinities."""


def draws(
    vary: Mapping[str, Draw],
    template: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
    examples: int = 1,
) -> st.SearchStrategy[dict[str, Any]]:
    """One value under every dotted key, in the order of the file.

    Args:
        vary: What is drawn, by dotted key; of a whole pipeline come many keys.
        template: The tables of the pipeline, where whole ones are drawn.
        seed: Decides on their structures.
        examples: How many will be drawn.
    """
    plain = {key: draw for key, draw in vary.items() if not isinstance(draw, AnyDraw)}
    # Not fixed_dictionaries: it draws the order of the keys too, and so the same values again.
    values = st.tuples(*map(strategy_for, plain.values()))
    named = values.map(lambda drawn: dict(zip(plain, drawn, strict=True)))
    whole = vary.get(WHOLE)
    if not isinstance(whole, AnyDraw):
        return named
    every = pipelines(whole, template or {}, seed=seed, examples=examples)
    return st.tuples(every, named).map(lambda parts: {**parts[0], **parts[1]})


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
        case AnyDraw():
            message = "whole pipelines are drawn by `draws`, which knows the tables around them"
            raise TypeError(message)
        case _:
            assert_never(draw)


def _floats(draw: FloatsDraw) -> st.SearchStrategy[float]:
    special = [math.nan] if draw.nan else []
    special += [math.inf, -math.inf] if draw.inf else []
    if not special:
        return _finite(draw)
    finite, other = _finite(draw), st.sampled_from(special)
    return st.integers(0, _FINITE_SHARE).flatmap(
        lambda turn: other if turn == _FINITE_SHARE else finite
    )


def _finite(draw: FloatsDraw) -> st.SearchStrategy[float]:
    step = draw.step
    if step is None:
        low, high = draw.floats
        # Below 2.2e-308 one would test whether the processor flushes to zero, not a training.
        subnormal = any(0 < abs(end) < sys.float_info.min for end in draw.floats)
        return st.floats(
            low, high, allow_nan=False, allow_infinity=False, allow_subnormal=subnormal
        )
    return st.integers(*draw.multiples).map(lambda count: count * step)
