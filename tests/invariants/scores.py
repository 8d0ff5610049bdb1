"""Traces of drawn predictions that were handed to mean squared error, without Keras."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.oracles.counting import batch_sizes
from harness.pipeline.predictions import draw_predictions
from harness.spec.data import PredictionsSpec
from harness.spec.paths import replaced
from harness.spec.pipeline import PipelineSpec
from harness.trace import (
    EpochRecord,
    ExampleTable,
    GradientTable,
    StepTable,
    Stop,
    StopReason,
    Trace,
    VariableInfo,
)
from tests.invariants.traces import fit_trace, pipeline

BASE: Mapping[str, Any] = {
    "data": {"kind": "predictions", "examples": 7, "batch_size": 3, "shape": [2], "seed": 5},
    "precision": {"policy": "float64"},
    "training": {"kind": "update_metrics"},
}
"""Seven pairs of numbers in batches of 3, 3 and 1, twice."""


def scores(**changes: Any) -> PipelineSpec:
    """Return the base pipeline with the value under each dotted key changed; ``__`` is a dot."""
    keys = {key.replace("__", "."): value for key, value in changes.items()}
    return PipelineSpec.model_validate(replaced(BASE, keys))


def score_trace(spec: PipelineSpec, logs: Mapping[str, float]) -> Trace:
    """Return what a mean squared error without weights leaves, and the same logs every epoch."""
    data = spec.data
    assert isinstance(data, PredictionsSpec)
    predictions, targets, weight = draw_predictions(data)
    sizes = batch_sizes(data.examples, data.batch_size)
    rows, losses, places = [], [], []
    for epoch in range(2):
        for batch, size in enumerate(sizes):
            part = slice(batch * data.batch_size, batch * data.batch_size + size)
            error = predictions[part] - targets[part]
            row = np.full((data.batch_size, *data.shape), np.nan)
            row[:size] = 2.0 * error / error.size
            rows.append(row.ravel())
            losses.append(float(np.mean(error**2)))
            places.append((epoch, batch, size))
    table = np.array(places)
    info = VariableInfo(
        path="predictions",
        shape=(data.batch_size, *data.shape),
        dtype="float64",
        role="trainable",
    )
    count = len(sizes)
    return Trace(
        pipeline=spec.model_dump_json(),
        steps=StepTable(
            epoch=table[:, 0], batch=table[:, 1], batch_size=table[:, 2], loss=np.array(losses)
        ),
        epochs=tuple(
            EpochRecord(
                epoch=epoch,
                steps=count,
                logs=dict(logs),
                first_step=epoch * count,
                stop_step=(epoch + 1) * count,
                rss_bytes=0,
            )
            for epoch in range(2)
        ),
        resources=fit_trace(pipeline()).resources,
        stop=Stop(reason=StopReason.COMPLETED, evidence="2 of 2 epochs"),
        environment=fit_trace(pipeline()).environment,
        gradients=GradientTable(variables=(info,), raw=np.array(rows)),
        examples=ExampleTable(inputs=predictions, targets=targets, sample_weight=weight),
    )
