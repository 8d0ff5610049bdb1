"""Examples seen twice or never, batches from nowhere and silent exhaustion are found."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.trace import StopReason, Trace
from tests.invariants.faults import judged, until, with_column, with_epoch, with_stop
from tests.invariants.traces import apply_pipeline, apply_trace, fit_trace, pipeline


def with_samples(trace: Trace, *samples: tuple[int, ...]) -> Trace:
    """Return the trace with other examples in its batches."""
    return replace(trace, steps=replace(trace.steps, sample_ids=samples))


class TestSamples:
    """`every_sample_once_per_epoch`."""

    def test_example_twice(self) -> None:
        """An example that comes twice in an epoch is found at its second step."""
        spec = pipeline()
        order = [(0, 1, 2, 3), (4, 5, 6, 7), (8, 3), (0, 1, 2, 3), (4, 5, 6, 7), (8, 9)]
        found = judged("every_sample_once_per_epoch", spec, fit_trace(spec, order=order))
        assert found is not None
        assert found.message == "example 3 is in step 0 and again in step 2, within pass 0"
        assert (found.step, found.where) == (2, "sample_ids[3]")

    def test_example_never(self) -> None:
        """An epoch that leaves examples out is found, with their numbers."""
        spec = pipeline(training__epochs=1)
        trace = until(fit_trace(spec), 1, StopReason.COMPLETED)
        found = judged("every_sample_once_per_epoch", spec, trace)
        assert found is not None
        message = (
            "epoch 0 trained on 4 examples, 10 are in the data; never seen: 4, 5, 6, 7, 8, ..."
        )
        assert found.message == message

    def test_second_pass_missing(self) -> None:
        """An epoch of two passes that has one is found, although every example was seen."""
        spec = pipeline(data__repeat=2, data__source="dataset")
        found = judged("every_sample_once_per_epoch", spec, fit_trace(pipeline()))
        assert found is not None
        assert found.message == "epoch 0 trained on 10 examples, 20 are in the data"

    def test_foreign_example(self) -> None:
        """An example that is not in the data is found."""
        spec = pipeline()
        samples = ((0, 1, 2, 3), (4, 5, 6, 7), (8, -1), (0, 1, 2, 3), (4, 5, 6, 7), (8, 9))
        trace = with_samples(fit_trace(spec), *samples)
        found = judged("every_sample_once_per_epoch", spec, trace)
        assert found is not None
        assert found.message == "step 2 trained on an example that is not in the data"

    def test_equal_examples(self) -> None:
        """Examples that look alike may come as often as they are in the data."""
        spec = pipeline(training__epochs=1)
        trace = fit_trace(spec)
        assert trace.examples is not None
        inputs = np.array(trace.examples.inputs)
        inputs[9] = inputs[2]
        trace = replace(trace, examples=replace(trace.examples, inputs=inputs))
        alike = with_samples(trace, (0, 1, 2, 3), (4, 5, 6, 7), (8, 2))
        assert judged("every_sample_once_per_epoch", spec, alike) is None
        thrice = with_samples(trace, (0, 1, 2, 3), (4, 5, 6, 7), (2, 2))
        found = judged("every_sample_once_per_epoch", spec, thrice)
        assert found is not None
        assert found.message == "example 2 is in step 2 and again in step 2, within pass 0"
        assert (found.got, found.expected) == ("3", "2")

    def test_any_order(self) -> None:
        """Shuffling is no fault, not even a different one each epoch."""
        spec = pipeline()
        order = [(9, 1, 5, 3), (4, 2, 6, 7), (8, 0), (0, 1, 2, 3), (4, 5, 6, 7), (8, 9)]
        trace = fit_trace(spec, order=order)
        assert judged("every_sample_once_per_epoch", spec, trace) is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"data__drop_remainder": True, "data__source": "dataset"},
            {"data__drop_remainder": True, "data__source": "dataset", "data__batch_size": 16},
            {"training__steps_per_epoch": 2, "training__epochs": 4},
            {"data__repeat": 2, "data__source": "dataset"},
            {"data__repeat": 0, "data__source": "dataset", "training__steps_per_epoch": 4},
            {"data__source": "generator"},
            {"data__source": "dataset", "data__repeat": 2, "data__drop_remainder": True},
            {"data__source": "generator", "data__repeat": 2, "data__drop_remainder": True},
            {"training__epochs": 5, "training__initial_epoch": 3},
        ],
    )
    def test_legal_configurations(self, changes: dict[str, Any]) -> None:
        """Passes may be cut, repeated, run on across epochs or end for good."""
        spec = pipeline(**changes)
        assert judged("every_sample_once_per_epoch", spec, fit_trace(spec)) is None

    def test_pass_across_epochs(self) -> None:
        """A pass that runs on across an epoch border still has every example once."""
        spec = pipeline(
            training__steps_per_epoch=2, training__epochs=2, data__repeat=0, data__source="dataset"
        )
        order = [(0, 1, 2, 3), (4, 5, 6, 7), (8, 0), (9, 1, 2, 3)]
        found = judged("every_sample_once_per_epoch", spec, fit_trace(spec, order=order))
        assert found is not None
        assert found.step == 2

    def test_cut_epoch(self) -> None:
        """An epoch that a callback cut need not be complete."""
        spec = pipeline()
        trace = until(fit_trace(spec), 4, StopReason.CALLBACK_REQUEST)
        assert judged("every_sample_once_per_epoch", spec, trace) is None

    def test_nobody_known(self) -> None:
        """Without any known example there is nothing to judge."""
        spec = pipeline()
        trace = with_samples(fit_trace(spec), *[(-1,)] * 6)
        with pytest.raises(NothingToJudge, match="examples must be identified"):
            judged("every_sample_once_per_epoch", spec, trace)

    def test_no_data_at_all(self) -> None:
        """Given gradients come from no examples."""
        spec = apply_pipeline(1)
        with pytest.raises(NothingToJudge):
            judged("every_sample_once_per_epoch", spec, apply_trace(spec, []))


class TestDrawn:
    """`never_trains_on_undrawn_batches`."""

    def test_replayed_batches(self) -> None:
        """Batches trained once more after the source has ended are found at the first of them."""
        spec = pipeline(data__source="generator")
        trace = with_epoch(fit_trace(pipeline()), 1, drawn_batches=0)
        found = judged("never_trains_on_undrawn_batches", spec, trace)
        assert found is not None
        assert found.message == "by epoch 1 the source had handed out 3 batches, 6 were trained"
        assert (found.step, found.epoch) == (3, 1)

    def test_total_only(self) -> None:
        """The total alone is enough."""
        spec = pipeline()
        trace = replace(fit_trace(spec), drawn_batches=4, epochs=())
        found = judged("never_trains_on_undrawn_batches", spec, trace)
        assert found is not None
        assert (found.step, found.got, found.expected) == (4, "6", "at most 4")

    def test_drawing_ahead(self) -> None:
        """A source may be drawn from ahead of time, and need not be counted in total."""
        spec = pipeline()
        trace = with_epoch(with_epoch(fit_trace(spec), 0, drawn_batches=5), 1, drawn_batches=1)
        assert judged("never_trains_on_undrawn_batches", spec, trace) is None
        trace = replace(trace, drawn_batches=None)
        assert judged("never_trains_on_undrawn_batches", spec, trace) is None

    def test_uncounted(self) -> None:
        """A source that does not count can't be judged."""
        spec = pipeline()
        trace = replace(fit_trace(spec), drawn_batches=None, epochs=())
        with pytest.raises(NothingToJudge, match="batches must be counted"):
            judged("never_trains_on_undrawn_batches", spec, trace)


