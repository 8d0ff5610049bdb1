"""Faults in learning rates over time, in averages of weights, and in what is done to weights."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import (
    CALLBACKS,
    MONITOR,
    OPTIMIZER,
    PLATEAU,
    SCHEDULE,
    TF_OPTIMIZER,
    TF_TRAINER,
)


def _called(kind: str) -> str:
    return f"{SCHEDULE}:{kind}.__call__"


def _twice(reduce_rate: Any) -> Any:
    def reduce_twice(self: Any, *arguments: Any) -> Any:
        return reduce_rate(self, *arguments) and (reduce_rate(self, *arguments) or True)

    return reduce_twice


def _does_nothing(_: Any) -> Any:
    return lambda self, *arguments: None  # noqa: ARG005 - Keras' signature


_RATE: Final = f"{OPTIMIZER}._get_current_learning_rate"
_PLATEAU: Final = f"{PLATEAU}.on_epoch_end"

SCHEDULES: Final = (
    Fault(
        "rate_one_step_late",
        "schedules",
        "an update uses the learning rate of the update before",
        rewrite(_RATE, ("(self._iterations)", "(ops.maximum(self._iterations - 1, 0))")),
    ),
    Fault(
        "rate_one_step_early",
        "schedules",
        "an update uses the learning rate of the update after",
        rewrite(_RATE, ("(self._iterations)", "(self._iterations + 1)")),
    ),
    Fault(
        "boundary_exclusive",
        "schedules",
        "a piecewise rate changes at its boundary, not after it",
        rewrite(
            _called("PiecewiseConstantDecay"),
            ("step <= boundaries[0]", "step < boundaries[0]"),
            ("step > boundaries[-1]", "step >= boundaries[-1]"),
            ("(step > low) & (step <= high)", "(step >= low) & (step < high)"),
        ),
    ),
    Fault(
        "staircase_ignored",
        "schedules",
        "exponential decay is smooth although stairs were asked for",
        rewrite(_called("ExponentialDecay"), ("if self.staircase:", "if False:")),
    ),
    Fault(
        "staircase_rounds_up",
        "schedules",
        "the stairs of inverse time decay come one step early",
        rewrite(_called("InverseTimeDecay"), ("ops.floor(p)", "ops.ceil(p)")),
    ),
    Fault(
        "alpha_absolute",
        "schedules",
        "alpha of cosine decay is a rate, not a fraction",
        rewrite(
            f"{SCHEDULE}:CosineDecay._decay_function",
            ("(1 - self.alpha) * cosine_decayed + self.alpha", "(1 - self.alpha) * cosine_decayed"),
            (
                "ops.multiply(decay_from_lr, decayed)",
                "ops.multiply(decay_from_lr, decayed) + self.alpha",
            ),
        ),
    ),
    Fault(
        "warmup_off_by_one",
        "schedules",
        "warm-up is one step ahead",
        rewrite(
            f"{SCHEDULE}:CosineDecay._warmup_function",
            ("step / warmup_steps", "(step + 1) / warmup_steps"),
        ),
    ),
    Fault(
        "cosine_counts_warmup",
        "schedules",
        "the steps of warm-up count as steps of the cosine",
        rewrite(
            _called("CosineDecay"), ("global_step_recomp - warmup_steps", "global_step_recomp")
        ),
    ),
    Fault(
        "polynomial_never_cycles",
        "schedules",
        "polynomial decay ends where it should begin again",
        rewrite(_called("PolynomialDecay"), ("if self.cycle:", "if False:")),
    ),
    Fault(
        "polynomial_linear",
        "schedules",
        "polynomial decay ignores its power",
        rewrite(_called("PolynomialDecay"), ("ops.power(1 - p, power)", "(1 - p)")),
    ),
    Fault(
        "restarts_keep_their_height",
        "schedules",
        "restarts of the cosine ignore m_mul",
        rewrite(_called("CosineDecayRestarts"), ("ops.power(m_mul, i_restart)", "1.0")),
    ),
    Fault(
        "scheduler_next_epoch",
        "schedules",
        "LearningRateScheduler is asked for the epoch after",
        rewrite(
            f"{CALLBACKS}.learning_rate_scheduler:LearningRateScheduler._update_optimizer_lr",
            ("self.schedule(epoch", "self.schedule(epoch + 1"),
            every=True,
        ),
    ),
    Fault(
        "plateau_cooldown_ignored",
        "schedules",
        "the plateau callback counts during its cooldown",
        rewrite(_PLATEAU, ("self.cooldown_counter = self.cooldown", "pass")),
    ),
    Fault(
        "plateau_cooldown_long",
        "schedules",
        "the plateau callback's cooldown is one epoch too long",
        rewrite(
            _PLATEAU,
            ("self.cooldown_counter = self.cooldown", "self.cooldown_counter = self.cooldown + 1"),
        ),
    ),
    Fault(
        "plateau_factor_twice",
        "schedules",
        "the plateau callback lowers the rate twice at once",
        wrap(f"{PLATEAU}._reduce_optimizer_lr", _twice),
    ),
    Fault(
        "plateau_patience_long",
        "schedules",
        "the plateau callback waits an epoch too long",
        rewrite(_PLATEAU, ("self.wait >= self.patience", "self.wait > self.patience")),
    ),
    Fault(
        "plateau_below_minimum",
        "schedules",
        "the plateau callback goes below min_lr",
        rewrite(f"{PLATEAU}._reduce_optimizer_lr", ("max(new_lr, self.min_lr)", "new_lr")),
    ),
    Fault(
        "plateau_min_delta_ignored",
        "schedules",
        "the plateau callback takes any improvement",
        rewrite(f"{MONITOR}._is_improvement", ("- self.min_delta", "- 0.0")),
    ),
)

_AVERAGE: Final = f"{OPTIMIZER}._update_model_variables_moving_average"
_EXCLUDED: Final = f"{OPTIMIZER}._use_weight_decay"

AVERAGING: Final = (
    Fault(
        "average_momentum_swapped",
        "averaging",
        "the moving average weighs old and new the other way round",
        rewrite(_AVERAGE, ("self.ema_momentum", "(1 - self.ema_momentum)")),
    ),
    Fault(
        "average_off_by_one_percent",
        "averaging",
        "the momentum of the average is one per cent too low",
        rewrite(_AVERAGE, ("self.ema_momentum", "0.99 * self.ema_momentum")),
    ),
    Fault(
        "average_starts_at_zero",
        "averaging",
        "the first average is not the first weights",
        rewrite(_AVERAGE, ("ops.cast(not_first_step, var.dtype)", "ops.ones((), var.dtype)")),
    ),
    Fault(
        "average_not_updated",
        "averaging",
        "the moving average stays where it started",
        wrap(_AVERAGE, _does_nothing),
    ),
    Fault(
        "overwrite_off_by_one",
        "averaging",
        "weights are overwritten one update late",
        rewrite(
            f"{OPTIMIZER}._backend_apply_gradients", ("self.iterations + 1", "self.iterations")
        ),
    ),
    Fault(
        "overwrite_by_nothing",
        "averaging",
        "weights are not overwritten with their average",
        wrap(f"{TF_OPTIMIZER}._overwrite_model_variables_with_average_value", _does_nothing),
    ),
    Fault(
        "not_finalised",
        "averaging",
        "at the end of training the weights are not replaced by their average",
        wrap(f"{OPTIMIZER}.finalize_variable_values", _does_nothing),
    ),
    Fault(
        "finalised_every_epoch",
        "averaging",
        "weights are replaced by their average after every epoch",
        rewrite(
            f"{TF_TRAINER}.fit",
            (
                "training_logs = epoch_logs",
                (
                    "training_logs = epoch_logs; "
                    "self.optimizer.finalize_variable_values(self.trainable_weights)"
                ),
            ),
        ),
    ),
    Fault(
        "excluded_decay_too",
        "averaging",
        "variables excluded from weight decay decay as well",
        wrap(_EXCLUDED, lambda _: lambda self, variable: True),  # noqa: ARG005 - Keras' signature
    ),
    Fault(
        "constraint_ignored",
        "averaging",
        "constraints are not applied after an update",
        rewrite(f"{OPTIMIZER}.apply", ("variable.constraint is not None", "False")),
    ),
    Fault(
        "swap_leaves_average",
        "averaging",
        "SwapEMAWeights leaves the average in the model after validation",
        wrap(f"{CALLBACKS}.swap_ema_weights:SwapEMAWeights.on_test_end", _does_nothing),
    ),
    Fault(
        "swap_trains_the_average",
        "averaging",
        "SwapEMAWeights leaves the average in the model when the next epoch begins",
        wrap(f"{CALLBACKS}.swap_ema_weights:SwapEMAWeights.on_epoch_begin", _does_nothing),
    ),
)
