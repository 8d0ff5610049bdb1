"""Callbacks that would find nothing to watch, nowhere to write, or somebody else at the wheel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec.base import Spec
from harness.spec.callbacks import (
    AnyCallback,
    CSVLoggerSpec,
    LearningRateSchedulerSpec,
    ModelCheckpointSpec,
    MonitorSpec,
    ReduceLROnPlateauSpec,
    StepDecaySpec,
    StepPatienceSpec,
    SwapEMAWeightsSpec,
)
from harness.spec.findings import Finding, finding
from harness.spec.optimizer import OptimizerSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["CALLBACK_CHECKS"]


def one_master_of_the_rate(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A callback can't set the rate that a schedule computes."""
    rate = getattr(pipeline.optimizer, "learning_rate", None)
    if not isinstance(rate, Spec):
        return
    for key, callback in _numbered(pipeline):
        if isinstance(callback, ReduceLROnPlateauSpec | StepDecaySpec | LearningRateSchedulerSpec):
            yield finding(
                key,
                "stand without a schedule in pipeline.optimizer.learning_rate",
                callback.kind,
                "Keep the schedule or the callback.",
            )


def monitors_exist(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Logs of validation need a validation, unless they are scripted."""
    if pipeline.validation is not None:
        return
    scripted = {
        callback.monitor
        for callback in pipeline.callbacks
        if isinstance(callback, MonitorSpec) and callback.scripted
    }
    for key, callback in _numbered(pipeline):
        if not isinstance(callback, MonitorSpec | StepPatienceSpec):
            continue
        monitor = callback.monitor
        saves_all = isinstance(callback, ModelCheckpointSpec) and not callback.save_best_only
        if monitor.startswith("val_") and monitor not in scripted and not saves_all:
            yield finding(
                f"{key}.monitor",
                "be in the logs, which have no val_* without validation",
                monitor,
                "Add [pipeline.validation], or scripted = true and a script.",
            )


def scripts_are_complete(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A scripted monitor has a script, and a script is used."""
    for key, callback in _numbered(pipeline):
        if not isinstance(callback, MonitorSpec):
            continue
        if callback.scripted and not callback.script:
            script = None if callback.script is None else list(callback.script)
            yield finding(f"{key}.script", "hold a value where scripted is true", script)
        if callback.script is not None and not callback.scripted:
            yield finding(f"{key}.scripted", "be true where there is a script", callback.scripted)


def scripts_agree(pipeline: PipelineSpec) -> Iterator[Finding]:
    """One number of the logs has one script."""
    scripts: dict[str, tuple[float, ...] | None] = {}
    for key, callback in _numbered(pipeline):
        if isinstance(callback, MonitorSpec) and callback.scripted:
            first = scripts.setdefault(callback.monitor, callback.script)
            if repr(first) != repr(callback.script):
                rule = f"be the same as the other script of {callback.monitor}"
                yield finding(f"{key}.script", rule, list(callback.script or ()))


def checkpoints_have_a_format(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Keras 3 tells the format from the end of the name."""
    for key, callback in _numbered(pipeline):
        if not isinstance(callback, ModelCheckpointSpec):
            continue
        ending = ".weights.h5" if callback.save_weights_only else ".keras"
        if callback.filepath.endswith(ending):
            continue
        remedy = None
        if callback.filepath == "model_weights":
            remedy = "Text 001 writes it so, which Keras 3 refuses: the name must tell the format."
        condition = "with" if callback.save_weights_only else "without"
        rule = f"end in {ending} {condition} save_weights_only"
        yield finding(f"{key}.filepath", rule, callback.filepath, remedy)


def files_stay_in_the_folder(pipeline: PipelineSpec) -> Iterator[Finding]:
    """What a run writes goes into a folder of its own."""
    for key, callback in _numbered(pipeline):
        match callback:
            case ModelCheckpointSpec():
                name, field = callback.filepath, "filepath"
            case CSVLoggerSpec():
                name, field = callback.filename, "filename"
            case _:
                continue
        if not name or "/" in name or "\\" in name or name in (".", ".."):
            rule = "be the name of a file, without folders"
            yield finding(f"{key}.{field}", rule, name, "Runs write into a folder of their own.")


def swaps_have_averages(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Only an optimizer that keeps averages has some to swap in."""
    optimizer = pipeline.optimizer
    if not isinstance(optimizer, OptimizerSpec) or optimizer.use_ema:
        return
    for key, callback in _numbered(pipeline):
        if isinstance(callback, SwapEMAWeightsSpec):
            rule = "come with optimizer.use_ema"
            yield finding(key, rule, callback.kind, "Add use_ema = true to the optimizer.")


def _numbered(pipeline: PipelineSpec) -> Iterator[tuple[str, AnyCallback]]:
    for index, callback in enumerate(pipeline.callbacks):
        yield f"callbacks.{index}", callback


CALLBACK_CHECKS = (
    one_master_of_the_rate,
    monitors_exist,
    scripts_are_complete,
    scripts_agree,
    checkpoints_have_a_format,
    files_stay_in_the_folder,
    swaps_have_averages,
)
