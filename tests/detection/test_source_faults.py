"""Data sources that are told too much, too little or too late, and what runs leave behind."""

from dataclasses import replace
from typing import Any

import pytest

from harness.invariants import NothingToJudge
from harness.spec.names import InvariantName
from harness.trace import Event, StopReason, Trace
from tests.invariants.faults import judged, with_stop
from tests.invariants.traces import fit_trace, hook, pipeline

GRAMMAR: tuple[InvariantName, ...] = (
    "source_epochs_begin_once",
    "source_epochs_end",
    "source_hooks_alternate",
    "source_batches_follow_begin",
)


def source(name: str, role: str = "training", epoch: int | None = 0, **detail: int) -> Event:
    """Return what a source would tell."""
    return Event(kind="source", name=name, epoch=epoch, detail={"role": role, **detail})


def reading(role: str = "training", epoch: int | None = 0) -> list[Event]:
    """Return what a source tells of one healthy reading of one batch."""
    return [
        source("on_epoch_begin", role, epoch),
        source("epoch_begun", role, epoch),
        source("batch", role, epoch, index=0),
        source("on_epoch_end", role, epoch),
    ]


def epoch_of(number: int, *events: Event) -> list[Event]:
    """Return an epoch of the training with these events in it."""
    return [hook("on_epoch_begin", number), *events, hook("on_epoch_end", number)]


def run(*events: Event, reason: StopReason = StopReason.COMPLETED) -> Trace:
    """Return a run with these events."""
    return with_stop(replace(fit_trace(pipeline()), events=events), reason)


def message(name: InvariantName, *events: Event, **changes: Any) -> str | None:
    """Return what a check says of a training on a PyDataset with these events."""
    reason = changes.pop("reason", StopReason.COMPLETED)
    spec = pipeline(**{"data__source": "py_dataset", **changes})
    found = judged(name, spec, run(*events, reason=reason))
    return None if found is None else found.message


