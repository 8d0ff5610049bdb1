"""Numbers that must stay numbers."""

import numpy as np

from harness.invariants.base import Reason, View, Violation, invariant
from harness.oracles.arrays import Float64
from harness.trace.recording import Recording

_ROLES = ("trainable", "non_trainable")


@invariant(
    "weights_stay_finite",
    records=Recording.of("state"),
    source="003, numerical instability; 002, exploding gradients",
)
def weights_stay_finite(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Every weight of the model is a finite number after every step and after training."""
    state = view.state
    paths = [path for role in _ROLES for path in state.paths(role)]
    for step in range(len(state)):
        for path in paths:
            value = state.after_of(path)[step]
            if not np.isfinite(value).all():
                return (_infinite(view, reason, value, path, step),)
    for path in paths:
        value = state.final_of(path)
        if not np.isfinite(value).all():
            return (_infinite(view, reason, value, path, None),)
    return ()


def _infinite(view: View, reason: Reason, value: Float64, path: str, step: int | None) -> Violation:
    wrong = ~np.isfinite(value)
    index = tuple(int(i) for i in np.unravel_index(int(wrong.argmax()), wrong.shape))
    where = f"{path}[{', '.join(map(str, index))}]" if index else path
    when = "after training" if step is None else f"after step {step}"
    return view.violation(
        reason,
        f"{where} is {float(value[index])!r} {when} "
        f"({int(wrong.sum())} of {wrong.size} values are not finite)",
        got=float(value[index]),
        expected="a finite number",
        step=step,
        where=where,
    )
