"""Faults in what happens to gradients before an optimizer sees them."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import (
    LOSS_SCALE,
    OPTIMIZER,
    OPTIMIZERS,
    TF_OPTIMIZER,
    TF_TRAINER,
)


def _last_left_out(clip: Any) -> Any:
    return lambda self, gradients: [*clip(self, gradients)[:-1], *gradients[-1:]]


def _nothing_clipped(_: Any) -> Any:
    return lambda self, gradients: gradients  # noqa: ARG005 - Keras' signature


_CLIP: Final = f"{OPTIMIZER}._clip_gradients"
_GLOBAL: Final = f"{OPTIMIZERS}.base_optimizer:clip_by_global_norm"
_ACCUMULATORS: Final = "acc_grads = ["
_APPLY: Final = f"{OPTIMIZER}._backend_apply_gradients"
_MEAN: Final = "(g + acc_g) / steps"

CLIPPING: Final = (
    Fault(
        "clip_nothing",
        "clipping",
        "gradients are not clipped",
        wrap(_CLIP, _nothing_clipped),
    ),
    Fault(
        "clip_all_but_the_last",
        "clipping",
        "the last variable's gradient is not clipped",
        wrap(_CLIP, _last_left_out),
    ),
    Fault(
        "clip_one_sided",
        "clipping",
        "clipvalue holds for positive elements only",
        rewrite(_CLIP, ("ops.clip(g, -v, v)", "ops.minimum(g, v)")),
    ),
    Fault(
        "clip_each_instead_of_global",
        "clipping",
        "global_clipnorm clips each variable alone",
        rewrite(
            _CLIP,
            (
                "clip_by_global_norm(grads, self.global_clipnorm)",
                "[clip_by_global_norm([g], self.global_clipnorm)[0] for g in grads]",
            ),
        ),
    ),
    Fault(
        "clip_global_instead_of_each",
        "clipping",
        "clipnorm clips all variables together",
        rewrite(
            _CLIP,
            (
                "if self.clipnorm and self.clipnorm > 0:",
                (
                    "if self.clipnorm: return clip_by_global_norm(grads, self.clipnorm)\n"
                    "    if self.clipnorm and self.clipnorm > 0:"
                ),
            ),
        ),
    ),
    Fault(
        "clip_norm_off_by_one_percent",
        "clipping",
        "the norm after clipping is one per cent above the limit",
        rewrite(
            _GLOBAL,
            ("1.0 / clip_norm)", "1.01 / clip_norm)"),
            ("1.0 / use_norm", "1.01 / use_norm"),
        ),
    ),
    Fault(
        "clip_always_to_the_limit",
        "clipping",
        "gradients below the limit are made longer",
        rewrite(_GLOBAL, ("ops.minimum(1.0 / use_norm, 1.0 / clip_norm)", "(1.0 / use_norm)")),
    ),
    Fault(
        "clip_by_squared_norm",
        "clipping",
        "the square root of the norm is forgotten",
        rewrite(
            f"{OPTIMIZERS}.base_optimizer:global_norm", ("ops.sqrt(squared_norm)", "squared_norm")
        ),
    ),
    Fault(
        "clip_micro_gradients",
        "clipping",
        "under accumulation each micro-batch is clipped on its own, then their mean",
        rewrite(_APPLY, (_ACCUMULATORS, f"grads = self._clip_gradients(grads); {_ACCUMULATORS}")),
    ),
    Fault(
        "clip_before_unscaling",
        "clipping",
        "gradients are clipped while they still carry the loss scale",
        rewrite(
            f"{LOSS_SCALE}._stateful_handle_finite_grads",
            (
                "scale = self.dynamic_scale",
                (
                    "grads = self.inner_optimizer._clip_gradients(list(grads)); "
                    "scale = self.dynamic_scale"
                ),
            ),
        ),
    ),
    Fault(
        "clip_nan_to_zero",
        "clipping",
        "a gradient that is not a number becomes zero",
        rewrite(
            f"{OPTIMIZER}._clip_gradients",
            (
                "if self.clipnorm and self.clipnorm > 0:",
                (
                    "grads = [g if g is None else ops.where(ops.isnan(g), 0 * ops.ones_like(g), g) "
                    "for g in grads]\n    if self.clipnorm and self.clipnorm > 0:"
                ),
            ),
        ),
    ),
)

_FINITE: Final = f"{LOSS_SCALE}._stateful_handle_finite_grads"
_SKIP: Final = f"{LOSS_SCALE}._stateful_handle_non_finite_grads"
_RESET: Final = "self.step_counter.assign(0)"

SCALING: Final = (
    Fault(
        "skip_counted",
        "loss_scaling",
        "a skipped step counts as an update",
        rewrite(_SKIP, (_RESET, f"{_RESET}; self.inner_optimizer._iterations.assign_add(1)")),
    ),
    Fault(
        "skip_changes_slots",
        "loss_scaling",
        "a skipped step halves the optimizer's slots",
        rewrite(
            _SKIP,
            (
                _RESET,
                f"{_RESET}; [v.assign(v * 0.5) for v in self.inner_optimizer._variables[2:]]",
            ),
        ),
    ),
    Fault(
        "scale_not_lowered",
        "loss_scaling",
        "the scale stays after non-finite gradients",
        rewrite(_SKIP, ("0.5", "1.0")),
    ),
    Fault(
        "scale_quartered",
        "loss_scaling",
        "the scale falls to a quarter",
        rewrite(_SKIP, ("0.5", "0.25")),
    ),
    Fault(
        "scale_grows_late",
        "loss_scaling",
        "the scale doubles one finite step late",
        rewrite(_FINITE, ("self.dynamic_growth_steps - 1", "self.dynamic_growth_steps")),
    ),
    Fault(
        "scale_grows_early",
        "loss_scaling",
        "the scale doubles one finite step early",
        rewrite(
            _FINITE, ("self.dynamic_growth_steps - 1", "max(self.dynamic_growth_steps - 2, 0)")
        ),
    ),
    Fault(
        "growth_counter_kept_on_skip",
        "loss_scaling",
        "finite steps before a skipped one count towards growth",
        rewrite(_SKIP, (_RESET, "pass")),
    ),
    Fault(
        "growth_counter_kept_on_growth",
        "loss_scaling",
        "the scale doubles once and never again",
        rewrite(_FINITE, (_RESET, "self.step_counter.assign_add(1)")),
    ),
    Fault(
        "not_unscaled",
        "loss_scaling",
        "the optimizer sees gradients that carry the scale",
        rewrite(_FINITE, ("ops.divide(g, scale)", "g")),
    ),
    Fault(
        "first_gradient_checked_only",
        "loss_scaling",
        "only the first variable's gradient must be finite",
        rewrite(
            f"{LOSS_SCALE}.check_finite", ("for g in tensor_grads]", "for g in tensor_grads[:1]]")
        ),
    ),
    Fault(
        "infinite_passes",
        "loss_scaling",
        "infinite gradients pass, only NaN is skipped",
        rewrite(
            f"{LOSS_SCALE}.check_finite",
            ("ops.isfinite(g)", "ops.logical_not(ops.isnan(g))"),
        ),
    ),
    Fault(
        "scale_in_reported_loss",
        "loss_scaling",
        "the reported loss carries the scale",
        rewrite(
            f"{TF_TRAINER}.train_step",
            (
                "loss_module.unscale_loss_for_distribution(loss),",
                "self.optimizer.scale_loss(loss),",
            ),
        ),
    ),
    Fault(
        "loss_not_scaled",
        "loss_scaling",
        "the loss is not scaled, the gradients are unscaled all the same",
        rewrite(f"{LOSS_SCALE}.scale_loss", ("ops.multiply(loss, scale)", "loss")),
    ),
    Fault(
        "static_scale_kept",
        "loss_scaling",
        "gradients keep a fixed loss_scale_factor",
        rewrite(f"{OPTIMIZER}.apply", ("g / scale", "g")),
    ),
)

ACCUMULATION: Final = (
    Fault(
        "sum_instead_of_mean",
        "accumulation",
        "an update takes the sum of a window's gradients",
        rewrite(_APPLY, (_MEAN, "(g + acc_g)")),
    ),
    Fault(
        "last_micro_batch_only",
        "accumulation",
        "an update takes the last gradient of its window",
        rewrite(_APPLY, (_MEAN, "g")),
    ),
    Fault(
        "last_micro_batch_lost",
        "accumulation",
        "an update leaves out the last gradient of its window",
        rewrite(_APPLY, (_MEAN, "acc_g / steps")),
    ),
    Fault(
        "mean_over_one_less",
        "accumulation",
        "the mean is taken over one micro-batch less",
        rewrite(_APPLY, (_MEAN, "(g + acc_g) / max(steps - 1, 1)")),
    ),
    Fault(
        "window_off_by_one",
        "accumulation",
        "windows end one micro-batch early",
        rewrite(_APPLY, ("self._iterations + 1", "self._iterations + 2")),
    ),
    Fault(
        "sum_not_reset",
        "accumulation",
        "the sum of one window enters the next",
        rewrite(_APPLY, ("self._backend_reset_gradient_accumulators()", "pass")),
    ),
    Fault(
        "sum_overwritten",
        "accumulation",
        "a micro-batch replaces the sum before it",
        rewrite(
            f"{TF_OPTIMIZER}._backend_increment_gradient_accumulators",
            ("var.assign(var + grad)", "var.assign(grad)"),
        ),
    ),
    Fault(
        "decay_every_micro_step",
        "accumulation",
        "weights decay on every micro-batch",
        rewrite(
            _APPLY,
            (_ACCUMULATORS, f"self._apply_weight_decay(trainable_variables); {_ACCUMULATORS}"),
        ),
    ),
    Fault(
        "update_every_micro_step",
        "accumulation",
        "an update is made on every micro-batch",
        rewrite(_APPLY, (") % self.gradient_accumulation_steps == 0", ") > 0")),
    ),
)
