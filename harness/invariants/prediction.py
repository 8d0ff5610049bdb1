"""The full reference: a whole run of the built-in MLP against its prediction.

Losses, learning rates, every variable after every step, and the logs of every epoch follow from the
examples, the first weights and the order in which the examples came.
"""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation
from harness.invariants.metrics import key_of, metric_over, named
from harness.invariants.readings import is_scripted
from harness.invariants.reference import (
    Network,
    example_weights,
    loss_of,
    network_of,
    predicted_steps,
    shaped,
)
from harness.invariants.replay import (
    Snapshot,
    after_training,
    compare_values,
    expected_values,
    rule_of,
    start,
)
from harness.oracles.arrays import Float64
from harness.oracles.dense import DenseLayer, loss_and_gradients
from harness.oracles.reference import PredictedStep
from harness.spec.callbacks import SwapEMAWeightsSpec
from harness.spec.metrics import ImportedMetricSpec
from harness.trace.epochs import EpochRecord
from harness.trace.mismatch import Mismatch
from harness.trace.recording import Recording

RECORDS = Recording.of("gradients", "state", "samples", "examples")
"""What a full reference needs; of the gradients only the order of the variables."""

REASON = Reason(
    check="matches_oracle.full",
    why="The run is the one that its data, its first weights and its documentation lead to "
    "[004; Keras, Dense, losses, optimizers, Model.fit]",
)


@np.errstate(all="ignore")
def check_reference(view: View, reason: Reason = REASON) -> tuple[Violation, ...]:
    """Return the first loss, variable or logged number that is not the predicted one.

    Where a loss is predicted to overflow, and does, the prediction ends: which of infinity and NaN
    comes out depends on the order of additions.

    Raises:
        NothingToJudge: The run is none that can be predicted: another model, batch normalisation,
            dropout, the user's own code, or unknown examples.
    """
    network = network_of(view)
    losses = view.trace.steps.column("loss")
    predicted: list[PredictedStep] = []
    for step, found in enumerate(predicted_steps(view, network)):
        if not (np.isfinite(found.loss) or np.isfinite(losses[step])):
            return ()
        mismatch = view.differs(
            float(losses[step]), found.loss, quantity="losses", where="loss", step=step
        ) or _variables(view, found, step)
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
        predicted.append(found)
    rule = rule_of(view)
    last = start(view, rule)
    if predicted:
        last = Snapshot(predicted[-1].parameters, predicted[-1].state)
    mismatch = _logged(view, network, predicted) or after_training(view, rule, last)
    return () if mismatch is None else (view.numeric(reason, mismatch),)


def _variables(view: View, found: PredictedStep, step: int) -> Mismatch | None:
    """Return the first weight, slot, average or count that is not the predicted one."""
    wanted = expected_values(view, rule_of(view), Snapshot(found.parameters, found.state))
    return compare_values(view, view.state.after[step], wanted, step, "after")


def _logged(view: View, network: Network, predicted: list[PredictedStep]) -> Mismatch | None:
    """Return the first number in the logs of an epoch that is not the predicted one."""
    for record in view.trace.epochs:
        if not record.steps:
            continue
        layers = network.at(predicted[record.stop_step - 1].parameters)
        wanted = {**_trained(view, network, predicted, record), **_validated(view, network, layers)}
        for key, expected in wanted.items():
            if key not in record.logs or is_scripted(view, key):
                continue
            mismatch = view.differs(
                record.logs[key], expected, quantity="logs", where=key, epoch=record.epoch
            )
            if mismatch is not None:
                return mismatch
    return None


def _trained(
    view: View, network: Network, predicted: list[PredictedStep], record: EpochRecord
) -> dict[str, float]:
    """Return loss and metrics of an epoch: each batch with the weights that it met."""
    batches = [np.array(batch, np.int64) for batch in view.samples[record.rows]]
    steps = predicted[record.rows]
    sizes = np.array([len(batch) for batch in batches], dtype=np.float64)
    loss = float((np.array([step.loss for step in steps]) * sizes).sum() / sizes.sum())
    index = np.concatenate(batches)
    weight = example_weights(view)
    return {
        "loss": loss,
        **dict(
            _metrics(
                view,
                shaped(view.examples.targets.astype(np.float64), network)[index],
                np.concatenate([step.predictions for step in steps]),
                None if weight is None else weight[index],
            )
        ),
    }


def _validated(view: View, network: Network, layers: tuple[DenseLayer, ...]) -> dict[str, float]:
    """Return what validation reports at the end of an epoch, nothing where it can't be predicted.

    That is where the weights are swapped for the evaluation. Weights of classes are for training
    only, those of held-out examples count.
    """
    validation, examples = view.pipeline.validation, view.examples
    swapped = any(isinstance(item, SwapEMAWeightsSpec) for item in view.pipeline.callbacks)
    inputs, targets = examples.validation_inputs, examples.validation_targets
    if validation is None or inputs is None or targets is None:
        return {}
    if swapped:
        return {}
    kind, arguments = loss_of(view)
    size = validation.batch_size or view.pipeline.data.batch_size
    steps = validation.validation_steps
    count = len(inputs) if steps is None else min(steps * size, len(inputs))
    inputs, targets = inputs.astype(np.float64), shaped(targets.astype(np.float64), network)
    given = examples.validation_sample_weight
    weight = None if given is None else given.astype(np.float64)
    total = 0.0
    predictions = []
    for low in range(0, count, size):
        batch = slice(low, min(low + size, count))
        found = loss_and_gradients(
            layers,
            inputs[batch],
            targets[batch],
            kind,
            sample_weight=None if weight is None else weight[batch],
            **arguments,
        )
        total += found.loss * (batch.stop - batch.start)
        predictions.append(found.predictions)
    held_out = None if weight is None else weight[:count]
    measured = _metrics(view, targets[:count], np.concatenate(predictions), held_out)
    return {"val_loss": total / count, **{f"val_{name}": value for name, value in measured}}


def _metrics(
    view: View, targets: Float64, predictions: Float64, weight: Float64 | None
) -> Iterator[tuple[str, float]]:
    """Yield name and value of each metric that an oracle knows."""
    for metric in view.pipeline.metrics:
        if isinstance(metric, ImportedMetricSpec):
            continue
        given = weight if metric.weighted else None
        with suppress(NothingToJudge):
            value = metric_over(metric, targets, predictions, given, compiled=True)
            yield from named(key_of(metric), value)
