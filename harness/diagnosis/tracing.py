"""A fit that was observed, as a trace that can be kept and compared."""

from __future__ import annotations

import json
import os
import platform
from typing import TYPE_CHECKING

import numpy as np

from harness.diagnosis.rules.stops import stop_of_fit
from harness.errors import HarnessUsageError
from harness.trace import Environment, EpochRecord, ResourceRecord, StepTable, Trace

if TYPE_CHECKING:
    from harness.diagnosis.seen import FitSeen, ScriptSeen

__all__ = ["trace_of"]


def trace_of(script: ScriptSeen) -> Trace:
    """The trace of the last fit of a script that did any step.

    Args:
        script: What was seen.

    Raises:
        HarnessUsageError: No step of a fit was recorded.
    """
    fit = next((fit for fit in reversed(script.fits) if fit.steps is not None), None)
    if fit is None or fit.steps is None:
        message = "--trace must have a fit to keep, got a script without a recorded step of one."
        raise HarnessUsageError(message)
    steps = fit.steps
    known = np.isfinite(steps.batch_size).all()
    return Trace(
        pipeline=json.dumps({"script": list(script.command), "fit": fit.place}, sort_keys=True),
        steps=StepTable(
            epoch=steps.epoch,
            batch=steps.batch,
            batch_size=steps.batch_size.astype(np.int64) if known else None,
            loss=steps.loss,
            learning_rate=steps.learning_rate,
            gradient_norm=steps.gradient_norm,
            loss_scale=steps.loss_scale,
        ),
        epochs=_epochs(fit),
        resources=ResourceRecord(
            wall_seconds=fit.seconds or script.seconds,
            peak_rss_bytes=script.peak_bytes,
            start_rss_bytes=0,
            peak_method="sampled",
            traces=fit.traces,
        ),
        stop=stop_of_fit(fit, script),
        environment=_environment(script),
    )


def _epochs(fit: FitSeen) -> tuple[EpochRecord, ...]:
    records, first = [], 0
    missing = 0 if fit.steps is None else fit.steps.first
    for epoch in fit.done:
        stop = max(first + (epoch.steps or 0), 0)
        records.append(
            EpochRecord(
                epoch=epoch.epoch,
                steps=epoch.steps or 0,
                logs=epoch.logs,
                first_step=max(first - missing, 0),
                stop_step=max(stop - missing, 0),
                rss_bytes=epoch.rss,
                drawn_batches=epoch.drawn,
            )
        )
        first = stop
    return tuple(records)


def _environment(script: ScriptSeen) -> Environment:
    versions = script.environment
    return Environment(
        python=versions.get("python", platform.python_version()),
        platform=f"{platform.system()}-{platform.machine()}",
        cpu=platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
        keras=versions.get("keras", ""),
        backend=versions.get("backend", ""),
        backend_version=versions.get("tensorflow", ""),
        numpy=versions.get("numpy", np.__version__),
    )
