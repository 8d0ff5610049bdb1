"""The training pipeline: compile, train, evaluate and predict of one spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pipeline.distribution import strategy_scope
from harness.pipeline.driven import gradient_step
from harness.pipeline.legacy import LegacyOptimizer
from harness.pipeline.losses import build_loss
from harness.pipeline.metrics import build_metric
from harness.pipeline.model import build_model, build_variables
from harness.pipeline.optimizer import build_optimizer, inner_optimizer
from harness.pipeline.tape import tape_step
from harness.spec.model import MLPSpec, VariablesSpec
from harness.spec.optimizer import ImportedOptimizerSpec
from harness.spec.training import (
    FitSpec,
    GradientTapeSpec,
    LegacyGlobalStepSpec,
    TrainOnBatchSpec,
    WhileLoopSpec,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.pipeline.data import Examples
    from harness.pipeline.observer import Observer, Step
    from harness.spec.pipeline import PipelineSpec

__all__ = ["TrainingPipeline"]


class TrainingPipeline:
    """A compiled pipeline that can be run, reset and run again.

    Build and run it inside `harness.pipeline.numerics.numerics`.

    Attributes:
        model: The compiled Keras model, or None when gradients are drawn.
        optimizer: What updates the weights, loss scaling around it included.
        replicas: Devices that share each batch.
        step: The observed train step, for loops that are not Keras'.
        compiled_step: The same as a graph, once a loop has made it.
    """

    def __init__(self, spec: PipelineSpec, examples: Examples | None, observer: Observer) -> None:
        """Build and compile everything; nothing is trained yet.

        Args:
            spec: What to build.
            examples: The training data, of which only the shape matters here.
            observer: Watches the train step.
        """
        self._examples, self._observer = examples, observer
        self.model: Any = None
        self.replicas = 1 if spec.distribution is None else spec.distribution.replicas
        self.step: Step | None = None
        self.compiled_step: Step | None = None
        if isinstance(spec.model, VariablesSpec):
            self._build_variables(spec, spec.model, observer)
        else:
            with strategy_scope(spec.distribution):
                self._build_model(spec, examples)
            # Outside the scope: what the observer makes has no copies.
            self._watch_model(spec)
        self._initial = [(variable, variable.numpy()) for variable in self.variables]

    def _build_variables(
        self, spec: PipelineSpec, variables: VariablesSpec, observer: Observer
    ) -> None:
        policy = spec.precision.policy
        self._trainable = build_variables(
            variables, "float64" if policy == "float64" else "float32"
        )
        self.optimizer = build_optimizer(spec.optimizer, spec.precision)
        self.optimizer.build(self._trainable)
        self.step = observer.watch_step(
            gradient_step(self._trainable, self.optimizer, spec.precision), self
        )

    def _build_model(self, spec: PipelineSpec, examples: Examples | None) -> None:
        if examples is None:
            message = "a model needs examples to know the shape of its input"
            raise TypeError(message)
        model = build_model(spec.model, examples.inputs.shape[1:])
        options = spec.compile
        model.compile(
            optimizer=build_optimizer(spec.optimizer, spec.precision),
            loss=[build_loss(spec.loss) for _ in range(examples.heads)]
            if examples.heads > 1
            else build_loss(spec.loss),
            loss_weights=None if options.loss_weights is None else list(options.loss_weights),
            metrics=_metrics(spec, examples.heads),
            run_eagerly=options.run_eagerly,
            jit_compile=options.jit_compile,
            steps_per_execution=options.steps_per_execution,
            auto_scale_loss=options.auto_scale_loss,
        )
        self.model = model
        self._trainable = list(model.trainable_variables)
        self.optimizer = model.optimizer
        if not isinstance(spec.training, LegacyGlobalStepSpec):
            self.optimizer.build(self._trainable)
        if isinstance(spec.model, MLPSpec) and spec.model.frozen_after_compile:
            for index in spec.model.frozen_after_compile:
                model.get_layer(f"dense_{index}").trainable = False
            self._trainable = list(model.trainable_variables)

    def replace_model(self, spec: PipelineSpec, model: Any) -> None:
        """Go on with another compiled model of the same spec."""
        self.model = model
        self.optimizer = model.optimizer
        self._trainable = list(model.trainable_variables)
        self._watch_model(spec)

    def build_again(self, spec: PipelineSpec) -> None:
        """Go on with a new model of the same spec, at its own first weights."""
        with strategy_scope(spec.distribution):
            self._build_model(spec, self._examples)
        self._watch_model(spec)

    def _watch_model(self, spec: PipelineSpec) -> None:
        model, observer = self.model, self._observer
        match spec.training:
            case FitSpec() | TrainOnBatchSpec():
                model.train_step = observer.watch_step(model.train_step, self)
            case GradientTapeSpec() | WhileLoopSpec():
                self.step = observer.watch_step(tape_step(model, self.optimizer), self)
            case LegacyGlobalStepSpec():
                self.optimizer = LegacyOptimizer(spec.optimizer)
                self.step = observer.watch_step(tape_step(model, self.optimizer), self)
            case _:
                message = f"a model can't be trained by {spec.training.kind}"
                raise TypeError(message)

    @property
    def trainable(self) -> list[Any]:
        """The variables that the optimizer updates, in its order."""
        return self._trainable

    @property
    def variables(self) -> list[Any]:
        """Every variable that is part of the training's state; metrics are not."""
        if self.model is None:
            return [*self._trainable, *self.optimizer.variables]
        metrics = {id(variable) for variable in self.model.metrics_variables}
        own = [variable for variable in self.model.variables if id(variable) not in metrics]
        return [*own, *self.optimizer.variables]

    def reset(self, spec: PipelineSpec) -> None:
        """Back to the state before the first step, with the values of `spec` in it.

        Values are what does not change the compiled step: initial weights, a constant learning
        rate, callbacks, data and budgets. Everything else must be as in the spec it was built of.
        """
        for variable, value in self._initial:
            variable.assign(value)
        if isinstance(spec.model, VariablesSpec) and spec.model.initial is not None:
            _assign_flat(self._trainable, np.asarray(spec.model.initial))
        rate = None
        if not isinstance(spec.optimizer, ImportedOptimizerSpec):
            rate = spec.optimizer.learning_rate
        if isinstance(rate, int | float):
            inner_optimizer(self.optimizer).learning_rate = rate
        if self.model is not None:
            self.model.reset_metrics()
            self.model.stop_training = False

    def evaluate(self, examples: Examples, batch_size: int) -> dict[str, float]:
        """Keras' own loss and metrics over `examples`, by name."""
        arguments = dict(zip(("x", "y", "sample_weight"), examples.arrays(), strict=False))
        logs = self.model.evaluate(**arguments, batch_size=batch_size, verbose=0, return_dict=True)
        return {name: float(value) for name, value in logs.items()}

    def predict(self, examples: Examples, batch_size: int) -> NDArray[np.float64]:
        """Predictions of shape (examples, *dims), heads side by side in the last axis."""
        predictions = self.model.predict(examples.inputs, batch_size=batch_size, verbose=0)
        if isinstance(predictions, list | tuple):
            return np.concatenate([np.asarray(part, np.float64) for part in predictions], axis=-1)
        return np.asarray(predictions, np.float64)


def _metrics(spec: PipelineSpec, heads: int) -> list[Any]:
    if heads == 1:
        return [build_metric(metric) for metric in spec.metrics]
    return [[build_metric(metric) for metric in spec.metrics] for _ in range(heads)]


def _assign_flat(variables: list[Any], flat: NDArray[Any]) -> None:
    start = 0
    for variable in variables:
        size = int(np.prod(variable.shape))
        variable.assign(flat[start : start + size].reshape(variable.shape))
        start += size
