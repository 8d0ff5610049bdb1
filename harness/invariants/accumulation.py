"""Gradient accumulation: nothing moves inside a window, and each window moves once."""

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import accumulation_steps, moved, skipped_steps, window_ends
from harness.trace.recording import Recording

_CONSTANT = ("trainable", "average", "slot")


@invariant(
    "accumulation_keeps_weights_constant",
    records=Recording.of("gradients", "state"),
    source="Keras, Optimizer(gradient_accumulation_steps): variables will not be updated at every "
    "step; 004, gradient accumulation",
)
def accumulation_keeps_weights_constant(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Inside a window of k micro-batches weights, averages and slots stay; its end updates once.

    A window that the end of an epoch leaves open goes on in the next one. Steps that loss scaling
    skips belong to no window.

    Raises:
        NothingToJudge: The optimizer does not accumulate.
    """
    if accumulation_steps(view) == 1:
        message = (
            "optimizer must have gradient_accumulation_steps for its windows to be judged, "
            "got none."
        )
        raise NothingToJudge(message)
    ends, skipped = window_ends(view), skipped_steps(view)
    for step in range(len(ends)):
        if ends[step]:
            found = _not_updated(view, reason, step)
        else:
            found = moved(view, reason, step, _CONSTANT)
            if not skipped[step]:
                found = found or _counted(view, reason, step, expected=0)
        if found is not None:
            return (found,)
    return ()


def _not_updated(view: View, reason: Reason, step: int) -> Violation | None:
    """Return a window's end that doesn't count, or leaves its sum for the next window."""
    state = view.state
    for path in state.paths("accumulator"):
        left = state.after_of(path)[step]
        mismatch = view.differs(left, left * 0.0, quantity="state", where=path, step=step)
        if mismatch is not None:
            return view.numeric(reason, mismatch)
    return _counted(view, reason, step, expected=1)


def _counted(view: View, reason: Reason, step: int, *, expected: int) -> Violation | None:
    before, after = view.trace.steps.iterations_before, view.trace.steps.iterations_after
    if before is None or after is None:
        return None
    got = int(after[step] - before[step])
    if got == expected:
        return None
    what = "ends" if expected else "lies inside"
    message = f"step {step} {what} a window, and {got} updates were counted"
    return view.violation(
        reason, message, got=got, expected=expected, step=step, where="iterations"
    )
