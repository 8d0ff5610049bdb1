"""Faults that show in some numbers only: those of half precision, and those that don't count."""

from __future__ import annotations

from typing import Final

from tests.detection.faults.patching import Fault, rewrite
from tests.detection.faults.places import LOSSES, METRICS

METRIC_NUMBERS: Final = (
    Fault(
        "root_mean_in_half",
        "metrics",
        "the root mean squared error is computed in the dtype of the predictions",
        rewrite(
            f"{METRICS}.regression_metrics:RootMeanSquaredError.update_state",
            ("ops.convert_to_tensor(y_pred, self._dtype)", "ops.convert_to_tensor(y_pred)"),
            (
                "ops.convert_to_tensor(y_true, self._dtype)",
                "ops.convert_to_tensor(y_true, y_pred.dtype)",
            ),
        ),
    ),
    Fault(
        "overlap_knows_no_bounds",
        "metrics",
        "a true class beyond the last one is an index of the confusion matrix",
        rewrite(
            f"{METRICS}.iou_metrics:_IoUBase.update_state",
            ("ops.less(y_true, num_cls)", "ops.greater_equal(y_true, 0)"),
        ),
    ),
)

LOSS_NUMBERS: Final = (
    Fault(
        "ignored_predictions_times_zero",
        "losses",
        "ignored predictions are multiplied by 0, not replaced by it",
        rewrite(
            f"{LOSSES}:sparse_categorical_crossentropy",
            (
                "ops.where(ops.expand_dims(valid_mask, axis), y_pred, 0)",
                "y_pred * ops.cast(ops.expand_dims(valid_mask, axis), y_pred.dtype)",
            ),
        ),
    ),
    Fault(
        "ignored_label_in_the_loss",
        "losses",
        "an ignored label is not replaced by one that there is",
        rewrite(
            f"{LOSSES}:sparse_categorical_crossentropy",
            ("y_true = ops.where(valid_mask, y_true, 0)", "pass"),
        ),
    ),
    Fault(
        "transcript_filled_with_labels",
        "losses",
        "what fills up a transcript is read as labels of it",
        rewrite(
            f"{LOSSES}:ctc",
            ("ops.sum(y_true != mask_index, axis=-1)", "ops.sum(y_true >= mask_index, axis=-1)"),
        ),
    ),
    Fault(
        "blank_is_last_class",
        "losses",
        "the last class of a transcript is taken for the blank, not the first one",
        rewrite(f"{LOSSES}:ctc", ("mask_index = 0", "mask_index = y_pred.shape[-1] - 1")),
    ),
)
