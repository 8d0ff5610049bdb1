"""Faults in what is easily forgotten: masks, states and arguments that only some ways need."""

from __future__ import annotations

from typing import Final

from tests.detection.faults.patching import Fault, rewrite
from tests.detection.faults.places import (
    CALLBACKS,
    COMPILED,
    LOSS,
    METRICS,
    PLATEAU,
    TF_TRAINER,
    TRAINER,
)

_NOISE: Final = "keras.src.layers.regularization"
_CORE: Final = "keras.src.layers.core"
_PY_DATASET: Final = "keras.src.trainers.data_adapters.py_dataset_adapter"
_WEIGHED: Final = "value = ops.multiply(value, loss_weight)"
_ALONE: Final = "\n            loss_values.append(value)\n        return loss_values[0]"
_CURVES: Final = f"{METRICS}.confusion_metrics"

LAYERS: Final = (
    Fault(
        "features_dropped_by_step",
        "pipeline",
        "spatial dropout drops whole steps instead of features",
        rewrite(
            f"{_NOISE}.spatial_dropout:SpatialDropout1D._get_noise_shape",
            ("input_shape[0], 1, input_shape[2]", "input_shape[0], input_shape[1], 1"),
        ),
    ),
    Fault(
        "noise_shape_lost",
        "pipeline",
        "dropout draws for each number whatever shape its noise is to have",
        rewrite(f"{_NOISE}.dropout:Dropout.call", ("noise_shape=self.noise_shape,", "")),
    ),
    Fault(
        "dropout_seed_not_saved",
        "pipeline",
        "the configuration of dropout has no seed",
        rewrite(f"{_NOISE}.dropout:Dropout.get_config", ('"seed": self.seed,', "")),
    ),
    Fault(
        "alpha_dropout_moves_mean",
        "pipeline",
        "alpha dropout shifts the wrong way what it scales",
        rewrite(
            f"{_NOISE}.alpha_dropout:AlphaDropout.call",
            ("b = -a * alpha_p * self.rate", "b = a * alpha_p * self.rate"),
        ),
    ),
    Fault(
        "alpha_dropout_changes_variance",
        "pipeline",
        "alpha dropout does not scale back what its replacements have added to the variance",
        rewrite(
            f"{_NOISE}.alpha_dropout:AlphaDropout.call",
            ("(1 + self.rate * alpha_p**2)) ** -0.5", "(1 + self.rate * alpha_p**2)) ** 0.5"),
        ),
    ),
    Fault(
        "gaussian_dropout_too_weak",
        "pipeline",
        "the variance of gaussian dropout is its rate",
        rewrite(
            f"{_NOISE}.gaussian_dropout:GaussianDropout.call",
            ("math.sqrt(self.rate / (1.0 - self.rate))", "math.sqrt(self.rate)"),
        ),
    ),
    Fault(
        "mask_not_saved",
        "pipeline",
        "a loaded embedding does not mask the padding any more",
        rewrite(f"{_CORE}.embedding:Embedding.get_config", ('"mask_zero": self.mask_zero,', "")),
    ),
    Fault(
        "masked_by_any_number",
        "compile",
        "Masking leaves out a step of which one number is the value",
        rewrite(
            f"{_CORE}.masking:Masking.call", ("boolean_mask = ops.any(", "boolean_mask = ops.all(")
        ),
    ),
)

LOSSES: Final = (
    Fault(
        "masks_are_united",
        "losses",
        "what the mask of the model leaves out counts where the loss has a mask of its own",
        rewrite(f"{LOSS}:Loss.__call__", ("in_mask & out_mask", "in_mask | out_mask")),
    ),
    Fault(
        "weight_of_single_loss_lost",
        "compile",
        "the weight of the loss of a single output is ignored",
        rewrite(
            f"{COMPILED}:CompileLoss.call",
            (f"{_WEIGHED}{_ALONE}", f"pass{_ALONE}"),
        ),
    ),
)