class TestExhaustion:
    """`data_exhaustion_is_reported`."""

    SPEC = pipeline(data__source="generator")

    def fault(self, trace: Trace) -> tuple[str, str, str]:
        """Return message, got and expected."""
        found = judged("data_exhaustion_is_reported", self.SPEC, trace)
        assert found is not None
        return found.message, found.got, found.expected

    def test_reported(self) -> None:
        """Exhaustion with the right plan and a warning is fine, and so is enough data."""
        trace = fit_trace(self.SPEC)
        assert judged("data_exhaustion_is_reported", self.SPEC, trace) is None
        assert judged("data_exhaustion_is_reported", pipeline(), fit_trace(pipeline())) is None
        stopped = with_stop(trace, StopReason.CALLBACK_REQUEST)
        assert judged("data_exhaustion_is_reported", self.SPEC, stopped) is None

    def test_counts_as_completed(self) -> None:
        """A run that had to end for want of data is not completed."""
        trace = with_stop(fit_trace(self.SPEC), StopReason.COMPLETED)
        what = "the data ran out in epoch 1, after 3 of 6 steps, and the run counts as completed"
        assert self.fault(trace) == (what, "completed", "data_exhausted")

    def test_wrong_plan(self) -> None:
        """The report names the plan that could not be kept."""
        trace = with_stop(fit_trace(self.SPEC), StopReason.DATA_EXHAUSTED, planned_steps=None)
        what = "the data ran out in epoch 1, after 3 of 6 steps, and the report names another plan"
        assert self.fault(trace) == (what, "None", "6")

    def test_no_warning(self) -> None:
        """Keras has to say so."""
        trace = replace(fit_trace(self.SPEC), events=())
        what = "the data ran out in epoch 1, after 3 of 6 steps, and Keras warned nobody"
        assert self.fault(trace) == (what, "no warning", "a warning with 'ran out of data'")

    def test_false_report(self) -> None:
        """A source that has it all is not exhausted."""
        spec = pipeline()
        trace = with_stop(fit_trace(spec), StopReason.DATA_EXHAUSTED)
        found = judged("data_exhaustion_is_reported", spec, trace)
        assert found is not None
        assert found.message == "exhaustion is reported of a source that has all 6 steps"

    def test_other_loops(self) -> None:
        """Hand-written loops have nobody who would warn."""
        spec = pipeline(training={"kind": "while_loop", "max_steps": 3})
        with pytest.raises(NothingToJudge, match="must judge a run of fit"):
            judged("data_exhaustion_is_reported", spec, fit_trace(pipeline()))


