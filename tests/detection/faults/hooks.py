"""Faults in when callbacks are called, with what, and in what the bundled ones do."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import (
    CALLBACK_LIST,
    CALLBACKS,
    CHECKPOINT,
    TF_EPOCH,
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


_FIT: Final = f"{TF_TRAINER}.fit"
_END: Final = "callbacks.on_train_batch_end(end_step, logs)"
_BEGIN: Final = "callbacks.on_epoch_begin(epoch)"

CALLBACK_FAULTS: Final = (
    Fault(
        "bar_lags_behind",
        "callbacks",
        "the progress bar averages what are averages already",
        rewrite(
            f"{CALLBACKS}.progbar_logger:ProgbarLogger._maybe_init_progbar",
            ("stateless_metrics=set()", "stateful_metrics=set()"),
        ),
    ),
    Fault(
        "summaries_at_every_batch",
        "callbacks",
        "TensorBoard's update_freq gates nothing",
        rewrite(
            f"{CALLBACKS}.tensorboard:TensorBoard._push_writer",
            ("step % self.update_freq == 0", "True"),
        ),
    ),
    Fault(
        "summaries_an_epoch_late",
        "callbacks",
        "TensorBoard writes an epoch's logs at the next epoch",
        rewrite(
            f"{CALLBACKS}.tensorboard:TensorBoard.on_epoch_end",
            ("self._log_epoch_metrics(epoch, logs)", "self._log_epoch_metrics(epoch + 1, logs)"),
        ),
    ),
    Fault(
        "histograms_share_a_tag",
        "callbacks",
        "TensorBoard names a histogram after the weight without its layer",
        rewrite(
            f"{CALLBACKS}.tensorboard:TensorBoard._log_weights",
            ("weight.path", "weight.name"),
        ),
    ),
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
            (
                f"{_END}\n                if self.stop_training:",
                (
                    f"{_END}\n                asked, now = self.stop_training, asked"
                    "\n                if now:"
                ),
            ),
        ),
    ),
    Fault(
        "stop_at_epoch_border_only",
        "callbacks",
        "a request to stop is heard at the end of the epoch",
        rewrite(
            _FIT,
            (
                f"{_END}\n                if self.stop_training:",
                f"{_END}\n                if False:",
            ),
        ),
    ),
    Fault(
        "stop_after_the_next_epoch",
        "callbacks",
        "a request to stop ends the epoch but not the training",
        rewrite(
            _FIT,
            (
                "training_logs = epoch_logs",
                "training_logs = epoch_logs; self.stop_training = False",
            ),
        ),
    ),
    Fault(
        "error_swallowed",
        "callbacks",
        "an error in a callback ends the epoch without a word",
        rewrite(
            f"{TF_EPOCH}.catch_stop_iteration",
            (
                "except tf.errors.OutOfRangeError:",
                "except (tf.errors.OutOfRangeError, ValueError):",
            ),
        ),
    ),
    Fault(
        "checkpoint_of_the_worst",
        "callbacks",
        "save_best_only keeps what did not improve",
        rewrite(
            f"{CHECKPOINT}._should_save_model",
            (
                "if self._is_improvement(current, self.best):",
                "if self.best is None or not self._is_improvement(current, self.best):",
            ),
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
        rewrite(
            f"{CALLBACKS}.terminate_on_nan:TerminateOnNaN.on_batch_end", ("or np.isinf(loss)", "")
        ),
    ),
    Fault(
        "logs_of_the_epoch_before",
        "callbacks",
        "callbacks get the logs of the epoch before",
        rewrite(
            _FIT,
            (
                "callbacks.on_epoch_end(epoch, epoch_logs)",
                "callbacks.on_epoch_end(epoch, training_logs or epoch_logs)",
            ),
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
        rewrite(
            f"{CALLBACKS}.backup_and_restore:BackupAndRestore._load_model",
            ("self.model._initial_epoch = epoch", "pass"),
        ),
    ),
)
