"""The full reference: a whole run of the built-in MLP, predicted from its data.

Nothing is taken from the trace but what training started from: the examples, the first weights,
and the order in which the examples came. Losses, weights, learning rates and epoch logs follow.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation
from harness.invariants.readings import is_scripted
from harness.invariants.replay import Snapshot, after_training, own_name, rule_of, start
from harness.invariants.schedules import rate_reader
from harness.oracles.arrays import Float64
from harness.oracles.dense import (
    DenseLayer,
    loss_and_gradients,
    parameters_of,
    with_parameters,
)
from harness.oracles.losses import LOSSES
from harness.oracles.update import apply_gradients
from harness.spec.callbacks import SwapEMAWeightsSpec
from harness.spec.losses import ImportedLossSpec
from harness.spec.model import MLPSpec
from harness.spec.training import FitSpec
from harness.trace.mismatch import Mismatch
from harness.trace.recording import Recording
from harness.trace.state import StateTable

RECORDS = Recording.of("gradients", "state", "samples", "examples")
"""What a full reference needs; of the gradients only the order of the variables."""

REASON = Reason(
    check="matches_oracle.full",
    why="The run is the one that its data, its first weights and its documentation lead to "
    "[004; Keras, Dense, losses, optimizers, Model.fit]",
)


class Network(NamedTuple):
    """The layers of an MLP with their variables.

    Attributes:
        layers: Layers with the weights they have now.
        paths: Path of each weight, in the order of `parameters_of`.
        trained: Position among the trainable variables of each weight, None for a frozen one.
    """

    layers: tuple[DenseLayer, ...]
    paths: tuple[str, ...]
    trained: tuple[int | None, ...]

    def at(self, parameters: tuple[Float64, ...]) -> tuple[DenseLayer, ...]:
        """Return the layers with other trainable weights."""
        current = parameters_of(self.layers)
        chosen = [
            current[index] if position is None else parameters[position]
            for index, position in enumerate(self.trained)
        ]
        return with_parameters(self.layers, chosen)


class PredictedStep(NamedTuple):
    """One step as it should have been: the loss of its batch, and everything after its update."""

    loss: float
    after: Snapshot


@np.errstate(all="ignore")
def check_reference(view: View, reason: Reason = REASON) -> tuple[Violation, ...]:
    """Return the first loss, weight, final weight or logged loss that is not the predicted one.

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
        ) or _weights(view, found.after, step)
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
        predicted.append(found)
    rule = rule_of(view)
    last = predicted[-1].after if predicted else start(view, rule)
    mismatch = _logged(view, network, predicted) or after_training(view, rule, last)
    return () if mismatch is None else (view.numeric(reason, mismatch),)


def predicted_steps(view: View, network: Network) -> Iterator[PredictedStep]:
    """Yield loss and state of each step, from the first weights and the order of the examples.

    Raises:
        NothingToJudge: An example of a batch is not known.
    """
    if any(index < 0 for batch in view.samples for index in batch):
        message = "examples must be identified for a run to be predicted, got an unknown one."
        raise NothingToJudge(message)
    rule, rate = rule_of(view), rate_reader(view)
    inputs = view.examples.inputs.astype(np.float64)
    targets = shaped(view.examples.targets.astype(np.float64), network)
    kind, arguments = loss_of(view)
    weight = example_weights(view)
    snapshot = start(view, rule)
    for step, batch in enumerate(view.samples):
        index = np.array(batch, dtype=np.int64)
        found = loss_and_gradients(
            network.at(snapshot.parameters),
            inputs[index],
            targets[index],
            kind,
            sample_weight=None if weight is None else weight[index],
            **arguments,
        )
        gradients = dict(zip(network.trained, found.gradients, strict=True))
        result = apply_gradients(
            rule,
            snapshot.state,
            snapshot.parameters,
            [gradients[position] for position in range(len(snapshot.parameters))],
            learning_rate=rate(step, snapshot.state.updates),
        )
        snapshot = Snapshot(result.parameters, result.state)
        yield PredictedStep(found.loss, snapshot)


def network_of(view: View, *, trained: bool = False) -> Network:
    """Return the layers of the built-in MLP with its first weights, or with those it ended with.

    A trained network only predicts, so that dropout does not matter to it.

    Raises:
        NothingToJudge: The model is another one, or not deterministic, or its variables are not
            those of dense layers in turn.
    """
    model = view.pipeline.model
    if not isinstance(model, MLPSpec) or _unpredictable(model, trained=trained):
        message = (
            "model must be an mlp without batch_norm, dropout and activity_l2 to be predicted, "
            f"got {model!r}. Use the replay instead."
        )
        raise NothingToJudge(message)
    state = view.state
    names = ("kernel", "bias") if model.use_bias else ("kernel",)
    paths = _weight_paths(state, model, names)
    read = state.final_of if trained else state.initial_of
    values = {path: read(path) for path in paths}
    layers = []
    for number in range(len(model.units)):
        own = paths[number * len(names) : (number + 1) * len(names)]
        last = number == len(model.units) - 1
        layers.append(
            DenseLayer(
                values[own[0]],
                values[own[1]] if model.use_bias else None,
                model.output_activation if last else model.activation,
                model.kernel_l2,
            )
        )
    table = view.trace.gradients
    order = [] if table is None else [variable.path for variable in table.variables]
    positions = tuple(order.index(path) if path in order else None for path in paths)
    return Network(tuple(layers), paths, positions)


