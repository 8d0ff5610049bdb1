"""Runs the scenarios of each defect on the release that had it and on the one that has not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from tests.regressions.defects import SCENARIOS
from tests.regressions.overlays import overlay, with_overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.regressions.defects import Defect

__all__ = ["Row", "run_matrix", "table"]

_NOTICED: Final = frozenset({"failed", "known_issue"})
_PASSED: Final = "passed"

Outcomes = dict[str, str]
"""What came out of each item, as ``area/name::item``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One defect, and the items that tell the two releases apart.

    Attributes:
        defect: What was wrong.
        noticed: Items that fail on the last release with it and pass on the first without.
        others: Items of its scenarios that still fail on the first release without it.
    """

    defect: Defect
    noticed: tuple[str, ...]
    others: tuple[str, ...]


def run_matrix(
    chosen: Sequence[Defect], cache: Path, tell: Callable[[str], None] = lambda _: None
) -> tuple[Row, ...]:
    """Return what the scenarios of these defects say about the releases around each mending.

    Args:
        chosen: Which defects.
        cache: Where releases are installed, and found again.
        tell: Takes a line of progress.
    """
    files: dict[str, set[Path]] = {}
    for defect in chosen:
        for version in (defect.last_with, defect.first_without):
            files.setdefault(version, set()).update(defect.files())
    outcomes = {}
    for number, version in enumerate(sorted(files, key=_as_numbers), start=1):
        tell(f"{number} of {len(files)}: Keras {version}, {len(files[version])} scenarios")
        outcomes[version] = outcomes_on(overlay(version, cache), sorted(files[version]))
    return tuple(_row(defect, outcomes) for defect in chosen)


def outcomes_on(folder: Path, files: Iterable[Path]) -> Outcomes:
    """Return what came out of these scenarios with this folder laid over what is installed.

    Raises:
        RuntimeError: pytest could not run them.
    """
    with tempfile.TemporaryDirectory() as kept:
        report = Path(kept) / "report.xml"
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*pytest, f"--junit-xml={report}", *map(str, files)],
            cwd=SCENARIOS.parent,
            env=with_overlay(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in {0, 1} or not report.exists():
            message = f"pytest must run on {folder.name}, got:\n{done.stdout}{done.stderr}"
            raise RuntimeError(message)
        return _read(report)


def table(rows: Iterable[Row]) -> str:
    """The rows as a table of a markdown document."""
    lines = [
        "| defect | last with it | first without | fails on the one, passes on the other |",
        "|---|---|---|---|",
    ]
    for row in rows:
        found = ", ".join(f"`{item}`" for item in row.noticed) or "**nothing**"
        defect = row.defect
        lines.append(f"| {defect.title} | {defect.last_with} | {defect.first_without} | {found} |")
    return "\n".join(lines)


def _row(defect: Defect, outcomes: Mapping[str, Outcomes]) -> Row:
    before, after = outcomes[defect.last_with], outcomes[defect.first_without]
    own = [item for item in before if item.partition("::")[0] in defect.scenarios]
    return Row(
        defect=defect,
        noticed=tuple(
            item for item in own if before[item] in _NOTICED and after.get(item) == _PASSED
        ),
        others=tuple(item for item in own if after.get(item) == "failed"),
    )


def _read(report: Path) -> Outcomes:
    outcomes = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - written by our pytest
        properties = {
            element.get("name"): element.get("value") for element in case.iter("property")
        }
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        outcomes[_item(name)] = properties.get("harness_outcome") or "failed"
    return outcomes


def _item(name: str) -> str:
    """``scenarios.clipping.limits_hold.toml::property`` as ``clipping/limits_hold::property``."""
    path, _, item = name.partition("::")
    area, _, scenario = path.removesuffix(".toml").removeprefix("scenarios.").partition(".")
    return f"{area}/{scenario}::{item}"


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
