"""Constraints and penalties: whether the weights have what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec.constraints import MinMaxNormSpec
from harness.spec.findings import Finding, finding
from harness.spec.model import MLPSpec, VariablesSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["WEIGHT_CHECKS"]

_OF_A_KERNEL = 2


def constraint_fits_weights(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Norms are taken over axes that every constrained weight has, between limits in order."""
    model = pipeline.model
    if isinstance(model, VariablesSpec):
        place, given = "model.constraint", model.constraint
        rank = min(len(shape) for shape in model.shapes)
    elif isinstance(model, MLPSpec):
        place, given, rank = "model.kernel_constraint", model.kernel_constraint, _OF_A_KERNEL
    else:
        return
    axis = getattr(given, "axis", ())
    if any(number >= rank for number in axis) or len(set(axis)) < len(axis):
        rule = f"hold different axes that every constrained weight has, 0 to {rank - 1}"
        yield finding(f"{place}.axis", rule, list(axis))
    if isinstance(given, MinMaxNormSpec) and given.min_value > given.max_value:
        rule = f"be at most max_value, {given.max_value}"
        yield finding(f"{place}.min_value", rule, given.min_value)


def one_penalty(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A kernel has one regularizer."""
    model = pipeline.model
    if isinstance(model, MLPSpec) and model.kernel_l2 and model.kernel_regularizer is not None:
        kind = model.kernel_regularizer.kind
        rule = "be left out where kernel_l2 is given"
        yield finding("model.kernel_regularizer.kind", rule, kind, "A kernel has one regularizer.")


WEIGHT_CHECKS = (constraint_fits_weights, one_penalty)
"""All checks of this module."""
