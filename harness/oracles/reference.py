"""A whole training run of a dense model, predicted from data, batches and start values alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from harness.oracles.arrays import Float64, Int64, frozen
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


class PredictedStep(NamedTuple):
    """One step as it should have been.

    Attributes:
        loss: Loss of its batch before the update, regularisation included.
        predictions: Predictions for its batch before the update, shape (batch, outputs).
        learning_rate: Learning rate it uses.
        gradients: One raw gradient per trained parameter.
        parameters: Trained parameters after it.
        state: Optimizer state after it.
        updated: Whether it changed the weights.
    """

    loss: float
    predictions: Float64
    learning_rate: float
    gradients: tuple[Float64, ...]
    parameters: tuple[Float64, ...]
    state: OptimizerState
    updated: bool


def predict_steps(
    layers_at: Callable[[tuple[Float64, ...]], Sequence[DenseLayer]],
    parameters: tuple[Float64, ...],
    state: OptimizerState,
    x: Float64,
    y: Float64 | Int64,
    *,
    batches: Iterable[Sequence[int] | Int64],
    loss: str,
    rule: UpdateRule,
    learning_rate: Callable[[int, int], float],
    trained: Sequence[int | None],
    sample_weight: Float64 | None = None,
    loss_arguments: Mapping[str, Any] | None = None,
) -> Iterator[PredictedStep]:
    """Yield what each batch must lead to: the one loop behind every prediction.

    Args:
        layers_at: Layers with given trained parameters.
        parameters: Trained parameters before the first step.
        state: Optimizer state before the first step.
        x: Inputs, shape (examples, inputs).
        y: Targets, shape (examples, outputs), or class indices for the sparse loss.
        batches: Indices of the examples of each batch, in order.
        loss: Name of the loss; the batch loss is its mean unless the arguments say otherwise.
        rule: How gradients become new weights.
        learning_rate: Learning rate from the index of the step and the updates before it.
        trained: Per parameter of the layers its position among the trained ones, None if frozen.
        sample_weight: Weight per example, shape (examples,).
        loss_arguments: Arguments of the loss under Keras' names.
    """
    for step, batch in enumerate(batches):
        index = np.asarray(batch, dtype=np.int64)
        found = loss_and_gradients(
            layers_at(parameters),
            x[index],
            y[index],
            loss,
            sample_weight=None if sample_weight is None else sample_weight[index],
            **(loss_arguments or {}),
        )
        by_place = dict(zip(trained, found.gradients, strict=True))
        gradients = tuple(by_place[position] for position in range(len(parameters)))
        rate = learning_rate(step, state.updates)
        result = apply_gradients(rule, state, parameters, gradients, learning_rate=rate)
        parameters, state = result.parameters, result.state
        yield PredictedStep(
            found.loss, found.predictions, rate, gradients, parameters, state, result.updated
        )


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
        layers: Dense layers with their start values; with ``rule.float32_constants`` the factors of
            penalties are rounded to float32, as Keras does.
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
        layers = tuple(layer._replace(penalty=layer.penalty.rounded()) for layer in layers)
    weights = parameters_of(layers)
    state = initial_state(rule, weights)
    flattened = [batch for epoch in batches for batch in epoch]
    epochs = [epoch for epoch, part in enumerate(batches, start=initial_epoch) for _ in part]
    counted = [state.iterations]

    def rate(step: int, _updates: int) -> float:
        return learning_rate(counted[-1], epochs[step])

    steps = []
    for step in predict_steps(
        lambda parameters: with_parameters(layers, parameters),
        weights,
        state,
        x,
        y,
        batches=flattened,
        loss=loss,
        rule=rule,
        learning_rate=rate,
        trained=range(len(weights)),
        sample_weight=sample_weight,
        loss_arguments=loss_arguments,
    ):
        steps.append(step)
        counted.append(step.state.iterations)
    if steps:
        weights, state = steps[-1].parameters, steps[-1].state
    epoch_losses = []
    rest = iter(steps)
    for part in batches:
        sizes = [len(batch) for batch in part]
        total = sum(size * next(rest).loss for size in sizes)
        epoch_losses.append(total / sum(sizes) if sizes else float("nan"))
    size = flat(weights).size
    return ReferenceRun(
        losses=frozen([step.loss for step in steps]),
        learning_rates=frozen([step.learning_rate for step in steps]),
        gradients=frozen(np.array([flat(step.gradients) for step in steps]).reshape(-1, size)),
        parameters=frozen(np.array([flat(step.parameters) for step in steps]).reshape(-1, size)),
        updated=frozen([float(step.updated) for step in steps]),
        epoch_losses=tuple(epoch_losses),
        final_parameters=finalized_parameters(rule, state, weights),
        state=state,
    )


def flat(arrays: Sequence[Float64]) -> Float64:
    """Return all elements of all arrays in order, shape (elements,)."""
    return np.concatenate([np.ravel(array) for array in arrays])
