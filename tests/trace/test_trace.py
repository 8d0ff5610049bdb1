"""The trace as a whole, and the figures that sum it up."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.errors import HarnessUsageError, ShapeError
from harness.trace import (
    Event,
    GradientTable,
    StateTable,
    StepTable,
    Trace,
    VariableInfo,
    figure_names,
)

Maker = Callable[..., Trace]


def growing(trace: Trace, rss_bytes: list[int]) -> Trace:
    """Return the trace with one epoch for each size of resident memory."""
    record = trace.epochs[0]
    epochs = tuple(
        replace(record, epoch=epoch, rss_bytes=rss) for epoch, rss in enumerate(rss_bytes)
    )
    return replace(trace, epochs=epochs)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 4.0),
        ("updates", 4.0),
        ("epochs", 2.0),
        ("final_loss", 0.375),
        ("final_step_loss", 0.125),
        ("peak_rss_bytes", 2000.0),
        ("wall_seconds", 1.5),
        ("traces", 1.0),
        ("logs.loss", 0.375),
        ("max.val_loss", 2.0),
        ("min.val_loss", 1.0),
        ("evaluation.loss", 0.1),
    ],
)
def test_figure(trace: Trace, name: str, value: float) -> None:
    """Each figure has the value that the records give it."""
    assert trace.figure(name) == value
    assert name in figure_names(trace)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("logs.los", "Nearest: logs.loss, logs.val_loss"),
        ("evaluation.accuracy", "Nearest: evaluation.loss"),
        ("qqqq", "Nearest: steps, updates, epochs"),
    ],
)
def test_unknown_figure_names_the_nearest(trace: Trace, name: str, near: str) -> None:
    """A misspelt figure is answered with what comes near, or with all there is."""
    with pytest.raises(HarnessUsageError) as caught:
        trace.figure(name)
    assert f"got {name!r}. {near}" in str(caught.value)


def test_no_evaluation_no_figure(make_trace: Maker) -> None:
    """A figure of something that was not recorded is unknown."""
    trace = make_trace(evaluation=None)
    with pytest.raises(HarnessUsageError, match=r"got 'evaluation\.loss'"):
        trace.figure("evaluation.loss")
    assert "evaluation.loss" not in figure_names(trace)


def test_one_nan_epoch_shows_in_the_extremes(make_trace: Maker, trace: Trace) -> None:
    """A bound on a minimum must not pass because the bad epoch was overlooked."""
    first, second = trace.epochs
    bad = make_trace(epochs=(first, replace(second, logs={"loss": math.nan})))
    assert math.isnan(bad.figure("min.loss"))


def test_final_loss_falls_back_on_steps(make_trace: Maker, trace: Trace) -> None:
    """Without an epoch that logged a loss it is that of the last step."""
    assert make_trace(epochs=()).figure("final_loss") == 0.125
    silent = tuple(replace(record, logs={}) for record in trace.epochs)
    assert make_trace(epochs=silent).figure("final_loss") == 0.125


def test_final_step_loss_needs_a_step(make_trace: Maker) -> None:
    """A run that broke down before its first step has none."""
    nothing = np.zeros(0, np.int64)
    trace = make_trace(
        epochs=(), steps=StepTable(epoch=nothing, batch=nothing), state=None, gradients=None
    )

    with pytest.raises(HarnessUsageError, match="got a run without any"):
        trace.figure("final_step_loss")


def test_final_loss_needs_a_loss(make_trace: Maker, trace: Trace) -> None:
    """With neither it is unknown."""
    steps = replace(trace.steps, loss=None)
    with pytest.raises(HarnessUsageError, match="final_loss must come from"):
        make_trace(epochs=(), steps=steps).figure("final_loss")


def test_traces_must_be_counted(make_trace: Maker, trace: Trace) -> None:
    """An eager run has no traces to count."""
    with pytest.raises(HarnessUsageError, match="traces must be counted"):
        make_trace(resources=replace(trace.resources, traces=None)).figure("traces")


def test_memory_growth_is_a_median_slope(trace: Trace) -> None:
    """Warm-up is left out, and one peak does not move the slope."""
    rss = [0, 1000, 1010, 1020, 9999, 1040, 1050]
    assert growing(trace, rss).figure("rss_growth_per_epoch_bytes") == 10.0


def test_memory_growth_of_many_epochs_is_thinned(trace: Trace) -> None:
    """Thousands of epochs do not make millions of pairs."""
    rss = [5 * epoch for epoch in range(2500)]
    assert growing(trace, rss).figure("rss_growth_per_epoch_bytes") == 5.0


def test_peak_of_a_device_needs_one(trace: Trace) -> None:
    """Without a GPU nobody counts."""
    with pytest.raises(HarnessUsageError, match="must be measured on a GPU"):
        trace.figure("peak_device_bytes")
    counted = replace(trace, resources=replace(trace.resources, peak_device_bytes=12))
    assert counted.figure("peak_device_bytes") == 12.0


def test_peak_is_told_beyond_the_start(trace: Trace) -> None:
    """What the process held before the first step is no part of the training."""
    resources = trace.resources
    grown = replace(trace, resources=replace(resources, start_rss_bytes=30, peak_rss_bytes=100))
    assert grown.figure("peak_rss_growth_bytes") == 70.0


def test_memory_growth_per_step_is_a_median_slope(trace: Trace) -> None:
    """By the steps at which it was looked at, without the first epoch."""
    first = trace.epochs[0].epoch
    watched = [
        Event(kind="memory", name="batch", epoch=epoch, step=step, detail={"rss_bytes": memory})
        for epoch, step, memory in (
            (first, 0, 0),
            (first, 1, 900),
            (first + 1, 2, 1000),
            (first + 1, 4, 1020),
            (first + 2, 5, 1030),
            (first + 2, 6, 5000),
        )
    ]
    kept = replace(trace, events=(*trace.events, *watched[:-1]))
    assert kept.figure("rss_growth_per_step_bytes") == 10.0


def test_memory_growth_per_step_needs_three_batches(trace: Trace) -> None:
    """Nobody looked after single batches."""
    with pytest.raises(HarnessUsageError, match="must see at least 3 batches behind the first"):
        trace.figure("rss_growth_per_step_bytes")


def test_memory_growth_needs_three_epochs(trace: Trace) -> None:
    """A slope through less than two points is no slope."""
    with pytest.raises(HarnessUsageError, match="must see at least 3 epochs, got 2"):
        trace.figure("rss_growth_per_epoch_bytes")


def test_updates_must_be_observed(make_trace: Maker, trace: Trace) -> None:
    """Updates that nobody looked for are not counted as none."""
    for updated in (None, np.array([1, 1, -1, 1], np.int8)):
        blind = make_trace(steps=replace(trace.steps, updated=updated))
        with pytest.raises(HarnessUsageError, match="updates must be observed at every step"):
            _ = blind.updates


def test_logs_by_name(make_trace: Maker, trace: Trace) -> None:
    """Each epoch gives one value, NaN where it logged none."""
    assert trace.logs("val_loss") == (1.0, 2.0)
    first, second = trace.epochs
    gap = make_trace(epochs=(replace(first, logs={"loss": 1.0}), second))
    assert math.isnan(gap.logs("val_loss")[0])


def test_unknown_log_lists_the_known(make_trace: Maker, trace: Trace) -> None:
    """A misspelt log is answered with all logs."""
    with pytest.raises(HarnessUsageError, match=r"got 'acc'\. Logged were: loss, val_loss\."):
        trace.logs("acc")
    with pytest.raises(HarnessUsageError, match=r"Logged were: nothing\."):
        make_trace(epochs=()).logs("acc")


def test_epochs_must_lie_within_the_steps(trace: Trace) -> None:
    """An epoch cannot have steps that were not recorded."""
    with pytest.raises(ShapeError, match="stop_step of epoch 1 must be at most the 4 steps"):
        replace(trace, epochs=(replace(trace.epochs[1], stop_step=5),))


def test_tables_must_have_a_row_a_step(trace: Trace) -> None:
    """State and gradients belong to the same steps as the step table."""
    empty = StateTable(
        variables=(),
        initial=np.zeros(0),
        before=np.zeros((3, 0)),
        after=np.zeros((3, 0)),
        final=np.zeros(0),
    )
    with pytest.raises(ShapeError, match=r"state.before must have shape \(4, 0\), got \(3, 0\)"):
        replace(trace, state=empty)
    variable = VariableInfo(path="w", shape=(1,), dtype="float32", role="trainable")
    gradients = GradientTable(variables=(variable,), raw=np.zeros((3, 1)))
    with pytest.raises(ShapeError, match=r"gradients.raw must have shape \(4, 1\), got \(3, 1\)"):
        replace(trace, gradients=gradients)


def test_most_parts_may_be_missing(trace: Trace) -> None:
    """Only what every run has is required."""
    bare = Trace(
        pipeline="{}",
        steps=trace.steps,
        epochs=(),
        resources=trace.resources,
        stop=trace.stop,
        environment=trace.environment,
    )
    assert bare.events == ()
    assert bare.predictions is None


def test_bfloat16_predictions_become_float32(make_trace: Maker) -> None:
    """Formats that NumPy lacks are widened exactly."""
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    trace = make_trace(predictions=np.array([1.5, np.nan], bfloat16))
    assert trace.predictions is not None
    assert trace.predictions.dtype == np.float32
    assert trace.predictions[0] == 1.5


def test_predictions_must_be_numbers(make_trace: Maker) -> None:
    """Several outputs at once, an array of objects, are refused."""
    with pytest.raises(HarnessUsageError, match="predictions must be real numbers, got object"):
        make_trace(predictions=np.array([[1], [1, 2]], dtype=object))
