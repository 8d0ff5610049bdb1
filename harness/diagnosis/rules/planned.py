"""What the preflight knew before the first step, unless it was seen to happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.diagnosis.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from harness.diagnosis.seen import FitSeen

__all__ = ["known_before"]

_SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "rate_has_two_masters": ("schedule_and_setter",),
    "rate_asks_for_arguments": ("rate_takes_no_argument",),
    "validation_read_once": ("validation_differs",),
    "validation_differs": ("validation_differs",),
    "steps_beyond_data": ("data_exhausted",),
    "generator_for_several_epochs": ("dataset_replay", "data_exhausted"),
    "execution_overruns_epoch": ("steps_per_execution_overrun",),
}
"""Findings of the training itself that say the same with more evidence."""


_NO_FAULT: Final = frozenset({"tiny_last_batch"})
"""What most trainings live with: worth knowing, and nothing is wrong."""


def known_before(fit: FitSeen, found: Collection[str]) -> Iterator[Finding]:
    """What was known before.

    Args:
        fit: The training.
        found: Rules that found something in the same fit.
    """
    for planned in fit.planned:
        if any(rule in found for rule in _SHOWN_BY.get(planned.rule, (planned.rule,))):
            continue
        refused = planned.severity == "refuse"
        warned: Level = "note" if planned.rule in _NO_FAULT else "warning"
        message = planned.message[:1].upper() + planned.message[1:]
        yield Finding(
            rule=planned.rule,
            level="problem" if refused else warned,
            where=f"{fit.where}: {planned.where.removeprefix('fit: ')}",
            seen=f"{message}.",
            why="It could be known before the first step."
            if refused
            else "It was plain beforehand.",
            remedy=planned.remedy,
        )
