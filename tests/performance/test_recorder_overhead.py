"""What recording gradient norms costs a step of a tiny model, over bare `fit`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import keras
import pytest
import tensorflow as tf

from harness.pipeline.data import build_examples
from harness.pipeline.observer import Unobserved
from harness.pipeline.pipeline import TrainingPipeline
from harness.recorders.run_recorder import RunRecorder
from harness.recorders.steps import StepRecorder
from harness.spec.pipeline import PipelineSpec
from harness.trace.recording import Recording
from tests.performance.interleaved import compare

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.pipeline.observer import Observer
    from tests.performance.interleaved import Measure

    Clock = Callable[[], float]

STEPS = 500
ROUNDS = 120


def recorder(recording: Recording) -> RunRecorder:
    """A recorder of all steps of one epoch."""
    steps = StepRecorder(recording, capacity=2048, batch_size=16)
    return RunRecorder(recording=recording, steps=steps)


class Stopwatch(keras.callbacks.Callback):  # type: ignore[misc]
    """Times an epoch from its begin to its end: what `fit` sets up before is not a step's cost."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock."""
        super().__init__()
        self.clock = clock
        self.seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras'
        """Start."""
        self.seconds = -self.clock()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras'
        """Stop."""
        self.seconds += self.clock()


def epoch_of(observer: Observer, spec: PipelineSpec, clock: Clock) -> Measure:
    """Trains one epoch of `STEPS` steps; returns seconds per step by `clock`."""
    examples = build_examples(spec.data).cast("float32")
    pipeline = TrainingPipeline(spec, examples, observer)
    data = tf.data.Dataset.from_tensor_slices(examples.arrays()).batch(spec.data.batch_size)
    steps = getattr(observer, "steps", None)
    watch = Stopwatch(clock)

    def run() -> float:
        if steps is not None:
            steps.reset()
        callbacks = [watch, *observer.watch_callbacks([])]
        pipeline.model.fit(data, shuffle=False, verbose=0, callbacks=callbacks)
        return watch.seconds / STEPS

    return run


@pytest.mark.parametrize(
    ("name", "clock"), [("wall", time.perf_counter), ("CPU", time.process_time)]
)
def test_gradient_norms_cost_little(
    name: str, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints the cost of a recorded step as a multiple of a bare one, with an A/A control."""
    spec = PipelineSpec.model_validate(
        {
            "data": {"kind": "linear_regression", "batch_size": 16, "examples": 16 * STEPS},
            "model": {"kind": "mlp", "units": [8, 1]},
            "training": {"kind": "fit"},
        }
    )
    subjects = {
        "bare fit": epoch_of(Unobserved(), spec, clock),
        "bare fit again (A/A)": epoch_of(Unobserved(), spec, clock),
        "with gradient norms": epoch_of(recorder(Recording(counters=False)), spec, clock),
        "with all cheap columns": epoch_of(recorder(Recording()), spec, clock),
    }
    ratios = compare(subjects, rounds=ROUNDS, base="bare fit")
    with capsys.disabled():
        print(f"\n\n{name} time of one step, {ROUNDS} interleaved rounds of {STEPS} steps:")
        for ratio in ratios:
            print(ratio.line("us/step", 1e6))
    assert all(ratio.pairs == ROUNDS for ratio in ratios)
