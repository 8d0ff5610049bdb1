"""A model that does not learn: every log of every epoch is known from its data beforehand."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.metrics import key_of, metric_over, named
from harness.invariants.reference import Network, example_weights, is_mean, network_of, shaped
from harness.invariants.scores import loss_arguments
from harness.oracles.arrays import Float64
from harness.oracles.dense import forward
from harness.oracles.losses_values import loss_total, unreduced
from harness.oracles.penalties import penalty_of
from harness.spec.metrics import ImportedMetricSpec
from harness.spec.model import MLPSpec
from harness.spec.training import FitSpec, TrainOnBatchSpec
from harness.trace.recording import Recording


@invariant(
    "frozen_logs_match_oracle",
    records=Recording.of("state", "examples"),
    source="Keras, Model.fit, History; 004, metrics",
)
def frozen_logs_match_oracle(view: View, reason: Reason) -> tuple[Violation, ...]:
    """With learning rate 0 every log of every epoch is that of the first weights over all samples.

    Loss with weights and penalties, metrics and weighted metrics, of training and validation. The
    user's own metrics are left out.

    Raises:
        NothingToJudge: The model learns, an epoch is not one pass over the data, or something in
            it can't be recomputed.
    """
    _require_frozen(view)
    network = network_of(view, trained=True)
    expected = dict(_training(view, network))
    validation = dict(_validation(view, network))
    for record in view.trace.epochs:
        wanted = expected | (
            validation if any(key.startswith("val_") for key in record.logs) else {}
        )
        for name, value in wanted.items():
            if name not in record.logs:
                return (
                    view.violation(
                        reason,
                        f"epoch {record.epoch} does not report {name}",
                        got=", ".join(sorted(record.logs)) or "nothing",
                        expected=name,
                        epoch=record.epoch,
                        where=name,
                    ),
                )
            mismatch = view.differs(
                record.logs[name], value, quantity="logs", where=name, epoch=record.epoch
            )
            if mismatch is not None:
                return (view.numeric(reason, mismatch),)
    return ()


def _require_frozen(view: View) -> None:
    training, data = view.pipeline.training, view.pipeline.data
    rate, model = getattr(view.pipeline.optimizer, "learning_rate", None), view.pipeline.model
    whole = data.repeat == 1 and (
        isinstance(training, FitSpec | TrainOnBatchSpec)
        and training.steps_per_epoch is None
        and getattr(training, "max_steps", None) is None
    )
    if rate != 0.0 or not whole:
        message = (
            "training must be fit or train_on_batch over whole passes with learning rate 0 to be "
            "judged frozen, "
            f"got learning rate {rate!r} and {training!r}."
        )
        raise NothingToJudge(message)
    if isinstance(model, MLPSpec) and (model.batch_norm or model.dropout):
        message = f"model must train as it predicts to be judged frozen, got {model!r}."
        raise NothingToJudge(message)


def _training(view: View, network: Network) -> Iterator[tuple[str, float]]:
    examples, data = view.examples, view.pipeline.data
    count = len(examples)
    if data.drop_remainder:
        count -= count % data.batch_size
    weight = example_weights(view)
    yield from _expected(
        view,
        network,
        examples.inputs[:count],
        examples.targets[:count],
        None if weight is None else weight[:count],
    )


def _validation(view: View, network: Network) -> Iterator[tuple[str, float]]:
    """Yield nothing where held-out examples have weights, which the trace does not keep."""
    examples, validation = view.examples, view.pipeline.validation
    inputs, targets = examples.validation_inputs, examples.validation_targets
    if validation is None or inputs is None or targets is None:
        return
    if examples.sample_weight is not None:
        return
    size = validation.batch_size or view.pipeline.data.batch_size
    count = len(inputs) - (len(inputs) % size if validation.drop_remainder else 0)
    if validation.validation_steps is not None:
        count = min(count, validation.validation_steps * size)
    for name, value in _expected(view, network, inputs[:count], targets[:count], None):
        yield f"val_{name}", value


def _expected(
    view: View, network: Network, inputs: Any, targets: Any, weight: Float64 | None
) -> Iterator[tuple[str, float]]:
    kind, arguments, reduction = loss_arguments(view)
    if not is_mean(reduction):
        message = f"loss must be a mean over examples, got reduction {reduction!r}."
        raise NothingToJudge(message)
    outputs = forward(network.layers, inputs.astype(np.float64))
    wanted = targets.astype(np.float64) if targets.dtype.kind == "f" else targets
    wanted = shaped(wanted, network)
    found = unreduced(kind, wanted, outputs[-1], arguments)
    values, factors = loss_total(found, reduction=reduction, sample_weight=weight)
    penalty = sum(penalty_of(layer.penalty, layer.kernel) for layer in network.layers)
    model = view.pipeline.model
    if isinstance(model, MLPSpec) and model.activity_l2:
        activity = sum(float(np.sum(output**2)) for output in outputs[1:])
        penalty += model.activity_l2 * activity / len(inputs)
    yield "loss", float(np.sum(values * factors)) + penalty
    for metric in view.pipeline.metrics:
        if isinstance(metric, ImportedMetricSpec):
            continue
        given = weight if metric.weighted else None
        yield from named(
            key_of(metric), metric_over(metric, wanted, outputs[-1], given, compiled=True)
        )
