"""Miscounted steps, batches and hooks are found at the first of them."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from harness.invariants import NothingToJudge
from harness.trace import Event, StopReason, Trace
from tests.invariants.faults import judged, until, with_column, with_epoch, with_state, with_stop
from tests.invariants.traces import apply_pipeline, apply_trace, fit_trace, pipeline


def with_events(trace: Trace, *events: Event) -> Trace:
    """Return the trace with other events."""
    return replace(trace, events=events)


def without(trace: Trace, name: str, number: int) -> Trace:
    """Return the trace without the call with this number of one hook."""
    calls = [index for index, event in enumerate(trace.events) if event.name == name]
    events = list(trace.events)
    del events[calls[number]]
    return replace(trace, events=tuple(events))


class TestIterations:
    """`iterations_count_steps`."""

    def test_phantom_step_between_epochs(self) -> None:
        """A count that rises while the source is found empty is found at the next step."""
        spec = pipeline()
        trace = fit_trace(spec)
        for step in (3, 4, 5):
            trace = with_state(trace, "iteration", step + 1.0, step=step, part="before")
        found = judged("iterations_count_steps", spec, trace)
        assert found is not None
        assert found.message == "the count moved from 3 to 4 without a step, before step 3"
        assert (found.step, found.epoch, found.where) == (3, 1, "iterations")

    def test_phantom_step_at_the_end(self) -> None:
        """One more count after the last step is found in the final state."""
        spec = pipeline()
        trace = with_state(fit_trace(spec), "iteration", 7.0, part="final")
        found = judged("iterations_count_steps", spec, trace)
        assert found is not None
        assert found.message == "the count moved from 6 to 7 without a step, after the last step"
        assert found.step is None

    def test_step_that_does_not_count(self) -> None:
        """A step after which the count stands still is named."""
        spec = pipeline()
        trace = with_state(fit_trace(spec), "iteration", 2.0, step=2)
        found = judged("iterations_count_steps", spec, trace)
        assert found is not None
        assert found.message == "step 2 was taken, and the count went from 2 to 2"
        assert (found.got, found.expected) == ("2", "3")

    def test_skipped_step_that_counts(self) -> None:
        """A step that loss scaling skipped must not count."""
        spec = pipeline(precision__loss_scale={"initial_scale": 8.0})
        trace = fit_trace(spec, spoiled={1: float("inf")})
        assert judged("iterations_count_steps", spec, trace) is None
        trace = with_state(trace, "iteration", 2.0, step=1)
        found = judged("iterations_count_steps", spec, trace)
        assert found is not None
        assert found.message == "step 1 was skipped, and the count went from 1 to 2"

    def test_public_count_of_micro_batches(self) -> None:
        """Under accumulation the public count must not count micro-batches."""
        spec = pipeline(optimizer__gradient_accumulation_steps=2)
        trace = with_column(fit_trace(spec), "iterations_after", 0, 1)
        found = judged("iterations_count_steps", spec, trace)
        assert found is not None
        assert found.message == "iterations_after of step 0 is not the raw counter divided by 2"

    def test_no_count(self) -> None:
        """An optimizer without a count can't be judged."""
        spec = pipeline()
        trace = fit_trace(spec)
        assert trace.state is not None
        variables = tuple(
            replace(info, role="seed") if info.role == "iterations" else info
            for info in trace.state.variables
        )
        trace = replace(trace, state=replace(trace.state, variables=variables))
        with pytest.raises(NothingToJudge, match="the optimizer must have a counter"):
            judged("iterations_count_steps", spec, trace)

    def test_public_count_may_be_unknown(self) -> None:
        """The raw counter is judged even where the public one was not recorded."""
        spec = pipeline()
        trace = fit_trace(spec)
        steps = replace(trace.steps, iterations_before=None, iterations_after=None)
        assert judged("iterations_count_steps", spec, replace(trace, steps=steps)) is None