SCORES: Final = (
    Fault(
        "flat_labels_are_classes",
        "metrics",
        "accuracy takes binary labels without an axis of their own for class numbers",
        rewrite(
            f"{COMPILED}:get_metric",
            ("    if is_binary:\n", "    if is_binary and not is_sparse_categorical:\n"),
        ),
    ),
    Fault(
        "weights_of_steps_counted",
        "metrics",
        "a mean over sequences divides by the weights of all steps",
        rewrite(
            f"{METRICS}.reduction_metrics:reduce_to_samplewise_values",
            ("if weight_ndim > 1:", "if weight_ndim > 2:"),
        ),
    ),
    Fault(
        "rate_must_be_exceeded",
        "metrics",
        "recall at a precision leaves out thresholds of exactly that precision",
        rewrite(f"{_CURVES}:RecallAtPrecision.result", ("ops.greater_equal", "ops.greater")),
    ),
    Fault(
        "label_weights_lost_by_pr",
        "metrics",
        "the interpolated area under a precision-recall curve averages labels without weights",
        rewrite(
            f"{_CURVES}:AUC.interpolate_pr_auc", ("if self.label_weights is None:", "if True:")
        ),
    ),
    Fault(
        "own_metrics_not_reset",
        "metrics",
        "metrics that a model keeps as attributes are none of its metrics",
        rewrite(
            f"{TRAINER}.metrics",
            ("    metrics.extend(self._metrics)\n    for", "    for"),
        ),
    ),
    Fault(
        "inner_metric_not_reset",
        "metrics",
        "the variables of a metric do not include those of a metric within",
        rewrite(
            f"{METRICS}.metric:Metric.variables", ("variables.extend(metric.variables)", "pass")
        ),
    ),
)

CALLS: Final = (
    Fault(
        "evaluation_stays_stopped",
        "callbacks",
        "what stopped one evaluation stops all later ones",
        rewrite(
            f"{TF_TRAINER}.evaluate",
            (
                "self.stop_evaluating = False",
                "self.stop_evaluating = getattr(self, 'stop_evaluating', False)",
            ),
        ),
    ),
    Fault(
        "function_of_hook_lost",
        "callbacks",
        "LambdaCallback keeps the function for the begin of a batch under another name",
        rewrite(
            f"{CALLBACKS}.lambda_callback:LambdaCallback.__init__",
            ("self.on_train_batch_begin = ", "self.on_batch_start = "),
        ),
    ),
    Fault(
        "nan_raises_nothing",
        "callbacks",
        "TerminateOnNaN stops where it is to raise an error",
        rewrite(
            f"{CALLBACKS}.terminate_on_nan:TerminateOnNaN.on_batch_end",
            ("if self.raise_error:", "if self.raise_error is None:"),
        ),
    ),
    Fault(
        "plateau_lowers_first_only",
        "schedules",
        "of several optimizers a plateau lowers the rate of the first one",
        rewrite(
            f"{PLATEAU}.on_epoch_end",
            ("self.model.optimizer.optimizers\n", "self.model.optimizer.optimizers[:1]\n"),
        ),
    ),
    Fault(
        "backup_without_optimizer",
        "callbacks",
        "a backup is restored before the optimizer has variables to restore it into",
        rewrite(
            f"{CALLBACKS}.backup_and_restore:BackupAndRestore._load_model",
            ("and not self.model.optimizer.built", "and self.model.optimizer.built"),
        ),
    ),
    Fault(
        "workers_do_not_shuffle",
        "data_exhaustion",
        "the batches of a PyDataset keep their order where workers build them",
        rewrite(f"{_PY_DATASET}:PyDatasetAdapter.__init__", ("shuffle=self.shuffle,", "")),
    ),
    Fault(
        "drained_batches_lost",
        "data_exhaustion",
        "what workers had built at the end of an epoch is thrown away",
        rewrite(f"{_PY_DATASET}:PyDatasetEnqueuer.stop", ("self.ready_queue.put(inputs)", "pass")),
    ),
)
