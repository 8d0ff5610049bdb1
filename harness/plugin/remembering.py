"""What an ordinary scenario leaves behind for the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.plugin.figures import DEFINITION, FIGURES, SERIES, Figure
from harness.plugin.options import HarnessOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from harness.history.measurement import Better
    from harness.runner.verdict import Verdict

__all__ = ["remember"]

_MEANING: Final[Mapping[str, tuple[str, Better]]] = {
    "final_loss": ("", "lower"),
    "logs.val_loss": ("", "lower"),
    "evaluation.loss": ("", "lower"),
    "steps": ("steps", "neutral"),
    # Of the whole process: which scenarios ran before in it counts as well.
    "peak_rss_bytes": ("bytes", "neutral"),
    "wall_seconds": ("s", "lower"),
}
"""Unit of a figure, and which way is good news; what is not here is an accuracy."""

_OTHERS: Final[tuple[str, Better]] = ("", "higher")


def remember(item: pytest.Item, verdict: Verdict) -> None:
    """Leave the figures of a verdict with its item; those that it has already come first.

    A thorough session draws anew each time: its figures are comparable to nothing.
    """
    if verdict.figures is None or HarnessOptions.of(item.config).profile == "thorough":
        return
    from harness.runner.profiles import scenario_name

    own = item.stash.get(FIGURES, ())
    named = {figure.metric for figure in own}
    item.stash[SERIES] = scenario_name(verdict.scenario)
    item.stash[DEFINITION] = verdict.figures.definition
    item.stash[FIGURES] = own + tuple(
        _figure(metric, value)
        for metric, value in verdict.figures.values.items()
        if metric not in named
    )


def _figure(metric: str, value: float) -> Figure:
    unit, better = _MEANING.get(metric, _OTHERS)
    return Figure(metric=metric, value=value, unit=unit, better=better)
