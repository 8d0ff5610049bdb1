"""What a release makes of a scenario, as data that goes through JSON and into the cache."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROPERTY", "Finding", "Mark", "Probe"]

PROPERTY = "property"
"""The item that is everything a scenario draws; the others are its known issues."""


class Mark(StrEnum):
    """What can be said about a release, as in ``git bisect``."""

    GOOD = "good"
    BAD = "bad"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that a release is judged by.

    Attributes:
        item: ``property``, or ``known_issue[<id>]``.
        draw: The draw to judge; None judges everything the item stands for.
        expectation: Id of the expectation that the draw must break to be bad.
    """

    item: str
    draw: Mapping[str, Any] | None = None
    expectation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a release makes of one item.

    Attributes:
        item: As in `Probe`.
        mark: Good, bad, or nothing to be said.
        reason: The verdict in one line.
        text: The verdict in full, where something failed.
        draw: The draw that failed.
        expectation: Id of the expectation that it breaks.
    """

    item: str
    mark: Mark
    reason: str
    text: str = ""
    draw: Mapping[str, Any] | None = None
    expectation: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Finding:
        """What `to_json` gave."""
        return cls(**{**values, "mark": Mark(values["mark"])})

    def probe(self) -> Probe:
        """What shows the same failure again, for a fraction of the time."""
        return Probe(item=self.item, draw=self.draw, expectation=self.expectation)
