"""Metrics that were handed drawn predictions, against NumPy over all samples at once."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.scores import batch_loss
from harness.oracles.arrays import Float64
from harness.oracles.metrics_values import METRIC_VALUES, metric_value
from harness.spec.metrics import AnyMetric, F1Spec, ImportedMetricSpec, PlainMetricSpec
from harness.spec.reported import reported_metrics
from harness.spec.training import UpdateMetricsSpec
from harness.trace.recording import Recording

__all__ = ["key_of", "metric_over", "named"]


@invariant(
    "metrics_match_oracle",
    records=Recording.of("examples"),
    source="Keras, metrics; 004, metrics",
)
def metrics_match_oracle(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Every metric of every epoch is that of all samples at once, under its own name.

    So it depends neither on how samples are cut into batches nor on the epoch before. Through
    `evaluate` the loss is one of them: the mean over the samples of the losses of their batches.

    Raises:
        NothingToJudge: Nothing was updated, or no oracle knows a metric.
    """
    training = view.pipeline.training
    if not isinstance(training, UpdateMetricsSpec):
        message = f"training must be update_metrics for its metrics to be judged, got {training!r}."
        raise NothingToJudge(message)
    expected = dict(_expected(view, through_objects=training.via == "objects"))
    for record in view.trace.epochs:
        if set(record.logs) != set(expected):
            return (
                view.violation(
                    reason,
                    f"epoch {record.epoch} reports {_names(record.logs)}, "
                    f"it must report {_names(expected)}",
                    got=_names(record.logs),
                    expected=_names(expected),
                    epoch=record.epoch,
                    where="logs",
                ),
            )
        for name, value in expected.items():
            mismatch = view.differs(
                record.logs[name], value, quantity="logs", where=name, epoch=record.epoch
            )
            if mismatch is not None:
                return (view.numeric(reason, mismatch),)
    return ()


def _expected(view: View, *, through_objects: bool) -> Iterator[tuple[str, float]]:
    examples = view.examples
    if not through_objects:
        yield "loss", mean_of_batches(view)
    targets, predictions = _real(examples.targets), _real(examples.inputs)
    weight = None if examples.sample_weight is None else examples.sample_weight.astype(np.float64)
    # Objects report for themselves; `compile` tells two metrics of one name apart.
    own = tuple((key_of(metric), metric) for metric in view.pipeline.metrics)
    for name, metric in own if through_objects else reported_metrics(view.pipeline):
        given = weight if metric.weighted else None
        value = metric_over(metric, targets, predictions, given, compiled=not through_objects)
        yield from named(name, value)


def mean_of_batches(view: View) -> float:
    """Return the mean over all samples of the loss of the batch they are in."""
    size, samples = view.pipeline.data.batch_size, len(view.examples)
    starts = range(0, samples, size)
    rows = [slice(start, min(start + size, samples)) for start in starts]
    return sum(batch_loss(view, part) * (part.stop - part.start) for part in rows) / samples


def metric_over(
    metric: AnyMetric,
    targets: Any,
    predictions: Any,
    weight: Float64 | None,
    *,
    compiled: bool,
) -> float | Float64:
    """Return one metric over all samples.

    Args:
        metric: Which.
        targets: All targets.
        predictions: All predictions.
        weight: All weights, where they count.
        compiled: Whether `compile` has chosen what "accuracy" stands for.

    Raises:
        NothingToJudge: No oracle knows it.
    """
    kind: str = "fbeta_score" if isinstance(metric, F1Spec) else metric.kind
    if isinstance(metric, ImportedMetricSpec) or kind not in METRIC_VALUES:
        message = f"metric must be one that an oracle knows to be judged, got {metric!r}."
        raise NothingToJudge(message)
    arguments = metric.model_dump(
        exclude={"kind", "name", "weighted", "dtype", "built_by"}, exclude_none=True
    )
    arguments |= arguments.pop("arguments", {})
    if isinstance(metric, F1Spec):
        # It decides at the threshold, not above it.
        decided = (predictions >= metric.threshold).astype(np.float64)
        arguments, predictions = {"average": "micro", "threshold": 0.5}, decided
    if isinstance(metric, PlainMetricSpec) and kind == "accuracy" and compiled:
        kind = accuracy_kind(targets, predictions)
    return metric_value(kind, targets, predictions, sample_weight=weight, arguments=arguments)


def accuracy_kind(targets: Any, predictions: Any) -> str:
    """Return which accuracy `compile` chooses for "accuracy", by the shapes."""
    if predictions.shape[-1] == 1:
        return "binary_accuracy"
    sparse = targets.ndim < predictions.ndim or targets.shape[-1] == 1
    return "sparse_categorical_accuracy" if sparse else "categorical_accuracy"


def key_of(metric: AnyMetric) -> str:
    """Return the key under which a metric is reported."""
    return metric.name or ("" if isinstance(metric, ImportedMetricSpec) else metric.kind)


def named(name: str, value: float | Float64) -> Iterator[tuple[str, float]]:
    """Yield a number under its name, or several with their index behind it."""
    if np.ndim(value) == 0:
        yield name, float(value)
    else:
        for index, part in enumerate(np.ravel(value)):
            yield f"{name}[{index}]", float(part)


def _names(logs: Mapping[str, float]) -> str:
    return ", ".join(sorted(logs)) or "nothing"


def _real(values: Any) -> Any:
    return values.astype(np.float64) if values.dtype.kind == "f" else values
