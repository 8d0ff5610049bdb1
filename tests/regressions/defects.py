"""The list of mended defects, read from `released.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["SCENARIOS", "Defect", "defects"]

_LIST: Final = Path(__file__).with_name("released.toml")

SCENARIOS: Final = Path(__file__).parents[2] / "scenarios"
"""Where the bundled scenarios are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A defect of released Keras versions that a later release mended.

    Attributes:
        title: What was wrong.
        last_with: The last release that had it.
        first_without: The first release that had it no more.
        scenarios: Scenarios that must notice it, as ``area/name``.
    """

    title: str
    last_with: str
    first_without: str
    scenarios: tuple[str, ...]

    def files(self) -> tuple[Path, ...]:
        """The files of its scenarios."""
        return tuple(SCENARIOS / f"{name}.toml" for name in self.scenarios)


def defects() -> tuple[Defect, ...]:
    """Every defect of the list."""
    tables = tomllib.loads(_LIST.read_text(encoding="utf-8"))["defect"]
    return tuple(Defect(**{**table, "scenarios": tuple(table["scenarios"])}) for table in tables)
