"""Faults in how updates, batches and epochs are counted, and in when training stops."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import (
    EARLY_STOPPING,
    LOSS_SCALE,
    MONITOR,
    OPTIMIZER,
    TF_TRAINER,
)


def _ties_improve(is_improvement: Any) -> Any:
    return lambda self, value, reference: (
        is_improvement(self, value, reference) or value == reference
    )


def _nan_improves(is_improvement: Any) -> Any:
    return lambda self, value, reference: (
        is_improvement(self, value, reference) or value != value  # noqa: PLR0124 - only NaN is not
    )


_COUNT: Final = "self._iterations.assign_add(1)"
_END: Final = "callbacks.on_train_batch_end(end_step, logs)"

GLOBAL_STEP: Final = (
    Fault(
        "count_by_two",
        "global_step",
        "an update is counted twice",
        rewrite(f"{OPTIMIZER}.apply", (_COUNT, "self._iterations.assign_add(2)")),
    ),
    Fault(
        "count_never",
        "global_step",
        "updates are not counted",
        rewrite(f"{OPTIMIZER}.apply", (_COUNT, "pass")),
    ),
    Fault(
        "count_before_update",
        "global_step",
        "the count goes up before the update, so that the update sees the new one",
        rewrite(
            f"{OPTIMIZER}.apply",
            (_COUNT, "pass"),
            ("scale = self.loss_scale_factor", f"{_COUNT}; scale = self.loss_scale_factor"),
        ),
    ),
    Fault(
        "count_saturates",
        "global_step",
        "the count stays at six",
        rewrite(
            f"{OPTIMIZER}.apply",
            (_COUNT, "self._iterations.assign(ops.minimum(self._iterations + 1, 6))"),
        ),
    ),
    Fault(
        "count_micro_steps",
        "global_step",
        "under accumulation every micro-batch counts as an update",
        rewrite(f"{OPTIMIZER}.iterations", ("self.gradient_accumulation_steps:", "False:")),
    ),
    Fault(
        "count_windows_late",
        "global_step",
        "under accumulation an update is counted one micro-batch late",
        rewrite(
            f"{OPTIMIZER}.iterations",
            ("self._iterations, self", "ops.maximum(self._iterations - 1, 0), self"),
        ),
    ),
    Fault(
        "count_of_the_wrapper",
        "global_step",
        "a loss scaling wrapper shows a count of its own, which stays zero",
        rewrite(
            f"{LOSS_SCALE}.iterations", ("self.inner_optimizer.iterations", "self._iterations")
        ),
    ),
    Fault(
        "count_stops_training",
        "global_step",
        "training stops when the count reaches seven",
        rewrite(
            f"{TF_TRAINER}.fit",
            (_END, f"{_END}; self.stop_training |= int(self.optimizer.iterations) >= 7"),
        ),
    ),
    Fault(
        "count_in_evaluation",
        "global_step",
        "evaluating a batch counts as an update",
        rewrite(
            f"{TF_TRAINER}.test_step",
            (
                "return self.compute_metrics(",
                "self.optimizer.iterations.assign_add(1); return self.compute_metrics(",
            ),
        ),
    ),
)

_ON_END: Final = f"{EARLY_STOPPING}.on_epoch_end"
_ON_BEGIN: Final = f"{EARLY_STOPPING}.on_train_begin"
_PATIENCE: Final = "self.wait >= self.patience"

STOPPING: Final = (
    Fault(
        "patience_one_long",
        "early_stopping",
        "training stops one epoch late",
        rewrite(_ON_END, (_PATIENCE, "self.wait > self.patience")),
    ),
    Fault(
        "patience_one_short",
        "early_stopping",
        "training stops one epoch early",
        rewrite(_ON_END, (_PATIENCE, "self.wait >= self.patience - 1")),
    ),
    Fault(
        "wait_kept_on_improvement",
        "early_stopping",
        "an improvement does not reset the wait",
        rewrite(_ON_END, ("self.wait = 0", "pass")),
    ),
    Fault(
        "wait_counts_in_improvement",
        "early_stopping",
        "the epoch of an improvement counts as one without",
        rewrite(_ON_END, ("self.wait = 0", "self.wait = 1")),
    ),
    Fault(
        "min_delta_ignored",
        "early_stopping",
        "an improvement below min_delta counts",
        rewrite(f"{MONITOR}._is_improvement", ("- self.min_delta", "- 0.0")),
    ),
    Fault(
        "min_delta_wrong_sign",
        "early_stopping",
        "min_delta is a deterioration that still counts as an improvement",
        rewrite(f"{MONITOR}._is_improvement", ("- self.min_delta", "+ self.min_delta")),
    ),
    Fault(
        "ties_improve",
        "early_stopping",
        "the best value again counts as an improvement",
        wrap(f"{MONITOR}._is_improvement", _ties_improve),
    ),
    Fault(
        "nan_improves",
        "early_stopping",
        "NaN counts as an improvement",
        wrap(f"{MONITOR}._is_improvement", _nan_improves),
    ),
    Fault(
        "best_is_the_last",
        "early_stopping",
        "an epoch is compared with the one before, not with the best",
        rewrite(
            _ON_END,
            (
                "if self._is_improvement(current, self.best):",
                "best, self.best = self.best, current\n    if self._is_improvement(current, best):",
            ),
        ),
    ),
    Fault(
        "max_is_min",
        "early_stopping",
        "mode max looks for the minimum",
        rewrite(f"{MONITOR}._set_monitor_op", ('self.mode == "min"', 'self.mode != "auto"')),
    ),
    Fault(
        "start_from_epoch_late",
        "early_stopping",
        "the first epoch that should count is left out",
        rewrite(_ON_END, ("epoch < self.start_from_epoch", "epoch <= self.start_from_epoch")),
    ),
    Fault(
        "start_from_epoch_ignored",
        "early_stopping",
        "epochs before start_from_epoch count",
        rewrite(_ON_END, ("epoch < self.start_from_epoch", "False")),
    ),
    Fault(
        "baseline_ignored",
        "early_stopping",
        "an improvement that does not reach the baseline resets the wait",
        rewrite(_ON_END, ("self.baseline is None", "True")),
    ),
    Fault(
        "restores_nothing",
        "early_stopping",
        "the weights stay those of the last epoch",
        rewrite(
            f"{EARLY_STOPPING}.on_train_end", ("self.model.set_weights(self.best_weights)", "pass")
        ),
    ),
    Fault(
        "restores_the_first",
        "early_stopping",
        "the weights of the first epoch are restored, not of the best",
        rewrite(_ON_END, ("if self.restore_best_weights:", "if False:")),
    ),
    Fault(
        "restores_next_epoch",
        "early_stopping",
        "the weights are kept one epoch after the best",
        rewrite(
            _ON_END,
            ("if self.restore_best_weights:", "if False:"),
            (
                "self.wait += 1",
                (
                    "if self.wait == 0: self.best_weights = self.model.get_weights()\n"
                    "    self.wait += 1"
                ),
            ),
        ),
    ),
    Fault(
        "wait_kept_between_fits",
        "early_stopping",
        "a callback that is used again goes on counting",
        rewrite(_ON_BEGIN, ("self.wait = 0", "pass")),
    ),
    Fault(
        "best_kept_between_fits",
        "early_stopping",
        "a callback that is used again compares with the best of the fit before",
        rewrite(_ON_BEGIN, ("self.best = None", "pass")),
    ),
)
