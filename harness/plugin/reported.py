"""Figures on a report: how they get from the item to the one process that writes them.

They are an attribute of the report and no property, so that xdist carries them along and JUnit XML
does not list them.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from harness.plugin.figures import DEFINITION, FIGURES, SERIES

if TYPE_CHECKING:
    import pytest

    from harness.plugin.figures import Figure
    from harness.spec.loaded import Scenario

__all__ = ["attach", "attached"]

_ATTRIBUTE: Final = "harness_figures"
_DIGITS: Final = 12


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put an item's figures on the report of its call; those of a failure mean nothing."""
    figures: tuple[Figure, ...] = item.stash.get(FIGURES, ())
    if report.when != "call" or report.outcome != "passed" or not figures:
        return
    name, definition = _described(item)
    carried = {
        "scenario": item.stash.get(SERIES, name),
        "definition": item.stash.get(DEFINITION, definition),
        "figures": [asdict(figure) for figure in figures],
    }
    setattr(report, _ATTRIBUTE, carried)


def _described(item: pytest.Item) -> tuple[str, str]:
    """Name and definition of what an item is about: of its scenario where it has one."""
    scenario: Scenario | None = getattr(item, "scenario", None)
    if scenario is None:
        return item.nodeid, ""
    from harness.runner.profiles import scenario_name

    told = scenario.spec.model_dump_json(include={"pipeline", "vary", "benchmark"})
    return scenario_name(scenario), hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]


def attached(report: pytest.TestReport) -> dict[str, Any] | None:
    """What `attach` put there, in this process or in another one."""
    carried: dict[str, Any] | None = getattr(report, _ATTRIBUTE, None)
    return carried