class TestGrammar:
    """The hooks of a PyDataset."""

    @pytest.mark.parametrize("name", GRAMMAR)
    def test_healthy_readings(self, name: InvariantName) -> None:
        """Epochs, evaluations and predictions each begin and end once."""
        validation = [hook("on_test_begin", 0), *reading("validation"), hook("on_test_end", 0)]
        evaluation = [
            hook("on_test_begin"),
            *reading("evaluate", None),
            hook("on_test_end"),
            hook("on_predict_begin"),
            *reading("predict", None),
            hook("on_predict_end"),
        ]
        peeked = source("batch", epoch=None, index=0)
        events = [
            peeked,
            *epoch_of(0, *reading(), *validation),
            *epoch_of(1, *reading(epoch=1)),
            Event(kind="warning", name="UserWarning"),
            *evaluation,
        ]
        changes = {
            "validation__source": "py_dataset",
            "after__source": "py_dataset",
            "then": ["evaluate", "predict"],
        }
        assert message(name, *events, **changes) is None

    @pytest.mark.parametrize("name", GRAMMAR)
    def test_nothing_to_judge(self, name: InvariantName) -> None:
        """Other sources have no hooks, and other loops call none."""
        with pytest.raises(NothingToJudge, match="a PyDataset must be read by fit to be judged"):
            judged(name, pipeline(), run(*epoch_of(0)))
        with pytest.raises(NothingToJudge, match="a PyDataset must be read by fit to be judged"):
            judged(name, pipeline(data__source="py_dataset"), run())

    def test_begin_twice_or_never(self) -> None:
        """`source_epochs_begin_once` counts the calls in each reading, and those between them."""
        name: InvariantName = "source_epochs_begin_once"
        twice = epoch_of(0, source("on_epoch_begin"), *reading())
        never = epoch_of(0, *reading()[2:])
        early = [source("on_epoch_begin", epoch=None), *epoch_of(0, *reading())]
        begins = "on_epoch_begin was called"
        assert message(name, *twice) == f"{begins} 2 times in reading 0 for training"
        assert message(name, *never) == f"{begins} 0 times in reading 0 for training"
        assert message(name, *early) == f"{begins} 1 times in between two readings for training"

    def test_broken_off_before_it_began(self) -> None:
        """A reading that an exception ended need not have begun."""
        events = [hook("on_epoch_begin", 0)]
        name: InvariantName = "source_epochs_begin_once"
        assert message(name, *events, reason=StopReason.CALLBACK_ERROR) is None

    def test_epoch_without_end(self) -> None:
        """`source_epochs_end` finds what was left open, unless an exception left it."""
        name: InvariantName = "source_epochs_end"
        whole, open_ = reading(), reading()[:-1]
        rule = "on_epoch_end was not called for reading 0 for training before"
        followed = [*epoch_of(0, *open_), *epoch_of(1, *whole)]
        assert message(name, *followed) == f"{rule} reading 1 for training"
        stopped = {"reason": StopReason.CALLBACK_REQUEST}
        found = message(name, *epoch_of(0, *open_), **stopped)
        assert found == f"{rule} the run ended (callback_request)"
        assert message(name, *epoch_of(0, *open_), reason=StopReason.CALLBACK_ERROR) is None

    def test_end_before_begin(self) -> None:
        """`source_hooks_alternate` finds an end without a begin."""
        name: InvariantName = "source_hooks_alternate"
        events = [source("on_epoch_end", epoch=None), *epoch_of(0, *reading())]
        found = "on_epoch_end of the source for training was called 1 times by then, "
        assert message(name, *events) == f"{found}on_epoch_begin 0 times"

    def test_batch_before_begin(self) -> None:
        """`source_batches_follow_begin` finds a batch that a worker built too early."""
        name: InvariantName = "source_batches_follow_begin"
        begin, begun, batch, end = reading()
        rule = "batch 0 was built outside of the source's epoch in reading 0 for training"
        assert message(name, *epoch_of(0, batch, begin, begun, end)) == rule
        assert message(name, *epoch_of(0, begin, batch, begun, end)) == rule
        assert message(name, *epoch_of(0, begin, begun, end, batch)) == rule


class TestLeftovers:
    """What must be used up or given back."""

    def test_left_behind(self) -> None:
        """`nothing_is_left_behind` names what stayed."""
        name: InvariantName = "nothing_is_left_behind"
        spec, trace = pipeline(), fit_trace(pipeline())
        with pytest.raises(NothingToJudge, match="threads and files must be counted"):
            judged(name, spec, trace)
        left = ("file log.csv", "thread Thread (worker)", "thread Thread (worker)")
        resources = replace(trace.resources, left_behind=left)
        found = judged(name, spec, replace(trace, resources=resources))
        assert found is not None
        assert found.message == (
            "3 left after a run that ended by completed: file log.csv, thread Thread (worker)"
        )
        clean = replace(trace, resources=replace(trace.resources, left_behind=()))
        assert judged(name, spec, clean) is None

    def test_lost_batches(self) -> None:
        """`every_drawn_batch_is_trained` finds what was drawn ahead and lost."""
        name: InvariantName = "every_drawn_batch_is_trained"
        spec = pipeline(data__source="generator")
        trace = fit_trace(spec)
        assert judged(name, spec, trace) is None
        found = judged(name, spec, replace(trace, drawn_batches=5))
        assert found is not None
        assert found.message == "5 batches were taken out of the generator, 3 trained on"
        with pytest.raises(NothingToJudge, match="a generator must be trained on to the end"):
            judged(name, pipeline(), fit_trace(pipeline()))

    def test_evaluation_that_changes(self) -> None:
        """`evaluation_changes_nothing` names the variables and what changed them."""
        name: InvariantName = "evaluation_changes_nothing"
        spec = pipeline(then=["evaluate", "predict"])
        with pytest.raises(NothingToJudge, match="then must hold"):
            judged(name, spec, fit_trace(spec))
        still = Event(kind="after", name="evaluate", detail={"changed": ""})
        moved = Event(kind="after", name="predict", detail={"changed": "dense/kernel"})
        assert judged(name, spec, run(still)) is None
        found = judged(name, spec, run(still, moved))
        assert found is not None
        assert found.message == "predict changed variables: dense/kernel"


