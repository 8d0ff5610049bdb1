"""What the curves of a run look like to somebody who knows what to look for, and what caused it.

A symptom is no violation: a run may be asked to show it, or to show none.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from harness.invariants import leaks
from harness.invariants.base import NothingToJudge, View
from harness.invariants.leaks import worst_leak
from harness.invariants.spikes import final_spike
from harness.oracles.arrays import Float64
from harness.spec.names import CauseName, SymptomName
from harness.trace.recording import Recording

__all__ = [
    "SYMPTOMS",
    "Symptom",
    "divergence_of",
    "find_symptom",
    "overfitting_of",
    "records_of",
]

_CURVES: Final = Recording.of("counters", "state")
"""Moves of the weights and sizes of the batches tell one cause from another."""

_FEWEST_EPOCHS: Final = 3
_DIVERGED: Final = 10.0
_WORSE: Final = 1.1
"""A validation loss a tenth above its lowest is beyond the noise of the bundled data sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """Something that was seen in the curves of a run.

    Attributes:
        name: What was seen.
        evidence: The numbers behind it, in a sentence.
        cause: Why, where several causes look alike; None where there is nothing to tell apart.
        step: The step that shows it.
        epoch: The epoch that shows it.
    """

    name: SymptomName
    evidence: str
    cause: CauseName | None = None
    step: int | None = None
    epoch: int | None = None


def records_of(name: SymptomName) -> Recording:
    """Return what must be recorded for a symptom to be seen and explained."""
    return leaks.RECORDS if name == "memory_leak" else _CURVES


def find_symptom(name: SymptomName, view: View) -> Symptom | None:
    """Return the symptom of this name, if the run shows it.

    Raises:
        NothingToJudge: The run is too short to show it.
        HarnessUsageError: What it is read from was not recorded.
    """
    with np.errstate(all="ignore"):
        return SYMPTOMS[name](view)


def _final_step_spike(view: View) -> Symptom | None:
    spike = final_spike(view)
    if spike is None:
        return None
    return Symptom(
        name="final_step_spike", cause=spike.cause, evidence=spike.evidence, step=spike.step
    )


def _divergence(view: View) -> Symptom | None:
    return divergence_of(_losses(view))


def divergence_of(losses: Float64) -> Symptom | None:
    """The loss left the numbers, or its last quarter is ten times its lowest and still rising.

    Args:
        losses: One a step, at least three.
    """
    last = len(losses) - 1
    wrong = np.flatnonzero(~np.isfinite(losses))
    if wrong.size:
        step = int(wrong[0])
        evidence = f"the loss is {float(losses[step])!r} at step {step}"
        return Symptom(name="divergence", evidence=evidence, step=step)
    lowest = int(losses.argmin())
    quarter = losses[-max(len(losses) // 4, 2) :]
    usual = float(np.median(quarter))
    if not losses[-1] > usual > _DIVERGED * abs(losses[lowest]):
        return None
    lowest_loss, final_loss = f"{losses[lowest]:.3g}", f"{losses[-1]:.3g}"
    evidence = f"the loss rose from {lowest_loss} at step {lowest} to {final_loss} at step {last}"
    return Symptom(name="divergence", evidence=evidence, step=lowest)


def _overfitting(view: View) -> Symptom | None:
    epochs = [record for record in view.trace.epochs if {"loss", "val_loss"} <= record.logs.keys()]
    if len(epochs) < _FEWEST_EPOCHS:
        message = (
            f"overfitting must be read from at least {_FEWEST_EPOCHS} validated epochs, got "
            f"{len(epochs)}. Train for longer, with validation data."
        )
        raise NothingToJudge(message)
    return overfitting_of(
        np.array([record.epoch for record in epochs]),
        np.array([record.logs["loss"] for record in epochs]),
        np.array([record.logs["val_loss"] for record in epochs]),
    )


def overfitting_of(
    epochs: NDArray[np.int64], trained: Float64, held_out: Float64
) -> Symptom | None:
    """The validation loss rises after its lowest point, the training loss goes on falling.

    Args:
        epochs: Numbers of the epochs that were validated.
        trained: Loss of each.
        held_out: Validation loss of each.
    """
    best = int(held_out.argmin())
    parted = held_out[-1] > _WORSE * held_out[best] and trained[-1] < trained[best]
    if not parted:
        return None
    evidence = (
        f"val_loss rose from {held_out[best]:.3g} in epoch {epochs[best]} to "
        f"{held_out[-1]:.3g} while loss fell from {trained[best]:.3g} to {trained[-1]:.3g}"
    )
    return Symptom(name="overfitting", evidence=evidence, epoch=int(epochs[best]))


def _memory_leak(view: View) -> Symptom | None:
    """Something is kept in every epoch."""
    leak = worst_leak(view)
    if leak is None:
        return None
    last = view.trace.epochs[-1].epoch
    return Symptom(name="memory_leak", cause=leak.cause, evidence=leak.evidence, epoch=last)


def _losses(view: View) -> Float64:
    losses: Float64 = view.trace.steps.column("loss")
    if len(losses) < _FEWEST_EPOCHS:
        message = f"divergence must be read from at least 3 steps, got {len(losses)}."
        raise NothingToJudge(message)
    return losses


_Finder: TypeAlias = Callable[[View], Symptom | None]

SYMPTOMS: Final[Mapping[SymptomName, _Finder]] = MappingProxyType(
    {
        "divergence": _divergence,
        "final_step_spike": _final_step_spike,
        "memory_leak": _memory_leak,
        "overfitting": _overfitting,
    }
)
"""How each symptom is found."""
