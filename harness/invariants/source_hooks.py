"""The grammar of the hooks that Keras calls on a data source.

What a PyDataset hands out may depend on the epoch it is in: a curriculum, its own shuffling. That
only works where each reading of the source, an epoch of training or one evaluation, is told to it
once, before the first batch of that reading is built.
"""

from dataclasses import dataclass, field

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import BROKEN_OFF
from harness.trace.events import Event
from harness.trace.recording import Recording

_SOURCE = "Keras, PyDataset.on_epoch_begin, PyDataset.on_epoch_end"

_RECORDS = Recording.of("hooks")

_PHASES = {
    "training": "epoch",
    "validation": "test",
    "evaluate": "test",
    "predict": "predict",
}
"""Between which hooks of callbacks a source is read, by what it is read for."""


@dataclass(slots=True)
class _Reading:
    """What happened to a source while it was read once, or between two readings.

    Attributes:
        role: What it is read for.
        number: Which reading of that role, from 0; None between readings.
        epoch: Epoch of the training, None outside of all epochs.
        events: Events of the source, in order.
        ended: Whether the hook that ends the reading was called.
    """

    role: str
    number: int | None = None
    epoch: int | None = None
    events: list[Event] = field(default_factory=list)
    ended: bool = True

    @property
    def name(self) -> str:
        """How a person would call it."""
        if self.number is None:
            return f"between two readings for {self.role}"
        return f"reading {self.number} for {self.role}"


@invariant("source_epochs_begin_once", records=_RECORDS, source=_SOURCE)
def source_epochs_begin_once(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Each reading of a PyDataset begins with one call of its on_epoch_begin; there are no others.

    Raises:
        NothingToJudge: No PyDataset is read, or no hook was recorded.
    """
    for role in _roles(view):
        for reading in _readings(view, role):
            calls = sum(event.name == "on_epoch_begin" for event in reading.events)
            wanted = 0 if reading.number is None else 1
            if calls == wanted or not reading.ended:
                continue
            message = f"on_epoch_begin was called {calls} times in {reading.name}"
            return (
                _wrong(
                    view, reason, message, "on_epoch_begin", reading=reading, found=(calls, wanted)
                ),
            )
    return ()


@invariant("source_epochs_end", records=_RECORDS, source=_SOURCE)
def source_epochs_end(view: View, reason: Reason) -> tuple[Violation, ...]:
    """What on_epoch_begin of a PyDataset began, on_epoch_end ends, however the reading ended.

    A run that an exception or a signal ended may leave the last one open.

    Raises:
        NothingToJudge: No PyDataset is read, or no hook was recorded.
    """
    for role in _roles(view):
        begun: _Reading | None = None
        for reading in _readings(view, role):
            for event in reading.events:
                if event.name == "on_epoch_begin" and begun is not None:
                    return (_unended(view, reason, begun, f"before {reading.name}"),)
                if event.name in {"on_epoch_begin", "on_epoch_end"}:
                    begun = reading if event.name == "on_epoch_begin" else None
        if begun is not None and view.trace.stop.reason not in BROKEN_OFF:
            ended = f"before the run ended ({view.trace.stop.reason.value})"
            return (_unended(view, reason, begun, ended),)
    return ()


@invariant("source_hooks_alternate", records=_RECORDS, source=_SOURCE)
def source_hooks_alternate(view: View, reason: Reason) -> tuple[Violation, ...]:
    """on_epoch_end of a PyDataset is called for an epoch that has begun, and once for each.

    Raises:
        NothingToJudge: No PyDataset is read, or no hook was recorded.
    """
    for role in _roles(view):
        begun = ended = 0
        for reading in _readings(view, role):
            for event in reading.events:
                begun += event.name == "on_epoch_begin"
                if event.name != "on_epoch_end":
                    continue
                ended += 1
                if ended > begun:
                    message = (
                        f"on_epoch_end of the source for {role} was called {ended} times by then, "
                        f"on_epoch_begin {begun} times"
                    )
                    counts = (ended, begun)
                    return (
                        _wrong(
                            view, reason, message, "on_epoch_end", reading=reading, found=counts
                        ),
                    )
    return ()


@invariant("source_batches_follow_begin", records=_RECORDS, source=_SOURCE)
def source_batches_follow_begin(view: View, reason: Reason) -> tuple[Violation, ...]:
    """No batch of a reading is built before on_epoch_begin of the PyDataset has returned.

    Batches that are built before the first reading, to learn their form, are not counted.

    Raises:
        NothingToJudge: No PyDataset is read, or no hook was recorded.
    """
    for role in _roles(view):
        for reading in _readings(view, role):
            within = False
            for event in reading.events:
                within = {"epoch_begun": True, "on_epoch_end": False}.get(event.name, within)
                if event.name != "batch" or within or reading.number is None:
                    continue
                batch = event.detail["index"]
                message = f"batch {batch} was built outside of the source's epoch in {reading.name}"
                found = (f"batch {batch}", "on_epoch_begin")
                return (
                    _wrong(view, reason, message, "on_epoch_begin", reading=reading, found=found),
                )
    return ()


def _roles(view: View) -> tuple[str, ...]:
    """Return what a PyDataset is read for in this run."""
    pipeline = view.pipeline
    held_out = "array" if pipeline.validation is None else pipeline.validation.source
    kinds = {"training": pipeline.data.source, "validation": held_out}
    kinds |= dict.fromkeys(pipeline.then, pipeline.after.source)
    roles = tuple(role for role, kind in kinds.items() if kind == "py_dataset")
    if not roles or not any(event.kind == "hook" for event in view.trace.events):
        message = (
            "a PyDataset must be read by fit to be judged, got none or no record of it. "
            'Set a source to "py_dataset", and record hooks.'
        )
        raise NothingToJudge(message)
    return roles


def _readings(view: View, role: str) -> list[_Reading]:
    """Return the readings for one role in order of time, and what happened between them."""
    phase, inside = _PHASES[role], role == "validation"
    found, number = [_Reading(role)], 0
    for event in view.trace.events:
        if event.kind == "source" and event.detail.get("role") == role:
            found[-1].events.append(event)
        if event.kind != "hook" or (phase == "test" and (event.epoch is not None) is not inside):
            continue
        if event.name == f"on_{phase}_begin":
            found.append(_Reading(role, number, event.epoch, ended=False))
            number += 1
        elif event.name == f"on_{phase}_end":
            found[-1].ended = True
            found.append(_Reading(role))
    return found


def _unended(view: View, reason: Reason, reading: _Reading, when: str) -> Violation:
    message = f"on_epoch_end was not called for {reading.name} {when}"
    return _wrong(
        view, reason, message, "on_epoch_end", reading=reading, found=("no call", "one call")
    )


def _wrong(
    view: View,
    reason: Reason,
    message: str,
    where: str,
    *,
    reading: _Reading,
    found: tuple[object, object],
) -> Violation:
    got, expected = found
    return view.violation(
        reason, message, got=got, expected=expected, epoch=reading.epoch, where=where
    )
