"""All faults, by area."""

from __future__ import annotations

from typing import Final

from tests.detection.faults import (
    arguments,
    branches,
    counting,
    data,
    forgotten,
    formulas,
    hooks,
    keepers,
    layers,
    numbers,
    optimizers,
    rates,
    reports,
    runs,
    slips,
    updates,
)

__all__ = ["FAULTS"]

FAULTS: Final = (
    *counting.GLOBAL_STEP,
    *counting.STOPPING,
    *data.EXHAUSTION,
    *data.MEMORY,
    *updates.CLIPPING,
    *updates.SCALING,
    *updates.ACCUMULATION,
    *optimizers.COMMON,
    *optimizers.RARE,
    *formulas.OPTIMIZER_FORMULAS,
    *rates.SCHEDULES,
    *rates.AVERAGING,
    *reports.LOSS_FAULTS,
    *formulas.LOSS_FORMULAS,
    *numbers.LOSS_NUMBERS,
    *reports.METRIC_FAULTS,
    *formulas.METRIC_FORMULAS,
    *numbers.METRIC_NUMBERS,
    *reports.COMPILE,
    *hooks.CALLBACK_FAULTS,
    *keepers.KEEPERS,
    *arguments.BATCHES,
    *arguments.COMPILED,
    *arguments.ENDINGS,
    *forgotten.LAYERS,
    *forgotten.LOSSES,
    *forgotten.SCORES,
    *forgotten.CALLS,
    *branches.BRANCHES,
    *runs.CONVERGENCE,
    *runs.DETERMINISM,
    *runs.DISTRIBUTION,
    *runs.PIPELINE,
    *layers.LAYERS,
    *slips.GIVEN,
    *slips.WEIGHTS,
    *slips.PRECISIONS,
)
