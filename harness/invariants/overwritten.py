"""Variables whose gradient is their next value."""

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.spec.model import VariablesSpec
from harness.spec.training import ApplyGradientsSpec
from harness.trace.recording import Recording


@invariant(
    "overwritten_take_their_gradient",
    records=Recording.of("gradients", "state"),
    source="Keras, Variable.overwrite_with_gradient",
)
def overwritten_take_their_gradient(view: View, reason: Reason) -> tuple[Violation, ...]:
    """A variable that is overwritten has exactly the value that was handed over as its gradient.

    Neither a loss scale nor the optimizer has a say in it, and each step counts.

    Raises:
        NothingToJudge: No variable is overwritten, or its gradients are not drawn.
    """
    model, training = view.pipeline.model, view.pipeline.training
    if (
        not isinstance(model, VariablesSpec)
        or not isinstance(training, ApplyGradientsSpec)
        or not model.overwritten
    ):
        message = "model must have overwritten variables for them to be judged, got none."
        raise NothingToJudge(message)
    state, stops = view.state, np.cumsum(model.sizes)
    for step in range(len(state)):
        row = np.asarray(training.gradients[step])
        for index in model.overwritten:
            item = view.gradients.variables[index]
            wanted = row[stops[index] - model.sizes[index] : stops[index]].reshape(item.shape)
            mismatch = view.differs(
                state.after_of(item.path)[step],
                wanted,
                quantity="weights",
                where=item.path,
                step=step,
                phase="after",
            )
            if mismatch is not None:
                return (view.numeric(reason, mismatch),)
    return ()
