"""``tf.compat.v1.train`` optimizers behind the few methods a train step needs.

They are the ones that text 000 is about: ``apply_gradients(..., global_step=...)`` counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import PipelineError
from harness.pipeline.backend import import_tensorflow
from harness.spec.optimizer import (
    AdagradSpec,
    AdamSpec,
    AnyOptimizer,
    RMSpropSpec,
    SGDSpec,
)

if TYPE_CHECKING:
    from harness.spec.schedule import AnySchedule

__all__ = ["LegacyOptimizer"]


class LegacyOptimizer:
    """One TensorFlow 1 optimizer with its global step.

    Attributes:
        iterations: The global step, an int64 variable.
        learning_rate: The constant rate.

    Raises:
        PipelineError: There is no TensorFlow 1 optimizer of that kind, or it needs a schedule.
    """

    def __init__(self, spec: AnyOptimizer) -> None:
        """Make the optimizer; its slots come with the first update."""
        tf = import_tensorflow()
        self.iterations = tf.Variable(0, dtype="int64", trainable=False, name="global_step")
        train = tf.compat.v1.train
        rate: float | AnySchedule = getattr(spec, "learning_rate", 0.0)
        if not isinstance(rate, int | float):
            message = f"legacy_global_step must have a constant learning_rate, got {rate!r}."
            raise PipelineError(message)
        self.learning_rate = float(rate)
        match spec:
            case SGDSpec(momentum=0.0):
                self._optimizer = train.GradientDescentOptimizer(rate)
            case SGDSpec():
                self._optimizer = train.MomentumOptimizer(
                    rate, spec.momentum, use_nesterov=spec.nesterov
                )
            case AdamSpec():
                self._optimizer = train.AdamOptimizer(rate, spec.beta_1, spec.beta_2, spec.epsilon)
            case RMSpropSpec():
                self._optimizer = train.RMSPropOptimizer(
                    rate, spec.rho, spec.momentum, spec.epsilon, centered=spec.centered
                )
            case AdagradSpec():
                self._optimizer = train.AdagradOptimizer(rate, spec.initial_accumulator_value)
            case _:
                message = (
                    "legacy_global_step must use sgd, adam, rmsprop or adagrad, "
                    f"got {spec.kind!r}: TensorFlow 1 has no other."
                )
                raise PipelineError(message)

    @property
    def variables(self) -> list[Any]:
        """The global step; TensorFlow 1 keeps slots to itself."""
        return [self.iterations]

    def scale_loss(self, loss: Any) -> Any:
        """The loss itself: loss scaling came with Keras."""
        return loss

    def apply(self, gradients: list[Any], variables: list[Any]) -> None:
        """One update; the optimizer itself counts it in the global step."""
        natives = [getattr(variable, "value", variable) for variable in variables]
        self._optimizer.apply_gradients(
            zip(gradients, natives, strict=True), global_step=self.iterations
        )
