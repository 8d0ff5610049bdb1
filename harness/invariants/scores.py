"""Losses and metrics that were handed drawn predictions, against NumPy."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.oracles.arrays import Float64
from harness.oracles.losses_slopes import Slopes, slopes
from harness.oracles.losses_values import (
    COUPLED,
    LOSS_VALUES,
    Unreduced,
    loss_total,
    unreduced,
)
from harness.spec.losses import ImportedLossSpec
from harness.spec.training import UpdateMetricsSpec
from harness.trace.recording import Recording

__all__ = ["batch_loss", "loss_arguments"]


@invariant(
    "losses_match_oracle",
    records=Recording.of("examples"),
    source="Keras, losses and their reductions; 004, loss functions",
)
def losses_match_oracle(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The loss of each batch is that of its formula, weighted and reduced, in NumPy.

    Raises:
        NothingToJudge: No loss was computed batch by batch, or no oracle knows it.
    """
    _require_driven(view)
    losses = view.trace.steps.column("loss")
    for step in range(len(view.trace.steps)):
        expected = batch_loss(view, _rows(view, step))
        mismatch = view.differs(
            float(losses[step]), expected, quantity="losses", where="loss", step=step
        )
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
    return ()


@invariant(
    "loss_gradients_match_oracle",
    records=Recording.of("examples", "gradients"),
    source="Keras, losses; 004, loss functions",
)
def loss_gradients_match_oracle(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The gradient of each loss by the predictions is its finite difference in NumPy.

    Corners and clips of a formula are left out, where its derivative is a matter of taste.

    Raises:
        NothingToJudge: No loss was computed batch by batch, or no oracle knows it.
    """
    _require_driven(view)
    table = view.gradients
    got = table.raw_of(table.variables[0].path)
    per_epoch = -(-len(view.examples) // view.pipeline.data.batch_size)
    for step in range(min(per_epoch, len(view.trace.steps))):
        expected = _slopes(view, _rows(view, step))
        # Later epochs hand over the same batches, and a gradient has no memory.
        for again in range(step, len(view.trace.steps), per_epoch):
            found = got[again][: len(expected.values)]
            mismatch = view.differs(
                found,
                np.where(expected.smooth, expected.values, found),
                quantity="gradients",
                where="predictions",
                step=again,
            )
            if mismatch is not None:
                return (view.numeric(reason, mismatch),)
    return ()


def _slopes(view: View, rows: slice) -> Slopes:
    kind, arguments, reduction = loss_arguments(view)
    targets, predictions, weight = _arrays(view, rows)
    # Where nothing counts the slope is 0 whatever stands there, and NaN has no differences.
    predictions = np.where(np.isnan(predictions), 1.0, predictions)
    found = unreduced(kind, targets, predictions, arguments)
    factors = loss_total(found, reduction=reduction, sample_weight=weight)[1]

    def share(at: Float64) -> Float64:
        values = unreduced(kind, targets, at, arguments).values * factors
        return np.asarray(np.sum(values.reshape(values.shape[0] if values.ndim else 1, -1), axis=1))

    return slopes(share, predictions, coupled=kind in COUPLED)


def batch_loss(view: View, rows: slice) -> float:
    """Return the loss of some examples, the sum of what is left apart.

    Raises:
        NothingToJudge: No oracle knows the loss.
    """
    kind, arguments, reduction = loss_arguments(view)
    targets, predictions, weight = _arrays(view, rows)
    found: Unreduced = unreduced(kind, targets, predictions, arguments)
    values, factors = loss_total(found, reduction=reduction, sample_weight=weight)
    return float(np.sum(values * factors))


def loss_arguments(view: View) -> tuple[str, Mapping[str, Any], Any]:
    """Return name, arguments and reduction of the loss.

    Raises:
        NothingToJudge: No oracle knows the loss.
    """
    loss = view.pipeline.loss
    if isinstance(loss, ImportedLossSpec) or loss.kind not in LOSS_VALUES:
        message = f"loss must be one that an oracle knows to be judged, got {loss!r}."
        raise NothingToJudge(message)
    arguments = loss.model_dump(
        exclude={"kind", "built_by", "dtype", "reduction"}, exclude_none=True
    )
    return loss.kind, arguments, loss.reduction


def _require_driven(view: View) -> None:
    training = view.pipeline.training
    driven = isinstance(training, UpdateMetricsSpec) and training.loss
    if not driven or getattr(training, "via", "") != "objects":
        message = (
            "training must be update_metrics via objects with a loss to be judged batch by batch, "
            f"got {training!r}."
        )
        raise NothingToJudge(message)


def _rows(view: View, step: int) -> slice:
    batch = int(view.trace.steps.batch[step])
    size = view.pipeline.data.batch_size
    return slice(batch * size, min((batch + 1) * size, len(view.examples)))


def _arrays(view: View, rows: slice) -> tuple[Any, Float64, Float64 | None]:
    examples = view.examples
    weight = examples.sample_weight
    targets = examples.targets[rows]
    return (
        targets.astype(np.float64) if targets.dtype.kind == "f" else targets,
        examples.inputs[rows].astype(np.float64),
        None if weight is None else weight[rows].astype(np.float64),
    )
