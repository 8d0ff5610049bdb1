"""What `harness list` prints: checks, scenarios, or the tables that documents are made of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.cli.files import scenario_files
from harness.cli.status import FAILED, PASSED
from harness.errors import SpecError
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from harness.spec.loaded import Scenario

__all__ = ["list_checks", "list_claims", "list_issues", "list_scenarios"]


def list_checks() -> int:
    """Print every invariant with its rule; returns the exit status."""
    from harness.invariants.base import registered

    for name, check in sorted(registered().items()):
        print(f"{name}\n    {check.summary}")
    return PASSED


def list_scenarios(paths: Sequence[Path]) -> int:
    """Print files and titles; returns the exit status, 1 where a file breaks rules."""
    return _print(paths, _plain)


def list_issues(paths: Sequence[Path]) -> int:
    """Print the known issues as a table for a document; returns the exit status."""
    print("| scenario | what happens | versions |\n|---|---|---|")
    return _print(paths, _issues)


def list_claims(paths: Sequence[Path]) -> int:
    """Print the claims as a table for a document; returns the exit status."""
    print("| text | claim | verdict | what is true | settled by |\n|---|---|---|---|---|")
    return _print(paths, _claims)


def _plain(scenario: Scenario) -> Iterator[str]:
    yield f"{scenario.path}\n    {scenario.spec.title}"
    for issue in scenario.spec.known_issue:
        yield f"    known issue {issue.id} ({issue.versions}): {issue.reason}"


def _issues(scenario: Scenario) -> Iterator[str]:
    for issue in scenario.spec.known_issue:
        place = f"`{scenario.area}/{scenario.id}` {issue.id}"
        yield _row(place, issue.reason, issue.versions)


def _claims(scenario: Scenario) -> Iterator[str]:
    for claim in scenario.spec.claim:
        place = f"`{scenario.area}/{scenario.id}`"
        yield _row(claim.text, claim.says, claim.verdict, claim.finding, place)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _print(paths: Sequence[Path], lines: Callable[[Scenario], Iterable[str]]) -> int:
    status = PASSED
    for file in scenario_files(paths):
        try:
            scenario = load_scenario(file)
        except SpecError as error:
            print(error, file=sys.stderr)
            status = FAILED
            continue
        for line in lines(scenario):
            print(line)
    return status
