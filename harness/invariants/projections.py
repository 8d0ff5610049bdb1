"""The constraints of a model's variables, from its table to the arguments of an oracle."""

from harness.invariants.base import View
from harness.oracles.constraints import Projection, make_projection
from harness.spec.model import MLPSpec, VariablesSpec


def projection_of(view: View) -> Projection | None:
    """Return the constraint that a model has, whichever of its variables have it."""
    model = view.pipeline.model
    if isinstance(model, VariablesSpec):
        given = model.constraint
    else:
        given = model.kernel_constraint if isinstance(model, MLPSpec) else None
    if given is None or isinstance(given, str):
        return None if given is None else make_projection(given)
    return make_projection(given.kind, **given.model_dump(exclude={"kind"}))


def constrained(view: View, path: str) -> bool:
    """Say whether a trainable variable has the constraint of its model, if that has one."""
    return isinstance(view.pipeline.model, VariablesSpec) or path.endswith("/kernel")


def projections(view: View) -> tuple[Projection | None, ...] | None:
    """Return the constraint of each variable with a gradient, in their order; None without any."""
    found = projection_of(view)
    if found is None:
        return None
    return tuple(
        found if constrained(view, item.path) else None for item in view.gradients.variables
    )
