"""Keras callbacks by their own arguments, and small ones that misbehave on purpose."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Strict, Tag

from harness.spec.base import (
    Count,
    Finite,
    Flag,
    Fraction,
    ImportSpec,
    Named,
    NonNegative,
    Positive,
    PositiveCount,
    Real,
    Spec,
    Text,
)

Mode = Literal["auto", "min", "max"]


def _frequency_tag(value: Any) -> str:
    return "word" if isinstance(value, str) else "batches"


SaveFreq = Annotated[
    Annotated[Literal["epoch"], Tag("word")] | Annotated[PositiveCount, Tag("batches")],
    Discriminator(_frequency_tag),
]

UpdateFreq = Annotated[
    Annotated[Literal["epoch", "batch"], Tag("word")] | Annotated[PositiveCount, Tag("batches")],
    Discriminator(_frequency_tag),
]


class MonitorSpec(Spec):
    """A callback that watches one number of the epoch's logs.

    Attributes:
        monitor: Key of the logs.
        mode: Whether lower or higher is better.
        scripted: The number comes from `script` instead of the model.
        script: Value of the monitor at the end of each epoch; past its end the last one stays.
    """

    monitor: Text = "val_loss"
    mode: Mode = "auto"
    scripted: Flag = False
    script: tuple[Real, ...] | None = None


class EarlyStoppingSpec(MonitorSpec):
    """``keras.callbacks.EarlyStopping``."""

    kind: Literal["early_stopping"] = "early_stopping"
    min_delta: NonNegative = 0.0
    patience: Count = 0
    baseline: Finite | None = None
    restore_best_weights: Flag = False
    start_from_epoch: Count = 0


class ReduceLROnPlateauSpec(MonitorSpec):
    """``keras.callbacks.ReduceLROnPlateau``."""

    kind: Literal["reduce_lr_on_plateau"] = "reduce_lr_on_plateau"
    factor: Fraction = 0.1
    patience: Count = 10
    min_delta: NonNegative = 0.0001
    cooldown: Count = 0
    min_lr: NonNegative = 0.0


class ModelCheckpointSpec(MonitorSpec):
    """``keras.callbacks.ModelCheckpoint`` into a folder of the run.

    Attributes:
        filepath: File name inside that folder; may hold ``{epoch}``.
        save_best_only: Keep the best epoch only.
        save_weights_only: Leave out the architecture.
        save_freq: Save after every epoch, or after at least so many batches.
        initial_value_threshold: Value that the first save has to beat.
    """

    kind: Literal["model_checkpoint"] = "model_checkpoint"
    filepath: Text = "checkpoint.keras"
    save_best_only: Flag = False
    save_weights_only: Flag = False
    save_freq: SaveFreq = "epoch"
    initial_value_threshold: Finite | None = None


class BackupAndRestoreSpec(Spec):
    """``keras.callbacks.BackupAndRestore`` in a folder of the run.

    Attributes:
        save_freq: Back up after every epoch, or after at least so many batches.
        double_checkpoint: Keep the state before the last one too.
        delete_checkpoint: Remove the backup when the training has ended.
    """

    kind: Literal["backup_and_restore"] = "backup_and_restore"
    save_freq: SaveFreq = "epoch"
    double_checkpoint: Flag = False
    delete_checkpoint: Flag = True


class StepDecaySpec(Spec):
    """``LearningRateScheduler`` with ``initial * drop ** (epoch // epochs_drop)``.

    Attributes:
        initial: Learning rate of epoch 0.
        drop: Factor per stage.
        epochs_drop: Epochs per stage.
    """

    kind: Literal["step_decay"] = "step_decay"
    initial: Positive = 0.01
    drop: Positive = 0.5
    epochs_drop: PositiveCount = 10


class LearningRateSchedulerSpec(Spec):
    """``LearningRateScheduler`` with a table of numbers, one per epoch; past its end the last.

    Attributes:
        values: What each epoch takes.
        relative: A number is a factor on the rate that the scheduler is shown, not the rate.
    """

    kind: Literal["learning_rate_scheduler"] = "learning_rate_scheduler"
    values: Annotated[tuple[Positive, ...], Field(min_length=1)]
    relative: Flag = False


class StepPatienceSpec(Spec):
    """Stops when the optimizer's count is more than `patience` steps past the best loss.

    Attributes:
        monitor: Key of the logs, lower is better.
        patience: In steps of the optimizer's count, not in epochs.
    """

    kind: Literal["step_patience"] = "step_patience"
    monitor: Text = "loss"
    patience: Count = 0


class TerminateOnNaNSpec(Spec):
    """``keras.callbacks.TerminateOnNaN``.

    Attributes:
        raise_error: End the training with an exception instead of a request to stop.
    """

    kind: Literal["terminate_on_nan"] = "terminate_on_nan"
    raise_error: Flag = False


class CSVLoggerSpec(Spec):
    """``keras.callbacks.CSVLogger`` into a folder of the run.

    Attributes:
        filename: Name of the file inside that folder.
        separator: Between two values of a row.
        append: Write behind what an earlier training left there.
    """

    kind: Literal["csv_logger"] = "csv_logger"
    filename: Text = "log.csv"
    separator: Annotated[str, Strict(), Field(min_length=1, max_length=1)] = ","
    append: Flag = False


class TensorBoardSpec(Spec):
    """``keras.callbacks.TensorBoard`` into a folder of the run; needs the package tensorboard.

    Attributes:
        update_freq: Write metrics after each epoch, each batch, or each so many batches.
        histogram_freq: Write the weights after each so many epochs; 0 is never.
        own_scalar: Write a scalar of our own at the begin of each batch, at no given step, as
            ``tf.summary`` in a layer would.
    """

    kind: Literal["tensorboard"] = "tensorboard"
    update_freq: UpdateFreq = "epoch"
    histogram_freq: Count = 0
    own_scalar: Flag = False


class ProgressBarSpec(Spec):
    """Keras' own progress bar, drawn at each batch instead of each 50 ms, and read.

    Attributes:
        verbose: 1 draws at batches, 2 a line for each epoch.
    """

    kind: Literal["progress_bar"] = "progress_bar"
    verbose: Literal[1, 2] = 1


class SwapEMAWeightsSpec(Spec):
    """``keras.callbacks.SwapEMAWeights``.

    Attributes:
        swap_on_epoch: Swap at the end of each epoch instead of around evaluation.
        in_then: The evaluation and the prediction after the training get the callback too.
    """

    kind: Literal["swap_ema_weights"] = "swap_ema_weights"
    swap_on_epoch: Flag = False
    in_then: Flag = False


class SilentStopperSpec(Spec):
    """Sets ``model.stop_training`` and says nothing.

    Attributes:
        epoch: The epoch in which it does.
        batch: At the end of this batch; None is at the end of the epoch.
        of: What it stops; ``evaluation`` is the validation of that epoch, by
            ``model.stop_evaluating`` at the end of its batch.
    """

    kind: Literal["silent_stopper"] = "silent_stopper"
    of: Literal["training", "evaluation"] = "training"
    epoch: Count = 0
    batch: Count | None = None


class RaiserSpec(Spec):
    """Raises from inside the training.

    Attributes:
        epoch: The epoch in which it does.
        batch: At the end of this batch; None is at the end of the epoch.
        exception: What is raised.
    """

    kind: Literal["raiser"] = "raiser"
    epoch: Count = 0
    batch: Count | None = None
    exception: Literal["ValueError", "MemoryError", "KeyboardInterrupt"] = "ValueError"


class LeakSpec(Spec):
    """Keeps memory that it never gives back, at the end of every epoch.

    Attributes:
        bytes_per_epoch: How much.
    """

    kind: Literal["leak"] = "leak"
    bytes_per_epoch: PositiveCount


class ImportedCallbackSpec(ImportSpec):
    """The user's own: a function that returns a ``keras.callbacks.Callback``."""

    kind: Literal["import"] = "import"


AnyCallback = Annotated[
    Annotated[
        EarlyStoppingSpec
        | ReduceLROnPlateauSpec
        | ModelCheckpointSpec
        | BackupAndRestoreSpec
        | StepDecaySpec
        | LearningRateSchedulerSpec
        | StepPatienceSpec
        | TerminateOnNaNSpec
        | CSVLoggerSpec
        | TensorBoardSpec
        | ProgressBarSpec
        | SwapEMAWeightsSpec
        | SilentStopperSpec
        | RaiserSpec
        | LeakSpec
        | ImportedCallbackSpec,
        Field(discriminator="kind"),
    ],
    Named,
]
