"""Combinations of settings that are each valid and can't go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec.checks_callbacks import CALLBACK_CHECKS
from harness.spec.checks_data import DATA_CHECKS
from harness.spec.checks_distribution import DISTRIBUTION_CHECKS
from harness.spec.checks_optimizer import OPTIMIZER_CHECKS
from harness.spec.checks_predictions import PREDICTION_CHECKS
from harness.spec.checks_shapes import SHAPE_CHECKS
from harness.spec.checks_training import TRAINING_CHECKS
from harness.spec.checks_weights import WEIGHT_CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.spec.findings import Finding
    from harness.spec.pipeline import PipelineSpec

__all__ = ["CHECKS", "check_pipeline"]

CHECKS: tuple[Callable[[PipelineSpec], Iterator[Finding]], ...] = (
    *DATA_CHECKS,
    *PREDICTION_CHECKS,
    *SHAPE_CHECKS,
    *OPTIMIZER_CHECKS,
    *TRAINING_CHECKS,
    *CALLBACK_CHECKS,
    *DISTRIBUTION_CHECKS,
    *WEIGHT_CHECKS,
)
"""Each yields what one rule finds; none looks at another's findings."""


def check_pipeline(pipeline: PipelineSpec) -> tuple[Finding, ...]:
    """Every impossible combination in a pipeline; places are inside ``[pipeline]``."""
    return tuple(found for check in CHECKS for found in check(pipeline))
