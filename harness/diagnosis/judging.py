"""A whole diagnosis from what was seen of a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.diagnosis.finding import Diagnosis, RunSummary
from harness.diagnosis.rules import find
from harness.diagnosis.rules.stops import stop_of_fit, stop_of_loop
from harness.diagnosis.rules.words import source_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.diagnosis.seen import FitSeen, LoopSeen, ScriptSeen

__all__ = ["diagnose"]


def diagnose(script: ScriptSeen) -> Diagnosis:
    """Everything that is said about a script.

    Args:
        script: What was seen of it.
    """
    return Diagnosis(
        command=script.command,
        environment=script.environment,
        runs=(
            *(_fit_summary(fit, script) for fit in script.fits),
            *(_loop_summary(loop, script) for loop in script.loops),
        ),
        findings=find(script),
        unjudged=_unjudged(script),
        ending=_ending(script),
        seconds=script.seconds,
        peak_bytes=script.peak_bytes,
    )


def _unjudged(script: ScriptSeen) -> str | None:
    backend = script.environment.get("backend")
    if backend is None:
        return "The script never imported Keras, so that there was no training to observe."
    if backend != "tensorflow":
        return f"Keras ran on {backend}; only training on TensorFlow can be observed."
    if not script.trained:
        return (
            "The script never trained: it called neither fit nor train_on_batch, and no Keras "
            "optimizer applied gradients."
        )
    return None


def _ending(script: ScriptSeen) -> str:
    if script.death is not None:
        return f"The script did not come to its end: {script.death.evidence}."
    if script.error is not None and script.error["type"] == "KeyboardInterrupt":
        return "The script was interrupted."
    if script.error is not None:
        return f"The script ended with status {script.status}, by {script.error['type']}."
    call = script.exit
    if call is not None and call["status"]:
        return (
            f"The script ended itself with status {call['status']}, by {call['call']} at "
            f"{call['location']}."
        )
    return f"The script ended with status {script.status}."


def _fit_summary(fit: FitSeen, script: ScriptSeen) -> RunSummary:
    return RunSummary(
        where=f"{fit.where} ({fit.model}, {fit.optimizer.get('name', 'no optimizer')})",
        source=source_of(fit),
        planned_epochs=fit.planned_epochs,
        done_epochs=len(fit.done),
        planned_steps=fit.planned_steps,
        done_steps=fit.done_steps,
        stop=stop_of_fit(fit, script),
        course=_course([epoch.logs for epoch in fit.done]),
    )


def _loop_summary(loop: LoopSeen, script: ScriptSeen) -> RunSummary:
    losses = loop.steps.loss
    known = len(losses) > 0 and losses[0] == losses[0]
    course = f"loss {losses[0]:.4g} -> {losses[-1]:.4g}" if known else ""
    return RunSummary(
        where=f"{loop.where} ({loop.optimizer})",
        source="the script's own loop",
        planned_epochs=None,
        done_epochs=None,
        planned_steps=None,
        done_steps=loop.steps.first + len(loop.steps),
        stop=stop_of_loop(loop, script),
        course=course,
    )


def _course(logs: Sequence[object]) -> str:
    """First and last value of what was logged, the losses first."""
    first, last = (logs[0], logs[-1]) if logs else ({}, {})
    if not isinstance(first, dict) or not isinstance(last, dict):
        return ""
    names = sorted(first.keys() & last.keys(), key=lambda name: ("loss" not in name, name))
    return ", ".join(f"{name} {first[name]:.4g} -> {last[name]:.4g}" for name in names[:4])
