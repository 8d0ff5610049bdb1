"""Why a run ended, from what was seen: the loop's own end, callbacks, exceptions and the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.trace import Stop, StopReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.pipeline.loops import LoopEnd
    from harness.recorders.watch import CallbackWatch
    from harness.trace import EpochRecord

__all__ = ["Plan", "classify"]

_MEMORY_ERRORS = ("ResourceExhaustedError", "OutOfMemoryError", "XlaRuntimeError: RESOURCE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run was asked to do.

    Attributes:
        epochs: Epochs.
        steps_per_epoch: Steps of one epoch; None where the source never ends or nobody can know.
        drawn_batches: Batches the source handed out, where it counts.
    """

    epochs: int
    steps_per_epoch: int | None
    drawn_batches: int | None

    @property
    def steps(self) -> int | None:
        """Steps of all epochs."""
        return None if self.steps_per_epoch is None else self.epochs * self.steps_per_epoch


def classify(
    *,
    plan: Plan,
    end: LoopEnd | None,
    error: BaseException | None,
    watch: CallbackWatch,
    epochs: Sequence[EpochRecord],
    steps: int,
) -> Stop:
    """The stop reason with its evidence; the strongest evidence first.

    Args:
        plan: What was asked for.
        end: How the loop ended, None when an exception ended it.
        error: The exception.
        watch: What callbacks did.
        epochs: Epochs that ended.
        steps: Rows of the step table.
    """
    reason, evidence, callback, location = _reason(plan, end, error, watch, epochs)
    return Stop(
        reason=reason,
        evidence=evidence,
        epoch=watch.epoch if epochs or steps else None,
        step=steps - 1 if steps else None,
        planned_epochs=plan.epochs,
        planned_steps=plan.steps,
        location=location,
        callback=callback,
        exception=None if error is None else f"{type(error).__name__}: {error}"[:2000],
    )


_Finding = tuple[StopReason, str, str | None, str | None]


def _reason(
    plan: Plan,
    end: LoopEnd | None,
    error: BaseException | None,
    watch: CallbackWatch,
    epochs: Sequence[EpochRecord],
) -> _Finding:
    if error is not None:
        return _after_error(error, watch)
    if watch.stops:
        return _after_request(watch)
    short = _short_epoch(plan, epochs)
    if end is not None and end.reached_max_steps:
        return StopReason.MAX_STEPS, "The loop's own condition became false", None, None
    if short is not None or _replayed(plan, epochs) or (end is not None and end.ran_out):
        return StopReason.DATA_EXHAUSTED, _exhaustion(plan, short, epochs), None, None
    evidence = f"{len(epochs)} of {plan.epochs} epochs"
    return StopReason.COMPLETED, evidence, None, None


def _after_error(error: BaseException, watch: CallbackWatch) -> _Finding:
    name = type(error).__name__
    culprit = watch.failure
    callback = None if culprit is None else culprit.callback
    location = None if culprit is None else culprit.location
    if isinstance(error, KeyboardInterrupt):
        return StopReason.INTERRUPTED, "KeyboardInterrupt", callback, location
    starved = _starved(error)
    if starved is not None:
        return StopReason.OUT_OF_MEMORY, f"{starved} was raised", callback, location
    if culprit is not None:
        evidence = f"{culprit.hook} of {culprit.callback} raised {name}"
        return StopReason.CALLBACK_ERROR, evidence, callback, location
    return StopReason.ERROR, f"{name} was raised", None, None


def _starved(error: BaseException | None) -> str | None:
    """The error that says that memory ran out: this one, or the one that it was made of.

    Keras makes a RuntimeError of a MemoryError that a layer raises, with other words.
    """
    while error is not None:
        name = type(error).__name__
        if isinstance(error, MemoryError):
            return name
        if any(mark in f"{name}: {error}" for mark in _MEMORY_ERRORS):
            return name
        error = error.__cause__ or error.__context__
    return None


def _after_request(watch: CallbackWatch) -> _Finding:
    first = watch.stops[0]
    evidence = f"{first.hook} of {first.callback} set model.stop_training"
    if "EarlyStopping" in first.bases:
        reason = StopReason.EARLY_STOPPING
    elif "TerminateOnNaN" in first.bases:
        reason = StopReason.NON_FINITE
    else:
        reason = StopReason.CALLBACK_REQUEST
    return reason, evidence, first.callback, first.location


def _short_epoch(plan: Plan, epochs: Sequence[EpochRecord]) -> EpochRecord | None:
    if plan.steps_per_epoch is None:
        return None
    return next((epoch for epoch in epochs if epoch.steps < plan.steps_per_epoch), None)


def _replayed(plan: Plan, epochs: Sequence[EpochRecord]) -> bool:
    """Whether more was trained than was ever drawn: the source had ended and was played again."""
    return plan.drawn_batches is not None and plan.drawn_batches < sum(e.steps for e in epochs)


def _exhaustion(plan: Plan, short: EpochRecord | None, epochs: Sequence[EpochRecord]) -> str:
    trained = sum(epoch.steps for epoch in epochs)
    drawn = "" if plan.drawn_batches is None else f"; the source gave {plan.drawn_batches} batches"
    if short is None:
        return f"the source ended after {trained} steps{drawn}"
    return (
        f"epoch {short.epoch} got {short.steps} of {plan.steps_per_epoch} planned batches, "
        f"{trained} of {plan.steps} steps in all{drawn}"
    )
