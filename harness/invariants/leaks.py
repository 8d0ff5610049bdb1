"""What grows from epoch to epoch, and what is to blame, as far as it can be known.

Counts have no noise: of tensors, traced functions and things in callbacks a growth is certain after
a few epochs, whatever the allocator does with the memory. Resident memory is judged last, and what
it alone shows has no known cause.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from harness.invariants.base import NothingToJudge, View
from harness.spec.names import CauseName
from harness.statistics.growth import FEWEST, growth
from harness.trace._record import Detail
from harness.trace.recording import Recording
from harness.trace.trace import Trace

__all__ = ["FEWEST_EPOCHS", "RECORDS", "Leak", "epoch_memory", "leaks", "worst_leak"]

RECORDS: Final = Recording.of("memory")

FEWEST_EPOCHS: Final = FEWEST + 1
"""One of warm-up and six points."""

_SMALLEST_BYTES: Final = 1 << 16
"""64 KiB an epoch: a thousand epochs keep 64 MiB. A list of losses is no leak."""

_CERTAIN_BYTES: Final = 1 << 20
"""1 MiB an epoch: what resident memory alone must show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """One thing that grows.

    Attributes:
        cause: What kind of thing.
        evidence: What, where and how fast.
        bytes_per_epoch: As far as it is known; 0 where nobody can know.
    """

    cause: CauseName
    evidence: str
    bytes_per_epoch: float


def leaks(trace: Trace) -> tuple[Leak, ...]:
    """Return everything that grows for certain, what is named first.

    Raises:
        NothingToJudge: Fewer than seven epochs were watched.
    """
    if len(trace.epochs) < FEWEST_EPOCHS:
        message = (
            f"growth must be read from at least {FEWEST_EPOCHS} epochs, got {len(trace.epochs)}. "
            "Train for more epochs."
        )
        raise NothingToJudge(message)
    series = _series(trace)
    things, tensors = list(_things(trace, series)), list(_tensors(trace, series))
    if any(leak.cause == "kept_tensor" for leak in things):
        tensors = []  # The same tensors, and where they are kept is known.
    named = (*things, *tensors, *_functions(series))
    return named or tuple(_resident(trace))


def worst_leak(view: View) -> Leak | None:
    """Return the leak that takes most, if there is any."""
    found = leaks(view.trace)
    return max(found, key=lambda leak: leak.bytes_per_epoch, default=None)


def epoch_memory(trace: Trace) -> tuple[float, ...]:
    """Return resident memory at the end of each epoch, in bytes."""
    return tuple(float(record.rss_bytes) for record in trace.epochs)


def _series(trace: Trace) -> dict[str, list[float]]:
    """Each counted thing, one value an epoch; 0 where it was not there."""
    watched = [event for event in trace.events if (event.kind, event.name) == ("memory", "epoch")]
    counted = ("tensor.", "function.", "things.")
    names = {name: None for event in watched for name in event.detail if name.startswith(counted)}
    return {name: [float(event.detail.get(name, 0)) for event in watched] for name in names}


def _rate(values: list[float]) -> float:
    """How much is certain to be added in each epoch but the first; 0 where nothing is."""
    if len(values) < FEWEST_EPOCHS:
        return 0.0
    found = growth(values, warm_up=1)
    return found.slope if found.beyond(0.0) else 0.0


def _things(trace: Trace, series: dict[str, list[float]]) -> Iterator[Leak]:
    last = _last_details(trace)
    for name, values in series.items():
        place = name.removeprefix("things.")
        rate, size = _rate(values), float(last.get(f"size.{place}", 0))
        if not name.startswith("things.") or rate * size < _SMALLEST_BYTES:
            continue
        kind = str(last.get(f"last.{place}", "thing"))
        tensor = "Tensor" in kind or kind == "Variable"
        yield Leak(
            cause="kept_tensor" if tensor else "growing_list",
            evidence=(
                f"{place} grows by {_number(rate)} {kind} of {_size(size)} an epoch, "
                f"{_number(values[-1])} are kept"
            ),
            bytes_per_epoch=rate * size,
        )


def _tensors(trace: Trace, series: dict[str, list[float]]) -> Iterator[Leak]:
    last = _last_details(trace)
    for name, values in series.items():
        kind = name.removeprefix("tensor.")
        rate, size = _rate(values), float(last.get(f"bytes.{kind}", 0))
        if name.startswith("tensor.") and rate * size >= _SMALLEST_BYTES:
            yield Leak(
                cause="kept_tensor",
                evidence=(
                    f"live tensors of shape {kind}, {_size(size)} each, grow by {_number(rate)} an "
                    f"epoch, {_number(values[-1])} are kept"
                ),
                bytes_per_epoch=rate * size,
            )


def _functions(series: dict[str, list[float]]) -> Iterator[Leak]:
    for name, values in series.items():
        rate = _rate(values)
        if name.startswith("function.") and rate:
            yield Leak(
                cause="retraced_function",
                evidence=(
                    f"the function {name.removeprefix('function.')} is traced {_number(rate)} "
                    f"times an epoch, {_number(values[-1])} of its graphs are kept"
                ),
                bytes_per_epoch=0.0,
            )


def _resident(trace: Trace) -> Iterator[Leak]:
    found = growth(epoch_memory(trace), warm_up=1)
    if found.beyond(_CERTAIN_BYTES):
        yield Leak(
            cause="unknown",
            evidence=(
                f"resident memory grows by {_size(found.slope)} an epoch, 99 % certain to lie in "
                f"[{_size(found.low)}, {_size(found.high)}], and nothing that is counted grows"
            ),
            bytes_per_epoch=found.slope,
        )


def _last_details(trace: Trace) -> dict[str, Detail]:
    details: dict[str, Detail] = {}
    for event in trace.events:
        if (event.kind, event.name) == ("memory", "epoch"):
            details |= event.detail
    return details


def _number(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.3g}"


def _size(size: float) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size:.0f} bytes"
