"""Small ways to damage a trace, and the verdict on it."""

from dataclasses import replace
from typing import Any

import numpy as np

from harness.invariants import View, Violation, registered
from harness.spec.names import InvariantName
from harness.spec.pipeline import PipelineSpec
from harness.trace import StepTable, StopReason, Trace


def judged(name: InvariantName, spec: PipelineSpec, trace: Trace, **tol: Any) -> Violation | None:
    """Return the only violation a check finds, or None."""
    found = registered()[name].check(View(pipeline=spec, trace=trace, **tol))
    assert len(found) <= 1
    return found[0] if found else None


def with_column(trace: Trace, name: str, step: int, value: float) -> Trace:
    """Return the trace with one value of the step table changed."""
    column = np.array(trace.steps.column(name))
    column[step] = value
    steps: Any = {name: column}
    return replace(trace, steps=replace(trace.steps, **steps))


def with_state(
    trace: Trace, path: str, value: float, *, step: int = 0, part: str = "after", element: int = 0
) -> Trace:
    """Return the trace with one element of one variable changed, at one time only."""
    assert trace.state is not None
    table = np.array(getattr(trace.state, part))
    row = table[step] if table.ndim > 1 else table
    row[trace.state.column(path).start + element] = value
    parts: Any = {part: table}
    return replace(trace, state=replace(trace.state, **parts))


def with_gradient(
    trace: Trace, value: float, *, step: int, element: int = 0, part: str = "raw"
) -> Trace:
    """Return the trace with one element of one gradient changed."""
    assert trace.gradients is not None
    table = np.array(getattr(trace.gradients, part))
    table[step, element] = value
    parts: Any = {part: table}
    return replace(trace, gradients=replace(trace.gradients, **parts))


def with_epoch(trace: Trace, number: int, **changes: Any) -> Trace:
    """Return the trace with one epoch record changed."""
    epochs = list(trace.epochs)
    epochs[number] = replace(epochs[number], **changes)
    return replace(trace, epochs=tuple(epochs))


def with_stop(trace: Trace, reason: StopReason, **changes: Any) -> Trace:
    """Return the trace with another reason for its end."""
    return replace(trace, stop=replace(trace.stop, reason=reason, **changes))


def until(trace: Trace, steps: int, reason: StopReason) -> Trace:
    """Return the trace of a run that was ended after so many steps."""
    table, state, gradients = trace.steps, trace.state, trace.gradients
    assert state is not None
    assert gradients is not None
    assert gradients.clipped is not None
    assert table.sample_ids is not None
    columns: Any = {
        name: table.column(name)[:steps] for name in table.recorded - {"sample_ids"}
    } | {"sample_ids": table.sample_ids[:steps]}
    epochs = tuple(
        replace(
            record,
            stop_step=min(record.stop_step, steps),
            steps=min(record.stop_step, steps) - record.first_step,
        )
        for record in trace.epochs
        if record.first_step < steps
    )
    last = state.after[steps - 1] if steps else state.initial
    return replace(
        trace,
        steps=StepTable(**columns),
        state=replace(state, before=state.before[:steps], after=state.after[:steps], final=last),
        gradients=replace(gradients, raw=gradients.raw[:steps], clipped=gradients.clipped[:steps]),
        epochs=epochs,
        events=(),
        drawn_batches=steps,
        stop=replace(trace.stop, reason=reason),
    )
