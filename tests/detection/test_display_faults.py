"""A progress bar or summaries that say something else than the logs are found."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.invariants import NothingToJudge
from harness.trace import Event, StopReason, Trace
from tests.invariants.faults import judged, with_stop
from tests.invariants.traces import fit_trace, pipeline

LOGS = [{"loss": 2.0, "val_loss": 3.0}, {"loss": 1.0, "val_loss": math.nan}]


def run(*events: Event, **tables: Any) -> Trace:
    """Return a run of two epochs with these logs and events."""
    return replace(fit_trace(pipeline(**tables), logs=LOGS), events=events)


def shown(text: str, batch: int | None = None, **logs: float) -> tuple[str, str, str] | None:
    """Return message, got and expected where the bar shows this text for these logs."""
    detail: dict[str, str | float] = {"text": text}
    detail |= {} if batch is None else {"batch": batch}
    detail |= {f"logs.{name}": value for name, value in logs.items()}
    event = Event(kind="shown", name="progress_bar", epoch=0, detail=detail)
    found = judged("progress_bar_shows_logs", pipeline(), run(event))
    return None if found is None else (found.message, found.got, found.expected)


class TestProgressBar:
    """`progress_bar_shows_logs`."""

    def test_right(self) -> None:
        """Rounded to what is printed, the last line only, without control characters."""
        text = "\r\x1b[1m1/5\x1b[0m - loss: 9.0000\x08\n\x1b[1m2/5\x1b[0m 0s - loss: 0.1235"
        assert shown(text, batch=1, loss=0.12345) is None
        assert (
            shown("5/5 - 0s - loss: 1.2346e-04 - mae: nan", loss=0.000123456, mae=math.nan) is None
        )
        assert shown("5/5 - loss: inf", loss=math.inf) is None

    def test_one_line_for_an_epoch(self) -> None:
        """With verbose=2 nothing is printed at a batch."""
        assert shown("", batch=0, loss=1.0) is None

    def test_another_figure(self) -> None:
        """A figure that lags behind is found."""
        message = "the progress bar shows another loss in epoch 0 after batch 1"
        assert shown("2/5 - loss: 0.2500", batch=1, loss=0.5) == (message, "0.2500", "0.5")

    def test_another_figure_at_the_end(self) -> None:
        """So is one in the line of the epoch, and one that is no number."""
        message = "the progress bar shows another loss in epoch 0 at its end"
        assert shown("5/5 - loss: 0.2501", loss=0.25) == (message, "0.2501", "0.25")
        assert shown("5/5 - loss: 0.25,", loss=0.25) == (message, "0.25,", "0.25")
        assert shown("5/5 - loss: 0.2500", loss=math.nan) == (message, "0.2500", "nan")

    def test_nothing_shown(self) -> None:
        """A metric that is left out is found, and a bar that is empty at the end."""
        message = "the progress bar shows another mae in epoch 0 at its end"
        assert shown("5/5 - loss: 1.0000", loss=1.0, mae=2.0) == (message, "nothing", "2.0")
        assert shown("", mae=2.0) == (message, "nothing", "2.0")

    def test_another_count(self) -> None:
        """A bar that counts from 0 is found."""
        message = "the progress bar shows another count in epoch 0 after batch 1"
        assert shown("1/5 - loss: 1.0000", batch=1, loss=1.0) == (message, "1", "2")

    def test_nothing_to_judge(self) -> None:
        """Without a bar."""
        with pytest.raises(NothingToJudge, match="progress_bar"):
            judged("progress_bar_shows_logs", pipeline(), run())


def scalar(tag: str, step: int, value: float, where: str = "train") -> Event:
    """Return a scalar as it is read from a file."""
    return Event(kind="summary", name=tag, detail={"run": where, "step": step, "value": value})


EPOCHS = [
    scalar("epoch_loss", 0, 2.0),
    scalar("epoch_loss", 1, 1.0),
    scalar("epoch_loss", 0, 3.0, "validation"),
    scalar("epoch_loss", 1, math.nan, "validation"),
]


class TestSummaries:
    """`summaries_match_logs`."""

    def fault(self, *events: Event, **arguments: Any) -> tuple[str, str, str] | None:
        """Return message, got and expected of files with these summaries."""
        tables = {"callbacks": [{"kind": "tensorboard", **arguments}]}
        found = judged("summaries_match_logs", pipeline(**tables), run(*events, **tables))
        return None if found is None else (found.message, found.got, found.expected)

    def test_right(self) -> None:
        """Every epoch once, and nothing of batches."""
        assert self.fault(*EPOCHS) is None

    def test_batches(self) -> None:
        """Counted from 1 or from 0, each so many."""
        steps = len(run().steps)
        for first in (0, 1):
            every = [step for step in range(first, first + steps) if step % 2 == 0]
            batches = [scalar("batch_loss", step, 1.0) for step in every]
            assert self.fault(*EPOCHS, *batches, update_freq=2) is None
        message = "batch_loss is written at other batches than update_freq=2 says"
        found = self.fault(
            *EPOCHS, *(scalar("batch_loss", 0, 1.0) for _ in range(2)), update_freq=2
        )
        assert found is not None
        assert found[:2] == (message, "[0, 0]")

    def test_own(self) -> None:
        """A scalar of the user's own is gated alike."""
        batches = [scalar("batch_loss", step + 1, 1.0) for step in range(len(run().steps))]
        own = replace(batches[0], name="own")
        found = self.fault(*EPOCHS, *batches, own, update_freq="batch", own_scalar=True)
        assert found is not None
        assert found[0] == "own is written at other batches than update_freq=batch says"

    def test_missing_or_twice(self) -> None:
        """An epoch that is not written, or written twice, is found."""
        message = "epoch_loss of run train is another than in the logs of epoch 1"
        assert self.fault(EPOCHS[0], *EPOCHS[2:]) == (message, "nothing", "1.0")
        assert self.fault(*EPOCHS, EPOCHS[1]) == (message, "1.0, 1.0", "1.0")

    def test_wrong(self) -> None:
        """Another value is found."""
        message = "epoch_loss of run train is another than in the logs of epoch 0"
        found = self.fault(scalar("epoch_loss", 0, 2.5), *EPOCHS[1:])
        assert found == (message, "2.5", "2.0")

    def test_nothing_to_judge(self) -> None:
        """Without the callback, or where the training was broken off."""
        with pytest.raises(NothingToJudge, match="tensorboard"):
            judged("summaries_match_logs", pipeline(), run())
        spec = pipeline(callbacks=["tensorboard"])
        with pytest.raises(NothingToJudge, match="tensorboard"):
            judged("summaries_match_logs", spec, with_stop(run(), StopReason.ERROR))


