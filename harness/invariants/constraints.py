"""Weight constraints, which hold from the first update on."""

from typing import NamedTuple

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.projections import constrained, projection_of
from harness.invariants.readings import gradient_reader, window_ends
from harness.oracles.arrays import Float64
from harness.oracles.constraints import Projection, excess
from harness.trace.recording import Recording


@invariant(
    "constraints_hold",
    records=Recording.of("gradients", "state"),
    source="Keras, keras.constraints: projections after each gradient update",
)
def constraints_hold(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Each constrained weight keeps its constraint after every update, and after training.

    That is after whatever the update did to it: decay, the step itself, and the average that
    replaces it. A weight is free until it has had an update with a gradient of its own.

    Raises:
        NothingToJudge: No weight has a constraint, or it is one that weights only move towards.
    """
    projection = projection_of(view)
    if projection is None or projection.rate < 1.0:
        message = (
            "model must have a constraint that is kept at once for it to be judged, "
            f"got {projection}. A rate below 1 is judged by matches_oracle."
        )
        raise NothingToJudge(message)
    paths = tuple(item.path for item in view.gradients.variables if constrained(view, item.path))
    read, ends, state = gradient_reader(view), window_ends(view), view.state
    order = {item.path: index for index, item in enumerate(view.gradients.variables)}
    rule, bound = _Bound(view, reason, projection), set[str]()
    for step in range(len(state)):
        if ends[step]:
            gradients = read(step)
            bound |= {path for path in paths if gradients[order[path]] is not None}
        for path in paths:
            if path in bound:
                found = rule.broken(path, state.after_of(path)[step], step)
                if found is not None:
                    return (found,)
    for path in paths:
        found = rule.broken(path, state.final_of(path), None)
        if path in bound and found is not None:
            return (found,)
    return ()


class _Bound(NamedTuple):
    """A constraint that a weight must keep."""

    view: View
    reason: Reason
    projection: Projection

    def broken(self, path: str, value: Float64, step: int | None) -> Violation | None:
        """Return a weight that exceeds the constraint by more than the tolerance."""
        beyond = excess(self.projection, value)
        if beyond <= self.view.atol:
            return None
        when = "after training" if step is None else f"after step {step}"
        return self.view.violation(
            self.reason,
            f"{path} breaks its constraint {self.projection.constraint} by {beyond!r} {when}",
            got=beyond,
            expected=0,
            step=step,
            where=path,
            allowed=self.view.tolerance(self.view.atol),
        )
