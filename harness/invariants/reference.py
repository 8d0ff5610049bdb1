"""From specification and trace to what the oracle predicts a whole run of the built-in MLP from.

Nothing is taken from the trace but what training started from: the examples, the first weights,
and the order in which the examples came.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from harness.invariants.base import NothingToJudge, View
from harness.invariants.normalization import norm_of
from harness.invariants.replay import own_name, rule_of, start
from harness.invariants.schedules import rate_reader
from harness.oracles.arrays import Float64
from harness.oracles.dense import DenseLayer, parameters_of, with_parameters
from harness.oracles.losses import LOSSES
from harness.oracles.normalization import folded
from harness.oracles.penalties import Penalty
from harness.oracles.reference import PredictedStep, predict_steps
from harness.spec.constraints import OrthogonalSpec
from harness.spec.losses import ImportedLossSpec
from harness.spec.model import MLPSpec
from harness.spec.training import FitSpec, TrainOnBatchSpec, given_class_weights
from harness.trace.state import StateTable


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


def predicted_steps(view: View, network: Network) -> Iterator[PredictedStep]:
    """Yield each step as it should have been, from the first weights and the order of examples.

    Raises:
        NothingToJudge: An example of a batch is not known.
    """
    if any(index < 0 for batch in view.samples for index in batch):
        message = "examples must be identified for a run to be predicted, got an unknown one."
        raise NothingToJudge(message)
    rule = rule_of(view)
    first = start(view, rule)
    kind, arguments = loss_of(view)
    return predict_steps(
        network.at,
        first.parameters,
        first.state,
        view.examples.inputs.astype(np.float64),
        shaped(view.examples.targets.astype(np.float64), network),
        batches=view.samples,
        loss=kind,
        rule=rule,
        learning_rate=rate_reader(view),
        trained=network.trained,
        sample_weight=example_weights(view),
        loss_arguments=arguments,
    )


def network_of(view: View, *, trained: bool = False) -> Network:
    """Return the layers of the built-in MLP with its first weights, or with those it ended with.

    A trained network only predicts, so that dropout and penalties on activations do not matter to
    it, and a normalisation is part of the layer after it.

    Raises:
        NothingToJudge: The model is another one, or not deterministic, or its variables are not
            those of dense layers in turn.
    """
    model = view.pipeline.model
    if not isinstance(model, MLPSpec) or _unpredictable(model, trained=trained):
        message = (
            "model must be an mlp without batch_norm, dropout, activity_l2 and layers between to "
            f"be predicted, got {model!r}. Use the replay instead."
        )
        raise NothingToJudge(message)
    state = view.state
    names = ("kernel", "bias") if model.use_bias else ("kernel",)
    paths = _weight_paths(state, model, names)
    read = state.final_of if trained else state.initial_of
    values = {path: read(path) for path in paths}
    still = {*model.frozen, *model.frozen_after_compile}
    layers = []
    for number in range(len(model.units)):
        own = paths[number * len(names) : (number + 1) * len(names)]
        last = number == len(model.units) - 1
        layers.append(
            DenseLayer(
                values[own[0]],
                values[own[1]] if model.use_bias else None,
                model.output_activation if last else model.activation,
                # Keras penalises what is trained: a constant would change nothing but the log.
                Penalty() if number in still else penalty_on_kernels(model),
            )
        )
    if model.batch_norm:
        for number in range(1, len(layers)):
            layers[number] = folded(norm_of(state, number - 1), layers[number])
    table = view.trace.gradients
    order = [] if table is None else [variable.path for variable in table.variables]
    positions = tuple(order.index(path) if path in order else None for path in paths)
    return Network(tuple(layers), paths, positions)


def penalty_on_kernels(model: MLPSpec) -> Penalty:
    """Return what the kernels of a dense model cost, in the words of the oracle."""
    given = model.kernel_penalty
    if given is None:
        return Penalty()
    if isinstance(given, OrthogonalSpec):
        return Penalty(orthogonal=given.factor, mode=given.mode)
    return Penalty(**given.model_dump(exclude={"kind"}))


def _unpredictable(model: MLPSpec, *, trained: bool) -> bool:
    if model.between:
        return True
    if trained:
        return model.batch_norm and model.kernel_penalty is not None
    return model.batch_norm or bool(model.dropout or model.activity_l2)


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
    """Return name and arguments of the loss, in the words of the oracle, and what weighs it.

    Raises:
        NothingToJudge: The oracle does not know this loss, or not with these arguments.
    """
    loss = view.pipeline.loss
    own = isinstance(loss, ImportedLossSpec)
    given = {} if own else loss.model_dump(exclude={"kind", "dtype", "built_by"})
    known = not isinstance(loss, ImportedLossSpec) and loss.kind in LOSSES
    if (
        not known
        or given.pop("axis", -1) not in (-1, None)
        or given.pop("ignore_class", None) is not None
    ):
        message = f"loss must be one that an oracle knows to be predicted, got {loss!r}."
        raise NothingToJudge(message)
    if "under_weight" in given:
        given["penalty"] = given.pop("under_weight")
    if view.pipeline.compile.loss_weights is not None:
        given["loss_weight"] = view.pipeline.compile.loss_weights[0]
    return loss.kind, given


def example_weights(view: View) -> Float64 | None:
    """Return the weight of each training example: its own, or that of its class.

    Keras takes the larger of a target's columns for its class where the targets are one-hot. A
    class that was given no weight weighs 1.
    """
    examples, training = view.examples, view.pipeline.training
    weights = examples.sample_weight
    of_class = None
    if isinstance(training, FitSpec | TrainOnBatchSpec):
        of_class = given_class_weights(training)
    if of_class is None:
        return None if weights is None else weights.astype(np.float64)
    targets = examples.targets
    wide = targets.ndim > 1 and targets.shape[-1] > 1
    classes = targets.argmax(axis=-1) if wide else targets.reshape(len(targets)).astype(np.int64)
    return np.array([of_class.get(int(index), 1.0) for index in classes], dtype=np.float64)


def shaped(targets: Float64, network: Network) -> Float64:
    """Return targets of shape (batch,) as a column, where the network has one output."""
    outputs = network.layers[-1].kernel.shape[1]
    return targets[:, np.newaxis] if targets.ndim == 1 and outputs == 1 else targets


def is_mean(reduction: str) -> bool:
    """Say whether a reduction divides by the number of examples."""
    return reduction in {"sum_over_batch_size", "mean"}
