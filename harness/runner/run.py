"""Runs one pipeline in this process and returns the trace of what happened."""

from __future__ import annotations

import tempfile
import time
import traceback
import warnings
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.pipeline.backend import import_tensorflow
from harness.pipeline.device import peak_bytes, reset_peak
from harness.pipeline.inputs import Inputs, build_inputs
from harness.pipeline.numerics import numerics
from harness.recorders.files import file_events
from harness.recorders.ledger import Ledger
from harness.recorders.resources import PeakMemory
from harness.recorders.stopping import Plan, classify
from harness.recorders.watch import CallbackWatch
from harness.runner.afterwards import run_after
from harness.runner.assemble import Aftermath, assemble, nothing_ran
from harness.runner.refit import (
    Callbacks,
    fit_earlier,
    make_callbacks,
    parts,
    seed,
    train_in_parts,
)
from harness.runner.scoring import run_scores
from harness.runner.sessions import Session, Sessions
from harness.spec.training import (
    ApplyGradientsSpec,
    FitSpec,
    LoopSpec,
    UpdateMetricsSpec,
    WhileLoopSpec,
)
from harness.trace import Event
from harness.trace.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.pipeline.loops import LoopEnd
    from harness.spec.pipeline import PipelineSpec
    from harness.trace import Trace
    from harness.trace.journal import JournalWriter

__all__ = ["SESSIONS", "run_pipeline"]

SESSIONS = Sessions()
"""Compiled pipelines of this process."""

_SPARE_STEPS = 256
"""Steps beyond a plan that counts updates: a loss scale of 2**127 skips as many before it is 0."""

_UNPLANNED_STEPS = 4096


