"""Faults in the update rules: at least one for each optimizer that Keras ships."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import OPTIMIZER, OPTIMIZERS, TF_OPTIMIZER


def _of(module: str, kind: str) -> str:
    return f"{OPTIMIZERS}.{module}:{kind}.update_step"


def _one_percent_more(update_step: Any) -> Any:
    return lambda self, gradient, variable, rate: update_step(self, gradient, variable, 1.01 * rate)


def _decay_in_gradient(update_step: Any) -> Any:
    def coupled(self: Any, gradient: Any, variable: Any, rate: Any) -> None:
        update_step(self, gradient + self.weight_decay * variable, variable, rate)

    return coupled


def _no_decay(_: Any) -> Any:
    return lambda self, variables: None  # noqa: ARG005 - Keras' signature


_SGD: Final = _of("sgd", "SGD")
_ADAM: Final = _of("adam", "Adam")
_RMSPROP: Final = _of("rmsprop", "RMSprop")
_ADAGRAD: Final = _of("adagrad", "Adagrad")
_DECAY: Final = f"{TF_OPTIMIZER}._apply_weight_decay"
_ALPHA: Final = "lr * ops.sqrt(1 - beta_2_power) / (1 - beta_1_power)"

COMMON: Final = (
    Fault(
        "sgd_rate_one_percent_high",
        "optimizers",
        "SGD takes a learning rate one per cent too high",
        wrap(_SGD, _one_percent_more),
    ),
    Fault(
        "sgd_nesterov_ignored",
        "optimizers",
        "SGD with Nesterov momentum is SGD with plain momentum",
        rewrite(_SGD, ("if self.nesterov:", "if False:")),
    ),
    Fault(
        "sgd_momentum_sign",
        "optimizers",
        "SGD's momentum works against the movement",
        rewrite(
            _SGD,
            ("ops.cast(self.momentum, variable.dtype)", "-ops.cast(self.momentum, variable.dtype)"),
        ),
    ),
    Fault(
        "adam_rate_one_percent_high",
        "optimizers",
        "Adam takes a learning rate one per cent too high",
        wrap(_ADAM, _one_percent_more),
    ),
    Fault(
        "adam_no_bias_correction",
        "optimizers",
        "Adam's moments are not corrected for their start at zero",
        rewrite(_ADAM, (_ALPHA, "lr")),
    ),
    Fault(
        "adam_bias_correction_late",
        "optimizers",
        "Adam's bias correction is that of the step after",
        rewrite(_ADAM, ("self.iterations + 1", "self.iterations + 2")),
    ),
    Fault(
        "adam_epsilon_inside_root",
        "optimizers",
        "Adam adds epsilon before it takes the root",
        rewrite(
            _ADAM, ("ops.add(ops.sqrt(v), self.epsilon)", "ops.sqrt(ops.add(v, self.epsilon))")
        ),
    ),
    Fault(
        "adam_betas_mixed_up",
        "optimizers",
        "Adam's first moment decays with beta_2",
        rewrite(_ADAM, ("1 - self.beta_1", "1 - self.beta_2")),
    ),
    Fault(
        "amsgrad_without_maximum",
        "optimizers",
        "AMSGrad takes the present second moment, not the largest",
        rewrite(_ADAM, ("ops.maximum(v_hat, v)", "v * 1")),
    ),
    Fault(
        "adamw_decay_in_gradient",
        "optimizers",
        "AdamW's decay goes through the moments as well",
        wrap(_of("adamw", "AdamW"), _decay_in_gradient),
    ),
    Fault(
        "decay_without_rate",
        "optimizers",
        "weight decay is not multiplied by the learning rate",
        rewrite(_DECAY, ("variable * wd * lr", "variable * wd")),
    ),
    Fault(
        "decay_forgotten",
        "optimizers",
        "weights don't decay",
        wrap(_DECAY, _no_decay),
    ),
    Fault(
        "rmsprop_epsilon_outside_root",
        "optimizers",
        "RMSprop adds epsilon after it takes the root",
        rewrite(
            _RMSPROP,
            ("ops.sqrt(denominator)", "(ops.sqrt(denominator - self.epsilon) + self.epsilon)"),
        ),
    ),
    Fault(
        "rmsprop_never_centred",
        "optimizers",
        "RMSprop does not subtract the squared mean",
        rewrite(_RMSPROP, ("velocity - ops.square(average_grad)", "velocity")),
    ),
    Fault(
        "rmsprop_rho_swapped",
        "optimizers",
        "RMSprop weighs old and new squares the other way round",
        rewrite(_RMSPROP, ("rho = self.rho", "rho = 1 - self.rho")),
    ),
    Fault(
        "rmsprop_momentum_damped",
        "optimizers",
        "RMSprop's momentum takes in only a share of the new step",
        rewrite(
            _RMSPROP,
            (
                "ops.multiply(self.momentum, momentum), increment",
                "ops.multiply(self.momentum, momentum), (1 - self.momentum) * increment",
            ),
        ),
    ),
    Fault(
        "adagrad_forgets",
        "optimizers",
        "Adagrad's sum of squares decays",
        rewrite(
            _ADAGRAD,
            ("ops.square(gradient))", "ops.square(gradient) - 0.01 * accumulator)"),
        ),
    ),
    Fault(
        "adagrad_without_root",
        "optimizers",
        "Adagrad divides by the sum of squares, not by its root",
        rewrite(
            _ADAGRAD,
            ("ops.sqrt(ops.add(accumulator, self.epsilon))", "ops.add(accumulator, self.epsilon)"),
        ),
    ),
    Fault(
        "variables_mixed_up",
        "optimizers",
        "a variable uses the slots of its neighbour where they have one shape",
        rewrite(
            f"{OPTIMIZER}._get_variable_index",
            (
                "return self._trainable_variables_indices[self._var_key(variable)]",
                (
                    "index = self._trainable_variables_indices[self._var_key(variable)]\n"
                    "    before = self._trainable_variables[max(index - 1, 0)]\n"
                    "    return max(index - 1, 0) if before.shape == variable.shape else index"
                ),
            ),
        ),
    ),
    Fault(
        "repeated_ids_overwrite",
        "optimizers",
        "of a sparse gradient with repeated ids only the last row is applied",
        rewrite(
            f"{TF_OPTIMIZER}.assign_sub",
            (
                "variable.scatter_sub(value)",
                (
                    "rows = tf.gather(variable, value.indices) - value.values; "
                    "variable.scatter_update(tf.IndexedSlices(rows, value.indices))"
                ),
            ),
        ),
    ),
)

RARE: Final = (
    Fault(
        "adadelta_deltas_forgotten",
        "optimizers",
        "Adadelta keeps no history of its steps",
        rewrite(_of("adadelta", "Adadelta"), ("ops.square(delta_var)", "0.0 * delta_var")),
    ),
    Fault(
        "adamax_no_bias_correction",
        "optimizers",
        "Adamax does not correct the first moment",
        rewrite(_of("adamax", "Adamax"), ("(1 - beta_1_power)", "1.0")),
    ),
    Fault(
        "adamax_sum_for_maximum",
        "optimizers",
        "Adamax adds where it should take the larger",
        rewrite(_of("adamax", "Adamax"), ("ops.maximum(", "ops.add(")),
    ),
    Fault(
        "nadam_schedule_late",
        "optimizers",
        "Nadam's momentum schedule is one step behind",
        rewrite(_of("nadam", "Nadam"), ("self.iterations + 2", "self.iterations + 1")),
    ),
    Fault(
        "ftrl_l1_ignored",
        "optimizers",
        "Ftrl does not cut by its L1 strength",
        rewrite(
            _of("ftrl", "Ftrl"),
            ("ops.subtract(linear_clipped, linear)", "ops.subtract(0.0, linear)"),
        ),
    ),
    Fault(
        "ftrl_sum_not_kept",
        "optimizers",
        "Ftrl's sum of squares stays where it started",
        rewrite(_of("ftrl", "Ftrl"), ("self.assign(accum, new_accum)", "pass")),
    ),
    Fault(
        "lion_without_sign",
        "optimizers",
        "Lion moves by its momentum, not by the sign of it",
        rewrite(_of("lion", "Lion"), ("ops.sign(", "(")),
    ),
    Fault(
        "lion_betas_mixed_up",
        "optimizers",
        "Lion uses each beta where the other belongs",
        rewrite(
            _of("lion", "Lion"),
            ("ops.cast(self.beta_1, variable.dtype)", "ops.cast(self.beta_2, variable.dtype) * 1"),
            ("ops.cast(self.beta_2, variable.dtype)\n", "ops.cast(self.beta_1, variable.dtype)\n"),
        ),
    ),
    Fault(
        "lamb_without_ratio",
        "optimizers",
        "Lamb does not scale by the norm of the weights",
        rewrite(_of("lamb", "Lamb"), ("ratio * lr * update", "lr * update")),
    ),
    Fault(
        "adafactor_not_clipped",
        "optimizers",
        "Adafactor ignores clip_threshold",
        rewrite(
            _of("adafactor", "Adafactor"),
            ("ops.divide(self._rms(u_t), self.clip_threshold)", "one"),
        ),
    ),
    Fault(
        "muon_nesterov_ignored",
        "optimizers",
        "Muon with Nesterov momentum is Muon with plain momentum",
        rewrite(f"{OPTIMIZERS}.muon:Muon._muon_update_step", ("if self.nesterov:", "if False:")),
    ),
    Fault(
        "muon_one_iteration_less",
        "optimizers",
        "Muon makes one Newton-Schulz iteration less",
        rewrite(
            f"{OPTIMIZERS}.muon:Muon.zeropower_via_newtonschulz5",
            ("range(steps)", "range(steps - 1)"),
        ),
    ),
    Fault(
        "schedule_free_weight_late",
        "optimizers",
        "schedule-free AdamW averages with the weight of the step before",
        rewrite(
            f"{OPTIMIZERS}.schedule_free_adamw:ScheduleFreeAdamW.update_step",
            ("weight = 1.0 / local_step", "weight = 1.0 / (local_step + 1)"),
        ),
    ),
    Fault(
        "plain_variables_forgotten",
        "optimizers",
        "an optimizer asks each variable for what only those of Keras have",
        rewrite(
            f"{OPTIMIZER}._overwrite_variable_with_gradient",
            (
                'getattr(variable, "overwrite_with_gradient", False)',
                "variable.overwrite_with_gradient",
            ),
        ),
    ),
    Fault(
        "multi_optimizer_first_for_all",
        "optimizers",
        "a MultiOptimizer counts the updates of its first optimizer only",
        rewrite(
            f"{OPTIMIZERS}.multi_optimizer:MultiOptimizer.iterations", ("return ", "return 0 * ")
        ),
    ),
)
