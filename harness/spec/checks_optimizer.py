"""Settings of the optimizer, its schedule and the precision that exclude each other."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from harness.spec.findings import Finding, finding
from harness.spec.model import ModelSpec, VariablesSpec
from harness.spec.optimizer import (
    AdagradSpec,
    AdamSpec,
    MultiOptimizerSpec,
    OptimizerSpec,
    RMSpropSpec,
    SGDSpec,
)
from harness.spec.schedule import PiecewiseConstantDecaySpec, WarmupCosineSpec
from harness.spec.training import LegacyGlobalStepSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["OPTIMIZER_CHECKS"]

_CLIPPINGS = ("clipnorm", "clipvalue", "global_clipnorm")
_NOT_LEGACY = (
    *_CLIPPINGS,
    "weight_decay",
    "use_ema",
    "loss_scale_factor",
    "gradient_accumulation_steps",
    "amsgrad",
)


def one_clipping(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Keras takes one kind of clipping."""
    given = [name for name in _CLIPPINGS if getattr(pipeline.optimizer, name, None) is not None]
    for name in given[1:]:
        yield finding(
            f"optimizer.{name}",
            f"stand without {given[0]}",
            getattr(pipeline.optimizer, name),
            "Keep one clipping.",
        )


def averages_are_kept(pipeline: PipelineSpec) -> Iterator[Finding]:
    """An average can only be written back where one is kept."""
    optimizer = pipeline.optimizer
    if not isinstance(optimizer, OptimizerSpec) or optimizer.use_ema:
        return
    if optimizer.ema_overwrite_frequency is not None:
        yield finding(
            "optimizer.ema_overwrite_frequency",
            "come with use_ema",
            optimizer.ema_overwrite_frequency,
            "Add use_ema = true.",
        )


def piecewise_fits(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A piecewise schedule has one value more than boundaries, and they ascend."""
    schedule = getattr(pipeline.optimizer, "learning_rate", None)
    if not isinstance(schedule, PiecewiseConstantDecaySpec):
        return
    boundaries = schedule.boundaries
    if len(schedule.values) != len(boundaries) + 1:
        yield finding(
            "optimizer.learning_rate.values",
            f"hold {len(boundaries) + 1} items, one more than boundaries",
            list(schedule.values),
        )
    if any(low >= high for low, high in pairwise(boundaries)):
        yield finding("optimizer.learning_rate.boundaries", "ascend", list(boundaries))


def warmup_ends(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A warm-up must leave steps for the cosine."""
    schedule = getattr(pipeline.optimizer, "learning_rate", None)
    if isinstance(schedule, WarmupCosineSpec) and schedule.warmup_steps >= schedule.total_steps:
        yield finding(
            "optimizer.learning_rate.warmup_steps",
            f"be less than total_steps, which is {schedule.total_steps}",
            schedule.warmup_steps,
        )


def mixed_needs_low_precision(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Mixed precision is about 16 bits; float64 is the opposite.

    A loss scale is of no use to float64 either, but that is where its logic can be judged.
    """
    precision, model = pipeline.precision, pipeline.model
    wide_model = isinstance(model, ModelSpec) and model.dtype == "float64"
    if precision.policy.startswith("mixed") and wide_model:
        yield finding(
            "model.dtype",
            f"not be float64 under the {precision.policy} policy",
            "float64",
            "Leave it out to follow the policy.",
        )


def one_loss_scale(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A LossScaleOptimizer silently switches the inner optimizer's own factor off."""
    factor = getattr(pipeline.optimizer, "loss_scale_factor", None)
    if factor is None:
        return
    remedy = "A LossScaleOptimizer switches loss_scale_factor off."
    if pipeline.precision.loss_scale is not None:
        rule = "stand without precision.loss_scale"
        yield finding("optimizer.loss_scale_factor", rule, factor, remedy)
    elif _is_scaled_by_keras(pipeline):
        rule = "stand without compile.auto_scale_loss under mixed_float16"
        yield finding("optimizer.loss_scale_factor", rule, factor, remedy)


def unbuilt_is_unscaled(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A LossScaleOptimizer that is not built has no scale that could be recorded."""
    optimizer = pipeline.optimizer
    if not isinstance(optimizer, OptimizerSpec) or optimizer.prebuilt:
        return
    if pipeline.precision.loss_scale is not None or _is_scaled_by_keras(pipeline):
        rule = "be true for an optimizer inside a LossScaleOptimizer"
        yield finding("optimizer.prebuilt", rule, optimizer.prebuilt)


def a_function_has_no_configuration(pipeline: PipelineSpec) -> Iterator[Finding]:
    """What a function of the harness chooses cannot be read back from a configuration or a file."""
    optimizer = pipeline.optimizer
    if not isinstance(optimizer, MultiOptimizerSpec) or not optimizer.by_function:
        return
    rule = "be left out where a function chooses the optimizers"
    if optimizer.built_by != "class":
        yield finding("optimizer.built_by", rule, optimizer.built_by)
    after = getattr(pipeline.training, "save_and_load_after", None)
    if after is not None:
        yield finding("training.save_and_load_after", rule, after)


def legacy_has_no_more(pipeline: PipelineSpec) -> Iterator[Finding]:
    """TensorFlow 1 optimizers know few of the arguments."""
    optimizer = pipeline.optimizer
    if not isinstance(pipeline.training, LegacyGlobalStepSpec):
        return
    rule = "be left out for legacy_global_step"
    if not isinstance(optimizer, SGDSpec | AdamSpec | RMSpropSpec | AdagradSpec):
        names = "be one of adagrad, adam, rmsprop, sgd for legacy_global_step"
        yield finding("optimizer.kind", names, optimizer.kind)
        return
    if not isinstance(optimizer.learning_rate, float):
        kind = optimizer.learning_rate.kind
        yield finding("optimizer.learning_rate", "be a number for legacy_global_step", kind)
    if optimizer.built_by != "class":
        yield finding("optimizer.built_by", rule, optimizer.built_by)
    if not optimizer.prebuilt:
        yield finding("optimizer.prebuilt", rule, optimizer.prebuilt)
    for name in _NOT_LEGACY:
        if value := getattr(optimizer, name, None):
            yield finding(f"optimizer.{name}", rule, value)
    if pipeline.precision.loss_scale is not None:
        value = pipeline.precision.loss_scale.initial_scale
        yield finding("precision.loss_scale", rule, value)


def _is_scaled_by_keras(pipeline: PipelineSpec) -> bool:
    compiled = not isinstance(pipeline.model, VariablesSpec)
    automatic = pipeline.precision.policy == "mixed_float16" and pipeline.compile.auto_scale_loss
    return compiled and automatic


OPTIMIZER_CHECKS = (
    one_clipping,
    averages_are_kept,
    piecewise_fits,
    warmup_ends,
    mixed_needs_low_precision,
    one_loss_scale,
    unbuilt_is_unscaled,
    a_function_has_no_configuration,
    legacy_has_no_more,
)
