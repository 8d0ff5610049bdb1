"""Faults in losses, metrics and in what `compile` makes of them."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import COMPILED, LOSS, LOSSES, METRICS, TF_TRAINER, TRAINER


def _does_nothing(_: Any) -> Any:
    return lambda self, *arguments: None  # noqa: ARG005 - Keras' signature


_REDUCE: Final = f"{LOSS}:reduce_values"
_WEIGHTED: Final = f"{LOSS}:reduce_weighted_values"

LOSS_FAULTS: Final = (
    Fault(
        "sum_for_mean",
        "losses",
        "a loss is summed over the batch, not averaged",
        rewrite(_REDUCE, ("ops.divide_no_nan(loss, divisor)", "loss")),
    ),
    Fault(
        "loss_weights_of_samples_ignored",
        "losses",
        "a loss ignores sample weights",
        rewrite(_WEIGHTED, ("values = values * sample_weight", "pass")),
    ),
    Fault(
        "loss_weights_of_samples_squared",
        "losses",
        "a loss applies sample weights twice",
        rewrite(
            _WEIGHTED,
            ("values = values * sample_weight", "values = values * sample_weight * sample_weight"),
        ),
    ),
    Fault(
        "mean_by_weight",
        "losses",
        "a weighted loss is divided by the sum of its weights",
        rewrite(
            _REDUCE,
            ('reduction == "mean_with_sample_weight" and sample_weight', "sample_weight"),
        ),
    ),
    Fault(
        "huber_delta_lost",
        "losses",
        "Huber's delta is always one",
        rewrite(f"{LOSSES}:huber", ("convert_to_tensor(delta,", "convert_to_tensor(1.0,")),
    ),
    Fault(
        "huber_without_half",
        "losses",
        "Huber's linear part does not join its quadratic one",
        rewrite(f"{LOSSES}:huber", ("- half * ops.square(delta)", "- ops.square(delta)")),
    ),
    Fault(
        "squared_error_halved",
        "losses",
        "the mean squared error carries a factor of a half",
        rewrite(
            f"{LOSSES}:mean_squared_error",
            ("ops.square(y_true - y_pred)", "0.5 * ops.square(y_true - y_pred)"),
        ),
    ),
    Fault(
        "absolute_error_signed",
        "losses",
        "the mean absolute error forgets to take the absolute value",
        rewrite(f"{LOSSES}:mean_absolute_error", ("ops.abs(y_true - y_pred)", "(y_true - y_pred)")),
    ),
    Fault(
        "binary_logits_ignored",
        "losses",
        "binary crossentropy takes logits for probabilities",
        rewrite(f"{LOSSES}:binary_crossentropy", ("from_logits=from_logits", "from_logits=False")),
    ),
    Fault(
        "sparse_logits_ignored",
        "losses",
        "sparse categorical crossentropy takes logits for probabilities",
        rewrite(
            f"{LOSSES}:sparse_categorical_crossentropy",
            ("from_logits=from_logits", "from_logits=False"),
        ),
    ),
    Fault(
        "smoothing_over_one_class_less",
        "losses",
        "label smoothing of categorical crossentropy is spread over one class less",
        rewrite(
            f"{LOSSES}:categorical_crossentropy",
            ("label_smoothing / num_classes", "label_smoothing / (num_classes - 1)"),
        ),
    ),
    Fault(
        "binary_smoothing_ignored",
        "losses",
        "binary crossentropy ignores label smoothing",
        rewrite(f"{LOSSES}:binary_crossentropy", ("if label_smoothing:", "if False:")),
    ),
)

_MEAN: Final = f"{METRICS}.reduction_metrics:Mean"
_CONFUSION: Final = f"{METRICS}.metrics_utils:update_confusion_matrix_variables"

METRIC_FAULTS: Final = (
    Fault(
        "lists_are_sorted",
        "metrics",
        "a list of results is in the order of the alphabet",
        rewrite(
            f"{TRAINER}._flatten_metrics_in_order",
            ("for name in metric_names:", "for name in sorted(metric_names):"),
        ),
    ),
    Fault(
        "metrics_not_reset",
        "metrics",
        "metrics go on over the border of epochs",
        wrap(f"{TRAINER}.reset_metrics", _does_nothing),
    ),
    Fault(
        "metrics_kept_between_batches",
        "metrics",
        "train_on_batch reports the mean over all batches so far",
        rewrite(f"{TF_TRAINER}.train_on_batch", ("self.reset_metrics()", "pass")),
    ),
    Fault(
        "metrics_kept_between_tested_batches",
        "metrics",
        "test_on_batch reports the mean over all batches so far",
        rewrite(f"{TF_TRAINER}.test_on_batch", ("self.reset_metrics()", "pass")),
    ),
    Fault(
        "class_weights_ignored_on_batch",
        "metrics",
        "train_on_batch ignores the weights of classes",
        rewrite(f"{TF_TRAINER}.train_on_batch", ("if class_weight is not None:", "if False:")),
    ),
    Fault(
        "padding_counts",
        "metrics",
        "masked predictions count in losses and metrics",
        rewrite(f"{LOSS}:apply_mask", ("if mask is not None:", "if False:")),
    ),
    Fault(
        "padding_dilutes_the_loss",
        "metrics",
        "a masked loss is divided by the number of all steps",
        rewrite(
            f"{LOSS}:apply_mask",
            ("mask_weight = ops.divide_no_nan(total, valid)", "mask_weight = 1.0 + 0.0 * valid"),
        ),
    ),
    Fault(
        "mean_not_reset",
        "metrics",
        "a mean forgets its sum but not its count",
        rewrite(f"{_MEAN}.reset_state", ("self.count.assign(0)", "pass")),
    ),
    Fault(
        "mean_of_batch_means",
        "metrics",
        "a mean counts batches, not samples",
        rewrite(
            f"{_MEAN}.update_state",
            ("ops.sum(values)", "ops.mean(values)"),
            ("num_samples = ops.sum(sample_weight)", "num_samples = 1"),
            ("num_samples = ops.shape(values)[0]", "num_samples = 1"),
        ),
    ),
    Fault(
        "loss_of_batch_means",
        "metrics",
        "the reported loss is the mean of the batches', whatever their size",
        rewrite(
            f"{TF_TRAINER}.train_step",
            ("sample_weight=tf.shape(\n", "sample_weight=1 + 0 * tf.shape(\n"),
        ),
    ),
    Fault(
        "metric_weights_ignored",
        "metrics",
        "weighted metrics ignore sample weights",
        rewrite(
            f"{COMPILED}:CompileMetrics.update_state",
            ("m.update_state(y_t, y_p, s_w)", "m.update_state(y_t, y_p)"),
        ),
    ),
    Fault(
        "metrics_weighted_unasked",
        "metrics",
        "plain metrics take sample weights",
        rewrite(
            f"{COMPILED}:CompileMetrics.update_state",
            ("m.update_state(y_t, y_p)\n", "m.update_state(y_t, y_p, sample_weight)\n"),
        ),
    ),
    Fault(
        "binary_threshold_included",
        "metrics",
        "a prediction at the threshold counts as positive",
        rewrite(
            f"{METRICS}.accuracy_metrics:binary_accuracy", ("ops.greater(", "ops.greater_equal(")
        ),
    ),
    Fault(
        "binary_threshold_ignored",
        "metrics",
        "binary accuracy ignores its threshold",
        rewrite(
            f"{METRICS}.accuracy_metrics:binary_accuracy",
            ("ops.convert_to_tensor(threshold)", "ops.convert_to_tensor(0.4)"),
        ),
    ),
    Fault(
        "confusion_threshold_included",
        "metrics",
        "precision and recall count a prediction at the threshold as positive",
        rewrite(_CONFUSION, ("ops.greater(preds_tiled", "ops.greater_equal(preds_tiled")),
    ),
    Fault(
        "confusion_overwritten",
        "metrics",
        "precision and recall know the last batch only",
        rewrite(
            _CONFUSION, ("var.assign(var + ops.sum(result, 1))", "var.assign(ops.sum(result, 1))")
        ),
    ),
    Fault(
        "top_k_off_by_one",
        "metrics",
        "top-k accuracy looks at one class more",
        rewrite(
            f"{METRICS}.accuracy_metrics:sparse_top_k_categorical_accuracy", ("k=k)", "k=k + 1)")
        ),
    ),
)

COMPILE: Final = (
    Fault(
        "mask_gets_lost",
        "compile",
        "padding is masked for nobody behind the embedding",
        rewrite(
            "keras.src.layers.core.embedding:Embedding.compute_mask",
            ("not self.mask_zero", "True"),
        ),
    ),
    Fault(
        "mean_counts_padding",
        "compile",
        "the mean over steps counts those that are masked",
        rewrite(
            "keras.src.layers.pooling.global_average_pooling1d:GlobalAveragePooling1D.call",
            ("if mask is not None:", "if False:"),
        ),
    ),
    Fault(
        "loss_weights_ignored",
        "compile",
        "loss_weights are ignored",
        rewrite(
            f"{COMPILED}:CompileLoss.call", ("if loss_weight is not None:", "if False:"), every=True
        ),
    ),
    Fault(
        "first_output_only",
        "compile",
        "the total loss is that of the first output",
        rewrite(f"{COMPILED}:CompileLoss.call", ("sum(loss_values)", "loss_values[0]")),
    ),
    Fault(
        "regularisation_dropped",
        "compile",
        "penalties of layers are not part of the loss",
        rewrite(f"{TRAINER}.compute_loss", ("for loss in self.losses:", "for loss in ():")),
    ),
    Fault(
        "execution_short",
        "compile",
        "an execution of several steps runs one step less",
        rewrite(
            f"{TF_TRAINER}._make_function",
            (
                "tf.less(execution_step, self.steps_per_execution),",
                "tf.less(execution_step, self.steps_per_execution - 1),",
            ),
            every=True,
        ),
    ),
    Fault(
        "executions_validate_once",
        "compile",
        "with several steps per execution validation ends after the first execution",
        rewrite(
            f"{TF_TRAINER}.evaluate",
            (
                "callbacks.on_test_batch_end(end_step, logs)",
                (
                    "callbacks.on_test_batch_end(end_step, logs); "
                    "self.stop_evaluating |= self.steps_per_execution > 1"
                ),
            ),
        ),
    ),
    Fault(
        "eager_leaves_out_the_last",
        "compile",
        "run eagerly, the last trainable variable is left out",
        rewrite(
            f"{TF_TRAINER}.train_step",
            (
                "trainable_weights = self.trainable_weights\n",
                "trainable_weights = self.trainable_weights[: -1 if self.run_eagerly else None]\n",
            ),
        ),
    ),
    Fault(
        "retraced_every_epoch",
        "compile",
        "the step is traced again in every epoch",
        rewrite(
            f"{TF_TRAINER}.fit",
            (
                "callbacks.on_epoch_begin(epoch)",
                "callbacks.on_epoch_begin(epoch); self.make_train_function(force=True)",
            ),
        ),
    ),
)
