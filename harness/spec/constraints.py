"""Which values the weights of a model may take, and which of them cost something."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from harness.spec.base import Count, NonNegative, Spec, UnitInterval

Axis = Annotated[tuple[Count, ...], Field(min_length=1)]
"""Axes that a norm is taken over, counted from 0."""


class NonNegSpec(Spec):
    """No element is below 0."""

    kind: Literal["non_neg"] = "non_neg"


class UnitNormSpec(Spec):
    """Every norm is 1.

    Attributes:
        axis: Axes of a weight that its norms are taken over.
    """

    kind: Literal["unit_norm"] = "unit_norm"
    axis: Axis = (0,)


class MaxNormSpec(Spec):
    """No norm is above a limit.

    Attributes:
        max_value: The limit.
        axis: Axes of a weight that its norms are taken over.
    """

    kind: Literal["max_norm"] = "max_norm"
    max_value: NonNegative = 2.0
    axis: Axis = (0,)


class MinMaxNormSpec(Spec):
    """Every norm lies between two limits, or moves towards them.

    Attributes:
        min_value: The lower limit.
        max_value: The upper limit.
        rate: Share of the way to the limits that one projection goes.
        axis: Axes of a weight that its norms are taken over.
    """

    kind: Literal["min_max_norm"] = "min_max_norm"
    min_value: NonNegative = 0.0
    max_value: NonNegative = 1.0
    rate: UnitInterval = 1.0
    axis: Axis = (0,)


ConstraintName = Literal["non_neg", "unit_norm", "max_norm", "min_max_norm"]
AnyConstraint = Annotated[
    NonNegSpec | UnitNormSpec | MaxNormSpec | MinMaxNormSpec, Field(discriminator="kind")
]


def _tag(value: Any) -> str:
    return "table" if isinstance(value, dict | Spec) else "name"


Constraint = Annotated[
    Annotated[ConstraintName, Tag("name")] | Annotated[AnyConstraint, Tag("table")],
    Discriminator(_tag),
]
"""A constraint by Keras' name, with its defaults, or by its table."""


class L1Spec(Spec):
    """``l1 * sum(abs(kernel))``."""

    kind: Literal["l1"] = "l1"
    l1: NonNegative = 0.01


class L2Spec(Spec):
    """``l2 * sum(kernel**2)``."""

    kind: Literal["l2"] = "l2"
    l2: NonNegative = 0.01


class L1L2Spec(Spec):
    """The sum of both."""

    kind: Literal["l1_l2"] = "l1_l2"
    l1: NonNegative = 0.0
    l2: NonNegative = 0.0


class OrthogonalSpec(Spec):
    """`factor` times the mean size of the cosines between rows, or between columns."""

    kind: Literal["orthogonal"] = "orthogonal"
    factor: NonNegative = 0.01
    mode: Literal["rows", "columns"] = "rows"


AnyRegularizer = Annotated[L1Spec | L2Spec | L1L2Spec | OrthogonalSpec, Field(discriminator="kind")]
