"""Where a step runs: on one device, or on several that share each batch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from harness.spec.base import Rule, Spec

LOGICAL_DEVICES = 2
"""Logical CPU devices that there are; they share the processor, so more would prove nothing."""


class MirroredSpec(Spec):
    """``tf.distribute.MirroredStrategy``: every replica has a copy of each variable.

    Attributes:
        replicas: Devices that share each batch; the first ``replicas`` logical CPU devices.
    """

    kind: Literal["mirrored"] = "mirrored"
    replicas: Annotated[
        int,
        Strict(),
        Field(ge=1, le=LOGICAL_DEVICES),
        Rule(f"be a whole number from 1 to {LOGICAL_DEVICES}"),
    ] = LOGICAL_DEVICES