class TestLossLog:
    """`loss_log_is_sample_mean`."""

    def test_mean_of_batch_means(self) -> None:
        """A mean over batches, without regard to their sizes, is found."""
        spec = pipeline()
        trace = fit_trace(spec)
        assert trace.steps.loss is not None
        wrong = float(trace.steps.loss[3:].mean())
        trace = with_epoch(trace, 1, logs={"loss": wrong})
        found = judged("loss_log_is_sample_mean", spec, trace, atol=1e-12, because="rounding")
        assert found is not None
        assert (found.epoch, found.where, found.got) == (1, "loss", repr(wrong))
        assert found.allowed == "±1e-12 (rounding)"

    def test_right_mean(self) -> None:
        """The weighted mean passes, epochs without steps and NaN included."""
        spec = pipeline()
        trace = fit_trace(spec)
        assert judged("loss_log_is_sample_mean", spec, trace, atol=1e-12) is None
        trace = with_column(trace, "loss", 5, float("nan"))
        trace = with_epoch(trace, 1, logs={"loss": float("nan")})
        assert judged("loss_log_is_sample_mean", spec, trace, atol=1e-12) is None
        trace = with_epoch(trace, 1, first_step=3, stop_step=3, steps=0, logs={"loss": 7.0})
        assert judged("loss_log_is_sample_mean", spec, trace, atol=1e-12) is None

    def test_scripted(self) -> None:
        """A loss that a script writes says nothing."""
        callback = {"kind": "early_stopping", "monitor": "loss", "scripted": True, "script": [1.0]}
        spec = pipeline(callbacks=[callback])
        with pytest.raises(NothingToJudge, match="the loss must be logged"):
            judged("loss_log_is_sample_mean", spec, fit_trace(spec))