class TestHistograms:
    """`weight_histograms_are_whole`."""

    def fault(self, *, spoil: bool = False, freq: int = 1, **detail: float) -> str | None:
        """Return what is found where one histogram has these figures, or is lost."""
        tables = {"callbacks": [{"kind": "tensorboard", "histogram_freq": freq}]}
        trace = run(**tables)
        events = []
        for record in trace.epochs:
            for index, info in enumerate(trace.state.variables if trace.state else ()):
                if info.role not in {"trainable", "non_trainable"} or record.epoch % max(freq, 1):
                    continue
                assert trace.state is not None
                value = np.asarray(trace.state.after_of(info.path)[record.stop_step - 1])
                figures = {"low": value.min(), "high": value.max(), "count": value.size}
                if spoil and index == 0:
                    figures |= detail
                figures = {key: float(figure) for key, figure in figures.items()}
                place: dict[str, str | float] = {"run": "train", "step": record.epoch, "buckets": 3}
                events.append(Event(kind="summary", name=info.path, detail={**place, **figures}))
        if spoil and not detail:
            events.pop()
        found = judged(
            "weight_histograms_are_whole", pipeline(**tables), replace(trace, events=tuple(events))
        )
        return None if found is None else found.message

    def test_right(self) -> None:
        """One for each weight, in the epochs that are due."""
        assert self.fault() is None
        assert self.fault(freq=2) is None

    def test_lost(self) -> None:
        """One that is missing is found."""
        message = "the histograms of epoch 1 are not those of the weights"
        assert self.fault(spoil=True) == message

    def test_wrong(self) -> None:
        """So is one of too few elements, and one with another range."""
        message = "the histograms of epoch 0 are not those of the weights"
        assert self.fault(spoil=True, count=99.0) == message
        assert self.fault(spoil=True, high=99.0) == message

    def test_nothing_to_judge(self) -> None:
        """Without histograms."""
        with pytest.raises(NothingToJudge, match="above 0"):
            self.fault(freq=0)
