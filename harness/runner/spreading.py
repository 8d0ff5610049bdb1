"""Spreads draws over what a file lists, so that each listed value comes.

Left to itself Hypothesis draws some values of `sampled_from` many times and others never: of a list
of ten, four were left out by twelve draws. Here every value comes before one comes again,
and with values of other lists that it has not met yet.
"""

from __future__ import annotations

import json
import random
from collections import Counter
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
    dice = random.Random(seed)  # noqa: S311 - no secret
    sizes = {key: len(values) for key, values in choices.items()}
    turns = _turns(sizes, dice)
    numbered = [(next(turns), draw) for draw in draws[1:]]
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


def _turns(sizes: Mapping[str, int], dice: random.Random) -> Iterator[dict[str, int]]:
    """A number under each key, each below its size before one comes again; at first 0 comes late.

    Of the numbers whose turn it is, the one is taken that has met those of the other keys least.
    """
    left: dict[str, list[int]] = {}
    met: Counter[tuple[str, int, str, int]] = Counter()
    for key, size in sizes.items():
        left[key] = [*dice.sample(range(1, size), size - 1), 0]
    while True:
        turn: dict[str, int] = {}
        for key, size in sizes.items():
            left[key] = left[key] or dice.sample(range(size), size)
            pairs = {
                number: [(other, chosen, key, number) for other, chosen in turn.items()]
                for number in left[key]
            }
            number = min(left[key], key=lambda one: sum(met[pair] for pair in pairs[one]))
            met.update(pairs[number])
            left[key].remove(number)
            turn[key] = number
        yield turn
