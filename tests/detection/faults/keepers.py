"""Faults in callbacks that keep something: checkpoints, backups, logs, histories, best values."""

from __future__ import annotations

from typing import Any, Final

from tests.detection.faults.patching import Fault, rewrite, wrap
from tests.detection.faults.places import CALLBACKS, CHECKPOINT

_BACKUP: Final = f"{CALLBACKS}.backup_and_restore:BackupAndRestore"
_CSV: Final = f"{CALLBACKS}.csv_logger:CSVLogger"
_HISTORY: Final = f"{CALLBACKS}.history:History.on_epoch_end"
_PLATEAU: Final = f"{CALLBACKS}.reduce_lr_on_plateau:ReduceLROnPlateau.on_epoch_end"
_SCHEDULER: Final = f"{CALLBACKS}.learning_rate_scheduler:LearningRateScheduler"
_DUE: Final = "self._batches_seen_since_last_saving >= self.save_freq"


def _does_nothing(_: Any) -> Any:
    return lambda self, *arguments, **keywords: None  # noqa: ARG005 - Keras' signature


def _in_the_first_epoch(hook: Any) -> Any:
    def early(self: Any, epoch: int, logs: Any = None) -> None:
        if not epoch:
            hook(self, epoch, logs)

    return early


KEEPERS: Final = (
    Fault(
        "checkpoint_counts_afresh",
        "callbacks",
        "a checkpoint by batches begins to count anew in every epoch",
        rewrite(
            f"{CHECKPOINT}.on_epoch_begin",
            (
                "self._current_epoch = epoch",
                "self._current_epoch = epoch; self._batches_seen_since_last_saving = 0",
            ),
        ),
    ),
    Fault(
        "checkpoint_named_from_zero",
        "callbacks",
        "the file of a checkpoint counts epochs from zero",
        rewrite(f"{CHECKPOINT}._get_file_path", ("epoch + 1", "epoch"), every=True),
    ),
    Fault(
        "checkpoint_one_batch_late",
        "callbacks",
        "a checkpoint by batches comes one batch too late",
        rewrite(f"{CHECKPOINT}._should_save_on_batch", (_DUE, _DUE.replace(">=", ">"))),
    ),
    Fault(
        "backup_one_batch_late",
        "callbacks",
        "a backup by batches comes one batch too late",
        rewrite(f"{_BACKUP}._should_save_on_batch", (_DUE, _DUE.replace(">=", ">"))),
    ),
    Fault(
        "backup_never_deleted",
        "callbacks",
        "a backup stays when training is done",
        wrap(f"{_BACKUP}.on_train_end", _does_nothing),
    ),
    Fault(
        "backup_without_weights",
        "callbacks",
        "a training that is taken up again begins with its own weights",
        rewrite(f"{_BACKUP}._load_model", ("self.model.load_weights(self._weights_path)", "pass")),
    ),
    Fault(
        "backup_skips_an_epoch",
        "callbacks",
        "a training that is taken up again leaves out an epoch",
        rewrite(f"{_BACKUP}._save_model", ("self._current_epoch,", "self._current_epoch + 1,")),
    ),
    Fault(
        "csv_appends_always",
        "callbacks",
        "a log file keeps what stood in it although it was not asked to",
        rewrite(f"{_CSV}.on_train_begin", ("if self.append:", "if True:")),
    ),
    Fault(
        "csv_separator_ignored",
        "callbacks",
        "a log file is always separated by commas",
        rewrite(f"{_CSV}.on_epoch_end", ("delimiter = self.sep", 'delimiter = ","')),
    ),
    Fault(
        "csv_header_twice",
        "callbacks",
        "a log file that goes on gets a second header",
        rewrite(
            f"{_CSV}.on_train_begin",
            ("self.append_header = not bool(len(f.readline()))", "self.append_header = True"),
        ),
    ),
    Fault(
        "csv_epoch_from_one",
        "callbacks",
        "a log file counts epochs from one",
        rewrite(f"{_CSV}.on_epoch_end", ('{"epoch": epoch}', '{"epoch": epoch + 1}')),
    ),
    Fault(
        "history_counts_from_zero",
        "callbacks",
        "the history forgets where the training began",
        rewrite(_HISTORY, ("self.epoch.append(epoch)", "self.epoch.append(len(self.epoch))")),
    ),
    Fault(
        "history_backwards",
        "callbacks",
        "the history has its last epoch first",
        rewrite(_HISTORY, (".append(v)", ".insert(0, v)")),
    ),
    Fault(
        "scheduler_once",
        "schedules",
        "LearningRateScheduler is asked in the first epoch only",
        wrap(f"{_SCHEDULER}.on_epoch_begin", _in_the_first_epoch),
    ),
    Fault(
        "scheduler_logs_nothing",
        "schedules",
        "LearningRateScheduler does not log the learning rate",
        wrap(f"{_SCHEDULER}.on_epoch_end", _does_nothing),
    ),
    Fault(
        "plateau_wait_kept",
        "schedules",
        "an improvement does not reset the wait of the plateau callback",
        rewrite(
            _PLATEAU,
            ("self.best = current\n            self.wait = 0", "self.best = current"),
        ),
    ),
    Fault(
        "plateau_best_is_the_last",
        "schedules",
        "the plateau callback compares with the epoch before, not with the best",
        rewrite(
            _PLATEAU,
            ("elif not self.in_cooldown():", "elif [setattr(self, 'best', current)]:"),
        ),
    ),
    Fault(
        "restores_only_when_stopped",
        "early_stopping",
        "the best weights are restored only where training was stopped",
        rewrite(
            f"{CALLBACKS}.early_stopping:EarlyStopping.on_train_end",
            ("if self.restore_best_weights and", "if self.stopped_epoch and"),
        ),
    ),
)
