"""Checkpoints and backups that come at another time, or hold something else, are found."""

from dataclasses import replace
from typing import Any

import pytest

from harness.invariants import NothingToJudge
from harness.spec.pipeline import PipelineSpec
from harness.trace import Event, StopReason, Trace
from tests.invariants.faults import judged, with_stop
from tests.invariants.traces import fit_trace, pipeline

BACKUP = "backup/latest.weights.h5"


def saved(name: str, steps: int, method: str = "save_weights") -> Event:
    """Return the event of one save."""
    detail: dict[str, str | float] = {"method": method, "steps": steps}
    return Event(kind="saved", name=name, epoch=(steps - 1) // 3, detail=detail)


def file(name: str, steps: int | None, *, architecture: bool = False) -> Event:
    """Return the event of a file that holds the variables after so many steps."""
    detail: dict[str, float] = {"architecture": architecture, "optimizer": True}
    if steps is not None:
        detail |= {"first_steps": steps, "last_steps": steps}
    return Event(kind="file", name=name, detail=detail)


class TestCheckpoints:
    """`checkpoints_follow_automaton`."""

    def spec(self, **arguments: Any) -> PipelineSpec:
        """Return a pipeline of three epochs of three steps, with one checkpoint."""
        callback = {
            "kind": "model_checkpoint",
            "filepath": "best.weights.h5",
            "save_weights_only": True,
            **arguments,
        }
        return pipeline(training__epochs=3, callbacks=[callback])

    def best(self) -> PipelineSpec:
        """Return a pipeline that keeps its best epoch."""
        return self.spec(save_best_only=True)

    def trace(self, *events: Event) -> Trace:
        """Return a run whose second epoch is its best, with these events."""
        logs = [{"val_loss": value} for value in (3.0, 1.0, 2.0)]
        return replace(fit_trace(pipeline(training__epochs=3), logs=logs), events=events)

    def fault(self, spec: PipelineSpec, *events: Event) -> tuple[str, str, str] | None:
        """Return message, got and expected of the violation."""
        found = judged("checkpoints_follow_automaton", spec, self.trace(*events))
        return None if found is None else (found.message, found.got, found.expected)

    def test_right(self) -> None:
        """The first and the second epoch are saved, and the second is in the file."""
        name = "best.weights.h5"
        assert self.fault(self.best(), saved(name, 3), saved(name, 6), file(name, 6)) is None

    def test_not_saved(self) -> None:
        """A build that takes the first value for the best for ever is found."""
        name = "best.weights.h5"
        assert self.fault(self.best(), saved(name, 3), file(name, 3)) == (
            "save 1 of best.weights.h5 is another than the one that is due",
            "no more saves",
            "save_weights of best.weights.h5 after step 6",
        )

    def test_saved_too_often(self) -> None:
        """A worse epoch that is saved is found."""
        name = "best.weights.h5"
        events = [saved(name, 3), saved(name, 6), saved(name, 9)]
        assert self.fault(self.best(), *events) == (
            "save 2 of best.weights.h5 is another than the one that is due",
            "save_weights of best.weights.h5 after step 9",
            "no more saves",
        )

    def test_wrong_method(self) -> None:
        """A whole model where weights were asked for is found."""
        found = self.fault(self.best(), saved("best.weights.h5", 3, "save"))
        assert found is not None
        assert found[1] == "save of best.weights.h5 after step 3"

    @pytest.mark.parametrize(
        ("content", "got", "expected"),
        [
            ([], "no file", "a file"),
            ([file("best.weights.h5", 6, architecture=True)], "a whole model", "weights only"),
            (
                [file("best.weights.h5", None)],
                "variables of no step",
                "the variables after step 6",
            ),
            (
                [file("best.weights.h5", 9)],
                "the variables after step 9",
                "the variables after step 6",
            ),
        ],
    )
    def test_content(self, content: list[Event], got: str, expected: str) -> None:
        """A file that is missing, of another kind or of another step is found."""
        name = "best.weights.h5"
        message = "best.weights.h5 is not what was to be saved after step 6"
        found = self.fault(self.best(), saved(name, 3), saved(name, 6), *content)
        assert found == (message, got, expected)

    def test_names(self) -> None:
        """Epochs count from 1 in names, and logs may be part of them."""
        spec = self.spec(filepath="at{epoch}is{val_loss}.keras", save_weights_only=False)
        names = ["at1is3.0.keras", "at2is1.0.keras", "at3is2.0.keras"]
        events = [saved(name, 3 * index, "save") for index, name in enumerate(names, 1)]
        files = [file(name, 3 * index, architecture=True) for index, name in enumerate(names, 1)]
        assert self.fault(spec, *events, *files) is None

    def test_unknown_name(self) -> None:
        """A name with something in it that was not logged can't be judged."""
        spec = self.spec(filepath="{val_accuracy}.weights.h5")
        with pytest.raises(NothingToJudge, match="filepath must name what the epoch logs hold"):
            self.fault(spec)

    def test_batches(self) -> None:
        """Batches are counted over the borders of epochs, and count from 1 in names."""
        spec = self.spec(filepath="e{epoch}b{batch}.weights.h5", save_freq=4)
        names = ["e2b1.weights.h5", "e3b2.weights.h5"]
        events = [saved(name, 4 * index) for index, name in enumerate(names, 1)]
        files = [file(name, 4 * index) for index, name in enumerate(names, 1)]
        assert self.fault(spec, *events, *files) is None

    def test_without_epochs(self) -> None:
        """A run that ended in its first epoch has nothing to save."""
        trace = replace(self.trace(), epochs=())
        assert judged("checkpoints_follow_automaton", self.best(), trace) is None

    def test_nothing_to_judge(self) -> None:
        """A checkpoint must be there, with a file of its own and logs that are known."""
        with pytest.raises(NothingToJudge, match="one a file, to be judged, got 0"):
            self.fault(pipeline())
        best_batch = self.spec(save_best_only=True, save_freq=2)
        with pytest.raises(NothingToJudge, match="save_freq must be 'epoch' with save_best_only"):
            self.fault(best_batch)


class TestBackups:
    """`backups_follow_automaton`."""

    def fault(
        self, *events: Event, reason: StopReason = StopReason.COMPLETED, **arguments: Any
    ) -> tuple[str, str, str] | None:
        """Return message, got and expected of the violation in two epochs of three steps."""
        callback = {"kind": "backup_and_restore", **arguments}
        trace = with_stop(replace(fit_trace(pipeline()), events=events), reason)
        found = judged("backups_follow_automaton", pipeline(callbacks=[callback]), trace)
        return None if found is None else (found.message, found.got, found.expected)

    def test_right(self) -> None:
        """A backup an epoch, or every so many batches, and none in the end."""
        assert self.fault(saved(BACKUP, 3), saved(BACKUP, 6)) is None
        batches = [saved(BACKUP, 2), saved(BACKUP, 4), saved(BACKUP, 6)]
        assert self.fault(*batches, save_freq=2) is None

    def test_too_late(self) -> None:
        """A count that is one short is found."""
        assert self.fault(saved(BACKUP, 3), saved(BACKUP, 6), save_freq=2) == (
            "save 0 of backup/latest.weights.h5 is another than the one that is due",
            "save_weights of backup/latest.weights.h5 after step 3",
            "save_weights of backup/latest.weights.h5 after step 2",
        )

    def test_not_removed(self) -> None:
        """A backup that outlives its training is found, and one that is gone too early."""
        events = [saved(BACKUP, 3), saved(BACKUP, 6)]
        message = "the backup is there after a training that ended as completed"
        assert self.fault(*events, file(BACKUP, 6)) == (message, "there", "gone")
        message = "the backup is gone after a training that ended as callback_error"
        broken = self.fault(*events, reason=StopReason.CALLBACK_ERROR)
        assert broken == (message, "gone", "there")
        assert self.fault(*events, file(BACKUP, 6), delete_checkpoint=False) is None

    def test_nothing_to_judge(self) -> None:
        """A backup must be there, and the training in one part."""
        spec = pipeline(callbacks=["backup_and_restore"], training__interrupt_after={"epoch": 0})
        for one in (pipeline(), spec):
            with pytest.raises(NothingToJudge, match="one backup of a whole training"):
                judged("backups_follow_automaton", one, fit_trace(pipeline()))
