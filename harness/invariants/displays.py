"""What is shown of a training while it runs: the progress bar and TensorBoard's summaries."""

import math
import re
from collections.abc import Iterator

import numpy as np

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.invariants.readings import BROKEN_OFF
from harness.spec.callbacks import TensorBoardSpec
from harness.trace.events import Event
from harness.trace.recording import Recording

_CONTROL = re.compile(r"\x1b\[\d*m|\x08")
_COUNT = re.compile(r"\s*(\d+)/")
_LOG = "logs."


@invariant(
    "progress_bar_shows_logs",
    source="Keras, keras.callbacks.ProgbarLogger, Model.fit(verbose)",
)
def progress_bar_shows_logs(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The progress bar shows the logs of the batch, and at the end those of the epoch.

    Raises:
        NothingToJudge: There is no progress bar, or nothing was shown.
    """
    events = [event for event in view.trace.events if event.kind == "shown"]
    if not events:
        message = "callbacks must hold a progress_bar to be judged, got none that was shown."
        raise NothingToJudge(message)
    for event in events:
        text = str(event.detail["text"])
        batch = event.detail.get("batch")
        # With verbose=2 there is one line for an epoch.
        if not text and batch is not None:
            continue
        for what, got, wanted in _misread(text, event):
            when = "at its end" if batch is None else f"after batch {batch}"
            message = f"the progress bar shows another {what} in epoch {event.epoch} {when}"
            return (
                view.violation(
                    reason,
                    message,
                    got=got,
                    expected=wanted,
                    epoch=event.epoch,
                    where=f"progress_bar.{what}",
                ),
            )
    return ()


def _misread(text: str, event: Event) -> Iterator[tuple[str, str, str]]:
    """What the last line of a text shows otherwise than the logs: what, got, wanted."""
    lines = [line for line in re.split(r"[\r\n]", _CONTROL.sub("", text)) if line.strip()]
    line = lines[-1] if lines else ""
    count, batch = _COUNT.match(line), event.detail.get("batch")
    if batch is not None and count is not None and int(count[1]) != int(batch) + 1:
        yield "count", count[1], str(int(batch) + 1)
    for key, value in event.detail.items():
        if not key.startswith(_LOG):
            continue
        name = key.removeprefix(_LOG)
        shown = re.search(rf" - {re.escape(name)}: (\S+)", line)
        if shown is None or not _reads(shown[1], float(value)):
            yield name, "nothing" if shown is None else shown[1], repr(float(value))


def _reads(text: str, value: float) -> bool:
    """Whether a printed number is a value, rounded to the digits that are printed."""
    try:
        shown = float(text)
    except ValueError:
        return False
    if not math.isfinite(value):
        return shown == value or (math.isnan(shown) and math.isnan(value))
    digits, _, exponent = text.partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))
    # Half a unit of the last digit, and what printing a float32 as a float64 may add.
    return abs(shown - value) <= 0.5 * unit + 1e-6 * abs(value)


@invariant(
    "summaries_match_logs",
    source="Keras, keras.callbacks.TensorBoard(update_freq)",
)
def summaries_match_logs(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Each epoch's logs are written once, and a batch's at each so many batches and no others.

    Keras counts batches from 1; a count from 0 is taken as well. Scalars are float32.

    Raises:
        NothingToJudge: There is no TensorBoard callback, or the training was broken off.
    """
    spec = _board(view)
    written = _written(view)
    for record in view.trace.epochs:
        for name, value in record.logs.items():
            run = "validation" if name.startswith("val_") else "train"
            tag = f"epoch_{name.removeprefix('val_')}"
            got = [held for step, held in written.get((run, tag), []) if step == record.epoch]
            if len(got) != 1 or not _same_float32(got[0], value):
                message = f"{tag} of run {run} is another than in the logs of epoch {record.epoch}"
                return (
                    view.violation(
                        reason,
                        message,
                        got=", ".join(map(repr, got)) or "nothing",
                        expected=repr(value),
                        epoch=record.epoch,
                        where=f"summaries.{run}.{tag}",
                    ),
                )
    return _gated(view, reason, spec, written)


def _gated(
    view: View,
    reason: Reason,
    spec: TensorBoardSpec,
    written: dict[tuple[str, str], list[tuple[int, float]]],
) -> tuple[Violation, ...]:
    every = 1 if spec.update_freq == "batch" else spec.update_freq
    steps = len(view.trace.steps)
    tags = ["batch_loss", *(["own"] if spec.own_scalar else [])]
    for tag in tags:
        got = [step for step, _ in written.get(("train", tag), [])]
        if every == "epoch":
            allowed: list[list[int]] = [[]]
        else:
            allowed = [
                [step for step in range(first, first + steps) if step % every == 0]
                for first in (1, 0)
            ]
        if got not in allowed:
            message = f"{tag} is written at other batches than update_freq={spec.update_freq} says"
            return (
                view.violation(
                    reason, message, got=got, expected=allowed[0], where=f"summaries.train.{tag}"
                ),
            )
    return ()


@invariant(
    "weight_histograms_are_whole",
    records=Recording.of("state"),
    source="Keras, keras.callbacks.TensorBoard(histogram_freq)",
)
def weight_histograms_are_whole(view: View, reason: Reason) -> tuple[Violation, ...]:
    """Each weight has a histogram of its own, over all its elements, at the epochs that are due.

    Raises:
        NothingToJudge: No histograms are written, or the training was broken off.
    """
    spec = _board(view)
    if not spec.histogram_freq:
        message = "histogram_freq must be above 0 to be judged, got 0."
        raise NothingToJudge(message)
    for record in view.trace.epochs:
        got = sorted(_histograms(view, record.epoch))
        due = record.epoch % spec.histogram_freq == 0 and record.stop_step > 0
        wanted = sorted(_weights(view, record.stop_step - 1)) if due else []
        if len(got) != len(wanted) or not np.allclose(got, wanted, rtol=1e-6, atol=0.0):
            message = f"the histograms of epoch {record.epoch} are not those of the weights"
            return (
                view.violation(
                    reason,
                    message,
                    got=f"{len(got)} histograms {got}",
                    expected=f"{len(wanted)} of (size, smallest, largest) {wanted}",
                    epoch=record.epoch,
                    where="summaries.train.histogram",
                ),
            )
    return ()


def _board(view: View) -> TensorBoardSpec:
    boards = [item for item in view.pipeline.callbacks if isinstance(item, TensorBoardSpec)]
    if not boards or view.trace.stop.reason in BROKEN_OFF:
        message = "callbacks must hold a tensorboard of a whole training to be judged, got none."
        raise NothingToJudge(message)
    return boards[0]


def _written(view: View) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """Steps and values of the scalars, by run and tag."""
    written: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for event in view.trace.events:
        if event.kind == "summary" and "value" in event.detail:
            place = written.setdefault((str(event.detail["run"]), event.name), [])
            place.append((int(event.detail["step"]), float(event.detail["value"])))
    return written


def _histograms(view: View, epoch: int) -> Iterator[tuple[float, float, float]]:
    """Size, smallest and largest element of each tag's last histogram of an epoch."""
    last = {
        event.name: event.detail
        for event in view.trace.events
        if event.kind == "summary" and "low" in event.detail and event.detail["step"] == epoch
    }
    for detail in last.values():
        yield float(detail["count"]), float(detail["low"]), float(detail["high"])


def _weights(view: View, step: int) -> Iterator[tuple[float, float, float]]:
    """Size, smallest and largest element of each weight of the model after a step."""
    for variable in view.state.variables:
        if variable.role in {"trainable", "non_trainable"}:
            value = view.state.after_of(variable.path)[step]
            yield float(value.size), float(value.min()), float(value.max())


def _same_float32(got: float, value: float) -> bool:
    with np.errstate(over="ignore"):
        wanted = float(np.float32(value))
    return got == wanted or (math.isnan(got) and math.isnan(wanted))
