"""A whole training run of a dense model, predicted from data, batches and start values alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.oracles.arrays import Float64, Int64, as_float32, frozen
from harness.oracles.dense import DenseLayer, loss_and_gradients, parameters_of, with_parameters
from harness.oracles.update import (
    OptimizerState,
    UpdateRule,
    apply_gradients,
    finalized_parameters,
    initial_state,
)

LearningRate = Callable[[int, int], float]
"""Learning rate from the optimizer's raw counter before the step and the epoch index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRun:
    """What a run should have been; arrays are read-only, with n steps and P parameter elements.

    Attributes:
        losses: Loss of each batch before its update, shape (n,).
        learning_rates: Learning rate of each step, shape (n,).
        gradients: Raw gradient of each step, all parameters flattened in order, shape (n, P).
        parameters: Parameters after each step, flattened alike, shape (n, P).
        updated: Whether each step changed the weights, shape (n,), 1 or 0.
        epoch_losses: Mean batch loss of each epoch, weighted by batch size; NaN for an empty one.
        final_parameters: Parameters `fit` leaves behind, one array per variable.
        state: Optimizer state after the last step.
    """

    losses: Float64
    learning_rates: Float64
    gradients: Float64
    parameters: Float64
    updated: Float64
    epoch_losses: tuple[float, ...]
    final_parameters: tuple[Float64, ...]
    state: OptimizerState


def predict_run(
    layers: Sequence[DenseLayer],
    x: Float64,
    y: Float64 | Int64,
    *,
    batches: Sequence[Sequence[Sequence[int] | Int64]],
    loss: str,
    rule: UpdateRule,
    learning_rate: LearningRate,
    sample_weight: Float64 | None = None,
    loss_arguments: Mapping[str, float | bool] | None = None,
    initial_epoch: int = 0,
) -> ReferenceRun:
    """Return the run that this model, this data and this rule must produce.

    Args:
        layers: Dense layers with their start values; with ``rule.float32_constants`` their `l2` is
            rounded to float32, as Keras does.
        x: Inputs, shape (examples, inputs).
        y: Targets, shape (examples, outputs), or class indices for the sparse loss.
        batches: Per epoch the batches, each the indices of its examples in order.
        loss: Name of the loss, such as "mean_squared_error"; the batch loss is its mean.
        rule: How gradients become new weights.
        learning_rate: Learning rate from optimizer counter and epoch.
        sample_weight: Weight per example, shape (examples,).
        loss_arguments: Arguments of the loss under Keras' names.
        initial_epoch: Index of the first epoch.

    Raises:
        ArgumentError: The loss is unknown.
        ShapeError: The arrays don't fit together.
    """
    if rule.float32_constants:
        layers = tuple(layer._replace(l2=as_float32(layer.l2)) for layer in layers)
    weights = parameters_of(layers)
    state = initial_state(rule, weights)
    rows: list[tuple[float, float, Float64, Float64, float]] = []
    epoch_losses: list[float] = []
    for epoch, epoch_batches in enumerate(batches, start=initial_epoch):
        total, seen = 0.0, 0
        for batch in epoch_batches:
            index = np.asarray(batch, dtype=np.int64)
            step = loss_and_gradients(
                with_parameters(layers, weights),
                x[index],
                y[index],
                loss,
                sample_weight=None if sample_weight is None else sample_weight[index],
                reduction="sum_over_batch_size",
                **(loss_arguments or {}),
            )
            rate = learning_rate(state.iterations, epoch)
            result = apply_gradients(rule, state, weights, step.gradients, learning_rate=rate)
            weights, state = result.parameters, result.state
            rows.append(
                (step.loss, rate, flat(step.gradients), flat(weights), float(result.updated))
            )
            total, seen = total + step.loss * len(index), seen + len(index)
        epoch_losses.append(total / seen if seen else float("nan"))
    size = flat(weights).size
    return ReferenceRun(
        losses=frozen([row[0] for row in rows]),
        learning_rates=frozen([row[1] for row in rows]),
        gradients=frozen(np.array([row[2] for row in rows]).reshape(-1, size)),
        parameters=frozen(np.array([row[3] for row in rows]).reshape(-1, size)),
        updated=frozen([row[4] for row in rows]),
        epoch_losses=tuple(epoch_losses),
        final_parameters=finalized_parameters(rule, state, weights),
        state=state,
    )


def flat(arrays: Sequence[Float64]) -> Float64:
    """Return all elements of all arrays in order, shape (elements,)."""
    return np.concatenate([np.ravel(array) for array in arrays])
