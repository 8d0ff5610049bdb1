"""Spreads draws over what a file lists, so that each listed value comes.

Left to itself Hypothesis draws some values of `sampled_from` many times and others never: of a list
of ten, four were left out by twelve draws. Here every value comes before one comes again.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from harness.spec.vary import BooleansDraw, SampledFromDraw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.spec.vary import Draw

__all__ = ["choices_of", "simpler", "spread_out"]


def choices_of(vary: Mapping[str, Draw]) -> dict[str, tuple[Any, ...]]:
    """The values that are listed under each key, the simplest first."""
    return {
        key: tuple(draw.sampled_from) if isinstance(draw, SampledFromDraw) else (False, True)
        for key, draw in vary.items()
        if isinstance(draw, SampledFromDraw | BooleansDraw)
    }


def spread_out(
    draws: Sequence[Mapping[str, Any]],
    choices: Mapping[str, Sequence[Any]],
    *,
    seed: int,
    count: int,
) -> list[dict[str, Any]]:
    """The draws with other values under the keys of `choices`, each value as often as any other.

    The first draw, the simplest, stays as it is. The next ones up to `count` are in the order of
    the lists, so that draws with the same compiled structure come one after the other; the others
    are spare.

    Args:
        draws: What Hypothesis has drawn.
        choices: The values that are listed under each key.
        seed: Decides which values come together.
        count: How many are wanted.
    """
    turns = {
        key: _turns(len(values), random.Random(f"{seed} {key}"))  # noqa: S311 - no secret
        for key, values in choices.items()
    }
    numbered = [({key: next(turn) for key, turn in turns.items()}, draw) for draw in draws[1:]]
    wanted = sorted(numbered[: count - 1], key=lambda pair: tuple(pair[0].values()))
    spread = [
        dict(draw) | {key: choices[key][number] for key, number in numbers.items()}
        for numbers, draw in (*wanted, *numbered[count - 1 :])
    ]
    return [dict(draw) for draw in draws[:1]] + spread


def simpler(
    draw: Mapping[str, Any], choices: Mapping[str, Sequence[Any]], key: str
) -> Iterator[dict[str, Any]]:
    """The draw with each value that is listed under `key` before its own."""
    own = json.dumps(draw[key])
    for value in choices[key]:
        if json.dumps(value) == own:
            return
        yield {**draw, key: value}


def _turns(length: int, dice: random.Random) -> Iterator[int]:
    """Numbers below `length`, all of them before one comes again; 0 comes last at first."""
    turn = list(range(1, length))
    dice.shuffle(turn)
    turn.append(0)
    while True:
        yield from turn
        dice.shuffle(turn)
