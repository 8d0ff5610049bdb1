"""What the hooks of one epoch are told: they are hooks of the same training."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.trace.events import Event
from harness.trace.recording import Recording

LOG = "logs."
"""What the name of a log begins with in the details of a hook."""

_VALIDATION = "val_"


class _Claim(NamedTuple):
    """Two hooks that must be told the same.

    Attributes:
        told: The hook that is judged.
        logs: What it must be told, by name.
        why: What `logs` are.
    """

    told: Event
    logs: Mapping[str, float]
    why: str


@invariant(
    "hook_logs_agree",
    records=Recording.of("hooks"),
    source="Keras, keras.callbacks.Callback: what is in the logs of each hook",
)
def hook_logs_agree(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The hooks of one epoch are told the same figures, each what it knows of them.

    The last batch of an epoch has the aggregated results up to there, which are those of the
    epoch; the last batch of its validation those that the epoch names with `val_`. What the last
    epoch was told is told at the end of the training. Logs that other callbacks add do not count.

    Raises:
        NothingToJudge: No hook with logs was recorded: the loop has none, or nobody looked.
    """
    hooks = [event for event in view.trace.events if event.kind == "hook"]
    if not any(_logs(event) for event in hooks):
        message = "hooks must be recorded with logs to be judged, got none. Train with fit."
        raise NothingToJudge(message)
    for claim in _claims(hooks):
        found = _broken(view, reason, claim)
        if found is not None:
            return (found,)
    return ()


def _claims(hooks: list[Event]) -> Iterator[_Claim]:
    last: dict[str, Event] = {}
    for event in hooks:
        if event.name == "on_epoch_begin":
            last.pop("on_train_batch_end", None)
            last.pop("on_test_batch_end", None)
        elif event.name == "on_epoch_end":
            yield from _of_epoch(event, last)
        elif event.name == "on_train_end" and "on_epoch_end" in last:
            yield _Claim(event, _logs(last["on_epoch_end"]), "what the last epoch ended with")
        last[event.name] = event


def _of_epoch(epoch: Event, last: Mapping[str, Event]) -> Iterator[_Claim]:
    """Yield what the batches before the end of an epoch say of it."""
    trained, tested = last.get("on_train_batch_end"), last.get("on_test_batch_end")
    if trained is not None:
        yield _Claim(epoch, _logs(trained), "what its last batch ended with")
    if tested is not None:
        logs = {_VALIDATION + name: value for name, value in _logs(tested).items()}
        yield _Claim(epoch, logs, "what the last batch of its validation ended with")


def _logs(event: Event) -> dict[str, float]:
    return {
        name.removeprefix(LOG): float(value)
        for name, value in event.detail.items()
        if name.startswith(LOG)
    }


def _broken(view: View, reason: Reason, claim: _Claim) -> Violation | None:
    told = _logs(claim.told)
    place = claim.told.name
    for name, expected in claim.logs.items():
        if name not in told:
            return view.violation(
                reason,
                f"{place} is not told {name}, which is in {claim.why}",
                got=sorted(told),
                expected=name,
                epoch=claim.told.epoch,
                where=f"{place}.{name}",
            )
        mismatch = view.differs(
            told[name], expected, quantity="logs", where=f"{place}.{name}", epoch=claim.told.epoch
        )
        if mismatch is not None:
            return view.numeric(reason, mismatch)
    return None
