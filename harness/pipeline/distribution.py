"""The strategy that a pipeline is built and trained under."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from harness.errors import PipelineError
from harness.pipeline.backend import import_tensorflow

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from harness.spec.distribution import MirroredSpec

__all__ = ["strategy_scope"]


def strategy_scope(spec: MirroredSpec | None) -> AbstractContextManager[Any]:
    """Within this, models and optimizers are made for the devices of `spec`.

    Gradients are added up on one device, in the order of the replicas. The collective operations
    that a strategy takes by default add in any order, and once one of them has failed every later
    one of the process fails as well.

    Raises:
        PipelineError: TensorFlow was in use before the logical devices could be made.
    """
    if spec is None:
        return nullcontext()
    tf = import_tensorflow()
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(devices) < spec.replicas:
        message = (
            f"distribution.replicas must be at most the number of logical CPU devices, which is "
            f"{len(devices)}, got {spec.replicas}. They are made before TensorFlow's first "
            "operation: run the scenario in a process of its own."
        )
        raise PipelineError(message)
    scope: AbstractContextManager[Any] = tf.distribute.MirroredStrategy(
        devices[: spec.replicas],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    ).scope()
    return scope
