"""Drawn predictions that can't be what is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec.data import PredictionsSpec
from harness.spec.findings import Finding, finding
from harness.spec.training import UpdateMetricsSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["PREDICTION_CHECKS"]

_NUMBERED = ("integer", "column")
_STEPS_AND_CLASSES = 2
_CLASSES = (*_NUMBERED, "one_hot", "soft")


def classes_can_agree(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Only where one class is the true one can another be predicted."""
    data = pipeline.data
    if not isinstance(data, PredictionsSpec) or data.agreement is None:
        return
    if data.targets not in _CLASSES:
        rule = f"be left out for the targets {data.targets}"
        yield finding("data.agreement", rule, data.agreement, "Use targets that are classes.")


def void_is_a_number(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A label for what is no class is a number among numbers, and NaN is none."""
    data = pipeline.data
    if not isinstance(data, PredictionsSpec):
        return
    if data.void_label is not None and data.targets not in _NUMBERED:
        rule = "be left out unless data.targets is 'integer' or 'column'"
        yield finding("data.void_label", rule, data.void_label)
    if data.nan_at_void and (data.void_label is None or data.predictions == "integer"):
        rule = "be false without data.void_label, or where predictions are class numbers"
        yield finding("data.nan_at_void", rule, data.nan_at_void)


def half_precision_is_driven(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A model that is trained has a dtype of its own, and class numbers are no real ones."""
    data = pipeline.data
    if not isinstance(data, PredictionsSpec) or data.dtype is None:
        return
    if data.predictions == "integer" or not isinstance(pipeline.training, UpdateMetricsSpec):
        rule = "be left out unless update_metrics is handed real predictions"
        yield finding("data.dtype", rule, data.dtype)


def transcripts_are_shorter(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Labels for steps of scores, and the one loss that can read them."""
    data = pipeline.data
    transcript = isinstance(data, PredictionsSpec) and data.targets == "transcript"
    if (pipeline.loss.kind == "ctc") != transcript:
        rule = "be 'transcript' for the loss ctc, and for no other"
        yield finding("data.targets", rule, getattr(data, "targets", data.kind))
    elif isinstance(data, PredictionsSpec) and transcript:
        if len(data.shape) != _STEPS_AND_CLASSES or data.shape[-1] == 1:
            rule = "be the number of steps and that of the classes, the blank among them"
            yield finding("data.shape", rule, list(data.shape))
        if data.predictions not in {"logits", "real"}:
            rule = "be 'logits' or 'real' for transcripts"
            yield finding("data.predictions", rule, data.predictions)
        if data.class_axis != -1:
            yield finding("data.class_axis", "be -1 for transcripts", data.class_axis)
        if data.weights not in {"none", "sample"}:
            yield finding("data.weights", "be 'none' or 'sample' for transcripts", data.weights)


PREDICTION_CHECKS = (
    classes_can_agree,
    void_is_a_number,
    half_precision_is_driven,
    transcripts_are_shorter,
)