class TestPassesOfAnyLength:
    """Epochs that are passes of different length."""

    SPEC = pipeline(
        data__examples=12,
        data__source="from_generator",
        data__pass_lengths=[2, 3],
        training__epochs=3,
    )

    def trace(self, *lengths: int) -> Trace:
        """Return a run of the first so many batches of each pass."""
        whole = fit_trace(
            pipeline(data__examples=12, training__epochs=3),
            order=[tuple(range(4 * batch, 4 * batch + 4)) for batch in range(3)] * 3,
        )
        rows = [
            3 * epoch + batch for epoch, length in enumerate(lengths) for batch in range(length)
        ]
        steps, table = whole.steps, {}
        for name in steps.recorded - {"sample_ids"}:
            table[name] = steps.column(name)[rows]
        assert steps.sample_ids is not None
        ids = tuple(steps.sample_ids[row] for row in rows)
        epochs, first = [], 0
        for record, length in zip(whole.epochs, lengths, strict=True):
            stop = first + length
            epochs.append(replace(record, steps=length, first_step=first, stop_step=stop))
            first = stop
        shorter: Any = {"sample_ids": ids, **table}
        return replace(
            whole,
            steps=type(steps)(**shorter),
            epochs=tuple(epochs),
            state=None,
            gradients=None,
        )

    def test_every_pass_whole(self) -> None:
        """Each epoch has the batches of its own pass, the last length for all later ones."""
        assert judged("every_sample_once_per_epoch", self.SPEC, self.trace(2, 3, 3)) is None
        assert judged("steps_follow_plan", self.SPEC, self.trace(2, 3, 3)) is None

    def test_later_passes_cut(self) -> None:
        """A pass that is cut to the length of the first is found in its epoch."""
        found = judged("every_sample_once_per_epoch", self.SPEC, self.trace(2, 2, 2))
        assert found is not None
        assert found.message == (
            "epoch 1 trained on 8 examples, 12 are in the data; never seen: 8, 9, 10, 11"
        )
        found = judged("steps_follow_plan", self.SPEC, self.trace(2, 2, 2))
        assert found is not None
        assert found.epoch == 1


class TestFrequency:
    """`validation_follows_frequency`."""

    def test_wrong_epochs(self) -> None:
        """An epoch that is validated out of turn, or left out, is found."""
        name: InvariantName = "validation_follows_frequency"
        spec = pipeline(validation__validation_freq=2)
        second = fit_trace(spec, logs=[{}, {"val_loss": 1.0}])
        first = fit_trace(spec, logs=[{"val_loss": 1.0}, {}])
        neither = fit_trace(spec)
        assert judged(name, spec, second) is None
        found = judged(name, spec, first)
        assert found is not None
        assert found.message == "epoch 0 was validated, every 2 should be"
        found = judged(name, spec, neither)
        assert found is not None
        assert found.message == "epoch 1 was not validated, every 2 should be"

    def test_listed_epochs(self) -> None:
        """A list names epochs from 1; one that is read from 0 is found."""
        name: InvariantName = "validation_follows_frequency"
        spec = pipeline(validation__validation_epochs=[1])
        assert judged(name, spec, fit_trace(spec, logs=[{"val_loss": 1.0}, {}])) is None
        found = judged(name, spec, fit_trace(spec, logs=[{}, {"val_loss": 1.0}]))
        assert found is not None
        assert found.message == "epoch 0 was not validated, those of (1,) should be"

    def test_nothing_held_out(self) -> None:
        """Without validation there is nothing to judge."""
        with pytest.raises(NothingToJudge, match="examples must be held out"):
            judged("validation_follows_frequency", pipeline(), fit_trace(pipeline()))
