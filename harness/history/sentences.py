"""A verdict in words: what moved, by how much, since which commit, and what is not compared."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Final

from harness.history.judging import Movement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.judging import Change, Judgement
    from harness.history.tracks import LeftOut

__all__ = [
    "FALSE_ALARMS",
    "counted",
    "headline",
    "left_out_sentences",
    "magnitude",
    "percent",
    "sentences",
    "short",
]

FALSE_ALARMS: Final = (
    "Of flat figures that scatter, at most 1 % are ever called changed in 60 commits; "
    "of those that drift with the machine, more."
)
"""What `harness.statistics.changes` keeps, and how it was found out; see there."""

_SHORT: Final = 10
_COUNTABLE: Final = frozenset({Movement.REGRESSION, Movement.IMPROVEMENT})
_PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"))
_SCALED: Final = frozenset({"s", "bytes", "B", "FLOP/s"})
"""Units that are read with a prefix; others keep their digits."""


def sentences(judgement: Judgement) -> tuple[str, ...]:
    """A headline, and a few sentences that explain it."""
    texts = [headline(judgement)]
    if judgement.change is not None:
        texts += _about_change(judgement, judgement.change)
    if judgement.reason:
        texts.append(f"{judgement.reason[0].upper()}{judgement.reason[1:]}.")
    if judgement.track.across:
        names = ", ".join(judgement.track.across)
        texts.append(f"Compared across environments that differ in {names}.")
    if judgement.quarantine is not None:
        until = judgement.quarantine.until
        ends = "" if until is None else f" until {until:%Y-%m-%d}"
        texts.append(f"In quarantine{ends}, it fails nothing: {judgement.quarantine.reason}")
    if judgement.start is not None:
        since = short(judgement.start.revision) or "then"
        texts.append(f"Judged from {since} on, a known change: {judgement.start.reason}")
    return (*texts, *left_out_sentences(judgement.track.left_out))


def headline(judgement: Judgement) -> str:
    """Verdict, name and size in one line."""
    size = ""
    if judgement.change is not None:
        shift = judgement.change.shift
        size = f" {percent(shift.size)}" if math.isfinite(shift.size) else f" to {shift.after:g}"
    return f"{judgement.movement}: {judgement.track.name}{size}"


def counted(judgements: Sequence[Judgement]) -> str:
    """How many verdicts of each kind there are: ``2 regressions, 1 no change``."""
    counts = Counter(judgement.movement for judgement in judgements)
    return ", ".join(
        f"{counts[kind]} {kind}{'s' if counts[kind] > 1 and kind in _COUNTABLE else ''}"
        for kind in Movement
        if counts[kind]
    )


def _about_change(judgement: Judgement, change: Change) -> list[str]:
    unit = judgement.track.key.unit
    shift = change.shift
    levels = f"From {magnitude(shift.before, unit)} to {magnitude(shift.after, unit)}"
    interval = ""
    if math.isfinite(shift.low) and shift.low < shift.high:
        interval = f", a change between {percent(shift.low)} and {percent(shift.high)}"
    elif math.isfinite(shift.size):
        interval = ", where nothing scattered before"
    texts = [f"{levels}{interval}.", _commit_range(change)]
    if change is not judgement.changes[-1] and math.isfinite(judgement.level):
        texts.append(f"The newest level is {magnitude(judgement.level, unit)}.")
    others = [one for one in judgement.changes if one.open and one is not change]
    texts += [
        f"Also {one.movement} {percent(one.shift.size)}, {_lowered(_commit_range(one))}"
        for one in others
    ]
    return texts


def _commit_range(change: Change) -> str:
    if not change.first.revision:
        return f"It began with measurement {change.shift.first + 1}; no commits are known."
    good = "" if change.good is None else short(change.good.revision)
    bad = short(change.bad.revision)
    most_likely = short(change.first.revision)
    if not good:
        return f"It began with {most_likely}."
    if change.shift.earliest == change.shift.latest:
        return f"It came with {most_likely}: look at {good}..{bad}."
    return f"It came most likely with {most_likely}, and surely in {good}..{bad}."


def left_out_sentences(left_out: tuple[LeftOut, ...]) -> tuple[str, ...]:
    """What is not compared, the most similar first, and what differs about it."""
    texts = []
    for entry in sorted(left_out, key=lambda entry: (len(entry.differences), -entry.rows)):
        rows = "1 row is" if entry.rows == 1 else f"{entry.rows} rows are"
        if entry.differences:
            what = "; ".join(
                f"{name} {there or 'none'} there, {here or 'none'} here"
                for name, there, here in entry.differences
            )
            names = ",".join(name for name, _, _ in entry.differences)
            texts.append(f"{rows} not compared: {what} (--across {names} compares them).")
        else:
            texts.append(f"{rows} not compared: {entry.reason}.")
    return tuple(texts)


def short(revision: str) -> str:
    """The first digits of a commit."""
    return revision[:_SHORT]


def percent(fraction: float) -> str:
    """A change as a person says it: ``+12.3 %``."""
    if not math.isfinite(fraction):
        return "out of all proportion"
    digits = 1 if abs(fraction) >= 0.001 else 4  # noqa: PLR2004 - below, one digit shows nothing
    return f"{fraction * 100:+.{digits}f} %"


def magnitude(value: float, unit: str) -> str:
    """A figure with its unit, such as ``11.2 ms`` or ``0.531``."""
    if not math.isfinite(value) or unit not in _SCALED or value == 0:
        return f"{value:.6g} {unit}".rstrip()
    scale, prefix = next((pair for pair in _PREFIXES if abs(value) >= pair[0]), _PREFIXES[-1])
    name = {"bytes": "B"}.get(unit, unit)
    return f"{value / scale:.4g} {prefix}{name}"


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]
