"""Normalisations and noise between the layers of an MLP, against NumPy."""

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.normalization import goes_on, path_of
from harness.invariants.reference import loss_of
from harness.oracles.arrays import Float64
from harness.oracles.dense import DenseLayer, forward
from harness.oracles.losses import loss_and_gradient
from harness.oracles.normalization import (
    BatchNorm,
    moved,
    normalized_batch,
    normalized_groups,
    predicted_batch,
    unit_vectors,
)
from harness.spec.layers import (
    AnyLayer,
    BatchNormalizationSpec,
    GroupNormalizationSpec,
    ScaledSpec,
    UnitNormalizationSpec,
    adds_noise,
    drops_all,
)
from harness.spec.model import EmbeddingSpec, MLPSpec
from harness.trace.mismatch import Mismatch
from harness.trace.recording import Recording

__all__ = ["layers_match_oracle", "noise_never_repeats"]

Read = Callable[[str], Float64]


class _Passed(NamedTuple):
    """What became of a batch.

    Attributes:
        outputs: Of the last layer; None behind noise.
        remembered: Value of each moving statistic afterwards, by its path.
    """

    outputs: Float64 | None
    remembered: dict[str, Float64]


@invariant(
    "layers_match_oracle",
    records=Recording.of("state", "examples", "samples"),
    source="keras.layers, normalization layers; regularization layers act in training only",
)
def layers_match_oracle(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The layers between make of each batch, remember and predict what their formulas say.

    That is the loss of each step, every moving statistic after it, and the predictions after
    training. What noise has reached is left out, and so are steps before which a callback or an
    interruption may have written other values.

    Raises:
        NothingToJudge: The model is no mlp with layers between and nothing else that oracles do
            not know, or a batch holds an unknown example.
    """
    model = _judged(view)
    losses = view.trace.steps.column("loss")
    for step, batch in enumerate(view.samples):
        if not goes_on(view, step):
            continue
        rows = list(batch)
        passed = _pass(view, model, _in_step(view, step), rows, training=True)
        for path, wanted in passed.remembered.items():
            got = view.state.after_of(path)[step]
            mismatch = view.differs(got, wanted, quantity="state", where=path, step=step)
            if mismatch is not None:
                return (view.numeric(reason, mismatch),)
        if passed.outputs is not None:
            wanted_loss = _loss(view, passed.outputs, rows)
            mismatch = view.differs(
                float(losses[step]), wanted_loss, quantity="losses", where="loss", step=step
            )
            if mismatch is not None:
                return (view.numeric(reason, mismatch),)
    mismatch = _predicted(view, model)
    return () if mismatch is None else (view.numeric(reason, mismatch),)


@invariant(
    "noise_never_repeats",
    records=Recording.of("state"),
    source="keras.random.SeedGenerator: its state is updated each time a seed is drawn",
)
def noise_never_repeats(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Each step leaves the generator of each layer that adds noise in a state it never had before.

    Raises:
        NothingToJudge: The model has no layer that adds noise.
    """
    model = view.pipeline.model
    count = _noisy(model) if isinstance(model, MLPSpec | EmbeddingSpec) else 0
    state = view.state
    paths = state.paths("seed")
    if not count or len(paths) != count:
        message = (
            "model must be an mlp or embedding with layers that add noise, and a generator for "
            f"each, to be judged, got {len(paths)} generators in {model!r}."
        )
        raise NothingToJudge(message)
    for path in paths:
        seen = {tuple(np.ravel(state.initial_of(path)))}
        for step in range(len(state)):
            found = tuple(np.ravel(state.after_of(path)[step]))
            if found in seen:
                message = f"{path} is {found} after step {step}, as it was before"
                return (
                    view.violation(
                        reason, message, got=found, expected="another", step=step, where=path
                    ),
                )
            seen.add(found)
    return ()


def _judged(view: View) -> MLPSpec:
    model = view.pipeline.model
    known = isinstance(model, MLPSpec) and model.between and not (model.batch_norm or model.dropout)
    if (
        not isinstance(model, MLPSpec)
        or not known
        or model.kernel_penalty
        or model.activity_l2
        or view.pipeline.distribution
    ):
        message = (
            "model must be an mlp with layers between, without penalties, batch_norm and dropout, "
            f"on one device to be judged, got {model!r}."
        )
        raise NothingToJudge(message)
    if any(index < 0 for batch in view.samples for index in batch):
        message = "examples must be identified to be judged, got an unknown one."
        raise NothingToJudge(message)
    return model


def _noisy(model: MLPSpec | EmbeddingSpec) -> int:
    """Return how many layers add noise."""
    between = sum(adds_noise(layer) for layer in model.between)
    if isinstance(model, EmbeddingSpec):
        return between
    return (bool(model.dropout) + between) * (len(model.units) - 1)


def _in_step(view: View, step: int) -> Read:
    """Return a reader of what a step found: weights before it, statistics before its pass.

    What the trace has of statistics before a step was read in the middle of it.
    """
    state = view.state
    trained = set(state.paths("trainable"))

    def read(ending: str) -> Float64:
        path = path_of(state, ending)
        if path in trained:
            found: Float64 = state.before_of(path)[step]
        else:
            found = state.after_of(path)[step - 1] if step else state.initial_of(path)
        return found

    return read


def _pass(view: View, model: MLPSpec, read: Read, rows: list[int], *, training: bool) -> _Passed:
    x: Float64 = view.examples.inputs[rows].astype(np.float64)
    remembered: dict[str, Float64] = {}
    for number in range(len(model.units) - 1):
        x = _dense(model, read, number, x)
        for position, layer in enumerate(model.between):
            if training and adds_noise(layer):
                return _Passed(None, remembered)
            name = f"{layer.kind}_{number}_{position}"
            norm = _norm(layer, read, name, x.shape[1])
            if training and isinstance(layer, BatchNormalizationSpec) and layer.trainable:
                statistics = zip(_MOVING, moved(norm, x, layer.momentum), strict=True)
                for statistic, value in statistics:
                    remembered[path_of(view.state, f"{name}/{statistic}")] = value
            x = _applied(layer, norm, x, training=training)
    return _Passed(_dense(model, read, len(model.units) - 1, x), remembered)


def _dense(model: MLPSpec, read: Read, number: int, x: Float64) -> Float64:
    bias = read(f"dense_{number}/bias") if model.use_bias else None
    last = number == len(model.units) - 1
    activation = model.output_activation if last else model.activation
    return forward((DenseLayer(read(f"dense_{number}/kernel"), bias, activation),), x)[-1]


_MOVING = ("moving_mean", "moving_variance")


def _norm(layer: AnyLayer, read: Read, name: str, width: int) -> BatchNorm:
    """Return the variables of a layer; those that it lacks have no effect."""
    own = layer if isinstance(layer, ScaledSpec) else None
    return BatchNorm(
        read(f"{name}/gamma") if own and own.scale else np.ones(width),
        read(f"{name}/beta") if own and own.center else np.zeros(width),
        *(
            read(f"{name}/{statistic}")
            if isinstance(layer, BatchNormalizationSpec)
            else np.zeros(width)
            for statistic in _MOVING
        ),
    )


def _applied(layer: AnyLayer, norm: BatchNorm, x: Float64, *, training: bool) -> Float64:
    if isinstance(layer, BatchNormalizationSpec):
        of_batch = training and layer.trainable
        return (normalized_batch if of_batch else predicted_batch)(norm, x, layer.epsilon)
    if training and drops_all(layer):
        return np.zeros_like(x)
    if isinstance(layer, ScaledSpec):
        groups = layer.groups if isinstance(layer, GroupNormalizationSpec) else 1
        return np.asarray(norm.gamma * normalized_groups(x, groups, layer.epsilon) + norm.beta)
    return unit_vectors(x) if isinstance(layer, UnitNormalizationSpec) else x


def _loss(view: View, outputs: Float64, rows: list[int]) -> float:
    kind, arguments = loss_of(view)
    targets = view.examples.targets[rows].astype(np.float64).reshape(outputs.shape)
    weight = view.examples.sample_weight
    given = None if weight is None else weight[rows].astype(np.float64)
    factor = arguments.pop("loss_weight", 1.0)
    value = loss_and_gradient(kind, targets, outputs, sample_weight=given, **arguments)
    return float(factor * np.sum(value.values))


def _predicted(view: View, model: MLPSpec) -> Mismatch | None:
    got, state = view.trace.predictions, view.state
    if got is None:
        return None
    passed = _pass(
        view,
        model,
        lambda ending: state.final_of(path_of(state, ending)),
        list(range(len(got))),
        training=False,
    )
    outputs = cast("Float64", passed.outputs)  # no noise in a prediction
    return view.differs(
        got.astype(np.float64), outputs, quantity="predictions", where="predictions"
    )
