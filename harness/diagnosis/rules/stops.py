"""Why each run ended, with the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.diagnosis.rules.words import callback_name, count
from harness.isolation.classify import is_out_of_memory
from harness.trace.stop import Stop, StopReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.diagnosis.seen import EpochSeen, FitSeen, LoopSeen, ScriptSeen

__all__ = ["short_epoch", "stop_of_fit", "stop_of_loop"]


def stop_of_fit(fit: FitSeen, script: ScriptSeen) -> Stop:
    """Why a fit ended; the strongest evidence first."""
    reason, evidence, more = _reason(fit, script)
    return Stop(
        reason=reason,
        evidence=evidence,
        epoch=max(fit.begun - 1 + fit.initial_epoch, 0) if fit.begun else None,
        step=fit.done_steps - 1 if fit.done_steps else None,
        planned_epochs=fit.planned_epochs,
        planned_steps=fit.planned_steps,
        **more,
    )


def stop_of_loop(loop: LoopSeen, script: ScriptSeen) -> Stop:
    """Why a loop of the user's own ended: by itself, unless the script did not end well."""
    steps = loop.steps.first + len(loop.steps)
    plain: dict[str, Any] = {"step": steps - 1 if steps else None}
    if script.death is not None:
        return Stop(
            reason=script.death.reason,
            evidence=script.death.evidence,
            location=script.death.location,
            **plain,
        )
    error = script.error
    if error is not None and not script.fits:
        return Stop(
            reason=_reason_of(error),
            evidence=f"{error['type']} was raised",
            location=error.get("location"),
            exception=f"{error['type']}: {error['message']}",
            **plain,
        )
    return Stop(
        reason=StopReason.COMPLETED,
        evidence=f"the script's own loop ended after {count(steps, 'update')}",
        **plain,
    )


def short_epoch(fit: FitSeen) -> EpochSeen | None:
    """The first epoch that ended before its planned steps, though nobody asked it to."""
    planned = fit.steps_per_epoch
    for epoch in fit.done:
        steps = epoch.batches if epoch.steps is None else epoch.steps
        cut = fit.request is not None and fit.request.get("epoch") == epoch.epoch
        if cut or epoch.epoch < fit.initial_epoch:
            continue
        if planned is not None and steps < planned:
            return epoch
        if steps == 0 and epoch is not fit.done[0]:
            return epoch
    return None


_Reason = tuple[StopReason, str, dict[str, Any]]


def _reason(fit: FitSeen, script: ScriptSeen) -> _Reason:
    done = f"{len(fit.done)} of {count(fit.planned_epochs, 'epoch')}"
    if fit.error is not None:
        return _after_error(fit.error)
    if not fit.ended:
        death = script.death
        if death is None:
            return StopReason.INTERRUPTED, "it never came back", {}
        return death.reason, death.evidence, {"location": death.location}
    complete = len(fit.done) >= fit.planned_epochs
    if fit.request is not None and not (complete and fit.request.get("epoch") is None):
        asked = _after_request(fit.request, fit)
        if not complete or _cut(fit):
            return asked
    if short_epoch(fit) is not None:
        return StopReason.DATA_EXHAUSTED, done, {}
    return StopReason.COMPLETED, done, {}


def _cut(fit: FitSeen) -> bool:
    """Whether the last epoch was left in its middle."""
    planned, last = fit.planned_batches, fit.done[-1]
    return planned is not None and last.batches < planned


def _after_error(error: Mapping[str, Any]) -> _Reason:
    text = f"{error['type']}: {error['message']}"[:2000]
    more = {"location": error.get("location"), "callback": error.get("callback")}
    evidence = f"{error['type']} was raised"
    if error.get("callback") is not None:
        evidence = f"{error['hook']} of {error['callback']} raised {error['type']}"
    return _reason_of(error), evidence, {"exception": text, **more}


def _reason_of(error: Mapping[str, Any]) -> StopReason:
    if error["type"] == "KeyboardInterrupt":
        return StopReason.INTERRUPTED
    if is_out_of_memory(f"{error['type']}: {error['message']}"):
        return StopReason.OUT_OF_MEMORY
    return StopReason.ERROR if error.get("callback") is None else StopReason.CALLBACK_ERROR


def _after_request(request: Mapping[str, Any], fit: FitSeen) -> _Reason:
    bases = request.get("bases") or ()
    if "EarlyStopping" in bases and request.get("keras"):
        reason = StopReason.EARLY_STOPPING
    elif "TerminateOnNaN" in bases:
        reason = StopReason.NON_FINITE
    else:
        reason = StopReason.CALLBACK_REQUEST
    name = callback_name(request.get("callback"), request.get("made_at"))
    if request.get("callback") is None:
        name = "the script"
    hook = "" if request.get("hook") is None else f" in {request['hook']}"
    epoch = "" if request.get("epoch") is None else f", epoch {request['epoch'] + 1}"
    evidence = (
        f"{name} set model.stop_training{hook}{epoch} of {fit.epochs}, "
        f"{len(fit.done)} of {count(fit.planned_epochs, 'epoch')} done"
    )
    return (
        reason,
        evidence,
        {
            "location": request.get("location"),
            "callback": request.get("callback"),
        },
    )
