"""What ``harness check --preflight`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.cli.status import FAILED, PASSED

if TYPE_CHECKING:
    from harness.spec.loaded import Scenario

__all__ = ["print_findings"]


def print_findings(scenario: Scenario) -> int:
    """Print what is wrong with the plan of a scenario's first draw, one finding a line.

    Returns:
        1 where the plan is refused, else 0.
    """
    from harness.preflight import check, plan_of_spec

    plan = plan_of_spec(scenario.base)
    findings = () if plan is None else check(plan)
    for found in findings:
        print(f"{scenario.path}: {found.severity}: {found}")
    return FAILED if any(found.severity == "refuse" for found in findings) else PASSED
