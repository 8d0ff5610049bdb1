"""The names under which Keras reports losses and metrics, in the order of their compilation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec.metrics import ImportedMetricSpec
from harness.spec.model import MultiOutputSpec

if TYPE_CHECKING:
    from harness.spec.metrics import AnyMetric
    from harness.spec.pipeline import PipelineSpec

__all__ = ["reported_metrics", "reported_names"]


def reported_names(pipeline: PipelineSpec) -> tuple[str, ...]:
    """The total loss, those of several outputs, then the metrics.

    Keras documents of a list that `evaluate` returns that its order is that of `compile`.
    """
    losses = (f"{head}_loss" for head in _heads(pipeline) if head)
    return ("loss", *losses, *(name for name, _ in reported_metrics(pipeline)))


def reported_metrics(pipeline: PipelineSpec) -> tuple[tuple[str, AnyMetric], ...]:
    """Each metric under the name that Keras gives it: plain ones first, output after output.

    Behind a name that is taken stands a number, and a weighted metric is called so first.
    """
    found: dict[str, AnyMetric] = {}
    for weighted in (False, True):
        for head in _heads(pipeline, measured=True):
            prefix = f"{head}_" if head else ""
            for metric in pipeline.metrics:
                if metric.weighted is weighted:
                    name = f"{prefix}{_name(metric)}"
                    if weighted and name in found:
                        name = f"{prefix}weighted_{_name(metric)}"
                    found[_free(name, found)] = metric
    return tuple(found.items())


def _free(name: str, taken: dict[str, AnyMetric]) -> str:
    """The name itself, or the first with a number behind it that nothing has."""
    number, free = 0, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _heads(pipeline: PipelineSpec, *, measured: bool = False) -> tuple[str, ...]:
    """Names of several outputs, or of those with metrics; nothing for the only one."""
    model = pipeline.model
    if not isinstance(model, MultiOutputSpec):
        return ("",)
    return tuple(head.name for head in model.heads if head.measured or not measured)


def _name(metric: AnyMetric) -> str:
    return metric.name or ("" if isinstance(metric, ImportedMetricSpec) else metric.kind)
