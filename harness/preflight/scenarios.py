"""The preflight plan of a scenario's pipeline.

What its specification refuses by itself (see `harness.spec.checks`) never comes here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from harness.preflight.plan import (
    CallbackPlan,
    CompilePlan,
    OptimizerPlan,
    Plan,
    RatePlan,
    SourceKind,
    SourcePlan,
)
from harness.spec.base import Spec
from harness.spec.callbacks import ImportedCallbackSpec, MonitorSpec
from harness.spec.checks_data import examples_of
from harness.spec.data import held_out_of
from harness.spec.layers import BatchNormalizationSpec
from harness.spec.model import MLPSpec, VariablesSpec
from harness.spec.optimizer import OptimizerSpec
from harness.spec.schedule import (
    ConstantCallableSpec,
    CosineDecaySpec,
    PiecewiseConstantDecaySpec,
    PolynomialDecaySpec,
    WarmupCosineSpec,
)
from harness.spec.training import (
    ApplyGradientsSpec,
    FitSpec,
    LoopSpec,
    UpdateMetricsSpec,
    WhileLoopSpec,
    given_class_weights,
)

if TYPE_CHECKING:
    from harness.spec.callbacks import AnyCallback
    from harness.spec.data import ValidationSpec
    from harness.spec.pipeline import PipelineSpec

__all__ = ["plan_of_spec"]

_KINDS: Final[dict[str, SourceKind]] = {
    "array": "arrays",
    "tensor": "arrays",
    "dataset": "dataset",
    "dataset_unknown": "dataset",
    "from_generator": "dataset",
    "generator": "generator",
    "py_dataset": "py_dataset",
}
_KERAS: Final = {
    "early_stopping": "EarlyStopping",
    "reduce_lr_on_plateau": "ReduceLROnPlateau",
    "model_checkpoint": "ModelCheckpoint",
    "step_decay": "LearningRateScheduler",
    "learning_rate_scheduler": "LearningRateScheduler",
}


def plan_of_spec(pipeline: PipelineSpec) -> Plan | None:
    """What a pipeline is about to do; None where nothing is trained.

    A draw is judged like any other pipeline: call it with the drawn one.
    """
    training = pipeline.training
    if isinstance(training, UpdateMetricsSpec):
        return None
    fit = training if isinstance(training, FitSpec) else FitSpec()
    validation, weights = pipeline.validation, given_class_weights(fit)
    return Plan(
        epochs=training.epochs if isinstance(training, FitSpec | LoopSpec) else 1,
        initial_epoch=fit.initial_epoch,
        steps_per_epoch=_steps(pipeline),
        source=_source(pipeline),
        validation=_validation(pipeline),
        validation_steps=None if validation is None else validation.validation_steps,
        validation_freq=_frequency(validation),
        class_weight=None if weights is None else tuple(weights),
        optimizer=_optimizer(pipeline, fit),
        compile=_compile(pipeline),
        callbacks=tuple(
            _callback(index, callback) for index, callback in enumerate(pipeline.callbacks)
        ),
        other_logs=tuple(
            callback.monitor
            for callback in pipeline.callbacks
            if isinstance(callback, MonitorSpec) and callback.scripted
        ),
    )


def _frequency(validation: ValidationSpec | None) -> int | tuple[int, ...]:
    if validation is None:
        return 1
    return validation.validation_epochs or validation.validation_freq


def _steps(pipeline: PipelineSpec) -> int | None:
    match pipeline.training:
        case ApplyGradientsSpec() as driven:
            return len(driven.gradients)
        case FitSpec() | LoopSpec() as training:
            return training.steps_per_epoch
        case _:
            return None


def _source(pipeline: PipelineSpec) -> SourcePlan:
    data, training = pipeline.data, pipeline.training
    if isinstance(training, ApplyGradientsSpec | WhileLoopSpec) or getattr(
        training, "max_steps", None
    ):
        return SourcePlan(kind="other")
    examples = examples_of(data)
    if examples is not None and pipeline.validation is not None:
        examples -= held_out_of(examples, pipeline.validation)
    plan = _batches(data.source, examples, data.batch_size, drop=data.drop_remainder)
    shuffled = data.source in ("array", "tensor") if data.shuffle is None else data.shuffle
    counted = plan.batches is not None and data.pass_lengths is None
    return SourcePlan(
        kind=plan.kind,
        batches=plan.batches * data.repeat if counted and plan.batches and data.repeat else None,
        infinite=data.repeat == 0,
        examples=plan.examples if counted and data.repeat == 1 else None,
        batch_size=plan.batch_size,
        batched=True,
        shuffled=shuffled,
    )


def _validation(pipeline: PipelineSpec) -> SourcePlan | None:
    validation, examples = pipeline.validation, examples_of(pipeline.data)
    if validation is None:
        return None
    held_out = None if examples is None else held_out_of(examples, validation)
    size = validation.batch_size or pipeline.data.batch_size
    return _batches(validation.source, held_out, size, drop=validation.drop_remainder)


def _batches(source: str, examples: int | None, size: int, *, drop: bool) -> SourcePlan:
    if examples is not None and drop:
        examples -= examples % size
    return SourcePlan(
        kind=_KINDS[source],
        batches=None if examples is None else math.ceil(examples / size),
        examples=examples,
        batch_size=size,
        batched=True,
    )


def _optimizer(pipeline: PipelineSpec, fit: FitSpec) -> OptimizerPlan:
    optimizer, earlier = pipeline.optimizer, fit.earlier_fit
    if not isinstance(optimizer, OptimizerSpec):
        return OptimizerPlan(steps_done=None)
    trained_before = earlier is not None and earlier.epochs > 0 and not earlier.reset
    return OptimizerPlan(
        rate=_rate(optimizer.learning_rate),
        accumulation=optimizer.gradient_accumulation_steps or 1,
        loss_scale=_loss_scale(pipeline, optimizer),
        steps_done=None if trained_before else 0,
    )


def _loss_scale(pipeline: PipelineSpec, optimizer: OptimizerSpec) -> Any:
    precision, bare = pipeline.precision, isinstance(pipeline.model, VariablesSpec)
    automatic = precision.policy == "mixed_float16" and pipeline.compile.auto_scale_loss
    if precision.loss_scale is not None or (automatic and not bare):
        return "dynamic"
    return None if optimizer.loss_scale_factor is None else "static"


def _rate(rate: Any) -> RatePlan:
    if not isinstance(rate, Spec):
        return RatePlan()
    name = str(getattr(rate, "kind", ""))
    length, end, warmup = None, None, 0
    match rate:
        case ConstantCallableSpec():
            return RatePlan(kind="callable")
        case CosineDecaySpec():
            rises = rate.warmup_target is not None
            warmup = rate.warmup_steps if rises else 0
            peak = rate.warmup_target if rate.warmup_target is not None else None
            length = rate.decay_steps + warmup
            end = rate.alpha * (rate.initial_learning_rate if peak is None else peak)
        case PolynomialDecaySpec() if not rate.cycle:
            length, end = rate.decay_steps, rate.end_learning_rate
        case PiecewiseConstantDecaySpec():
            length, end = rate.boundaries[-1] + 1, rate.values[-1]
        case WarmupCosineSpec():
            length, end, warmup = rate.total_steps, 0.0, rate.warmup_steps
        case _:
            pass
    return RatePlan(kind="schedule", name=name, length=length, end=end, warmup=warmup)


def _compile(pipeline: PipelineSpec) -> CompilePlan:
    model, options = pipeline.model, pipeline.compile
    bare = isinstance(model, VariablesSpec)
    one_loss = isinstance(model, MLPSpec) and not pipeline.metrics
    return CompilePlan(
        policy=None if bare else getattr(model, "dtype", None) or pipeline.precision.policy,
        jit_compile=options.jit_compile is True,
        run_eagerly=options.run_eagerly,
        steps_per_execution=options.steps_per_execution,
        batch_norm=isinstance(model, MLPSpec) and _normalises_batches(model),
        # How Keras calls other metrics, and what else it logs, depends on its version.
        directions={"loss": "down"} if one_loss else None,
    )


def _normalises_batches(model: MLPSpec) -> bool:
    return model.batch_norm or any(
        isinstance(layer, BatchNormalizationSpec) for layer in model.between
    )


def _callback(index: int, callback: AnyCallback) -> CallbackPlan:
    if isinstance(callback, ImportedCallbackSpec):
        return CallbackPlan(index=index, name=callback.import_)
    name = _KERAS.get(callback.kind, callback.kind)
    arguments = callback.model_dump(exclude={"kind", "scripted", "script"})
    return CallbackPlan(
        index=index,
        name=name,
        kinds=(name,),
        arguments=arguments,
        needs_direction=name == "EarlyStopping",
    )
