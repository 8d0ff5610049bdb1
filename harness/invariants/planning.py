"""What a pipeline plans to run, and what a trace holds of it epoch by epoch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

import numpy as np

from harness.invariants.base import View
from harness.oracles.counting import RunPlan, batch_sizes, plan_run
from harness.spec.training import (
    ApplyGradientsSpec,
    FitSpec,
    GradientTapeSpec,
    LegacyGlobalStepSpec,
    LoopSpec,
    TrainOnBatchSpec,
    UpdateMetricsSpec,
    WhileLoopSpec,
)


def pass_sizes(view: View) -> tuple[int, ...]:
    """Return the sizes of the batches that the source yields before it ends or starts anew.

    A dataset repeats its examples before it batches them, so that batches run on from one pass
    into the next; the other sources repeat their batches.
    """
    data, examples = view.pipeline.data, len(view.examples)
    if data.source in {"dataset", "dataset_unknown"}:
        if data.repeat == 0:
            return (data.batch_size,)
        return batch_sizes(
            examples * data.repeat, data.batch_size, drop_remainder=data.drop_remainder
        )
    return batch_sizes(
        examples, data.batch_size, drop_remainder=data.drop_remainder, repeat=data.repeat or 1
    )


def plan_of(view: View) -> RunPlan | None:
    """Return the epochs and steps that were asked for; None where only a step count ends the run.

    A generator yields its batches once, whatever the loop; every other source can start anew.
    Hand-written loops start anew with every epoch, `fit` only once the source has ended.
    """
    data, training = view.pipeline.data, view.pipeline.training
    endless = data.repeat == 0
    match training:
        case FitSpec():
            return plan_run(
                pass_sizes(view),
                epochs=training.epochs,
                initial_epoch=training.initial_epoch,
                steps_per_epoch=training.steps_per_epoch,
                steps_per_execution=view.pipeline.compile.steps_per_execution,
                one_shot=data.source == "generator",
                infinite=endless,
            )
        case TrainOnBatchSpec() | GradientTapeSpec() | LegacyGlobalStepSpec():
            if endless and training.steps_per_epoch is None:
                return None
            return _restarted(view, training)
        case WhileLoopSpec():
            return None if endless else plan_run(pass_sizes(view))
        case ApplyGradientsSpec():
            return plan_run((0,) * len(training.gradients))
        case UpdateMetricsSpec():
            # It has no source that could end early: every batch is cut from the arrays.
            return None
        case _:  # pragma: no cover
            assert_never(training)


def _restarted(view: View, training: LoopSpec) -> RunPlan:
    """Return the plan of a loop that asks its source for a new pass in every epoch."""
    data = view.pipeline.data
    once = data.source == "generator"
    first = plan_run(
        pass_sizes(view),
        epochs=training.epochs if once else 1,
        steps_per_epoch=training.steps_per_epoch,
        one_shot=once,
        infinite=data.repeat == 0,
    )
    if once:
        return first
    epochs = tuple(replace(first.epochs[0], epoch=epoch) for epoch in range(training.epochs))
    return RunPlan(epochs=epochs, planned_steps=first.planned_steps * training.epochs)


def step_budget(view: View) -> int | None:
    """Return the value of the optimizer's count at which the loop leaves off, None without."""
    training = view.pipeline.training
    if isinstance(training, FitSpec | ApplyGradientsSpec | UpdateMetricsSpec):
        return None
    return training.max_steps


def rows_of(view: View, epoch: int) -> range:
    """Return the rows of the step table that belong to one epoch."""
    found = np.flatnonzero(view.trace.steps.epoch == epoch)
    return range(int(found[0]), int(found[-1]) + 1) if len(found) else range(0)


def epochs_run(view: View) -> tuple[int, ...]:
    """Return every epoch that has a step or a record, in order."""
    recorded = {record.epoch for record in view.trace.epochs}
    return tuple(sorted(recorded | {int(epoch) for epoch in view.trace.steps.epoch}))


def first_difference(got: Sequence[int], expected: Sequence[int]) -> int | None:
    """Return the first position at which two sequences differ within their common length."""
    pairs = enumerate(zip(got, expected, strict=False))
    return next((index for index, (left, right) in pairs if left != right), None)
