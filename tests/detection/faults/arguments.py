"""Faults in arguments that are lost, or taken for others, on one of the ways that they may go."""

from __future__ import annotations

from typing import Final

from tests.detection.faults.patching import Fault, rewrite
from tests.detection.faults.places import (
    CALLBACKS,
    CHECKPOINT,
    EPOCH,
    LOSS_SCALE,
    METRICS,
    OPTIMIZER,
    OPTIMIZERS,
    TF_TRAINER,
    TRAINER,
)

_ADAPTERS: Final = "keras.src.trainers.data_adapters"
_COMPILE: Final = f"{TRAINER}.compile"
_FIT: Final = f"{TF_TRAINER}.fit"
_FINALIZE: Final = "and epochs > 0\n"
_WEIGHTS: Final = "yield (x, y, sample_weight)"

BATCHES: Final = (
    Fault(
        "validation_epochs_from_zero",
        "data_exhaustion",
        "a list of epochs to validate after counts from zero",
        rewrite(
            f"{TRAINER}._should_eval", ("epoch in validation_freq", "epoch - 1 in validation_freq")
        ),
    ),
    Fault(
        "class_without_weight_is_nothing",
        "data_exhaustion",
        "in arrays, examples of a class that was given no weight weigh nothing",
        rewrite(
            f"{_ADAPTERS}.data_adapter_utils:class_weight_to_sample_weights",
            ("class_weight.get(int(y_numpy[i]), 1.0)", "class_weight.get(int(y_numpy[i]), 0.0)"),
        ),
    ),
    Fault(
        "class_without_weight_in_dataset",
        "data_exhaustion",
        "in datasets, examples of a class that was given no weight weigh nothing",
        rewrite(
            f"{_ADAPTERS}.tf_dataset_adapter:make_class_weight_map_fn",
            ("class_weight.get(int(c), 1.0)", "class_weight.get(int(c), 0.0)"),
        ),
    ),
    Fault(
        "class_weights_lost_by_workers",
        "data_exhaustion",
        "the weights of classes are lost where workers build the batches",
        rewrite(
            f"{_ADAPTERS}.py_dataset_adapter:PyDatasetAdapter._standardize_batch",
            ("if len(batch) == 2:", "if len(batch) == 2 and self.enqueuer is None:"),
        ),
    ),
    Fault(
        "executions_counted_as_steps",
        "data_exhaustion",
        "with a budget of steps an execution of several counts as one of them",
        rewrite(
            f"{EPOCH}._enumerate_iterator",
            ("self._steps_seen += self.steps_per_execution", "self._steps_seen += 1"),
        ),
    ),
    Fault(
        "last_execution_not_predicted",
        "compile",
        "predict leaves out a last execution that is not full",
        rewrite(
            f"{TF_TRAINER}.predict",
            (
                'hasattr(data, "__len__") and len(data) > 0',
                "len(data) == self.steps_per_execution",
            ),
        ),
    ),
    Fault(
        "test_on_batch_without_weights",
        "metrics",
        "test_on_batch leaves out the weights of the samples",
        rewrite(f"{TF_TRAINER}.test_on_batch", (_WEIGHTS, "yield (x, y)")),
    ),
)

COMPILED: Final = (
    Fault(
        "loss_weights_by_their_order",
        "compile",
        "weights of losses by name are read in the order in which they were written",
        rewrite(
            "keras.src.trainers.compile_utils:CompileLoss.build",
            (
                "self._user_loss_weights[name]\n                    for name in self.output_names",
                "weight\n                    for weight in self._user_loss_weights.values()",
            ),
        ),
    ),
    Fault(
        "loss_weights_not_saved",
        "compile",
        "a saved model has lost the weights of its losses",
        rewrite(
            _COMPILE,
            (
                "loss_weights=loss_weights,\n        metrics=metrics",
                "loss_weights=None,\n        metrics=metrics",
            ),
        ),
    ),
    Fault(
        "weighted_metrics_not_saved",
        "compile",
        "a saved model has lost its weighted metrics",
        rewrite(_COMPILE, ("weighted_metrics=weighted_metrics,\n        run", "run")),
    ),
)

ENDINGS: Final = (
    Fault(
        "averages_not_final_when_stopped",
        "averaging",
        "the weights of a training that was stopped do not become their averages",
        rewrite(_FIT, (_FINALIZE, f"{_FINALIZE}        and not self.stop_training\n")),
    ),
    Fault(
        "averages_not_final_under_scale",
        "averaging",
        "under a loss scale the weights do not become their averages",
        rewrite(
            f"{LOSS_SCALE}.finalize_variable_values",
            ("self.inner_optimizer.finalize_variable_values(var_list)", "pass"),
        ),
    ),
    Fault(
        "averages_not_final_of_several",
        "averaging",
        "with several optimizers the weights do not become their averages",
        rewrite(
            f"{OPTIMIZERS}.multi_optimizer:MultiOptimizer.finalize_variable_values",
            ("opt.finalize_variable_values(variables)", "pass"),
        ),
    ),
    Fault(
        "one_exclusion_only",
        "averaging",
        "of several names to be excluded from weight decay only the first is",
        rewrite(
            f"{OPTIMIZER}.exclude_from_weight_decay",
            ('"|".join(set(var_names))', "list(var_names)[0]"),
        ),
    ),
    Fault(
        "swap_misses_the_last_epoch",
        "averaging",
        "averages that are swapped at the end of epochs stay swapped at the end of training",
        rewrite(
            f"{CALLBACKS}.swap_ema_weights:SwapEMAWeights.on_epoch_end",
            ('self.params["epochs"] - 1', 'self.params["epochs"]'),
        ),
    ),
    Fault(
        "backup_yields_to_initial_epoch",
        "callbacks",
        "a training with an initial epoch begins there, whatever its backup says",
        rewrite(
            _FIT,
            ("self._initial_epoch or initial_epoch", "initial_epoch or self._initial_epoch or 0"),
        ),
    ),
    Fault(
        "checkpoint_misses_equal_ends",
        "callbacks",
        "a checkpoint by batches does not see an epoch that ends with the batch it saw last",
        rewrite(
            f"{CHECKPOINT}._should_save_on_batch",
            ("batch <= self._last_batch_seen", "batch < self._last_batch_seen"),
        ),
    ),
    Fault(
        "end_without_validation",
        "callbacks",
        "the end of a training is not told what was validated",
        rewrite(
            _FIT,
            (
                "training_logs = epoch_logs\n",
                "training_logs = {k: v for k, v in epoch_logs.items() if k[:4] != 'val_'}\n",
            ),
        ),
    ),
    Fault(
        "restarts_lose_their_floor",
        "optimizers",
        "the configuration of a cosine with restarts has no alpha",
        rewrite(
            f"{OPTIMIZERS}.schedules.learning_rate_schedule:CosineDecayRestarts.get_config",
            ('"alpha": self.alpha,', ""),
        ),
    ),
    Fault(
        "f_score_classes_not_weighted",
        "metrics",
        "the weighted mean of F scores counts every sample of a class once, whatever it weighs",
        rewrite(
            f"{METRICS}.f_score_metrics:FBetaScore.update_state",
            ("_weighted_sum(y_true, sample_weight)", "_weighted_sum(y_true, None)"),
        ),
    ),
)
