"""Weight constraints, which hold from the first update on."""

from typing import NamedTuple

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import gradient_reader, window_ends
from harness.oracles.arrays import Float64
from harness.oracles.constraints import Constraint, excess
from harness.spec.model import MLPSpec, VariablesSpec
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
        NothingToJudge: No weight has a constraint.
    """
    constraint, paths = _constrained(view)
    if constraint is None:
        message = "model must have a constraint for it to be judged, got none."
        raise NothingToJudge(message)
    read, ends, state = gradient_reader(view), window_ends(view), view.state
    order = {item.path: index for index, item in enumerate(view.gradients.variables)}
    rule, bound = _Bound(view, reason, constraint), set[str]()
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


def _constrained(view: View) -> tuple[Constraint | None, tuple[str, ...]]:
    """Return the constraint, and the weights that have it."""
    model, weights = view.pipeline.model, view.gradients.variables
    if isinstance(model, VariablesSpec):
        return model.constraint, tuple(item.path for item in weights)
    if isinstance(model, MLPSpec):
        kernels = tuple(item.path for item in weights if item.path.endswith("/kernel"))
        return model.kernel_constraint, kernels
    return None, ()


class _Bound(NamedTuple):
    """A constraint that a weight must keep."""

    view: View
    reason: Reason
    constraint: Constraint

    def broken(self, path: str, value: Float64, step: int | None) -> Violation | None:
        """Return a weight that exceeds the constraint by more than the tolerance."""
        beyond = excess(self.constraint, value)
        if beyond <= self.view.atol:
            return None
        when = "after training" if step is None else f"after step {step}"
        return self.view.violation(
            self.reason,
            f"{path} breaks its constraint {self.constraint} by {beyond!r} {when}",
            got=beyond,
            expected=0,
            step=step,
            where=path,
            allowed=self.view.tolerance(self.view.atol),
        )
