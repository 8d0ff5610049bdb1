"""A loss that leaps in the final step: whether it does, and what is behind it.

The loss of a step belongs to its batch and to the weights before it. Where the same batch stood
out in earlier epochs too, the batch is the cause; else the weights are, and the length of the
last moves tells whether they went too far or the ground under them is steep.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from harness.invariants.base import NothingToJudge, View
from harness.oracles.arrays import Float64
from harness.spec.names import CauseName

__all__ = ["FEWEST_STEPS", "Curve", "Spike", "final_spike", "spike_of"]

_WINDOW: Final = 10
"""Steps before the one that is looked at; their median and spread are what is usual."""

FEWEST_STEPS: Final = _WINDOW + 1
"""Of a curve whose last step can be looked at."""

_SPREADS: Final = 6.0
"""A leap is this many robust standard deviations above the median: 1e-9 of normal losses."""

_AT_LEAST: Final = 0.5
"""And at least half of the median more: losses without spread would leap by rounding."""

_MAD_TO_SIGMA: Final = 1.4826
"""Of normal numbers, the standard deviation over the median absolute deviation."""

_LATE_MOVES: Final = 3
"""An overshoot builds up over a few updates."""

_LONG: Final = 3.0
"""Moves or gradients this many times their median are out of the ordinary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What the end of a training is read from; arrays of one entry a step.

    Attributes:
        losses: Loss of each step's batch, before its update.
        epochs: Epoch of each step.
        batches: Index of its batch within the epoch.
        sizes: Examples in its batch.
        gradients: Norm of its gradient.
        moves: How far each update but the last moved the weights, in any unit.
    """

    losses: Float64
    epochs: NDArray[Any]
    batches: NDArray[Any]
    sizes: NDArray[Any]
    gradients: Float64
    moves: Float64


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """A leap of the loss in the final step.

    Attributes:
        step: The step.
        cause: What is behind it.
        evidence: The numbers, in a sentence.
    """

    step: int
    cause: CauseName
    evidence: str


def final_spike(view: View) -> Spike | None:
    """Return the leap of the loss in the final step, if there is one.

    Raises:
        NothingToJudge: There are fewer than eleven steps.
        HarnessUsageError: Losses, batch sizes or weights were not recorded.
    """
    steps = view.trace.steps
    losses: Float64 = steps.column("loss")
    if len(losses) < FEWEST_STEPS:
        message = (
            f"final_step_spike must be read from at least {FEWEST_STEPS} steps, got {len(losses)}. "
            "Train for longer."
        )
        raise NothingToJudge(message)
    return spike_of(
        Curve(
            losses=losses,
            epochs=steps.epoch,
            batches=steps.batch,
            sizes=steps.column("batch_size"),
            gradients=steps.column("gradient_norm"),
            moves=_moves(view),
        )
    )


def spike_of(curve: Curve) -> Spike | None:
    """Return the leap of the loss in the last step of a curve, if there is one.

    Args:
        curve: Of at least `FEWEST_STEPS` steps.
    """
    losses = curve.losses
    last = len(losses) - 1
    usual = float(np.median(losses[last - _WINDOW : last]))
    if not _leaps(losses[last], losses[last - _WINDOW : last]):
        return None
    cause, reason = _cause(curve, last)
    evidence = f"the loss of step {last} is {losses[last]:.3g}, {usual:.3g} is usual: {reason}"
    return Spike(step=last, cause=cause, evidence=evidence)


def _leaps(value: float, around: Float64) -> bool:
    """Whether a loss is far above those around it."""
    centre = float(np.median(around))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(around - centre)))
    return not value <= centre + max(_SPREADS * spread, _AT_LEAST * abs(centre))


def _cause(curve: Curve, last: int) -> tuple[CauseName, str]:
    seen, stood_out = _earlier(curve, last)
    sizes = curve.sizes
    full = int(sizes.max())
    if seen and 2 * stood_out > seen:
        reason = f"the same batch stood out in {stood_out} of {seen} earlier epochs"
        if sizes[last] < full:
            return "partial_batch", f"{reason}, it holds {sizes[last]} of {full} examples"
        return "outlier_batch", reason
    moves = curve.moves
    usual = float(np.median(moves[:-_LATE_MOVES]))
    longest = float(moves[-_LATE_MOVES:].max())
    if longest > _LONG * usual:
        return "overshoot", f"the last updates moved the weights {longest / usual:.1f} times as far"
    gradients = curve.gradients
    typical = float(np.median(gradients[last - _WINDOW : last]))
    if gradients[last] > _LONG * typical:
        times = gradients[last] / typical
        reason = f"moves as long as ever met a gradient {times:.1f} times as large"
        return "sharp_minimum", reason
    return "unknown", "neither its batch nor the last updates are out of the ordinary"


def _earlier(curve: Curve, last: int) -> tuple[int, int]:
    """Epochs before that ran the batch of this index, and in how many of them it stood out."""
    losses, epochs, batches = curve.losses, curve.epochs, curve.batches
    seen = stood_out = 0
    for row in np.flatnonzero(batches[:last] == batches[last]):
        others = (epochs == epochs[row]) & (batches != batches[row])
        if others.sum() > 1:
            seen += 1
            stood_out += _leaps(losses[row], losses[others])
    return seen, stood_out


def _moves(view: View) -> Float64:
    """Length of the way from the weights before each step to those before the next, (n - 1,)."""
    state = view.state
    columns = [state.column(path) for path in state.paths("trainable")]
    weights = np.concatenate([state.before[:, part] for part in columns], axis=1)
    moves: Float64 = np.linalg.norm(np.diff(weights, axis=0), axis=1)
    return moves
