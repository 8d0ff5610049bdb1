"""What is written down of a training: the history, the CSV log, the logged learning rate."""

import math

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import BROKEN_OFF
from harness.spec.callbacks import (
    CSVLoggerSpec,
    LearningRateSchedulerSpec,
    ReduceLROnPlateauSpec,
    StepDecaySpec,
    TerminateOnNaNSpec,
)
from harness.spec.training import FitSpec
from harness.trace.events import Event
from harness.trace.recording import Recording
from harness.trace.stop import StopReason

MISSING = "NA"

LARGE = 2.0**100
"""Past this, the float32 sum of a few thousand losses, each times its batch, may overflow."""


@invariant(
    "history_matches_epochs",
    records=Recording.of("hooks"),
    source="Keras, keras.callbacks.History, Model.fit",
)
def history_matches_epochs(view: View, reason: Reason) -> tuple[Violation, ...]:
    """What `fit` returns, and the model keeps as its history, are the logs of each epoch.

    An evaluation or a prediction after the training does not change it.

    Raises:
        NothingToJudge: The loop returns no history, or it was broken off.
    """
    events = [event for event in view.trace.events if event.kind == "history"]
    if not events:
        message = "a history must be recorded to be judged, got none. Train with fit."
        raise NothingToJudge(message)
    expected = _columns(view)
    for event in events:
        for key in dict.fromkeys((*expected, *event.detail)):
            got, wanted = event.detail.get(key), expected.get(key)
            if got is None or wanted is None or not _same(float(got), wanted):
                return (_wrong_entry(view, reason, event, key, wanted),)
    return ()


def _columns(view: View) -> dict[str, float]:
    """Return each entry of the history under its key and its place among the epochs with it."""
    columns: dict[str, list[float]] = {}
    for record in view.trace.epochs:
        columns.setdefault("epoch", []).append(float(record.epoch))
        for key, value in record.logs.items():
            columns.setdefault(key, []).append(value)
    return {
        f"{key}.{index}": value
        for key, values in columns.items()
        for index, value in enumerate(values)
    }


def _wrong_entry(
    view: View, reason: Reason, event: Event, key: str, wanted: float | None
) -> Violation:
    name, _, index = key.rpartition(".")
    got = event.detail.get(key)
    return view.violation(
        reason,
        f"entry {index} of {name} in the {event.name} history is another than in the logs",
        got="absent" if got is None else got,
        expected="absent" if wanted is None else wanted,
        where=f"history.{name}",
    )


