"""Runs drawn predictions through a loss and metrics, and returns the trace of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.pipeline.backend import environment, import_keras
from harness.pipeline.data import build_examples
from harness.pipeline.loops import LoopEnd
from harness.pipeline.scoring import BatchScorer, batches, evaluated
from harness.recorders.resources import PeakMemory
from harness.recorders.stopping import Plan, classify
from harness.recorders.watch import CallbackWatch
from harness.spec.canonical import canonical_json
from harness.trace import (
    EpochRecord,
    ExampleTable,
    GradientTable,
    ResourceRecord,
    StepTable,
    Trace,
    VariableInfo,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harness.pipeline.data import Examples
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.training import UpdateMetricsSpec
    from harness.trace.recording import Recording

__all__ = ["PREDICTIONS", "run_scores"]

PREDICTIONS = "predictions"
"""Path under which the gradient by the predictions stands in the table of gradients."""


def run_scores(spec: PipelineSpec, training: UpdateMetricsSpec, recording: Recording) -> Trace:
    """Hand every batch to the loss and the metrics, epoch by epoch.

    An exception out of Keras is the trace's stop reason.

    Raises:
        PipelineError: The data are not what was asked for.
    """
    memory, started = PeakMemory(), time.perf_counter()
    start_bytes = memory.sample()
    examples = build_examples(spec.data).cast(import_keras().config.floatx())
    table = _Scores(examples, spec.data.batch_size, memory)
    error: BaseException | None = None
    try:
        if training.via == "objects":
            table.drive(spec, training)
        else:
            for logs in evaluated(spec, examples, epochs=training.epochs):
                table.end_epoch(logs)
    except HarnessError:
        raise
    except Exception as raised:  # noqa: BLE001 - the border: whatever Keras raises, classified
        error = raised
    steps = -(-len(examples) // spec.data.batch_size) if training.via == "objects" else None
    stop = classify(
        plan=Plan(epochs=training.epochs, steps_per_epoch=steps, drawn_batches=None),
        end=LoopEnd(),
        error=error,
        watch=CallbackWatch(),
        epochs=tuple(table.epochs),
        steps=len(table.losses),
    )
    return Trace(
        pipeline=canonical_json(spec),
        steps=table.steps(),
        epochs=tuple(table.epochs),
        resources=ResourceRecord(
            wall_seconds=time.perf_counter() - started,
            peak_rss_bytes=memory.bytes(),
            start_rss_bytes=start_bytes,
            peak_method=memory.method,
        ),
        stop=stop,
        environment=environment(),
        gradients=table.gradients() if recording.gradients and training.loss else None,
        examples=_examples(examples) if recording.examples else None,
    )


class _Scores:
    """Rows of the tables, as they come."""

    def __init__(self, examples: Examples, batch_size: int, memory: PeakMemory) -> None:
        self._examples = examples
        self._batch_size = batch_size
        self._memory = memory
        self._places: list[tuple[int, int, int]] = []
        self._rows: list[NDArray[np.float64]] = []
        self._first = 0
        self.losses: list[float] = []
        self.epochs: list[EpochRecord] = []

    def drive(self, spec: PipelineSpec, training: UpdateMetricsSpec) -> None:
        """All epochs, batch by batch."""
        scorer = BatchScorer(spec, with_loss=training.loss, compiled=training.compiled)
        for epoch in range(training.epochs):
            scorer.reset()
            for number, batch in enumerate(batches(self._examples, self._batch_size)):
                loss, gradient = scorer.score(batch)
                row = np.full((self._batch_size, *self._examples.inputs.shape[1:]), np.nan)
                row[: len(gradient)] = gradient.reshape(-1, *row.shape[1:])
                self._places.append((epoch, number, len(batch)))
                self._rows.append(row.ravel())
                self.losses.append(loss)
            self.end_epoch(scorer.results())

    def end_epoch(self, logs: dict[str, float]) -> None:
        """Keep what the metrics say at the end of an epoch."""
        self.epochs.append(
            EpochRecord(
                epoch=len(self.epochs),
                steps=len(self.losses) - self._first,
                logs=logs,
                first_step=self._first,
                stop_step=len(self.losses),
                rss_bytes=self._memory.sample(),
            )
        )
        self._first = len(self.losses)

    def steps(self) -> StepTable:
        """A row for every batch."""
        places = np.array(self._places, np.int64).reshape(-1, 3)
        return StepTable(
            epoch=places[:, 0],
            batch=places[:, 1],
            batch_size=places[:, 2],
            loss=np.array(self.losses, np.float64),
            gradient_norm=np.array([_norm(row) for row in self._rows], np.float64),
        )

    def gradients(self) -> GradientTable:
        """The gradient by the predictions of each batch; NaN where the last one has no example."""
        inputs = self._examples.inputs
        shape = (self._batch_size, *inputs.shape[1:])
        info = VariableInfo(
            path=PREDICTIONS, shape=shape, dtype=str(inputs.dtype), role="trainable"
        )
        return GradientTable(
            variables=(info,), raw=np.array(self._rows).reshape(len(self._rows), info.size)
        )


def _norm(row: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(row[~np.isnan(row)]))


def _examples(examples: Examples) -> ExampleTable:
    return ExampleTable(
        inputs=examples.inputs, targets=examples.targets, sample_weight=examples.sample_weight
    )
