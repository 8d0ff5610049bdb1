"""The training pipeline: compile, train, evaluate and predict of one spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.pipeline.compiling import compile_arguments, other_arguments
from harness.pipeline.distribution import strategy_scope
from harness.pipeline.driven import gradient_step, hand_over, successor_of
from harness.pipeline.legacy import LegacyOptimizer
from harness.pipeline.model import build_model, build_variables
from harness.pipeline.optimizer import (
    build_optimizer,
    inner_optimizer,
    is_prebuilt,
    start_from_weights,
)
from harness.pipeline.returned import by_name, return_dict
from harness.pipeline.tape import tape_step
from harness.pipeline.values import kept_value, put_back
from harness.spec.model import MLPSpec, VariablesSpec
from harness.spec.optimizer import ImportedOptimizerSpec, MultiOptimizerSpec
from harness.spec.training import (
    ApplyGradientsSpec,
    FitSpec,
    GradientTapeSpec,
    LegacyGlobalStepSpec,
    TrainOnBatchSpec,
    WhileLoopSpec,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from harness.pipeline.data import Examples
    from harness.pipeline.observer import Observer, Step
    from harness.pipeline.sources import Source
    from harness.spec.pipeline import PipelineSpec

__all__ = ["TrainingPipeline"]


@dataclass(frozen=True, slots=True)
class _Driver:
    """An optimizer that is driven with given gradients, and the step that does it."""

    optimizer: Any
    step: Step | None
    compiled: Step | None = None


class TrainingPipeline:
    """A compiled pipeline that can be run, reset and run again.

    Build and run it inside `harness.pipeline.numerics.numerics`.

    Attributes:
        model: The compiled Keras model, or None when gradients are drawn.
        optimizer: What updates the weights, loss scaling around it included.
        replicas: Devices that share each batch.
        step: The observed train step, for loops that are not Keras'.
        compiled_step: The same as a graph, once a loop has made it.
        gradients_vary: Which variables have a gradient may differ from step to step.
    """

    _successor: _Driver | None = None

    def __init__(self, spec: PipelineSpec, examples: Examples | None, observer: Observer) -> None:
        """Build and compile everything; nothing is trained yet.

        Args:
            spec: What to build.
            examples: The training data, of which only the shape matters here.
            observer: Watches the train step.
        """
        self._examples, self._observer = examples, observer
        self.model: Any = None
        self.optimizer: Any = None
        self.replicas = 1 if spec.distribution is None else spec.distribution.replicas
        self.step: Step | None = None
        self.compiled_step: Step | None = None
        self.gradients_vary = False
        self._succeeded = False
        if isinstance(spec.model, VariablesSpec):
            self._build_variables(spec, spec.model, observer)
        else:
            with strategy_scope(spec.distribution):
                self._build_model(spec, examples)
            # Outside the scope: what the observer makes has no copies.
            self._watch_model(spec)
        self._rate = _constant_rate(spec)
        self._initial = [
            (variable, kept_value(variable)) for variable in (*self.variables, *self._fresh())
        ]

    def _build_variables(
        self, spec: PipelineSpec, variables: VariablesSpec, observer: Observer
    ) -> None:
        policy, training = spec.precision.policy, spec.training
        self._trainable = build_variables(
            variables, variables.dtype or ("float64" if policy == "float64" else "float32")
        )
        if not isinstance(training, ApplyGradientsSpec):
            message = f"bare variables can't be trained by {training.kind}"
            raise TypeError(message)
        self.gradients_vary = bool(training.missing)
        self._drive(spec, training, build_optimizer(spec.optimizer, spec.precision), observer)
        if training.save_and_load_after is not None:
            first = _Driver(self.optimizer, self.step)
            self._drive(spec, training, successor_of(self.optimizer), observer)
            self._successor = _Driver(self.optimizer, self.step)
            self.optimizer, self.step = first.optimizer, first.step

    def _drive(
        self, spec: PipelineSpec, training: ApplyGradientsSpec, optimizer: Any, observer: Observer
    ) -> None:
        if is_prebuilt(spec.optimizer):
            optimizer.build(self._trainable)
        self.optimizer = optimizer
        step = gradient_step(
            self._trainable,
            optimizer,
            spec.precision,
            sparse=training.sparse,
            repeated_ids=training.repeated_ids,
            overwritten=spec.model.overwritten if isinstance(spec.model, VariablesSpec) else (),
        )
        self.step = observer.watch_step(step, self)

    def _fresh(self) -> list[Any]:
        return [] if self._successor is None else self._successor.optimizer.variables

    def save_and_load(self) -> None:
        """Go on with the successor, which knows nothing but what the optimizer saves.

        Raises:
            ValueError: The two do not have the same variables.
        """
        saved = self.optimizer
        self._succeed()
        hand_over(saved, self.optimizer)

    def _succeed(self) -> None:
        if self._successor is None:
            message = "this pipeline was built without a second optimizer"
            raise TypeError(message)
        other = self._successor
        self._successor = _Driver(self.optimizer, self.step, self.compiled_step)
        self.optimizer, self.step, self.compiled_step = other.optimizer, other.step, other.compiled
        self._succeeded = not self._succeeded

    def _build_model(self, spec: PipelineSpec, examples: Examples | None) -> None:
        if examples is None:
            message = "a model needs examples to know the shape of its input"
            raise TypeError(message)
        model = build_model(spec.model, examples.inputs.shape[1:])
        options = spec.compile
        if options.compiled_before:
            model.compile(**other_arguments(spec))
        model.compile(
            optimizer=build_optimizer(spec.optimizer, spec.precision),
            **compile_arguments(spec),
            run_eagerly=options.run_eagerly,
            jit_compile=options.jit_compile,
            steps_per_execution=options.steps_per_execution,
            auto_scale_loss=options.auto_scale_loss,
        )
        self.model = model
        self._trainable = list(model.trainable_variables)
        self.optimizer = model.optimizer
        if is_prebuilt(spec.optimizer) and not isinstance(spec.training, LegacyGlobalStepSpec):
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
        if self._succeeded:
            self._succeed()
        self.reset_values(spec)
        if self.model is not None:
            self.model.stop_training = False
            # A resumed fit leaves the epoch it went on with behind, for every later one.
            self.model._initial_epoch = None  # noqa: SLF001 - there is no public way

    def reset_values(self, spec: PipelineSpec) -> None:
        """Put back every variable, but nothing that a fit may have left behind in the model."""
        for variable, value in self._initial:
            put_back(variable, value)
        if isinstance(spec.model, VariablesSpec) and spec.model.initial is not None:
            _assign_flat(self._trainable, np.asarray(spec.model.initial))
            start_from_weights(self.optimizer, self._trainable)
        rate = _constant_rate(spec)
        # The rate that it was built with is back already, and Keras' setter is slow.
        if rate is not None and rate != self._rate:
            inner_optimizer(self.optimizer).learning_rate = rate
        if self.model is not None:
            self.model.reset_metrics()

    def evaluate(
        self, spec: PipelineSpec, source: Source, callbacks: Sequence[Any] = ()
    ) -> dict[str, float]:
        """Keras' own loss and metrics over the batches of a source that are asked for, by name."""
        returned = self.model.evaluate(
            **source.fit_arguments(),
            steps=spec.after.steps,
            callbacks=list(callbacks),
            verbose=0,
            return_dict=return_dict(spec),
        )
        return {name: float(value) for name, value in by_name(returned, spec).items()}

    def predict(
        self, spec: PipelineSpec, source: Source, callbacks: Sequence[Any] = ()
    ) -> NDArray[np.float64]:
        """Predictions of shape (examples, *dims), heads side by side in the last axis."""
        arguments = source.fit_arguments()
        given = {name: arguments[name] for name in ("x", "batch_size") if name in arguments}
        predictions = self.model.predict(
            **given, steps=spec.after.steps, callbacks=list(callbacks), verbose=0
        )
        if isinstance(predictions, list | tuple):
            return np.concatenate([np.asarray(part, np.float64) for part in predictions], axis=-1)
        return np.asarray(predictions, np.float64)


def _constant_rate(spec: PipelineSpec) -> float | None:
    """The learning rate that a variable of the optimizer holds; None where it is no constant."""
    if isinstance(spec.optimizer, ImportedOptimizerSpec | MultiOptimizerSpec):
        return None
    rate = spec.optimizer.learning_rate
    return rate if isinstance(rate, int | float) else None


def _assign_flat(variables: list[Any], flat: NDArray[Any]) -> None:
    start = 0
    for variable in variables:
        size = int(np.prod(variable.shape))
        variable.assign(flat[start : start + size].reshape(variable.shape))
        start += size