def run_pipeline(
    pipeline: PipelineSpec,
    recording: Recording | None = None,
    *,
    reuse: bool = True,
    journal: JournalWriter | None = None,
) -> Trace:
    """Train, evaluate and predict what `pipeline` says, and return what happened.

    An exception out of the training does not come out of here: it is the trace's stop reason, and
    the trace holds everything up to it.

    Args:
        pipeline: What to run.
        recording: What to keep beyond the cheap columns.
        reuse: Take a compiled pipeline of an earlier run with the same structure.
        journal: Gets what happens while it happens, for the case that this process dies.

    Raises:
        PipelineError: The user must mend something before anything can run.
        MissingBackendError: There is no Keras here.
    """
    import_tensorflow()
    with (
        numerics(pipeline),
        _folder(pipeline) as folder,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        if isinstance(pipeline.training, UpdateMetricsSpec):
            trace = run_scores(pipeline, pipeline.training, recording or Recording())
        else:
            trace = _run(pipeline, recording or Recording(), folder, reuse=reuse, journal=journal)
    heard = tuple(
        Event(
            kind="warning", name=warning.category.__name__, detail={"message": str(warning.message)}
        )
        for warning in caught
    )
    return replace(trace, events=trace.events + heard)


@contextmanager
def _folder(spec: PipelineSpec) -> Iterator[Path]:
    """A folder of the run's own; without callbacks nobody writes, so it is not made."""
    if not spec.callbacks:
        yield Path(tempfile.gettempdir())
        return
    with tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _run(
    spec: PipelineSpec,
    recording: Recording,
    folder: Path,
    *,
    reuse: bool,
    journal: JournalWriter | None,
) -> Trace:
    _say(journal, "phase", name="build")
    memory = PeakMemory()
    # Before the sources: a shuffling tf.data pipeline takes its seed when it is made.
    seed(spec)
    inputs = build_inputs(spec)
    started = time.perf_counter()
    session: Session | None = None
    try:
        callbacks = make_callbacks(spec, folder)
        steps = max(_most_steps(part, inputs) for part in parts(spec))
        session = SESSIONS.acquire(
            spec, inputs.examples, recording, steps=steps, reuse=reuse, journal=journal
        )
        session.pipeline.reset(spec)
        fit_earlier(session, spec, callbacks, memory, folder)
    except HarnessError:
        raise
    except Exception as error:  # noqa: BLE001 - the border: whatever Keras raises, classified
        if session is not None:
            SESSIONS.discard(session)
            SESSIONS.release(session, spec)
        stop = classify(
            plan=_plan(spec, inputs),
            end=None,
            error=error,
            watch=CallbackWatch(),
            epochs=(),
            steps=0,
        )
        return nothing_ran(spec, stop, memory, time.perf_counter() - started)
    session.recorder.begin(inputs, memory, folder)
    plan = _plan(spec, inputs)
    _say(journal, "phase", name="train", planned_epochs=plan.epochs, planned_steps=plan.steps)
    try:
        trace = _observe(session, spec, inputs, callbacks, memory=memory, started=started)
        # Without callbacks the folder is not the run's own.
        files = file_events(session.recorder, trace.state) if spec.callbacks else ()
        return replace(trace, events=trace.events + files)
    except BaseException:
        SESSIONS.discard(session)
        raise
    finally:
        session.recorder.release()
        SESSIONS.release(session, spec)


def _observe(
    session: Session,
    spec: PipelineSpec,
    inputs: Inputs,
    callbacks: Callbacks,
    *,
    memory: PeakMemory,
    started: float,
) -> Trace:
    recorder = session.recorder
    start_bytes = memory.sample()
    initial = recorder.steps.read_state() if recorder.recording.state else None
    # Again: building a pipeline has drawn from the generators, taking a kept one has not.
    seed(spec)
    end: LoopEnd | None = None
    error: BaseException | None = None
    evaluation, predictions = None, None
    # Drawn gradients need neither source nor callback: nobody is there who could leave anything.
    ledger = None if isinstance(spec.training, ApplyGradientsSpec) else Ledger()
    reset_peak()
    try:
        end = train_in_parts(session, spec, inputs, callbacks)
        _say(None if recorder.stream is None else recorder.stream.journal, "phase", name="after")
        evaluation, predictions = run_after(session, spec, inputs, callbacks.own)
        recorder.note_history(end.history)
    except HarnessError:
        raise
    except (KeyboardInterrupt, SystemExit) as interrupt:
        # Ours to classify only when a callback raised it; the person's own must get through.
        if recorder.watch.failure is None:
            raise
        error = interrupt
    except Exception as raised:  # noqa: BLE001 - the border: whatever Keras raises, classified
        error = raised
    if error is not None:
        SESSIONS.discard(session)
        # Its frames hold what the loop had open, which is none of the loop's fault.
        traceback.clear_frames(error.__traceback__)
    left_behind = None if ledger is None else ledger.difference()
    stop = classify(
        plan=_counted_plan(spec, inputs, recorder.recording),
        end=end,
        error=error,
        watch=recorder.watch,
        epochs=recorder.epochs,
        steps=recorder.steps.rows(),
    )
    after = Aftermath(
        stop=stop,
        initial=initial,
        evaluation=evaluation,
        predictions=predictions,
        wall_seconds=time.perf_counter() - started,
        start_rss_bytes=start_bytes,
        memory=memory,
        left_behind=left_behind,
        peak_device_bytes=peak_bytes(),
    )
    return assemble(recorder, spec, inputs, after)


def _say(journal: JournalWriter | None, kind: str, **values: str | int | None) -> None:
    if journal is not None:
        journal.write(kind, **values)


def _counted_plan(spec: PipelineSpec, inputs: Inputs, recording: Recording) -> Plan:
    """The plan, as far as what was recorded can tell whether it was kept."""
    plan = replace(_plan(spec, inputs), drawn_batches=inputs.count_draws())
    # No rows: nobody counted the steps, so no plan was missed.
    return plan if recording.norms else replace(plan, steps_per_epoch=None)


def _plan(spec: PipelineSpec, inputs: Inputs) -> Plan:
    training = spec.training
    epochs, steps = 1, None if inputs.source is None else inputs.source.batches
    match training:
        case ApplyGradientsSpec():
            steps = len(training.gradients)
        case WhileLoopSpec():
            steps = training.max_steps
        case UpdateMetricsSpec():
            epochs = training.epochs
        case FitSpec():
            epochs = training.epochs - training.initial_epoch
            steps = training.steps_per_epoch or steps
        case _:
            epochs = training.epochs
            steps = training.steps_per_epoch or steps
    return Plan(epochs=epochs, steps_per_epoch=steps, drawn_batches=None)


def _most_steps(spec: PipelineSpec, inputs: Inputs) -> int:
    """Rows that the recorder needs.

    The plan, and what whole executions may add to each epoch. A budget counts updates, which take
    several steps under accumulation, and some more where a loss scale skips them.
    """
    training, plan = spec.training, _plan(spec, inputs)
    bounds = []
    if isinstance(training, WhileLoopSpec | LoopSpec) and training.max_steps is not None:
        window = getattr(spec.optimizer, "gradient_accumulation_steps", None) or 1
        bounds.append(training.max_steps * window + _SPARE_STEPS)
    if isinstance(training, WhileLoopSpec):
        bounds += [] if inputs.source is None else [inputs.source.batches or bounds[0]]
    elif plan.steps is not None:
        whole = -(-(plan.steps_per_epoch or 1) // spec.compile.steps_per_execution)
        bounds.append(plan.epochs * max(whole * spec.compile.steps_per_execution, 1))
    return max(min(bounds, default=_UNPLANNED_STEPS), 1)
