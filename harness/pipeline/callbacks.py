"""Specs of callbacks to Keras callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from harness.pipeline.backend import import_keras
from harness.pipeline.imports import call_import
from harness.pipeline.own_callbacks import (
    leak,
    raiser,
    scripted_monitor,
    silent_stopper,
    step_patience,
)
from harness.pipeline.reporting import progress_bar, tensorboard
from harness.spec.callbacks import (
    BackupAndRestoreSpec,
    CSVLoggerSpec,
    EarlyStoppingSpec,
    ImportedCallbackSpec,
    LeakSpec,
    LearningRateSchedulerSpec,
    ModelCheckpointSpec,
    MonitorSpec,
    ProgressBarSpec,
    RaiserSpec,
    ReduceLROnPlateauSpec,
    SilentStopperSpec,
    StepDecaySpec,
    StepPatienceSpec,
    SwapEMAWeightsSpec,
    TensorBoardSpec,
    TerminateOnNaNSpec,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.spec.callbacks import AnyCallback

__all__ = ["BACKUP_FOLDER", "build_callback", "build_callbacks"]

BACKUP_FOLDER = "backup"
"""Where a BackupAndRestore writes, inside the folder of the run."""

_KerasCallback = (
    EarlyStoppingSpec
    | ReduceLROnPlateauSpec
    | ModelCheckpointSpec
    | BackupAndRestoreSpec
    | StepDecaySpec
    | LearningRateSchedulerSpec
    | TerminateOnNaNSpec
    | CSVLoggerSpec
    | SwapEMAWeightsSpec
)


def build_callbacks(specs: Sequence[AnyCallback], folder: Path) -> tuple[list[Any], list[Any]]:
    """The callbacks of a pipeline, and the scripts that feed their monitors.

    Args:
        specs: In the order Keras gets them.
        folder: Where those that write files write them.

    Returns:
        One callback per spec, and the scripted monitors that must come before all of them.
    """
    scripts = [
        scripted_monitor(spec.monitor, spec.script or ())
        for spec in specs
        if isinstance(spec, MonitorSpec) and spec.scripted
    ]
    return [build_callback(spec, folder) for spec in specs], scripts


def build_callback(spec: AnyCallback, folder: Path) -> Any:  # noqa: PLR0911 - one per kind
    """One Keras callback."""
    match spec:
        case SilentStopperSpec():
            return silent_stopper(spec)
        case RaiserSpec():
            return raiser(spec)
        case LeakSpec():
            return leak(spec)
        case StepPatienceSpec():
            return step_patience(spec)
        case TensorBoardSpec():
            return tensorboard(spec, folder)
        case ProgressBarSpec():
            return progress_bar()
        case ImportedCallbackSpec():
            return call_import(spec, import_keras().callbacks.Callback, "a keras Callback")
        case _:
            return _keras_callback(spec, folder)


def _keras_callback(spec: _KerasCallback, folder: Path) -> Any:  # noqa: C901, PLR0911 - one per kind
    callbacks = import_keras().callbacks
    arguments = spec.model_dump(exclude={"kind", "scripted", "script", "in_then"})
    match spec:
        case EarlyStoppingSpec():
            return callbacks.EarlyStopping(**arguments)
        case ReduceLROnPlateauSpec():
            return callbacks.ReduceLROnPlateau(**arguments)
        case ModelCheckpointSpec():
            return callbacks.ModelCheckpoint(
                **{**arguments, "filepath": str(folder / spec.filepath)}
            )
        case BackupAndRestoreSpec():
            if not spec.double_checkpoint:
                # Before 3.4 there is no such argument.
                del arguments["double_checkpoint"]
            return callbacks.BackupAndRestore(str(folder / BACKUP_FOLDER), **arguments)
        case StepDecaySpec():
            return callbacks.LearningRateScheduler(
                lambda epoch: spec.initial * spec.drop ** (epoch // spec.epochs_drop)
            )
        case LearningRateSchedulerSpec():
            return callbacks.LearningRateScheduler(_rates(spec))
        case TerminateOnNaNSpec():
            # Before 3.13 there is no such argument.
            return callbacks.TerminateOnNaN(**(arguments if spec.raise_error else {}))
        case CSVLoggerSpec():
            return callbacks.CSVLogger(
                str(folder / spec.filename), separator=spec.separator, append=spec.append
            )
        case SwapEMAWeightsSpec():
            return callbacks.SwapEMAWeights(**arguments)
        case _:
            assert_never(spec)


def _rates(spec: LearningRateSchedulerSpec) -> Callable[..., float]:
    def value(epoch: int) -> float:
        return spec.values[min(epoch, len(spec.values) - 1)]

    if spec.relative:
        return lambda epoch, rate: rate * value(epoch)
    return value
