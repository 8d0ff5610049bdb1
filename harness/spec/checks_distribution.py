"""Distributions that can't be had with the rest of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec.findings import Finding, finding
from harness.spec.training import FitSpec, TrainOnBatchSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["DISTRIBUTION_CHECKS"]


def keras_distributes(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Only Keras' own loops share a batch out among replicas."""
    if pipeline.distribution is None or isinstance(pipeline.training, FitSpec | TrainOnBatchSpec):
        return
    rule = f"be left out for the training {pipeline.training.kind}"
    kind = pipeline.distribution.kind
    yield finding("distribution.kind", rule, kind, "Use fit or train_on_batch.")


def replicas_are_not_compiled(pipeline: PipelineSpec) -> Iterator[Finding]:
    """XLA can't compile a step whose variables lie on several devices."""
    if pipeline.distribution is not None and pipeline.compile.jit_compile is True:
        wanted, remedy = pipeline.compile.jit_compile, "XLA refuses variables on several devices."
        yield finding("compile.jit_compile", "be false or 'auto' with replicas", wanted, remedy)


DISTRIBUTION_CHECKS = (keras_distributes, replicas_are_not_compiled)
