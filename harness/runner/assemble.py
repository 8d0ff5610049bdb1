"""Puts together the trace of one run from what the recorders kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pipeline.backend import environment
from harness.recorders.replicas import disagreements
from harness.spec.canonical import canonical_json
from harness.spec.training import LegacyGlobalStepSpec
from harness.trace import (
    Event,
    ExampleTable,
    GradientTable,
    ResourceRecord,
    StateTable,
    StepTable,
    Stop,
    Trace,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from harness.pipeline.inputs import Inputs
    from harness.recorders.resources import PeakMemory
    from harness.recorders.run_recorder import RunRecorder
    from harness.recorders.steps import StepRecorder
    from harness.spec.pipeline import PipelineSpec

__all__ = ["Aftermath", "assemble", "nothing_ran"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is known once the loop has ended.

    Attributes:
        stop: Why it ended.
        initial: All variables before the first step, or None.
        evaluation: What ``evaluate`` returned.
        predictions: What ``predict`` returned.
        wall_seconds: Build, training and what came after it.
        start_rss_bytes: Resident memory before the first step.
        memory: Knows the peak.
        left_behind: Threads, files and processes that the loop did not give back.
        peak_device_bytes: Most memory of the GPU in use, where there is one.
    """

    stop: Stop
    initial: NDArray[np.float64] | None
    evaluation: Mapping[str, float] | None
    predictions: NDArray[np.float64] | None
    wall_seconds: float
    start_rss_bytes: int
    memory: PeakMemory
    left_behind: tuple[str, ...]
    peak_device_bytes: int | None = None


def assemble(recorder: RunRecorder, spec: PipelineSpec, inputs: Inputs, after: Aftermath) -> Trace:
    """The whole trace of a run that began.

    Raises:
        PipelineError: There were more steps than the plan allows.
    """
    steps, recording = recorder.steps, recorder.recording
    tables = steps.read()
    state = _state(steps, tables, after.initial)
    drawn_batches = inputs.count_draws()
    counted = drawn_batches is not None and inputs.source is not None
    return Trace(
        pipeline=canonical_json(spec),
        steps=_steps(recorder, tables, state, inputs),
        epochs=tuple(recorder.epochs),
        resources=_resources(after, steps.traces if _is_traced(spec) else None),
        stop=after.stop,
        environment=environment(),
        state=state,
        gradients=_gradients(steps, tables),
        events=(
            *recorder.events,
            *_gaps(steps, tables),
            *_replica_events(recorder, tables),
            *_source_events(recorder, inputs),
        ),
        drawn_batches=drawn_batches,
        drawn_samples=inputs.source.tally.samples if counted and inputs.source else None,
        evaluation=after.evaluation,
        predictions=after.predictions,
        examples=_examples(inputs) if recording.examples else None,
    )


def nothing_ran(spec: PipelineSpec, stop: Stop, memory: PeakMemory, seconds: float) -> Trace:
    """The trace of a run that could not even be built."""
    nothing = np.zeros(0, np.int64)
    start = memory.sample()
    return Trace(
        pipeline=canonical_json(spec),
        steps=StepTable(epoch=nothing, batch=nothing),
        epochs=(),
        resources=ResourceRecord(
            wall_seconds=seconds,
            peak_rss_bytes=memory.bytes(),
            start_rss_bytes=start,
            peak_method=memory.method,
        ),
        stop=stop,
        environment=environment(),
    )


def _steps(
    recorder: RunRecorder,
    tables: dict[str, NDArray[Any]],
    state: StateTable | None,
    inputs: Inputs,
) -> StepTable:
    columns = recorder.steps.columns(tables)
    epoch, batch = _places(recorder)
    if not columns:
        return StepTable(epoch=epoch, batch=batch)
    samples = None
    if "samples" in tables and inputs.examples is not None:
        found = recorder.steps.look_up(tables["samples"], inputs.examples.inputs)
        samples = tuple(
            tuple(row[:size]) for row, size in zip(found, columns["batch_size"], strict=True)
        )
    return StepTable(
        epoch=epoch,
        batch=batch,
        updated=_updated(columns, state),
        sample_ids=samples,
        **columns,
    )