class TestCounts:
    """`counts_agree`."""

    def fault(self, change: Any) -> str:
        """Return the message for a damaged run of six steps."""
        spec = pipeline(data__source="dataset")
        found = judged("counts_agree", spec, change(fit_trace(spec)))
        assert found is not None
        return found.message

    def test_batch_index(self) -> None:
        """A batch index that skips is found at its step."""
        message = self.fault(lambda trace: with_column(trace, "batch", 4, 2))
        assert message == "step 4 is number 1 of epoch 1, its batch index is not"

    def test_reported_steps(self) -> None:
        """An epoch that reports other steps than it had is found."""
        message = self.fault(lambda trace: with_epoch(trace, 1, steps=4))
        assert message == "epoch 1 reports 4 steps, 3 were run"

    def test_missing_hook(self) -> None:
        """A batch without its end hook is found."""
        message = self.fault(lambda trace: without(trace, "on_train_batch_end", 0))
        assert message == "epoch 0 has 2 calls of on_train_batch_end for 3 steps"

    def test_last_batch_index(self) -> None:
        """The last batch index tells how many batches there were."""
        spec = pipeline(compile__steps_per_execution=3)
        trace = fit_trace(spec)
        assert judged("counts_agree", spec, trace) is None
        events = [
            replace(event, detail={"batch": 0}) if event.name == "on_train_batch_end" else event
            for event in trace.events
        ]
        found = judged("counts_agree", spec, with_events(trace, *events))
        assert found is not None
        assert found.message == "the last batch index of epoch 0 is 0 after 3 steps"

    def test_partial_execution(self) -> None:
        """The index that Keras names for an execution that is not full is its own business."""
        spec = pipeline(compile__steps_per_execution=2)
        assert judged("counts_agree", spec, fit_trace(spec)) is None

    def test_uncounted_update(self) -> None:
        """Weights that change on a step that does not count are found."""
        message = self.fault(lambda trace: with_column(trace, "iterations_after", 1, 1))
        assert message == "step 1 changed the weights, and the count rose by 0"

    def test_lost_batches(self) -> None:
        """Batches that were drawn and never trained on are found."""
        message = self.fault(lambda trace: replace(trace, drawn_batches=8))
        assert message == "the source handed out 8 batches, 6 were trained"

    @pytest.mark.parametrize(
        ("changes", "drawn"),
        [
            ({"data__source": "py_dataset"}, 8),
            ({"data__source": "dataset", "training__steps_per_epoch": 3}, 7),
            ({"data__source": "dataset"}, None),
        ],
    )
    def test_peeking_is_no_loss(self, changes: dict[str, Any], drawn: int | None) -> None:
        """Where a source is peeked at or goes on, more batches may be drawn than trained."""
        spec = pipeline(**changes)
        trace = replace(fit_trace(spec), drawn_batches=drawn)
        assert judged("counts_agree", spec, trace) is None

    def test_what_was_not_recorded_is_not_judged(self) -> None:
        """Without hooks, counts and records the rest is still judged."""
        spec = pipeline()
        trace = replace(fit_trace(spec), events=(), epochs=())
        trace = replace(trace, steps=replace(trace.steps, updated=None))
        assert judged("counts_agree", spec, trace) is None
        cut = until(fit_trace(spec), 4, StopReason.CALLBACK_REQUEST)
        assert judged("counts_agree", spec, replace(cut, events=fit_trace(spec).events)) is None


class TestPlan:
    """`steps_follow_plan`."""

    def test_too_many_steps(self) -> None:
        """An execution that overruns the epoch is found at its first extra step."""
        spec = pipeline(training__steps_per_epoch=2, training__epochs=1)
        trace = fit_trace(pipeline(training__epochs=1))
        found = judged("steps_follow_plan", spec, trace)
        assert found is not None
        assert found.message == "epoch 0 has 3 steps, 2 were to be run"
        assert (found.step, found.got, found.expected) == (2, "3", "2")

    def test_replayed_generator(self) -> None:
        """A generator has nothing left for a second epoch."""
        spec = pipeline(data__source="generator")
        found = judged("steps_follow_plan", spec, fit_trace(pipeline()))
        assert found is not None
        assert found.message == "epoch 1 has 3 steps, 0 were to be run"

    @pytest.mark.parametrize("reason", [StopReason.COMPLETED, StopReason.EARLY_STOPPING])
    def test_too_few_steps(self, reason: StopReason) -> None:
        """An epoch that ends early must have been cut by somebody."""
        spec = pipeline()
        found = judged("steps_follow_plan", spec, until(fit_trace(spec), 5, reason))
        assert found is not None
        assert found.message == "epoch 1 has 2 steps, 3 were to be run"
        assert found.step is None

    def test_missing_epoch(self) -> None:
        """A completed run has all its epochs."""
        spec = pipeline(training__epochs=3)
        found = judged("steps_follow_plan", spec, fit_trace(pipeline()))
        assert found is not None
        assert found.message == "epoch 2 has 0 steps, 3 were to be run"

    def test_extra_epoch(self) -> None:
        """An epoch that nobody asked for is found."""
        spec = pipeline(training__epochs=1)
        found = judged("steps_follow_plan", spec, fit_trace(pipeline()))
        assert found is not None
        assert found.message == "epoch 1 was run, and is none of the 1 that were asked for"

    def test_batch_size(self) -> None:
        """A batch of another size than planned is found."""
        spec = pipeline()
        found = judged("steps_follow_plan", spec, with_column(fit_trace(spec), "batch_size", 2, 4))
        assert found is not None
        assert found.message == "batch 2 of epoch 0 has 4 examples"
        assert found.expected == "2"

    @pytest.mark.parametrize(
        "reason", [StopReason.CALLBACK_REQUEST, StopReason.NON_FINITE, StopReason.CALLBACK_ERROR]
    )
    @pytest.mark.parametrize("steps", [0, 2, 5])
    def test_cut_short(self, reason: StopReason, steps: int) -> None:
        """A run that was cut may end in the middle of an epoch, or before its first step."""
        spec = pipeline()
        assert judged("steps_follow_plan", spec, until(fit_trace(spec), steps, reason)) is None

    @pytest.mark.parametrize(("shuffle", "right"), [(None, True), (True, True), (False, False)])
    def test_shuffled_batches(self, shuffle: bool | None, right: bool) -> None:  # noqa: FBT001
        """Keras shuffles whole batches of a PyDataset, unless told not to."""
        spec = pipeline(data__source="py_dataset", data__shuffle=shuffle)
        order = [[8, 9], [0, 1, 2, 3], [4, 5, 6, 7]] * 2
        trace = fit_trace(spec, order=order)
        assert (judged("steps_follow_plan", spec, trace) is None) is right

    def test_batch_sizes_may_be_unknown(self) -> None:
        """Steps are counted even where their sizes were not recorded."""
        spec = pipeline()
        trace = fit_trace(spec)
        trace = replace(trace, steps=replace(trace.steps, batch_size=None))
        assert judged("steps_follow_plan", spec, trace) is None

    def test_gradients_are_steps(self) -> None:
        """One step is planned for each given row of gradients."""
        spec = apply_pipeline(2)
        trace = apply_trace(spec, [])
        trace = replace(trace, examples=None)
        found = judged("steps_follow_plan", spec, with_stop(trace, StopReason.COMPLETED))
        assert found is not None
        assert found.message == "epoch 0 has 0 steps, 2 were to be run"


