"""Figures on a report: how they get from the item to the one process that writes them.

They are an attribute of the report and no property, so that xdist carries them along and JUnit XML
does not list them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from harness.plugin.figures import DEFINITION, FIGURES, SERIES

if TYPE_CHECKING:
    import pytest

    from harness.plugin.figures import Figure

__all__ = ["attach", "attached"]

_ATTRIBUTE: Final = "harness_figures"


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put an item's figures on the report of its call; those of a failure mean nothing."""
    figures: tuple[Figure, ...] = item.stash.get(FIGURES, ())
    if report.when != "call" or report.outcome != "passed" or not figures:
        return
    carried = {
        "scenario": item.stash.get(SERIES, item.nodeid),
        "definition": item.stash.get(DEFINITION, ""),
        "figures": [asdict(figure) for figure in figures],
    }
    setattr(report, _ATTRIBUTE, carried)


def attached(report: pytest.TestReport) -> dict[str, Any] | None:
    """What `attach` put there, in this process or in another one."""
    carried: dict[str, Any] | None = getattr(report, _ATTRIBUTE, None)
    return carried
