"""Logs that say something else than what was trained are found."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.invariants import NothingToJudge
from harness.trace import Event, StopReason, Trace
from tests.invariants.faults import judged, with_column, with_epoch, with_stop
from tests.invariants.traces import fit_trace, pipeline

LOGS = [{"loss": 2.0}, {"loss": 1.0, "val_loss": math.nan}]


def run(*events: Event, reason: StopReason = StopReason.COMPLETED) -> Trace:
    """Return a run of two epochs with these logs and events."""
    return with_stop(replace(fit_trace(pipeline(), logs=LOGS), events=events), reason)


class TestHistory:
    """`history_matches_epochs`."""

    RIGHT: dict[str, float] = {  # noqa: RUF012 - never written to
        "epoch.0": 0,
        "epoch.1": 1,
        "loss.0": 2.0,
        "loss.1": 1.0,
        "val_loss.0": math.nan,
    }

    def fault(self, **kept: float) -> tuple[str, str, str] | None:
        """Return message, got and expected where the model keeps this history."""
        events = [
            Event(kind="history", name="returned", detail=self.RIGHT),
            Event(kind="history", name="kept", detail=kept),
        ]
        found = judged("history_matches_epochs", pipeline(), run(*events))
        return None if found is None else (found.message, found.got, found.expected)

    def test_right(self) -> None:
        """The logs of each epoch, NaN included."""
        assert self.fault(**self.RIGHT) is None

    def test_lost(self) -> None:
        """A history that an evaluation has replaced is found."""
        message = "entry 0 of epoch in the kept history is another than in the logs"
        assert self.fault() == (message, "absent", "0")

    def test_wrong(self) -> None:
        """Another value, and a value too many, are found."""
        message = "entry 1 of loss in the kept history is another than in the logs"
        assert self.fault(**{**self.RIGHT, "loss.1": 1.5}) == (message, "1.5", "1")
        message = "entry 2 of loss in the kept history is another than in the logs"
        assert self.fault(**{**self.RIGHT, "loss.2": 1.5}) == (message, "1.5", "absent")

    def test_nothing_to_judge(self) -> None:
        """Other loops return no history."""
        with pytest.raises(NothingToJudge, match="a history must be recorded"):
            judged("history_matches_epochs", pipeline(), run())


class TestCSV:
    """`csv_log_matches_epochs`."""

    RIGHT = ("epoch,loss,val_loss", "0,2.0,NA", "1,1.0,nan")

    def fault(
        self, lines: Sequence[str], training: dict[str, Any] | None = None, **arguments: Any
    ) -> tuple[str, str, str] | None:
        """Return message, got and expected of a file with these lines."""
        events = [Event(kind="line", name="log.csv", detail={"text": line}) for line in lines]
        callback = {"kind": "csv_logger", **arguments}
        fit = {"kind": "fit", "epochs": 2, **(training or {})}
        spec = pipeline(callbacks=[callback], training=fit)
        found = judged("csv_log_matches_epochs", spec, run(*events))
        return None if found is None else (found.message, found.got, found.expected)

    def test_right(self) -> None:
        """One header and one row an epoch, with any separator."""
        assert self.fault(self.RIGHT) is None
        lines = [line.replace(",", ";") for line in self.RIGHT]
        assert self.fault(lines, separator=";") is None

    def test_value(self) -> None:
        """Another value is found, and one that is no number, and one that was not logged."""
        header, first, second = self.RIGHT
        message = "loss of epoch 0 in log.csv is 2.5"
        assert self.fault([header, "0,2.5,NA", second]) == (message, "2.5", "2")
        message = "loss of epoch 0 in log.csv is two"
        assert self.fault([header, "0,two,NA", second]) == (message, "two", "2")
        message = "val_loss of epoch 0 in log.csv is 7.0"
        assert self.fault([header, "0,2.0,7.0", second]) == (message, "7.0", "NA")
        message = "epoch of epoch 1 in log.csv is 0"
        assert self.fault([header, first, "0,1.0,nan"]) == (message, "0", "1")

    def test_rows(self) -> None:
        """A row that is missing is found, and one from a training that was to be written over."""
        header, first, second = self.RIGHT
        assert self.fault([header, first]) == ("log.csv has 1 rows for 2 epochs", "1", "2")
        earlier = {"earlier_fit": {"epochs": 1}}
        lines = [header, "0,9.0,NA", first, second]
        assert self.fault(lines, earlier, append=True) is None
        found = self.fault(lines, earlier)
        assert found == ("log.csv has 3 rows for 2 epochs", "3", "2")
        message = "the row of epoch 1 in log.csv has not one value a column"
        assert self.fault([header, first, "1,1.0"]) == (message, "2", "3")

    def test_header(self) -> None:
        """A column that is missing is found, as is an empty file."""
        message = "the header of log.csv lacks loss"
        assert self.fault(["epoch,val_loss"]) == (message, "epoch,val_loss", "loss")
        assert self.fault([]) == ("the header of log.csv lacks epoch", "", "epoch")

    def test_without_epochs(self) -> None:
        """A run that ended in its first epoch has no rows."""
        trace = replace(run(), epochs=())
        spec = pipeline(callbacks=["csv_logger"])
        assert judged("csv_log_matches_epochs", spec, trace) is None

    def test_nothing_to_judge(self) -> None:
        """There must be a log, of a training that came to its end."""
        broken = run(reason=StopReason.CALLBACK_ERROR)
        for spec, trace in ((pipeline(), run()), (pipeline(callbacks=["csv_logger"]), broken)):
            with pytest.raises(NothingToJudge, match="csv_logger of a whole training"):
                judged("csv_log_matches_epochs", spec, trace)


class TestLoggedRate:
    """`learning_rate_is_logged`."""

    SPEC = pipeline(callbacks=["step_decay"])

    def trace(self, *rates: float) -> Trace:
        """Return a run at 0.125 that logged these rates."""
        return fit_trace(pipeline(), logs=[{"learning_rate": rate} for rate in rates])

    def test_right(self) -> None:
        """The rate of the epoch; an epoch without a step has none."""
        assert judged("learning_rate_is_logged", self.SPEC, self.trace(0.125, 0.125)) is None
        empty = with_epoch(self.trace(0.5, 0.125), 0, steps=0)
        assert judged("learning_rate_is_logged", self.SPEC, empty) is None

    def test_wrong(self) -> None:
        """The rate of the next epoch in its place is found, and none."""
        found = judged("learning_rate_is_logged", self.SPEC, self.trace(0.125, 0.0625))
        assert found is not None
        message = "the learning rate in the logs of epoch 1 is not the one it used"
        assert (found.message, found.got, found.expected) == (message, "0.0625", "0.125")
        found = judged("learning_rate_is_logged", self.SPEC, fit_trace(pipeline()))
        assert found is not None
        assert found.got == "absent"

    def test_nothing_to_judge(self) -> None:
        """Somebody must set the rate."""
        with pytest.raises(NothingToJudge, match="one that sets the learning rate"):
            judged("learning_rate_is_logged", pipeline(), fit_trace(pipeline()))


class TestScheduledRate:
    """`learning_rate_follows_schedule`, where a scheduler sets the rate by epoch."""

    @pytest.mark.parametrize(
        ("relative", "rates"), [(False, {0: 0.5, 1: 0.25}), (True, {0: 0.0625, 1: 0.015625})]
    )
    def test_table(self, rates: dict[int, float], *, relative: bool) -> None:
        """A table of rates, or of factors on the rate of then; an epoch late is found."""
        callback = {
            "kind": "learning_rate_scheduler",
            "values": [0.5, 0.25],
            "relative": relative,
        }
        spec = pipeline(callbacks=[callback])
        name: Any = "learning_rate_follows_schedule"
        assert judged(name, spec, fit_trace(spec, rates=rates)) is None
        double = {epoch: rate * (1.0 + 1e-12) for epoch, rate in rates.items()}
        assert judged(name, spec, fit_trace(spec, rates=double)) is not None
        found = judged(name, spec, fit_trace(spec, rates={0: rates[0], 1: rates[0]}))
        assert found is not None
        message = f"step 3: learning_rate is {rates[0]}, expected {rates[1]}, allowed ±0"
        assert found.message.endswith(message.partition(": ")[2])
        assert found.step == 3


class TestNaN:
    """`terminates_on_nan`."""

    def fault(
        self,
        reason: StopReason = StopReason.NON_FINITE,
        bad: int | None = None,
        value: float = math.nan,
        **changes: Any,
    ) -> tuple[str, str, str] | None:
        """Return message, got and expected of six steps, one of them with another loss."""
        trace = with_stop(fit_trace(pipeline()), reason)
        if bad is not None:
            trace = with_column(trace, "loss", bad, value)
        spec = pipeline(callbacks=["terminate_on_nan"], **changes)
        found = judged("terminates_on_nan", spec, trace)
        return None if found is None else (found.message, found.got, found.expected)

    def test_right(self) -> None:
        """It stops with the step, or with its execution, and not without a reason."""
        assert self.fault(bad=5) is None
        assert self.fault(bad=4, compile__steps_per_execution=2) == (
            "the loss of step 4 is nan, and 1 steps followed",
            "6 steps, non_finite",
            "5 steps, non_finite",
        )
        assert self.fault(bad=3, compile__steps_per_execution=3) is None
        assert self.fault(StopReason.COMPLETED) is None
        assert self.fault(bad=5, value=1e38) is None

    def test_too_late(self) -> None:
        """A build that stops at the end of the epoch is found, or not at all."""
        message = "the loss of step 1 is inf, and 4 steps followed"
        found = self.fault(bad=1, value=math.inf)
        assert found == (message, "6 steps, non_finite", "2 steps, non_finite")
        found = self.fault(StopReason.COMPLETED, bad=1, value=math.inf)
        assert found == (message, "6 steps, completed", "2 steps, non_finite")

    def test_in_an_epoch_that_broke_off(self) -> None:
        """Steps behind the last whole epoch are counted from its end."""
        trace = with_column(
            with_stop(fit_trace(pipeline()), StopReason.NON_FINITE), "loss", 5, math.nan
        )
        spec = pipeline(callbacks=["terminate_on_nan"])
        assert judged("terminates_on_nan", spec, replace(trace, epochs=trace.epochs[:1])) is None
        late = with_column(trace, "loss", 3, math.nan)
        found = judged("terminates_on_nan", spec, replace(late, epochs=late.epochs[:1]))
        assert found is not None
        assert found.expected == "4 steps, non_finite"

    def test_without_reason(self) -> None:
        """A stop although every loss was finite is found."""
        message = "training was stopped although every loss was finite"
        assert self.fault() == (message, "stopped", "no stop")

    def test_nothing_to_judge(self) -> None:
        """Somebody must look, in a training that came to its end."""
        with pytest.raises(NothingToJudge, match="terminate_on_nan of a whole training"):
            self.fault(StopReason.ERROR)
