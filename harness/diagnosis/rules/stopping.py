"""Findings about a training that ended otherwise than planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.diagnosis.finding import Finding
from harness.diagnosis.rules.advice import advice_on
from harness.diagnosis.rules.stops import short_epoch, stop_of_fit
from harness.diagnosis.rules.words import callback_name, count, size, source_of
from harness.trace.stop import StopReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.diagnosis.seen import FitSeen, ScriptSeen

__all__ = ["how_it_ended"]


_SHOWN = 300
"""Characters of a message: the whole of it stands in the script's own output."""

_FEWEST_EPOCHS = 3
"""One of warm-up, and two that differ."""


def how_it_ended(script: ScriptSeen) -> Iterator[Finding]:
    """Everything about ends: of fits, and of the script itself."""
    for fit in script.fits:
        yield from _data_ran_out(fit)
        yield from _stopped(fit, script)
        if fit.error is not None:
            yield from _raised(fit.error, fit.where, script, fit)
    if script.error is not None and not any(_same(fit.error, script.error) for fit in script.fits):
        yield from _raised(script.error, _where(script), script, None)
    if script.death is not None:
        yield _died(script)


def _where(script: ScriptSeen) -> str:
    if script.loops and not script.fits:
        return script.loops[-1].where
    return script.command[0] if script.command else "script"


