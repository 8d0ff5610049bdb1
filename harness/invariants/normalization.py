"""What batch normalisation remembers, against the batches that were trained on."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.oracles.arrays import Float64
from harness.oracles.dense import DenseLayer, forward
from harness.oracles.normalization import BatchNorm, moved, normalized_batch
from harness.spec.model import MLPSpec
from harness.trace.recording import Recording
from harness.trace.state import StateTable

__all__ = ["batch_statistics_are_averages", "goes_on", "norm_of", "path_of"]


class _Part(NamedTuple):
    """One dense layer and the normalisation after it, as paths of their variables."""

    dense: tuple[str, ...]
    norm: tuple[str, ...]


@invariant(
    "batch_statistics_are_averages",
    records=Recording.of("state", "examples", "samples"),
    source="Keras, keras.layers.BatchNormalization; Ioffe and Szegedy, ICML (2015), section 3.1",
)
def batch_statistics_are_averages(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Each step moves a normalisation's mean and variance towards its batch's, by a hundredth.

    Layers after a dropout are left out: what reaches them is known to nobody. So are steps before
    which a callback or an interruption may have written other values.

    Raises:
        NothingToJudge: The model is no mlp with batch_norm on one device, or a batch holds an
            unknown example.
    """
    model = view.pipeline.model
    normalises = isinstance(model, MLPSpec) and model.batch_norm and not model.between
    if not isinstance(model, MLPSpec) or not normalises or view.pipeline.distribution:
        message = f"model must be an mlp with batch_norm on one device to be judged, got {model!r}."
        raise NothingToJudge(message)
    if any(index < 0 for batch in view.samples for index in batch):
        message = "examples must be identified to be judged, got an unknown one."
        raise NothingToJudge(message)
    for step, batch in enumerate(view.samples):
        if not goes_on(view, step):
            continue
        inputs = view.examples.inputs[list(batch)].astype(np.float64)
        for path, wanted in _expected(view, model, step, inputs):
            got = view.state.after_of(path)[step]
            mismatch = view.differs(got, wanted, quantity="state", where=path, step=step)
            if mismatch is not None:
                return (view.numeric(reason, mismatch),)
    return ()


def goes_on(view: View, step: int) -> bool:
    """Say whether a step begins with what the one before it left."""
    training, steps = view.pipeline.training, view.trace.steps
    if step == 0 or not (view.pipeline.callbacks or getattr(training, "interrupt_after", None)):
        return True
    same = steps.epoch[step] == steps.epoch[step - 1]
    return bool(same and steps.batch[step] == steps.batch[step - 1] + 1)


def _expected(
    view: View, model: MLPSpec, step: int, inputs: Float64
) -> Iterator[tuple[str, Float64]]:
    """Yield path and value after a step of each moving statistic that is known.

    What the trace has of them before a step was read in the middle of it: they move forward, and
    weights backward.
    """
    state = view.state
    for part in _parts(state, model):
        values = [state.before_of(path)[step] for path in part.dense]
        bias = values[1] if model.use_bias else None
        inputs = forward((DenseLayer(values[0], bias, model.activation),), inputs)[-1]
        trained = [state.before_of(path)[step] for path in part.norm[:2]]
        moving = [
            state.after_of(path)[step - 1] if step else state.initial_of(path)
            for path in part.norm[2:]
        ]
        norm = BatchNorm(*trained, *moving)
        yield from zip(part.norm[2:], moved(norm, inputs), strict=True)
        if model.dropout:
            return
        inputs = normalized_batch(norm, inputs)


def _parts(state: StateTable, model: MLPSpec) -> Iterator[_Part]:
    names = ("kernel", "bias") if model.use_bias else ("kernel",)
    for number in range(len(model.units) - 1):
        dense = tuple(path_of(state, f"dense_{number}/{name}") for name in names)
        yield _Part(dense, _norm_paths(state, number))


def norm_of(state: StateTable, number: int) -> BatchNorm:
    """Return the normalisation after a hidden layer as it is at the end of training."""
    return BatchNorm(*(state.final_of(path) for path in _norm_paths(state, number)))


def _norm_paths(state: StateTable, number: int) -> tuple[str, ...]:
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    return tuple(path_of(state, f"batch_norm_{number}/{name}") for name in names)


def path_of(state: StateTable, ending: str) -> str:
    """Return the path of the one variable of the model that ends like this.

    Raises:
        NothingToJudge: There is none, or several.
    """
    roles = ("trainable", "non_trainable")
    found = [
        path for role in roles for path in state.paths(role) if f"/{path}".endswith(f"/{ending}")
    ]
    if len(found) != 1:
        message = f"the mlp must have one variable {ending}, got {found!r}."
        raise NothingToJudge(message)
    return found[0]