class TestBudget:
    """`steps_follow_plan` for loops with `max_steps`."""

    LOOP: ClassVar[dict[str, Any]] = {"kind": "train_on_batch", "epochs": 2, "max_steps": 5}

    def test_overrun(self) -> None:
        """A loop that goes on at its limit is found at that step."""
        spec = pipeline(training=self.LOOP)
        trace = with_stop(fit_trace(pipeline()), StopReason.MAX_STEPS)
        found = judged("steps_follow_plan", spec, trace)
        assert found is not None
        assert found.message == "step 5 was run although the count had reached max_steps"
        assert found.expected == "below 5"

    def test_left_too_early(self) -> None:
        """A loop that stops before its limit, and says it had reached it, is found."""
        spec = pipeline(training=self.LOOP)
        trace = until(fit_trace(pipeline()), 4, StopReason.MAX_STEPS)
        found = judged("steps_follow_plan", spec, trace)
        assert found is not None
        assert found.message == "the loop left off at a count of 4, before its max_steps"

    def test_no_step_at_all(self) -> None:
        """A loop that never began has not reached its limit."""
        spec = pipeline(training=self.LOOP)
        trace = until(fit_trace(pipeline()), 0, StopReason.MAX_STEPS)
        found = judged("steps_follow_plan", spec, trace)
        assert found is not None
        assert found.got == "0"

    @pytest.mark.parametrize(
        "training",
        [
            {"kind": "train_on_batch", "epochs": 2, "max_steps": 5},
            {"kind": "gradient_tape", "epochs": 2, "max_steps": 5},
        ],
    )
    def test_kept(self, training: dict[str, Any]) -> None:
        """A loop that leaves off at its limit is right."""
        spec = pipeline(training=training)
        trace = until(fit_trace(pipeline()), 5, StopReason.MAX_STEPS)
        assert judged("steps_follow_plan", spec, trace) is None

    def test_while_loop(self) -> None:
        """A graph loop makes one pass, unless its limit comes first."""
        trace = fit_trace(pipeline(training__epochs=1))
        for limit, steps, reason in (
            (2, 2, StopReason.MAX_STEPS),
            (9, 3, StopReason.DATA_EXHAUSTED),
        ):
            spec = pipeline(training={"kind": "while_loop", "max_steps": limit})
            assert judged("steps_follow_plan", spec, until(trace, steps, reason)) is None
        found = judged("steps_follow_plan", spec, until(trace, 2, StopReason.DATA_EXHAUSTED))
        assert found is not None
        assert found.message == "epoch 0 has 2 steps, 3 were to be run"

    @pytest.mark.parametrize("source", ["array", "generator"])
    def test_cut_epochs(self, source: str) -> None:
        """Hand-written loops start a new pass in every epoch; a generator has only one."""
        training = {"kind": "gradient_tape", "epochs": 2, "steps_per_epoch": 2}
        spec = pipeline(training=training, data__source=source)
        trace = fit_trace(pipeline(training__steps_per_epoch=2, data__source=source))
        found = judged("steps_follow_plan", spec, trace)
        assert (found is None) is (source == "generator")
        if found is not None:
            assert found.message == "epoch 1 has 1 steps, 2 were to be run"

    def test_without_end(self) -> None:
        """A source without end and a loop without limit have no plan."""
        training = {"kind": "gradient_tape", "epochs": 2}
        spec = pipeline(training=training, data__repeat=0, data__source="dataset")
        with pytest.raises(NothingToJudge, match="steps_per_epoch or max_steps must be given"):
            judged("steps_follow_plan", spec, fit_trace(pipeline()))

    def test_endless_source(self) -> None:
        """An endless source is judged by the limit alone."""
        spec = pipeline(training=self.LOOP, data__repeat=0, data__source="dataset")
        trace = until(fit_trace(pipeline()), 5, StopReason.MAX_STEPS)
        assert judged("steps_follow_plan", spec, trace) is None