def _same(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    if one is None:
        return False
    return (one["type"], one["message"]) == (other["type"], other["message"])


def _data_ran_out(fit: FitSeen) -> Iterator[Finding]:
    epoch = short_epoch(fit)
    if epoch is None or not fit.ended or fit.error is not None:
        return
    steps = epoch.batches if epoch.steps is None else epoch.steps
    planned = fit.steps_per_epoch or fit.done[0].batches
    total = "" if fit.planned_steps is None else f" of {fit.planned_steps} planned"
    gave = "" if fit.drawn is None else f" The generator gave {fit.drawn} batches in all."
    yield Finding(
        rule="data_exhausted",
        level="problem",
        where=fit.where,
        seen=(
            f"The data ran out at step {steps} of {planned} in epoch {epoch.epoch + 1} of "
            f"{fit.epochs}; {fit.done_steps}{total} steps were trained. "
            f"The source: {source_of(fit)}.{gave}"
        ),
        why=(
            "Keras only warns and goes on, so that the rest of the epochs train on less than "
            "planned, or on nothing, and schedules counted in steps never reach their end."
        ),
        remedy=(
            "Leave steps_per_epoch out, so that each epoch is one pass; or end the dataset with "
            ".repeat(); a generator must go on for steps_per_epoch x epochs batches."
        ),
        figures={"epoch": epoch.epoch, "steps": steps, "planned": planned, "drawn": fit.drawn},
    )


def _stopped(fit: FitSeen, script: ScriptSeen) -> Iterator[Finding]:
    request = fit.request
    if request is None:
        return
    stop = stop_of_fit(fit, script)
    if stop.reason not in (StopReason.CALLBACK_REQUEST, StopReason.EARLY_STOPPING):
        return
    name = callback_name(request.get("callback"), request.get("made_at"))
    hook = request.get("hook") or "the script"
    state = request.get("state") or {}
    done = f"{len(fit.done)} of {count(fit.planned_epochs, 'epoch')} done"
    if stop.reason is StopReason.EARLY_STOPPING:
        yield _stopped_early(fit, name, done, state)
        return
    silent = not request.get("speaks", True)
    yield Finding(
        rule="stopped_silently" if silent else "stopped_by_callback",
        level="problem" if silent else "note",
        where=fit.where,
        seen=(
            f"{name} set model.stop_training in {hook} at {request.get('location')}, in epoch "
            f"{(request.get('epoch') or 0) + 1} after batch {request.get('batch')}: {done}"
            f"{', and it said nothing' if silent else ''}."
        ),
        why=(
            "Keras ends the training at once and without a word, as if all epochs had been run."
            if silent
            else "The training ended before the epochs it was asked for."
        ),
        remedy=(
            "Look at the condition above that line with the values of the last epochs; print or "
            "log the reason there, so that the next run says why it ends."
            if silent
            else "Nothing, if the condition is the one you meant."
        ),
        figures={"epochs_done": len(fit.done), "location": str(request.get("location"))},
    )


def _stopped_early(fit: FitSeen, name: str, done: str, state: Mapping[str, Any]) -> Finding:
    best, monitor = state.get("best"), state.get("monitor", "its monitor")
    kept = state.get("restore_best_weights")
    epoch = state.get("best_epoch")
    weights = (
        "the best weights were put back"
        if kept
        else "the model keeps the weights of the last epoch, not the best ones"
    )
    shown = f"{best:.4g}" if isinstance(best, float) else str(best)
    return Finding(
        rule="stopped_early",
        level="note",
        where=fit.where,
        seen=(
            f"{name} ended the training: {monitor} was best at {shown}"
            f"{'' if epoch is None else f' in epoch {int(epoch) + 1}'} and did not improve for "
            f"{state.get('wait', state.get('patience'))} epochs. {done}; {weights}."
        ),
        why="This is what EarlyStopping is for.",
        remedy=(
            "Nothing."
            if kept
            else "Give it restore_best_weights=True if you go on with this model."
        ),
        figures={"epochs_done": len(fit.done), "best": best, "patience": state.get("patience")},
    )


def _raised(
    error: Mapping[str, Any], where: str, script: ScriptSeen, fit: FitSeen | None
) -> Iterator[Finding]:
    if error["type"] == "KeyboardInterrupt":
        return
    message = " ".join(str(error["message"]).split())
    short = message if len(message) <= _SHOWN else f"{message[:_SHOWN]}..."
    culprit = error.get("callback")
    by = "" if culprit is None else f"{error['hook']} of {culprit} "
    caught = fit is not None and not _same(script.error, error) and script.exit is None
    went_on = " The script caught it and went on." if caught else ""
    so_far = "" if fit is None else _progress(fit)
    rule, why, remedy = advice_on(error, in_fit=fit is not None)
    yield Finding(
        rule=rule,
        level="problem",
        where=where,
        seen=(
            f"{by or 'It '}raised {error['type']} at {error.get('location')}: {short.rstrip('.')}."
            f"{so_far}{went_on}"
        ),
        why=why,
        remedy=remedy,
        figures={"type": error["type"], "location": error.get("location")},
    )


def _progress(fit: FitSeen) -> str:
    if not fit.done_steps:
        return " No step had been done."
    return (
        f" {count(len(fit.done), 'epoch')} of {fit.planned_epochs} and "
        f"{count(fit.done_steps, 'step')} had been done."
    )


def _died(script: ScriptSeen) -> Finding:
    stop = script.death
    if stop is None:  # pragma: no cover - asked by the caller
        message = "a script that did not die"
        raise ValueError(message)
    fit = script.fits[-1] if script.fits and not script.fits[-1].ended else None
    growth = _growth(fit)
    grew = "" if growth is None else f", growing by {size(growth)} an epoch"
    place = "" if stop.location is None else f" Innermost line: {stop.location}."
    why, remedy = _ADVICE.get(stop.reason, _ADVICE[StopReason.KILLED])
    return Finding(
        rule=stop.reason.value,
        level="problem",
        where=_where(script) if fit is None else fit.where,
        seen=(
            f"The process ended in the middle: {stop.evidence}. It held {size(script.peak_bytes)} "
            f"at its peak{grew}.{place}{'' if fit is None else _progress(fit)}"
        ),
        why=why,
        remedy=remedy,
        figures={"peak_bytes": script.peak_bytes, "growth_bytes": growth, "status": script.status},
    )


def _growth(fit: FitSeen | None) -> float | None:
    """Median growth of resident memory from epoch to epoch, without the first."""
    if fit is None or len(fit.done) < _FEWEST_EPOCHS:
        return None
    memory = np.array([epoch.rss for epoch in fit.done[1:]], np.float64)
    return float(np.median(np.diff(memory)))


_ADVICE = {
    StopReason.OUT_OF_MEMORY: (
        "Without memory the process is ended from outside, and Python cannot raise an error.",
        (
            "Make the batch or the model smaller, keep tensors out of lists that live for the "
            "whole run, and feed data by a tf.data pipeline instead of from one large tensor."
        ),
    ),
    StopReason.TIMED_OUT: (
        "Whatever it was waiting for did not come: the stacks of all threads were taken.",
        "Look at the innermost line: a queue, a lock, a download or a worker that hangs.",
    ),
    StopReason.KILLED: (
        "The process was ended by a signal: nothing in Python could have caught it.",
        (
            "Ask the kernel's log, the scheduler or the container who sent it; a signal from "
            "native code is a defect of a library."
        ),
    ),
    StopReason.ERROR: (
        "The process ended itself past everything that Python does at its end.",
        "Raise an exception instead, or set model.stop_training.",
    ),
    StopReason.INTERRUPTED: ("Somebody interrupted it.", "Nothing."),
}
