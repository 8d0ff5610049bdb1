"""Faults in branches that few take: what an earlier fit left behind, what is for one of several."""

from __future__ import annotations

from typing import Final

from tests.detection.faults.patching import Fault, rewrite
from tests.detection.faults.places import (
    CALLBACKS,
    COMPILED,
    EPOCH,
    OPTIMIZER,
    TF_TRAINER,
    TRAINER,
)

_PATHS: Final = "y_t, y_p = resolve_path(path, y_true), resolve_path(path, y_pred)\n"
_GIVEN: Final = "        if sample_weight is not None and tree.is_nested(sample_weight):\n"
_SEEN: Final = "if self._num_batches and self._steps_seen {} self._num_batches:\n"

BRANCHES: Final = (
    Fault(
        "stop_outlives_fit",
        "determinism",
        "what stopped one fit stops the next after its first batch",
        rewrite(
            f"{TF_TRAINER}.fit",
            ("self.stop_training = False", "self.stop_training = bool(self.stop_training)"),
        ),
    ),
    Fault(
        "validation_of_broken_fit",
        "determinism",
        "a fit validates on the examples of one that was broken off",
        rewrite(f"{TF_TRAINER}.fit", ("    self._eval_epoch_iterator = None\n", "")),
    ),
    Fault(
        "exhausted_source_stays",
        "data_exhaustion",
        "a budget of a whole pass does not begin the next one",
        rewrite(
            f"{EPOCH}._enumerate_iterator",
            (
                _SEEN.format(">=") + "            self._current_iterator",
                _SEEN.format(">") + "            self._current_iterator",
            ),
        ),
    ),
    Fault(
        "weights_for_first_output",
        "compile",
        "one array of weights counts for the metrics of the first output only",
        rewrite(
            f"{COMPILED}:CompileMetrics.update_state",
            (
                "[sample_weight[0] for _ in range(len(y_true))]",
                "sample_weight + [None] * (len(y_true) - 1)",
            ),
        ),
    ),
    Fault(
        "weights_of_first_output",
        "compile",
        "the losses of all outputs take the weights of the first",
        rewrite(
            f"{COMPILED}:CompileLoss.call",
            (
                f"{_PATHS}{_GIVEN}            _sample_weight = resolve_path(path, sample_weight)",
                f"{_PATHS}{_GIVEN}            _sample_weight = tree.flatten(sample_weight)[0]",
            ),
        ),
    ),
    Fault(
        "metrics_by_name_move_up",
        "compile",
        "metrics by name go to the first outputs, where some have none",
        rewrite(
            f"{COMPILED}:CompileMetrics._build_metrics_set",
            (
                "metrics[name] if name in metrics else None\n",
                "metrics[name]\n",
            ),
            (
                "for name in output_names\n            ]\n",
                "for name in output_names if name in metrics\n            ]\n",
            ),
        ),
    ),
    Fault(
        "averages_of_first_optimizer",
        "averaging",
        "of several optimizers the averages of the first are swapped in",
        rewrite(
            f"{CALLBACKS}.swap_ema_weights:SwapEMAWeights._apply_to_ema_optimizers",
            ("tf_fn(opt)\n", "tf_fn(opt)\n                    break\n"),
        ),
    ),
    Fault(
        "log_without_late_columns",
        "callbacks",
        "the CSV log has no columns for a validation that comes after the first epoch",
        rewrite(
            f"{CALLBACKS}.csv_logger:CSVLogger.on_epoch_end",
            ("if not val_keys_found and self.keys:", "if val_keys_found and not self.keys:"),
        ),
    ),
    Fault(
        "lone_loss_in_list",
        "metrics",
        "evaluate returns a list where the loss is all there is",
        rewrite(
            f"{TRAINER}._flatten_metrics_in_order",
            ("if len(results) == 1:", "if not results:"),
        ),
    ),
    Fault(
        "exclusion_by_beginning",
        "averaging",
        "variables are excluded from decay by how their names begin",
        rewrite(
            f"{OPTIMIZER}._use_weight_decay",
            ("re.search(exclude_from", "re.match(exclude_from"),
        ),
    ),
)
