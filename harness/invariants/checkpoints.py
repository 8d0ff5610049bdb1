"""Callbacks that save the model: when they do, under which name, and what is in the file."""

from collections.abc import Sequence

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.monitoring import mode_of, monitored
from harness.invariants.readings import BROKEN_OFF
from harness.oracles.monitoring import saved_batches, saved_epochs
from harness.spec.callbacks import BackupAndRestoreSpec, ModelCheckpointSpec
from harness.spec.training import FitSpec
from harness.trace.epochs import EpochRecord
from harness.trace.events import Event
from harness.trace.recording import Recording

BACKUP = "backup/latest.weights.h5"


@invariant(
    "checkpoints_follow_automaton",
    records=Recording.of("state"),
    source="Keras, keras.callbacks.ModelCheckpoint; 001, checkpoints",
)
def checkpoints_follow_automaton(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Checkpoints are saved when they are due, as what was asked for, with the weights of then.

    Raises:
        NothingToJudge: There is no checkpoint, two write one file, or it looks for the best among
            batches, whose logs nobody records.
    """
    callbacks = view.pipeline.callbacks
    specs = [callback for callback in callbacks if isinstance(callback, ModelCheckpointSpec)]
    if not specs or len({spec.filepath for spec in specs}) < len(specs):
        message = f"callbacks must hold checkpoints, one a file, to be judged, got {len(specs)}."
        raise NothingToJudge(message)
    for spec in specs:
        due = _due(view, spec)
        found = _saves(view, reason, due, _method(spec), spec.filepath) or _contents(
            view, reason, spec, due
        )
        if found is not None:
            return (found,)
    return ()


@invariant(
    "backups_follow_automaton",
    source="Keras, keras.callbacks.BackupAndRestore",
)
def backups_follow_automaton(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Backups are made when they are due, and are gone after a training that came to its end.

    Raises:
        NothingToJudge: There is no backup, or the training was broken off and carried on.
    """
    callbacks, training = view.pipeline.callbacks, view.pipeline.training
    specs = [callback for callback in callbacks if isinstance(callback, BackupAndRestoreSpec)]
    interrupted = isinstance(training, FitSpec) and training.interrupt_after is not None
    if len(specs) != 1 or interrupted:
        message = f"callbacks must hold one backup of a whole training, got {len(specs)}."
        raise NothingToJudge(message)
    spec = specs[0]
    epochs = view.trace.epochs
    if spec.save_freq == "epoch":
        due = [(record.stop_step, BACKUP) for record in epochs]
    else:
        ends = _ends(view, epochs)
        due = [(step, BACKUP) for step in saved_batches(ends, save_freq=spec.save_freq)]
    found = _saves(view, reason, due, "save_weights", BACKUP)
    if found is not None:
        return (found,)
    broken = view.trace.stop.reason in BROKEN_OFF
    left = any(event.kind == "file" and event.name == BACKUP for event in view.trace.events)
    expected = bool(due) and (broken or not spec.delete_checkpoint)
    if left == expected:
        return ()
    state = ("gone", "there")
    return (
        view.violation(
            reason,
            f"the backup is {state[left]} after a training that ended as "
            f"{view.trace.stop.reason.value}",
            got=state[left],
            expected=state[expected],
            where=BACKUP,
        ),
    )


def _due(view: View, spec: ModelCheckpointSpec) -> list[tuple[int, str]]:
    """Return after how many steps a save is due, and the name it has."""
    epochs = view.trace.epochs
    if spec.save_freq != "epoch":
        if spec.save_best_only:
            message = "save_freq must be 'epoch' with save_best_only to be judged, got batches."
            raise NothingToJudge(message)
        saved = saved_batches(_ends(view, epochs), save_freq=spec.save_freq)
        return [(step, _name(spec, epochs, step)) for step in saved]
    due = saved_epochs(
        monitored(view, spec),
        mode=mode_of(view, spec) if spec.save_best_only else "min",
        save_best_only=spec.save_best_only,
        initial_value_threshold=spec.initial_value_threshold,
        initial_epoch=epochs[0].epoch if epochs else 0,
    )
    return [
        (record.stop_step, _name(spec, epochs, record.stop_step))
        for record in epochs
        if record.epoch in due
    ]


def _ends(view: View, epochs: Sequence[EpochRecord]) -> list[int]:
    """Return how many batches were trained at the end of each execution."""
    size = view.pipeline.compile.steps_per_execution
    return [
        min(start + size, record.stop_step)
        for record in epochs
        for start in range(record.first_step, record.stop_step, size)
    ]


def _name(spec: ModelCheckpointSpec, epochs: Sequence[EpochRecord], step: int) -> str:
    """Return the file name of a save: epochs and batches count from 1 in it."""
    record = next(item for item in epochs if item.first_step < step <= item.stop_step)
    logs = dict(record.logs) if spec.save_freq == "epoch" else {}
    try:
        return spec.filepath.format(epoch=record.epoch + 1, batch=step - record.first_step, **logs)
    except KeyError as missing:
        message = f"filepath must name what the epoch logs hold to be judged, got {missing}."
        raise NothingToJudge(message) from missing


def _method(spec: ModelCheckpointSpec) -> str:
    return "save_weights" if spec.save_weights_only else "save"


def _saves(
    view: View, reason: Reason, due: list[tuple[int, str]], method: str, pattern: str
) -> Violation | None:
    """Return the first save that came at another time, under another name or as something else."""
    stem = pattern.partition("{")[0]
    saved = [
        event
        for event in view.trace.events
        if event.kind == "saved" and event.name.startswith(stem)
    ]
    expected = [f"{method} of {name} after step {step}" for step, name in due]
    got = [
        f"{event.detail['method']} of {event.name} after step {event.detail['steps']}"
        for event in saved
    ]
    for index in range(max(len(got), len(expected))):
        found = got[index] if index < len(got) else "no more saves"
        wanted = expected[index] if index < len(expected) else "no more saves"
        if found != wanted:
            return view.violation(
                reason,
                f"save {index} of {pattern} is another than the one that is due",
                got=found,
                expected=wanted,
                epoch=saved[index].epoch if index < len(saved) else None,
                where=pattern,
            )
    return None


def _contents(
    view: View, reason: Reason, spec: ModelCheckpointSpec, due: list[tuple[int, str]]
) -> Violation | None:
    """Return the first file that is missing, of another kind, or that holds other weights."""
    last = {name: step for step, name in due}
    files = {event.name: event for event in view.trace.events if event.kind == "file"}
    for name, step in last.items():
        found = _content(files.get(name), spec, step)
        if found is not None:
            got, expected = found
            return view.violation(
                reason,
                f"{name} is not what was to be saved after step {step}",
                got=got,
                expected=expected,
                where=name,
            )
    return None


def _content(file: Event | None, spec: ModelCheckpointSpec, step: int) -> tuple[str, str] | None:
    """Return what a checkpoint is and what it should be, None where that is the same."""
    if file is None:
        return "no file", "a file"
    kinds = ("weights only", "a whole model")
    whole = bool(file.detail["architecture"])
    if whole == spec.save_weights_only:
        return kinds[whole], kinds[not whole]
    first, latest = file.detail.get("first_steps"), file.detail.get("last_steps")
    if not isinstance(first, int) or not isinstance(latest, int):
        return "variables of no step", f"the variables after step {step}"
    if first <= step <= latest:
        return None
    return f"the variables after step {first}", f"the variables after step {step}"
