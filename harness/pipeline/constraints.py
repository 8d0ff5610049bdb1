"""Specs of constraints and penalties to what a Keras variable or layer takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from harness.pipeline.backend import import_keras
from harness.spec.constraints import (
    L1L2Spec,
    L1Spec,
    L2Spec,
    MaxNormSpec,
    MinMaxNormSpec,
    NonNegSpec,
    OrthogonalSpec,
    UnitNormSpec,
)

if TYPE_CHECKING:
    from harness.spec.constraints import AnyRegularizer, Constraint

__all__ = ["build_constraint", "build_regularizer"]


def build_constraint(spec: Constraint | None) -> Any:
    """A constraint of Keras, looked up by its name where the spec is one; None for None."""
    constraints = import_keras().constraints
    match spec:
        case None | str():
            return constraints.get(spec)
        case NonNegSpec():
            return constraints.NonNeg()
        case UnitNormSpec():
            return constraints.UnitNorm(axis=_axis(spec.axis))
        case MaxNormSpec():
            return constraints.MaxNorm(max_value=spec.max_value, axis=_axis(spec.axis))
        case MinMaxNormSpec():
            return constraints.MinMaxNorm(
                min_value=spec.min_value,
                max_value=spec.max_value,
                rate=spec.rate,
                axis=_axis(spec.axis),
            )
        case _:
            assert_never(spec)


def build_regularizer(spec: AnyRegularizer | None) -> Any:
    """A regularizer of Keras; None for None."""
    regularizers = import_keras().regularizers
    match spec:
        case None:
            return None
        case L1Spec():
            return regularizers.L1(spec.l1)
        case L2Spec():
            return regularizers.L2(spec.l2)
        case L1L2Spec():
            return regularizers.L1L2(l1=spec.l1, l2=spec.l2)
        case OrthogonalSpec():
            return regularizers.OrthogonalRegularizer(factor=spec.factor, mode=spec.mode)
        case _:
            assert_never(spec)


def _axis(axis: tuple[int, ...]) -> int | list[int]:
    """Keras documents one axis as a number and several as a list."""
    return axis[0] if len(axis) == 1 else list(axis)