def _places(recorder: RunRecorder) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Epoch and batch of each row; rows behind the last full epoch are of the one that broke off.

    That one has begun, or it would have no rows.
    """
    rows = recorder.steps.rows()
    epoch, batch = np.full(rows, recorder.watch.epoch), np.zeros(rows, np.int64)
    stop = 0
    for record in recorder.epochs:
        stop = record.stop_step
        epoch[record.rows] = record.epoch
        batch[record.rows] = np.arange(record.steps)
    batch[stop:] = np.arange(rows - stop)
    return epoch, batch


def _updated(
    columns: Mapping[str, NDArray[Any]], state: StateTable | None
) -> NDArray[np.int8] | None:
    """Whether the weights changed, where they were looked at; else whether the optimizer says so.

    The two differ for an update by zero. None where neither was recorded.
    """
    if "iterations_before" not in columns:
        return None
    counted: NDArray[np.bool_] = columns["iterations_after"] > columns["iterations_before"]
    if state is None:
        return counted.astype(np.int8)
    changed = np.zeros_like(counted)
    for path in state.paths("trainable"):
        part = state.column(path)
        before, after = state.before[:, part], state.after[:, part]
        changed |= (before.view(np.int64) != after.view(np.int64)).any(axis=1)
    return changed.astype(np.int8)


def _state(
    steps: StepRecorder, tables: Mapping[str, NDArray[Any]], initial: NDArray[np.float64] | None
) -> StateTable | None:
    if initial is None or "before" not in tables:
        return None
    return StateTable(
        variables=steps.state,
        initial=initial,
        before=tables["before"],
        after=tables["after"],
        final=steps.read_state(),
    )


def _gradients(steps: StepRecorder, tables: Mapping[str, NDArray[Any]]) -> GradientTable | None:
    if "raw" not in tables:
        return None
    return GradientTable(
        variables=steps.trainable, raw=tables["raw"], clipped=tables.get("clipped")
    )


def _gaps(steps: StepRecorder, tables: Mapping[str, NDArray[Any]]) -> tuple[Event, ...]:
    """One event for each variable without gradient: in every step, or in one."""
    always = tuple(Event(kind="no_gradient", name=path) for path in steps.without_gradient)
    if "missing" not in tables:
        return always
    paths = [variable.path for variable in steps.trainable]
    places = np.argwhere(tables["missing"])
    return always + tuple(
        Event(kind="no_gradient", name=paths[index], step=int(step)) for step, index in places
    )


def _replica_events(recorder: RunRecorder, tables: dict[str, NDArray[Any]]) -> tuple[Event, ...]:
    """One event for the replicas where they were looked at, and one for each copy that differs."""
    if "apart" not in tables:
        return ()
    steps = recorder.steps
    apart = disagreements(tables["apart"], steps.state)
    return (
        Event(kind="replicas", name="compared", detail={"steps": steps.rows()}),
        *(
            Event(kind="replicas", name=path, detail={"step": step, "distance": distance})
            for path, step, distance in apart
        ),
    )


def _source_events(recorder: RunRecorder, inputs: Inputs) -> tuple[Event, ...]:
    """Hooks of the source; where all hooks are recorded, it stands among them already."""
    if inputs.source is None or recorder.recording.hooks:
        return ()
    hooks = tuple(inputs.source.tally.hooks)
    return tuple(Event(kind="source", name=name) for name in hooks)


def _is_traced(spec: PipelineSpec) -> bool:
    """Whether the step is a graph, so that counting its traces means anything."""
    if isinstance(spec.training, LegacyGlobalStepSpec):
        return False
    return not spec.compile.run_eagerly and getattr(spec.training, "compiled", True)


def _resources(after: Aftermath, traces: int | None) -> ResourceRecord:
    return ResourceRecord(
        wall_seconds=after.wall_seconds,
        peak_rss_bytes=after.memory.bytes(),
        start_rss_bytes=after.start_rss_bytes,
        peak_method=after.memory.method,
        peak_device_bytes=after.peak_device_bytes,
        traces=traces,
        left_behind=after.left_behind,
    )


def _examples(inputs: Inputs) -> ExampleTable | None:
    examples = inputs.examples
    if examples is None:
        return None
    held_out = None if inputs.validation is None else inputs.validation.examples
    return ExampleTable(
        inputs=examples.inputs,
        targets=examples.targets,
        sample_weight=examples.sample_weight,
        validation_inputs=None if held_out is None else held_out.inputs,
        validation_targets=None if held_out is None else held_out.targets,
        validation_sample_weight=None if held_out is None else held_out.sample_weight,
    )