@invariant(
    "csv_log_matches_epochs",
    source="Keras, keras.callbacks.CSVLogger",
)
def csv_log_matches_epochs(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The CSV log has one header, then one row an epoch, with every value that was logged then.

    Where it appends, the rows of the earlier training stand before.

    Raises:
        NothingToJudge: There is no such log, or the training was broken off.
    """
    callbacks = view.pipeline.callbacks
    specs = [callback for callback in callbacks if isinstance(callback, CSVLoggerSpec)]
    if not specs or view.trace.stop.reason in BROKEN_OFF:
        message = "callbacks must hold a csv_logger of a whole training to be judged, got none."
        raise NothingToJudge(message)
    for spec in specs:
        found = _csv(view, reason, spec)
        if found is not None:
            return (found,)
    return ()


def _csv(view: View, reason: Reason, spec: CSVLoggerSpec) -> Violation | None:
    lines = [
        str(event.detail["text"]).split(spec.separator)
        for event in view.trace.events
        if event.kind == "line" and event.name == spec.filename
    ]
    header, rows = (lines[0], lines[1:]) if lines else ([], [])
    epochs = view.trace.epochs
    logged = {key for record in epochs for key in record.logs}
    absent = sorted({"epoch", *logged} - set(header))
    if absent and epochs:
        return view.violation(
            reason,
            f"the header of {spec.filename} lacks {absent[0]}",
            got=spec.separator.join(header),
            expected=absent[0],
            where=spec.filename,
        )
    due = len(epochs) + _rows_before(view, spec)
    if len(rows) != due:
        message = f"{spec.filename} has {len(rows)} rows for {due} epochs"
        return view.violation(reason, message, got=len(rows), expected=due, where=spec.filename)
    for row, record in zip(rows[len(rows) - len(epochs) :], epochs, strict=True):
        if len(row) != len(header):
            return view.violation(
                reason,
                f"the row of epoch {record.epoch} in {spec.filename} has not one value a column",
                got=len(row),
                expected=len(header),
                epoch=record.epoch,
                where=spec.filename,
            )
        expected = {"epoch": float(record.epoch), **record.logs}
        for key, text in zip(header, row, strict=True):
            wanted = expected.get(key)
            if not _is_written(text, wanted):
                return view.violation(
                    reason,
                    f"{key} of epoch {record.epoch} in {spec.filename} is {text}",
                    got=text,
                    expected=MISSING if wanted is None else wanted,
                    epoch=record.epoch,
                    where=f"{spec.filename}.{key}",
                )
    return None


def _rows_before(view: View, spec: CSVLoggerSpec) -> int:
    """Return how many rows an earlier training has left; nobody stops it before its end."""
    training = view.pipeline.training
    earlier = training.earlier_fit if isinstance(training, FitSpec) else None
    return earlier.epochs if earlier is not None and spec.append else 0


def _is_written(text: str, wanted: float | None) -> bool:
    if wanted is None:
        return text == MISSING
    try:
        return _same(float(text), wanted)
    except ValueError:
        return False


def _same(got: float, wanted: float) -> bool:
    return got == wanted or (math.isnan(got) and math.isnan(wanted))


@invariant(
    "learning_rate_is_logged",
    source="Keras, keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau",
)
def learning_rate_is_logged(view: View, reason: Reason) -> tuple[Violation, ...]:
    """A callback that sets the learning rate logs the one that the epoch was trained with.

    Raises:
        NothingToJudge: There is no such callback.
    """
    setters = (StepDecaySpec, LearningRateSchedulerSpec, ReduceLROnPlateauSpec)
    if not any(isinstance(callback, setters) for callback in view.pipeline.callbacks):
        message = "callbacks must hold one that sets the learning rate to be judged, got none."
        raise NothingToJudge(message)
    used = view.trace.steps.column("learning_rate")
    for record in view.trace.epochs:
        wanted = float(used[record.stop_step - 1]) if record.steps else None
        got = record.logs.get("learning_rate")
        if wanted is None or (got is not None and _same(got, wanted)):
            continue
        return (
            view.violation(
                reason,
                f"the learning rate in the logs of epoch {record.epoch} is not the one it used",
                got="absent" if got is None else got,
                expected=wanted,
                epoch=record.epoch,
                where="logs.learning_rate",
            ),
        )
    return ()


@invariant(
    "terminates_on_nan",
    source="Keras, keras.callbacks.TerminateOnNaN; 003",
)
def terminates_on_nan(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Training ends with the execution in which the loss first is no finite number, not before.

    Raises:
        NothingToJudge: There is no such callback, or the training was broken off.
    """
    callbacks, stop = view.pipeline.callbacks, view.trace.stop.reason
    watched = any(isinstance(callback, TerminateOnNaNSpec) for callback in callbacks)
    if not watched or stop in BROKEN_OFF:
        message = "callbacks must hold a terminate_on_nan of a whole training, got none."
        raise NothingToJudge(message)
    losses = view.trace.steps.column("loss").tolist()
    bad = next((step for step, loss in enumerate(losses) if not math.isfinite(loss)), None)
    stopped = stop is StopReason.NON_FINITE
    if bad is None:
        return _untimely(view, reason, losses) if stopped else ()
    due = _end_of_execution(view, bad)
    if stopped and len(losses) <= due:
        return ()
    return (
        view.violation(
            reason,
            f"the loss of step {bad} is {losses[bad]}, and {len(losses) - bad - 1} steps followed",
            got=f"{len(losses)} steps, {stop.value}",
            expected=f"{due} steps, non_finite",
            step=bad,
        ),
    )


def _untimely(view: View, reason: Reason, losses: list[float]) -> tuple[Violation, ...]:
    """Return the stop without a reason; the sum behind a mean overflows before the losses do."""
    if any(abs(loss) > LARGE for loss in losses):
        return ()
    message = "training was stopped although every loss was finite"
    return (view.violation(reason, message, got="stopped", expected="no stop"),)


def _end_of_execution(view: View, step: int) -> int:
    """Return how many steps are trained when the execution with this one has ended."""
    size = view.pipeline.compile.steps_per_execution
    record = next((item for item in view.trace.epochs if step < item.stop_step), None)
    first = 0 if record is None else record.first_step
    end = first + ((step - first) // size + 1) * size
    return end if record is None else min(end, record.stop_step)
