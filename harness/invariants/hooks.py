"""The grammar of the hooks that `fit` calls."""

from dataclasses import dataclass, field

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import BROKEN_OFF
from harness.trace.events import Event
from harness.trace.recording import Recording

_PARENTS = {
    "train": (None,),
    "epoch": ("train",),
    "train_batch": ("epoch",),
    "test": ("epoch", None),
    "test_batch": ("test",),
    "predict": ("epoch", None),
    "predict_batch": ("predict",),
}
"""Within what each phase may begin; None is outside of training."""


@dataclass(slots=True)
class _Walk:
    """Where the walk through the hooks stands."""

    open: list[Event] = field(default_factory=list)
    stopped_by: Event | None = None
    begun: set[str] = field(default_factory=set)
    epoch: int | None = None
    next_batch: dict[str, int] = field(default_factory=dict)
    steps: int | None = None


@invariant(
    "hooks_are_well_formed",
    records=Recording.of("hooks"),
    source="Keras, keras.callbacks.Callback; 003, callbacks that stop training",
)
def hooks_are_well_formed(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Every hook that begins ends once, in order, and no batch or epoch begins after a stop.

    Epochs and batch indices rise; the end of a batch with several steps per execution may name
    its last step. The steps of a batch are run between its begin and its end. Where an exception
    or a signal ended the run, what was open stays open.

    Raises:
        NothingToJudge: No hook was recorded: the loop has none, or nobody looked.
    """
    events = [event for event in view.trace.events if event.kind in {"hook", "stop_requested"}]
    if not any(event.kind == "hook" for event in events):
        message = "hooks must be recorded to be judged, got none. Record hooks, and train with fit."
        raise NothingToJudge(message)
    walk = _Walk()
    for event in events:
        rule = _step(walk, event)
        if rule is not None:
            return (_misplaced(view, reason, event, rule),)
    broken = view.trace.stop.reason in BROKEN_OFF
    if not broken and (walk.open or "train" not in walk.begun):
        name = _ending(walk.open[-1].name) if walk.open else "on_train_begin"
        message = f"training ended ({view.trace.stop.reason.value}) without {name}"
        return (view.violation(reason, message, got="no call", expected=name, where=name),)
    return ()


def _step(walk: _Walk, event: Event) -> str | None:
    """Take one event into the walk; return the rule it breaks, or None."""
    if event.kind == "stop_requested":
        walk.stopped_by = walk.stopped_by or event
        return None
    phase, _, edge = event.name.removeprefix("on_").rpartition("_")
    if phase not in _PARENTS:
        return None
    return _begin(walk, event, phase) if edge == "begin" else _end(walk, event)


def _begin(walk: _Walk, event: Event, phase: str) -> str | None:
    inside = _phase(walk.open[-1].name) if walk.open else None
    if inside not in _PARENTS[phase]:
        return f"not begin inside {walk.open[-1].name}" if walk.open else "begin inside training"
    if phase == "train" and "train" in walk.begun:
        return "come once"
    if walk.stopped_by is not None and phase in {"epoch", "train_batch"}:
        return f"not come after {walk.stopped_by.name} asked to stop"
    rule = _in_order(walk, event, phase)
    if phase == "train_batch":
        rule = rule or _before_its_steps(walk, event)
    walk.begun.add(phase)
    walk.open.append(event)
    return rule


def _in_order(walk: _Walk, event: Event, phase: str) -> str | None:
    if phase == "epoch":
        expected = event.epoch if walk.epoch is None else walk.epoch + 1
        walk.epoch, walk.steps = event.epoch, None
        return None if event.epoch == expected else f"name epoch {expected}"
    if phase.endswith("_batch"):
        batch, expected = event.detail.get("batch"), walk.next_batch.get(phase, 0)
        return None if batch == expected else f"name batch {expected}"
    walk.next_batch.pop(f"{phase}_batch", None)
    return None


def _end(walk: _Walk, event: Event) -> str | None:
    if not walk.open or _ending(walk.open[-1].name) != event.name:
        return f"wait for {_ending(walk.open[-1].name)}" if walk.open else "follow its own begin"
    begin = walk.open.pop()
    phase = _phase(event.name)
    if phase == "epoch":
        walk.next_batch.pop("train_batch", None)
        return None if event.epoch == begin.epoch else f"name epoch {begin.epoch}"
    if phase.endswith("_batch"):
        first, last = begin.detail.get("batch"), event.detail.get("batch")
        if not isinstance(first, int) or not isinstance(last, int) or last < first:
            return f"name batch {first} or a later one"
        walk.next_batch[phase] = last + 1
    return _after_its_steps(walk, begin, event) if phase == "train_batch" else None


def _before_its_steps(walk: _Walk, event: Event) -> str | None:
    """Say what is wrong where steps were run since the batch before, in the same epoch, ended."""
    steps = event.detail.get("steps")
    return None if walk.steps in {None, steps} else f"come after {walk.steps} steps, not {steps}"


def _after_its_steps(walk: _Walk, begin: Event, event: Event) -> str | None:
    """Say what is wrong where no step was run since the batch began; old traces do not know."""
    before, after = begin.detail.get("steps"), event.detail.get("steps")
    if not isinstance(before, int) or not isinstance(after, int):
        return None
    walk.steps = after
    return None if after > before else f"come after a step that {begin.name} came before"


def _phase(name: str) -> str:
    return name.removeprefix("on_").rpartition("_")[0]


def _ending(name: str) -> str:
    return name.removesuffix("_begin") + "_end"


def _misplaced(view: View, reason: Reason, event: Event, rule: str) -> Violation:
    batch = event.detail.get("batch")
    call = event.name if batch is None else f"{event.name}({batch})"
    place = "outside of all epochs" if event.epoch is None else f"in epoch {event.epoch}"
    return view.violation(
        reason,
        f"{call} {place} must {rule}",
        got=call,
        expected=rule,
        step=event.step,
        epoch=event.epoch,
        where=event.name,
    )
