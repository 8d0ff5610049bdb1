"""Replicas of one model that must stay one model."""

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.trace.recording import Recording


@invariant(
    "replica_copies_agree",
    records=Recording.of("state"),
    source="tf.distribute.MirroredStrategy documentation: the copies are kept in sync",
)
def replica_copies_agree(view: View, reason: Reason) -> tuple[Violation, ...]:
    """After every step all replicas hold the same bits in every variable."""
    events = [event for event in view.trace.events if event.kind == "replicas"]
    if not any(event.name == "compared" and event.detail["steps"] for event in events):
        message = "replica copies must be recorded after a step, got none. Ask for two replicas."
        raise NothingToJudge(message)
    apart = [event for event in events if event.name != "compared"]
    if not apart:
        return ()
    first = min(apart, key=lambda event: event.detail["step"])
    step, distance = int(first.detail["step"]), float(first.detail["distance"])
    return (
        view.violation(
            reason,
            f"{first.name} differs between the replicas by {distance!r} after step {step} "
            f"({len(apart)} variables do at some time)",
            got=distance,
            expected="no difference",
            step=step,
            where=first.name,
        ),
    )
