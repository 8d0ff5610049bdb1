"""Loops that can't do what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec.data import PredictionsSpec
from harness.spec.findings import Finding, finding
from harness.spec.model import VariablesSpec
from harness.spec.training import (
    ApplyGradientsSpec,
    FitSpec,
    TrainOnBatchSpec,
    UpdateMetricsSpec,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["TRAINING_CHECKS"]

_NOT_SAVED = ("weighted_mse", "focal_loss", "import")


def epochs_remain(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Starting at or past the last epoch trains nothing."""
    training = pipeline.training
    if isinstance(training, FitSpec) and training.initial_epoch >= training.epochs:
        rule = f"be less than epochs, which is {training.epochs}"
        yield finding("training.initial_epoch", rule, training.initial_epoch)


def interrupts_come_in_time(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A fit is broken off in one of its own epochs."""
    training = pipeline.training
    if not isinstance(training, FitSpec):
        return
    parts = [("training", training.initial_epoch, training.epochs, training.interrupt_after)]
    earlier = training.earlier_fit
    if earlier is not None and earlier.epochs:
        parts.append(("training.earlier_fit", 0, earlier.epochs, earlier.interrupt_after))
    for key, first, stop, interrupt in parts:
        if interrupt is not None and not first <= interrupt.epoch < stop:
            rule = f"be at least {first} and less than {stop}, which is not run any more"
            yield finding(f"{key}.interrupt_after.epoch", rule, interrupt.epoch)
        restart = None if interrupt is None else interrupt.restart_at
        if restart is not None and restart >= stop:
            rule = f"be less than {stop}, which is not run any more"
            yield finding(f"{key}.interrupt_after.restart_at", rule, restart)


def broken_off_to_be_left(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Only a fit that is broken off can be left so."""
    training = pipeline.training
    earlier = training.earlier_fit if isinstance(training, FitSpec) else None
    if earlier is not None and earlier.interrupt_after is None and not earlier.carried_on:
        rule = "be true where training.earlier_fit.interrupt_after breaks nothing off"
        yield finding("training.earlier_fit.carried_on", rule, earlier.carried_on)


def saved_in_the_middle(pipeline: PipelineSpec) -> Iterator[Finding]:
    """There is training before and after the file, and the file can hold everything."""
    training = pipeline.training
    if not isinstance(training, FitSpec) or training.save_and_load_after is None:
        return
    first, last = training.initial_epoch, training.epochs
    if not first < training.save_and_load_after < last:
        rule = f"lie between the first epoch, {first}, and the last, {last}"
        yield finding("training.save_and_load_after", rule, training.save_and_load_after)
    if pipeline.callbacks:
        names = [callback.kind for callback in pipeline.callbacks]
        remedy = "They belong to one fit, and there are two."
        yield finding("callbacks", "be empty where a model is loaded", names, remedy)
    if training.saved_as == "model" and pipeline.loss.kind in _NOT_SAVED:
        remedy = "A file holds Keras' own losses only."
        yield finding("loss.kind", "be one of Keras' own", pipeline.loss.kind, remedy)


def gradients_drive_variables(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Given gradients need bare variables, and bare variables need given gradients."""
    driven = isinstance(pipeline.training, ApplyGradientsSpec)
    bare = isinstance(pipeline.model, VariablesSpec)
    if driven and not bare:
        rule = "be 'variables' for the training apply_gradients"
        yield finding("model.kind", rule, pipeline.model.kind)
    elif bare and not driven:
        rule = "be 'apply_gradients' for the model variables"
        yield finding("training.kind", rule, pipeline.training.kind)


def rows_fit_variables(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A row of gradients, and the initial values, hold one number per element."""
    model, training = pipeline.model, pipeline.training
    if not isinstance(model, VariablesSpec):
        return
    size = sum(model.sizes)
    rule = f"hold {size} numbers, one per element of the variables"
    if model.initial is not None and len(model.initial) != size:
        yield finding("model.initial", rule, list(model.initial))
    if isinstance(training, ApplyGradientsSpec):
        for index, row in enumerate(training.gradients):
            if len(row) != size:
                yield finding(f"training.gradients.{index}", rule, list(row))


def gradients_of_variables(pipeline: PipelineSpec) -> Iterator[Finding]:
    """What is said about single gradients names variables, and leaves a gradient in each step."""
    model, training = pipeline.model, pipeline.training
    if not isinstance(model, VariablesSpec) or not isinstance(training, ApplyGradientsSpec):
        return
    count = len(model.shapes)
    rule = f"hold indices of the {count} variables, 0 to {count - 1}"
    for index, step in enumerate(training.missing):
        if any(variable >= count for variable in step):
            yield finding(f"training.missing.{index}", rule, list(step))
        elif len(set(step)) == count:
            rest = "leave a gradient to at least one variable"
            yield finding(f"training.missing.{index}", rest, list(step))
    for key in ("overwritten", "plain"):
        if any(variable >= count for variable in getattr(model, key)):
            yield finding(f"model.{key}", rule, list(getattr(model, key)))
    if model.plain and model.constraint is not None:
        remedy = "Only variables of Keras take one."
        yield finding("model.constraint", "be left out with plain", model.constraint, remedy)
    if any(variable >= count for variable in training.sparse):
        yield finding("training.sparse", rule, list(training.sparse))


def only_fit_has_more(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Callbacks and batched executions are services of fit; validation has another loop too."""
    kind = pipeline.training.kind
    if isinstance(pipeline.training, FitSpec):
        return
    if pipeline.callbacks:
        names = [callback.kind for callback in pipeline.callbacks]
        yield finding("callbacks", f"be empty for the training {kind}", names, "Only fit has any.")
    if pipeline.validation is not None and not isinstance(pipeline.training, TrainOnBatchSpec):
        split = pipeline.validation.split
        rule = f"be left out for the training {kind}"
        remedy = "Only fit and train_on_batch validate."
        yield finding("validation", rule, {"split": split}, remedy)
    if pipeline.compile.steps_per_execution != 1:
        steps = pipeline.compile.steps_per_execution
        rule = f"be 1 for the training {kind}"
        yield finding("compile.steps_per_execution", rule, steps, "Only fit bundles steps.")


def nothing_follows_gradients(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Without a model there is nothing to evaluate or predict."""
    if isinstance(pipeline.training, ApplyGradientsSpec) and pipeline.then:
        rule = "be empty for the training apply_gradients"
        yield finding("then", rule, list(pipeline.then))


def predictions_are_drawn(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Only drawn predictions can be handed to a loss without a model."""
    if not isinstance(pipeline.training, UpdateMetricsSpec):
        return
    if not isinstance(pipeline.data, PredictionsSpec):
        rule = "be 'predictions' for the training update_metrics"
        yield finding("data.kind", rule, pipeline.data.kind)
    if pipeline.then:
        rule = "be empty for the training update_metrics"
        yield finding("then", rule, list(pipeline.then))


def lists_are_named(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A list of results says nothing of the metric that only the user's own code names."""
    unnamed = [item for item in pipeline.metrics if item.kind == "import" and item.name is None]
    if pipeline.compile.returns == "list" and unnamed:
        rule = "be 'dict' where an imported metric has no name here"
        yield finding("compile.returns", rule, pipeline.compile.returns)


TRAINING_CHECKS = (
    lists_are_named,
    predictions_are_drawn,
    epochs_remain,
    interrupts_come_in_time,
    broken_off_to_be_left,
    saved_in_the_middle,
    gradients_drive_variables,
    rows_fit_variables,
    gradients_of_variables,
    only_fit_has_more,
    nothing_follows_gradients,
)
