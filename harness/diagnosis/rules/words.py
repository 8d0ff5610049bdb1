"""Numbers and places as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.diagnosis.seen import FitSeen, StepsSeen

__all__ = ["callback_name", "count", "listed", "place_of_step", "size", "source_of"]

_SHOWN = 3


def count(number: int, one: str, many: str | None = None) -> str:
    """``1 epoch``, ``3 epochs``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def size(value: float) -> str:
    """Bytes in the unit that suits them."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if abs(value) >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.0f} bytes"


def listed(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    all_names = list(names)
    more = f" and {len(all_names) - _SHOWN} more" if len(all_names) > _SHOWN else ""
    return f"{', '.join(all_names[:_SHOWN])}{more}"


def place_of_step(steps: StepsSeen, index: int, *, epochs: bool) -> str:
    """``step 37 (epoch 3, batch 5)``; epochs as Keras prints them, from 1.

    Args:
        steps: The table.
        index: Row in it.
        epochs: Whether there are epochs at all.
    """
    step = f"step {steps.first + index}"
    if not epochs:
        return step
    return f"{step} (epoch {steps.epoch[index] + 1}, batch {steps.batch[index]})"


def source_of(fit: FitSeen) -> str:
    """What a fit reads, in words."""
    source = fit.source
    text = str(source.get("built", "something unknown"))
    batches, place = source.get("batches"), source.get("place")
    given = source.get("batch_size")
    if source.get("kind") == "arrays" and given is not None:
        default = "" if source.get("batch_size_given") else ", Keras' default"
        text += f", {count(int(batches or 0), 'batch', 'batches')} of {given}{default}"
    elif batches is not None:
        endless = batches < 0
        text += ", without end" if endless else f", {count(batches, 'batch', 'batches')} a pass"
    else:
        text += ", of unknown length"
    return text if place is None else f"{text}, built at {place}"


def callback_name(name: str | None, place: str | None) -> str:
    """``MyStop (made at train.py:8)``."""
    known = name or "a callback"
    return known if place is None else f"{known} (made at {place})"
