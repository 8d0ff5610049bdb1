"""Faults in callbacks, in what repeats, in replicas, and in models as a whole."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import (
    CALLBACK_LIST,
    CALLBACKS,
    CHECKPOINT,
    LOSS,
    OPTIMIZER,
    OPTIMIZERS,
    TF_EPOCH,
    TF_OPTIMIZER,
    TF_TRAINER,
)


def _called_twice(hook: Any) -> Any:
    def twice(self: Any, *arguments: Any, **keywords: Any) -> None:
        hook(self, *arguments, **keywords)
        hook(self, *arguments, **keywords)

    return twice


def _does_nothing(_: Any) -> Any:
    return lambda self, *arguments, **keywords: None  # noqa: ARG005 - Keras' signature


def _only_after_first_epoch(hook: Any) -> Any:
    def late(self: Any, epoch: int, logs: Any = None) -> None:
        if epoch:
            hook(self, epoch, logs)

    return late


def _noisy(update: Any) -> Any:
    """Gradients a millionth off, by how much the clock decides."""

    def noisy(self: Any, gradients: Any, variables: Any, rate: Any) -> None:
        import tensorflow as tf

        off = 1e-6 * (tf.timestamp() % 1.0)
        shaken = [
            g + tf.cast(off, g.dtype) * g if isinstance(g, tf.Tensor) else g for g in gradients
        ]
        update(self, shaken, variables, rate)

    return noisy


def _smaller_with_every_fit(on_train_begin: Any) -> Any:
    fits = 0

    def begin(self: Any, logs: Any = None) -> None:
        nonlocal fits
        for variable in self.model.trainable_variables:
            variable.assign(variable * 0.999**fits)
        fits += 1
        on_train_begin(self, logs)

    return begin


_FIT: Final = f"{TF_TRAINER}.fit"
_END: Final = "callbacks.on_train_batch_end(end_step, logs)"
_BEGIN: Final = "callbacks.on_epoch_begin(epoch)"

CALLBACK_FAULTS: Final = (
    Fault(
        "epoch_begins_twice",
        "callbacks",
        "on_epoch_begin is called twice",
        wrap(f"{CALLBACK_LIST}.on_epoch_begin", _called_twice),
    ),
    Fault(
        "batch_ends_twice",
        "callbacks",
        "on_train_batch_end is called twice",
        wrap(f"{CALLBACK_LIST}.on_train_batch_end", _called_twice),
    ),
    Fault(
        "training_never_ends",
        "callbacks",
        "on_train_end is not called",
        rewrite(_FIT, ("callbacks.on_train_end(logs=training_logs)", "pass")),
    ),
    Fault(
        "batch_begin_after_the_batch",
        "callbacks",
        "on_train_batch_begin comes after the batch",
        rewrite(
            _FIT,
            ("callbacks.on_train_batch_begin(begin_step)", "pass"),
            (_END, f"callbacks.on_train_batch_begin(begin_step); {_END}"),
        ),
    ),
    Fault(
        "stop_one_batch_late",
        "callbacks",
        "a batch is trained after a callback asked to stop",
        rewrite(
            _FIT,
            (_BEGIN, f"{_BEGIN}; asked = False"),
            (f"{_END}\n                if self.stop_training:", f"{_END}\n                asked, now = self.stop_training, asked\n                if now:"),
        ),
    ),
    Fault(
        "stop_at_epoch_border_only",
        "callbacks",
        "a request to stop is heard at the end of the epoch",
        rewrite(
            _FIT,
            (f"{_END}\n                if self.stop_training:", f"{_END}\n                if False:"),
        ),
    ),
    Fault(
        "stop_after_the_next_epoch",
        "callbacks",
        "a request to stop ends the epoch but not the training",
        rewrite(
            _FIT, ("training_logs = epoch_logs", "training_logs = epoch_logs; self.stop_training = False")
        ),
    ),
    Fault(
        "error_swallowed",
        "callbacks",
        "an error in a callback ends the epoch without a word",
        rewrite(
            f"{TF_EPOCH}.catch_stop_iteration",
            ("except tf.errors.OutOfRangeError:", "except (tf.errors.OutOfRangeError, ValueError):"),
        ),
    ),
    Fault(
        "checkpoint_of_the_worst",
        "callbacks",
        "save_best_only keeps what did not improve",
        rewrite(
            f"{CHECKPOINT}._should_save_model",
            ("if self._is_improvement(current, self.best):", "if self.best is None or not self._is_improvement(current, self.best):"),
        ),
    ),
    Fault(
        "checkpoint_best_not_kept",
        "callbacks",
        "save_best_only compares with the first value for ever",
        rewrite(
            f"{CHECKPOINT}._should_save_model",
            ("self.best = current", "self.best = self.best or current"),
        ),
    ),
    Fault(
        "nan_goes_on",
        "callbacks",
        "TerminateOnNaN stops nothing",
        wrap(f"{CALLBACKS}.terminate_on_nan:TerminateOnNaN.on_batch_end", _does_nothing),
    ),
    Fault(
        "infinite_goes_on",
        "callbacks",
        "TerminateOnNaN lets an infinite loss pass",
        rewrite(f"{CALLBACKS}.terminate_on_nan:TerminateOnNaN.on_batch_end", ("or np.isinf(loss)", "")),
    ),
    Fault(
        "logs_of_the_epoch_before",
        "callbacks",
        "callbacks get the logs of the epoch before",
        rewrite(
            _FIT,
            ("callbacks.on_epoch_end(epoch, epoch_logs)", "callbacks.on_epoch_end(epoch, training_logs or epoch_logs)"),
        ),
    ),
    Fault(
        "history_without_first_epoch",
        "callbacks",
        "the history begins with the second epoch",
        wrap(f"{CALLBACKS}.history:History.on_epoch_end", _only_after_first_epoch),
    ),
    Fault(
        "csv_without_first_epoch",
        "callbacks",
        "the log file begins with the second epoch",
        wrap(f"{CALLBACKS}.csv_logger:CSVLogger.on_epoch_end", _only_after_first_epoch),
    ),
    Fault(
        "backup_forgets_the_epoch",
        "callbacks",
        "a training that is taken up again begins at its first epoch",
        rewrite(f"{CALLBACKS}.backup_and_restore:BackupAndRestore._load_model", ("self.model._initial_epoch = epoch", "pass")),
    ),
)

CONVERGENCE: Final = (
    Fault(
        "gradient_halved",
        "convergence",
        "SGD takes half of its step",
        wrap(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            lambda step: lambda self, g, v, rate: step(self, g, v, 0.5 * rate),
        ),
    ),
    Fault(
        "gradient_doubled",
        "convergence",
        "SGD takes twice its step",
        wrap(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            lambda step: lambda self, g, v, rate: step(self, g, v, 2.0 * rate),
        ),
    ),
    Fault(
        "step_uphill",
        "convergence",
        "SGD goes up where it should go down",
        wrap(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            lambda step: lambda self, g, v, rate: step(self, g, v, -rate),
        ),
    ),
    Fault(
        "step_noisy",
        "convergence",
        "each gradient carries noise",
        wrap(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            lambda step: lambda self, g, v, rate: step(
                self, g + 0.1 * (v - v + 1), v, rate
            ),
        ),
    ),
    Fault(
        "step_limited",
        "convergence",
        "no step is larger than a thousandth",
        rewrite(
            f"{OPTIMIZERS}.sgd:SGD.update_step",
            ("self.assign_sub(variable, ops.multiply(gradient, learning_rate))",
             "self.assign_sub(variable, ops.clip(gradient * learning_rate, -0.001, 0.001))"),
        ),
    ),
)

DETERMINISM: Final = (
    Fault(
        "seed_ignored",
        "determinism",
        "set_random_seed does not seed the backend",
        rewrite(
            "keras.src.utils.rng_utils:set_random_seed", ("if tf.available:", "if False:")
        ),
    ),
    Fault(
        "noise_in_gradients",
        "determinism",
        "gradients differ in their last digits from run to run",
        wrap(f"{TF_OPTIMIZER}._backend_update_step", _noisy),
    ),
    Fault(
        "initial_weights_unseeded",
        "determinism",
        "weights start anew in every run",
        rewrite(
            "keras.src.random.seed_generator:draw_seed",
            ("if isinstance(seed, SeedGenerator):", "import random, time; random.seed(time.time_ns()); return convert_to_tensor([random.getrandbits(30), 1], dtype=random_seed_dtype())\n    if isinstance(seed, SeedGenerator):"),
        ),
    ),
    Fault(
        "fits_leave_a_mark",
        "determinism",
        "weights start a little smaller in every further fit of a process",
        wrap(f"{CALLBACK_LIST}.on_train_begin", _smaller_with_every_fit),
    ),
)

DISTRIBUTION: Final = (
    Fault(
        "loss_not_shared_out",
        "distribution",
        "each replica takes the whole loss, so that gradients add up",
        rewrite(f"{LOSS}:scale_loss_for_distribution", ("1.0 / num_replicas", "1.0")),
    ),
    Fault(
        "gradients_not_reduced",
        "distribution",
        "replicas keep their own gradients",
        wrap(f"{TF_OPTIMIZER}._all_reduce_sum_gradients", lambda _: lambda self, pairs: pairs),  # noqa: ARG005 - Keras' signature
    ),
    Fault(
        "reported_loss_not_undone",
        "distribution",
        "the reported loss is divided by the number of replicas",
        rewrite(f"{LOSS}:unscale_loss_for_distribution", ("ops.cast(num_replicas, value.dtype)", "1.0")),
    ),
)

_NORM: Final = "keras.src.layers.normalization.batch_normalization:BatchNormalization.call"

PIPELINE: Final = (
    Fault(
        "dropout_in_evaluation",
        "pipeline",
        "dropout is active in evaluation",
        rewrite("keras.src.layers.regularization.dropout:Dropout.call", ("if training and", "if")),
    ),
    Fault(
        "dropout_never",
        "pipeline",
        "dropout drops nothing",
        rewrite(
            "keras.src.layers.regularization.dropout:Dropout.call", ("if training and", "if False and")
        ),
    ),
    Fault(
        "batch_norm_momentum_swapped",
        "pipeline",
        "batch normalisation forgets at the rate at which it should remember",
        rewrite(
            _NORM,
            ("moving_mean * self.momentum + mean * (1.0 - self.momentum)", "moving_mean * (1.0 - self.momentum) + mean * self.momentum"),
        ),
    ),
    Fault(
        "batch_norm_of_the_batch",
        "pipeline",
        "batch normalisation uses the batch's own statistics in evaluation",
        rewrite(
            _NORM,
            ("mean = moving_mean\n", "mean = self._moments(inputs, mask)[0]\n"),
        ),
    ),
    Fault(
        "predict_last_batch_lost",
        "pipeline",
        "predict leaves out its last batch",
        rewrite(
            f"{TF_TRAINER}.predict",
            ("callbacks.on_predict_end()", "callbacks.on_predict_end(); outputs = outputs[:-1] or outputs"),
        ),
    ),
    Fault(
        "evaluate_first_batch_only",
        "pipeline",
        "evaluate looks at its first batch only",
        rewrite(
            f"{TF_TRAINER}.evaluate",
            ("callbacks.on_test_batch_end(end_step, logs)", "callbacks.on_test_batch_end(end_step, logs); break"),
        ),
    ),
    Fault(
        "saved_without_slots",
        "pipeline",
        "a saved optimizer has lost its slots",
        rewrite(f"{OPTIMIZER}.save_own_variables", ("variable.numpy()", "variable.numpy() * (i < 2)")),
    ),
)