def _unpredictable(model: MLPSpec, *, trained: bool) -> bool:
    penalised = bool(model.activity_l2)
    return model.batch_norm or penalised or (bool(model.dropout) and not trained)


def _weight_paths(state: StateTable, model: MLPSpec, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths of all weights, layer by layer.

    Keras lists trainable weights before the others, each in the order of the layers.
    """
    free, frozen = (
        iter([path for path in state.paths(role) if own_name(path) in names])
        for role in ("trainable", "non_trainable")
    )
    paths = tuple(
        path
        for number in range(len(model.units))
        for path in itertools.islice(frozen if number in model.frozen else free, len(names))
    )
    if len(paths) != len(names) * len(model.units):
        message = f"the mlp must have {len(names) * len(model.units)} weights, got {paths!r}."
        raise NothingToJudge(message)
    return paths


def loss_of(view: View) -> tuple[str, dict[str, Any]]:
    """Return name and arguments of the loss, in the words of the oracle.

    Raises:
        NothingToJudge: The oracle does not know this loss, or not with these arguments.
    """
    loss = view.pipeline.loss
    given = {} if isinstance(loss, ImportedLossSpec) else loss.model_dump(exclude={"kind"})
    known = not isinstance(loss, ImportedLossSpec) and loss.kind in LOSSES
    if not known or given.pop("axis", -1) != -1 or given.pop("ignore_class", None) is not None:
        message = f"loss must be one that an oracle knows to be predicted, got {loss!r}."
        raise NothingToJudge(message)
    if "under_weight" in given:
        given["penalty"] = given.pop("under_weight")
    return loss.kind, given


def example_weights(view: View) -> Float64 | None:
    """Return the weight of each training example: its own, or that of its class.

    Keras takes the larger of a target's columns for its class where the targets are one-hot.
    """
    examples, training = view.examples, view.pipeline.training
    weights = examples.sample_weight
    if not isinstance(training, FitSpec) or training.class_weight is None:
        return None if weights is None else weights.astype(np.float64)
    targets = examples.targets
    wide = targets.ndim > 1 and targets.shape[-1] > 1
    classes = targets.argmax(axis=-1) if wide else targets.reshape(len(targets)).astype(np.int64)
    return np.array([training.class_weight[int(index)] for index in classes], dtype=np.float64)


def shaped(targets: Float64, network: Network) -> Float64:
    """Return targets of shape (batch,) as a column, where the network has one output."""
    outputs = network.layers[-1].kernel.shape[1]
    return targets[:, np.newaxis] if targets.ndim == 1 and outputs == 1 else targets


def _weights(view: View, after: Snapshot, step: int) -> Mismatch | None:
    for item, value in zip(view.gradients.variables, after.parameters, strict=True):
        mismatch = view.differs(
            view.state.after_of(item.path)[step],
            value,
            quantity="weights",
            where=item.path,
            step=step,
            phase="after",
        )
        if mismatch is not None:
            return mismatch
    return None


def _logged(view: View, network: Network, predicted: list[PredictedStep]) -> Mismatch | None:
    """Return the first logged loss, of training or validation, that is not the predicted one."""
    sizes = np.array([len(batch) for batch in view.samples], dtype=np.float64)
    losses = np.array([step.loss for step in predicted])
    for record in view.trace.epochs:
        total = float(sizes[record.rows].sum())
        if not total:
            continue
        wanted = {"loss": float((losses[record.rows] * sizes[record.rows]).sum()) / total}
        layers = network.at(predicted[record.stop_step - 1].after.parameters)
        wanted |= _validation_loss(view, network, layers)
        for key, expected in wanted.items():
            if key not in record.logs or is_scripted(view, key):
                continue
            mismatch = view.differs(
                record.logs[key], expected, quantity="logs", where=key, epoch=record.epoch
            )
            if mismatch is not None:
                return mismatch
    return None


def _validation_loss(
    view: View, network: Network, layers: tuple[DenseLayer, ...]
) -> dict[str, float]:
    """Return the validation loss of an epoch, or nothing where it can't be predicted.

    That is where held-out examples are weighted, where batches are summed, or where the weights
    are swapped for the evaluation.
    """
    validation, examples = view.pipeline.validation, view.examples
    swapped = any(isinstance(item, SwapEMAWeightsSpec) for item in view.pipeline.callbacks)
    inputs, targets = examples.validation_inputs, examples.validation_targets
    if validation is None or inputs is None or targets is None:
        return {}
    kind, arguments = loss_of(view)
    if swapped or examples.sample_weight is not None or not is_mean(arguments["reduction"]):
        return {}
    size = validation.batch_size or view.pipeline.data.batch_size
    count = (
        len(inputs) if validation.validation_steps is None else validation.validation_steps * size
    )
    found = loss_and_gradients(
        layers,
        inputs[:count].astype(np.float64),
        shaped(targets[:count].astype(np.float64), network),
        kind,
        **arguments,
    )
    return {"val_loss": found.loss}


def is_mean(reduction: str) -> bool:
    """Say whether a reduction divides by the number of examples."""
    return reduction in {"sum_over_batch_size", "mean"}
