"""One small trace with everything in it, and a way to change one part of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.trace import (
    Environment,
    EpochRecord,
    Event,
    ExampleTable,
    GradientTable,
    ResourceRecord,
    StateTable,
    StepTable,
    Stop,
    StopReason,
    Trace,
    VariableInfo,
)

KERNEL = VariableInfo(path="dense/kernel", shape=(2, 3), dtype="float32", role="trainable")
BIAS = VariableInfo(path="dense/bias", shape=(3,), dtype="float32", role="trainable")
MOMENTUM = VariableInfo(
    path="sgd/dense_kernel_momentum",
    shape=(2, 3),
    dtype="float32",
    role="slot",
    slot_of="dense/kernel",
    slot="momentum",
)
ITERATIONS = VariableInfo(path="sgd/iteration", shape=(), dtype="int64", role="iterations")
VARIABLES = (KERNEL, BIAS, MOMENTUM, ITERATIONS)
WIDTH = 16
STEPS = 4


def steps() -> StepTable:
    """Return two epochs of two steps."""
    return StepTable(
        epoch=np.array([0, 0, 1, 1]),
        batch=np.array([0, 1, 0, 1]),
        batch_size=np.array([2, 1, 2, 1]),
        loss=np.array([1.0, 0.5, 0.25, 0.125]),
        learning_rate=np.full(STEPS, 0.1),
        iterations_before=np.arange(4),
        iterations_after=np.arange(1, 5),
        gradient_norm=np.array([4.0, 3.0, 2.0, 1.0]),
        clipped_norm=np.ones(STEPS),
        loss_scale=np.ones(STEPS),
        updated=np.ones(STEPS, np.int8),
        sample_ids=((0, 1), (2,), (1, 2), (0,)),
    )


def state() -> StateTable:
    """Return variables that grow by one each step."""
    rows = np.arange(float(WIDTH)) + np.arange(STEPS + 1)[:, None]
    return StateTable(
        variables=VARIABLES,
        initial=rows[0],
        before=rows[:-1],
        after=rows[1:],
        final=rows[-1],
    )


def whole_trace(**changes: Any) -> Trace:
    """Return a trace with every part filled, some of them replaced."""
    trace = Trace(
        pipeline='{"model": "dense"}',
        steps=steps(),
        epochs=tuple(
            EpochRecord(
                epoch=epoch,
                steps=2,
                logs={"loss": 0.75 / (1 + epoch), "val_loss": 1.0 + epoch},
                first_step=2 * epoch,
                stop_step=2 * epoch + 2,
                drawn_batches=2,
                rss_bytes=1000 + epoch,
                learning_rate=0.1,
            )
            for epoch in range(2)
        ),
        state=state(),
        gradients=GradientTable(
            variables=(KERNEL, BIAS),
            raw=np.arange(36.0).reshape(4, 9),
            clipped=np.full((4, 9), np.nan),
        ),
        events=(
            Event(kind="hook", name="on_train_begin"),
            Event(kind="hook", name="on_train_batch_end", epoch=0, step=1, detail={"batch": 1}),
        ),
        drawn_batches=4,
        drawn_samples=6,
        evaluation={"loss": 0.1},
        predictions=np.arange(6, dtype=np.float32).reshape(3, 2),
        examples=ExampleTable(inputs=np.arange(6.0).reshape(3, 2), targets=np.arange(3)),
        resources=ResourceRecord(
            wall_seconds=1.5,
            peak_rss_bytes=2000,
            start_rss_bytes=900,
            peak_method="vmhwm",
            traces=1,
        ),
        stop=Stop(reason=StopReason.COMPLETED, evidence="2 of 2 epochs", epoch=1, step=3),
        environment=Environment(
            python="3.11",
            platform="Linux",
            cpu="any",
            cores=2,
            keras="3.15.1",
            backend="tensorflow",
            backend_version="2.21",
            numpy="2.0",
            settings={"threads": "1"},
        ),
    )
    return replace(trace, **changes)


@pytest.fixture(scope="session")
def make_trace() -> Callable[..., Trace]:
    """Return the maker of whole traces, which takes fields to replace."""
    return whole_trace


@pytest.fixture(scope="session")
def trace() -> Trace:
    """Return a trace with every part filled."""
    return whole_trace()
