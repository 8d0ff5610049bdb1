"""What a scenario draws: one small table per dotted key of the pipeline.

The tables say what may be drawn; `harness.strategies` makes Hypothesis strategies of them. Each
draw can also name a few plain samples of itself, so that a file is checked without Hypothesis.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Discriminator, Field, Strict, Tag, model_validator

from harness.spec.base import Finite, Flag, Integer, Positive, Spec

Located: TypeAlias = tuple[tuple[tuple[str, ...], Any], ...]

MOST_VALUES = 100_000
Length = Annotated[int, Strict(), Field(ge=0, le=MOST_VALUES)]


class DrawSpec(Spec, ABC):
    """What every draw can say without Hypothesis."""

    @abstractmethod
    def located(self) -> Located:
        """A few plain samples, the first one the simplest, each with the keys that make it."""

    def samples(self) -> tuple[Any, ...]:
        """A few plain samples, the first one the simplest."""
        return tuple(sample for _, sample in self.located())


class IntegersDraw(DrawSpec):
    """Whole numbers from the first to the second, both included."""

    integers: tuple[Integer, Integer]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _require_order(self.integers)
        return self

    def located(self) -> Located:
        """Both ends."""
        return tuple((("integers", str(end)), self.integers[end]) for end in (0, 1))


class FloatsDraw(DrawSpec):
    """Real numbers from the first to the second, both included.

    Attributes:
        floats: Both ends.
        step: Draw multiples of this only; powers of two are exact in every dtype.
        nan: Not-a-number may be drawn too.
        inf: Both infinities may be drawn too.
    """

    floats: tuple[Finite, Finite]
    step: Positive | None = None
    nan: Flag = False
    inf: Flag = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _require_order(self.floats)
        if self.step is not None and self.multiples[0] > self.multiples[1]:
            msg = "have a multiple of step between its ends"
            raise ValueError(msg)
        return self

    @property
    def multiples(self) -> tuple[int, int]:
        """The ends in steps, rounded inwards; only where there is a step."""
        step = self.step or 1.0
        return math.ceil(self.floats[0] / step), math.floor(self.floats[1] / step)

    def located(self) -> Located:
        """Both ends and what else may come."""
        low, high = self.floats
        if self.step is not None:
            low, high = (multiple * self.step for multiple in self.multiples)
        samples: Located = ((("floats", "0"), low), (("floats", "1"), high))
        if self.nan:
            samples += ((("nan",), math.nan),)
        if self.inf:
            samples += ((("inf",), math.inf), (("inf",), -math.inf))
        return samples


class BooleansDraw(DrawSpec):
    """True and false."""

    booleans: Flag

    @model_validator(mode="after")
    def _on(self) -> Self:
        if not self.booleans:
            msg = "be true"
            raise ValueError(msg)
        return self

    def located(self) -> Located:
        """Both of them."""
        return ((("booleans",), False), (("booleans",), True))


class SampledFromDraw(DrawSpec):
    """One of the listed values, which may be whole tables."""

    sampled_from: Annotated[tuple[Any, ...], Field(min_length=1)]

    def located(self) -> Located:
        """Each of them."""
        return tuple((("sampled_from", str(i)), v) for i, v in enumerate(self.sampled_from))


class ListsDraw(DrawSpec):
    """Lists of another draw.

    Attributes:
        lists: What the elements are.
        length: Exact length, instead of a range.
        min_length: Shortest.
        max_length: Longest.
    """

    lists: Draw
    length: Length | None = None
    min_length: Length = 0
    max_length: Length = 8

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_length > self.max_length:
            msg = "have min_length <= max_length"
            raise ValueError(msg)
        if _size(self) > MOST_VALUES:
            msg = f"hold at most {MOST_VALUES} values in all"
            raise ValueError(msg)
        return self

    @property
    def lengths(self) -> tuple[int, int]:
        """Shortest and longest."""
        if self.length is not None:
            return self.length, self.length
        return self.min_length, self.max_length

    def located(self) -> Located:
        """Each sample of the elements, as often as the longest list has it, and a shortest list."""
        shortest, longest = self.lengths
        elements = self.lists.located()
        samples = [(element, longest) for element in elements]
        if shortest < longest:
            samples.append((elements[0], shortest))
        return tuple((("lists", *place), [value] * size) for (place, value), size in samples)


class OneOfDraw(DrawSpec):
    """Any of several draws, the simplest first."""

    one_of: Annotated[tuple[Draw, ...], Field(min_length=1)]

    def located(self) -> Located:
        """The samples of all of them."""
        return tuple(
            (("one_of", str(index), *place), sample)
            for index, draw in enumerate(self.one_of)
            for place, sample in draw.located()
        )


Part = Literal[
    "callbacks",
    "compile",
    "data",
    "gradients",
    "metrics",
    "model",
    "optimizer",
    "task",
    "training",
    "validation",
]


class AnyDraw(DrawSpec):
    """Whole pipelines: first which parts they have, then the values in them.

    It stands under the key ``pipeline`` and draws dotted keys and what they are set to; what no
    part speaks about stays as in the file.

    Attributes:
        any: The parts of the pipeline that vary. ``task`` is the data with the head, the loss and
            the labels that go with them, ``gradients`` what a driven optimizer is fed with.
    """

    any: Annotated[tuple[Part, ...], Field(min_length=1)]

    def located(self) -> Located:
        """The pipeline of the file."""
        return ((("any", "0"), {}),)


def is_only_for_pipelines(vary: dict[str, Any]) -> dict[str, Any]:
    """Refuse a draw of whole pipelines under another key, and any other draw under that key."""
    for key, draw in vary.items():
        if isinstance(draw, AnyDraw) != (key == WHOLE):
            msg = "draw any under the key pipeline, and nothing else there"
            raise ValueError(msg)
    return vary


WHOLE = "pipeline"
"""The key of ``[vary]`` under which whole pipelines are drawn."""

DRAW_KEYS = ("integers", "floats", "booleans", "sampled_from", "lists", "one_of", "any")


def _draw_tag(value: Any) -> str | None:
    for key in DRAW_KEYS:
        if (isinstance(value, dict) and key in value) or hasattr(value, key):
            return key
    return None


Draw = Annotated[
    Annotated[IntegersDraw, Tag("integers")]
    | Annotated[FloatsDraw, Tag("floats")]
    | Annotated[BooleansDraw, Tag("booleans")]
    | Annotated[SampledFromDraw, Tag("sampled_from")]
    | Annotated[ListsDraw, Tag("lists")]
    | Annotated[OneOfDraw, Tag("one_of")]
    | Annotated[AnyDraw, Tag("any")],
    Discriminator(
        _draw_tag,
        custom_error_type="draw",
        custom_error_message="have one of the keys " + ", ".join(DRAW_KEYS),
    ),
]

ListsDraw.model_rebuild()
OneOfDraw.model_rebuild()


def _require_order(ends: tuple[float, float]) -> None:
    if ends[0] > ends[1]:
        msg = "have its lower end first"
        raise ValueError(msg)


def _size(draw: DrawSpec) -> int:
    """The most values that one draw may hold."""
    if isinstance(draw, ListsDraw):
        return draw.lengths[1] * _size(draw.lists)
    if isinstance(draw, OneOfDraw):
        return max(_size(option) for option in draw.one_of)
    return 1
