"""Drives the real optimizer with given gradients: no model, no data, a few milliseconds a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras

if TYPE_CHECKING:
    from harness.pipeline.observer import Step
    from harness.spec.training import PrecisionSpec

__all__ = ["gradient_step"]


def gradient_step(variables: list[Any], optimizer: Any, precision: PrecisionSpec) -> Step:
    """A step that takes one flat row of gradients instead of a batch.

    A loss scale multiplies them first, in the precision that a backward pass would compute in:
    under mixed_float16 what does not fit into float16 becomes infinite or zero, as in training.

    Args:
        variables: What is updated; the row holds their elements one after the other.
        optimizer: Built for these variables.
        precision: Says in which dtype gradients are computed.
    """
    keras = import_keras()
    ops = keras.ops
    dtype = variables[0].dtype
    compute = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}.get(
        precision.policy, dtype
    )

    def step(row: Any) -> dict[str, Any]:
        scaled = row * ops.cast(optimizer.scale_loss(ops.ones((), "float32")), dtype)
        scaled = ops.cast(ops.cast(scaled, compute), dtype)
        gradients, start = [], 0
        for variable in variables:
            size = 1
            for extent in variable.shape:
                size *= extent
            gradients.append(ops.reshape(scaled[start : start + size], variable.shape))
            start += size
        optimizer.apply(gradients, variables)
        return {}

    return step
