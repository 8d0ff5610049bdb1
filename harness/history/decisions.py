"""What people decided about figures: changes that are known, series that nobody trusts now.

Both are rows of the history itself, with a reason and a name, so that everybody who judges sees
the same.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select

from harness.errors import HarnessUsageError
from harness.history.measurement import microseconds, time_of
from harness.history.tables import ACKNOWLEDGEMENTS, QUARANTINES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from harness.history.store import History

__all__ = [
    "Acknowledgement",
    "Decisions",
    "Quarantine",
    "acknowledge",
    "decisions",
    "quarantine",
    "release",
    "withdraw",
]

_DIGITS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A change that is known and accepted: judging starts anew at its commit.

    Attributes:
        scenario: Of which scenario.
        metric: Of which metric.
        revision: The commit from which the new level holds; empty where there is none.
        position: Where that commit stands, in microseconds since 1970.
        reason: Why it is accepted.
        author: Who says so.
        time: When.
    """

    scenario: str
    metric: str
    revision: str
    position: int
    reason: str
    author: str
    time: datetime

    @property
    def id(self) -> str:
        """12 hexadecimal digits made from what is acknowledged."""
        return _digest([self.scenario, self.metric, self.revision, self.position])


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """Figures that nobody trusts: shown, and failing nothing.

    Attributes:
        scenario: Of which scenario.
        metric: Of which metric; empty for all of them.
        revision: Of which commit, whose figures are then not looked at, as when the machine was
            sick; empty for all of them, which are judged as ever.
        reason: Why.
        author: Who says so.
        time: When.
        until: When it ends by itself; None leaves that to `release`.
    """

    scenario: str
    metric: str
    reason: str
    author: str
    time: datetime
    revision: str = ""
    until: datetime | None = None

    @property
    def id(self) -> str:
        """12 hexadecimal digits made from what is quarantined."""
        return _digest([self.scenario, self.metric, self.revision])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Everything that was decided.

    Attributes:
        acknowledgements: The oldest commit first.
        quarantines: By scenario and metric, those that have ended too.
    """

    acknowledgements: tuple[Acknowledgement, ...] = ()
    quarantines: tuple[Quarantine, ...] = ()

    def starts(self, scenario: str, metric: str) -> tuple[Acknowledgement, ...]:
        """Where judging of one metric starts anew, the last place last."""
        return tuple(
            entry
            for entry in self.acknowledgements
            if (entry.scenario, entry.metric) == (scenario, metric)
        )

    def quarantine_of(self, scenario: str, metric: str, now: datetime) -> Quarantine | None:
        """The quarantine that one metric is in, if it is in one."""
        for entry in self._about(scenario, metric):
            ended = entry.until is not None and entry.until <= now
            if not entry.revision and not ended:
                return entry
        return None

    def bad_commits(self, scenario: str, metric: str) -> frozenset[str]:
        """Commits whose figures of one metric do not count."""
        return frozenset(
            entry.revision for entry in self._about(scenario, metric) if entry.revision
        )

    def _about(self, scenario: str, metric: str) -> tuple[Quarantine, ...]:
        return tuple(
            entry
            for entry in self.quarantines
            if entry.scenario == scenario and entry.metric in {"", metric}
        )


def decisions(history: History) -> Decisions:
    """Everything that was decided.

    Raises:
        HistoryError: It cannot be read.
    """
    known = history.database.read(
        lambda connection: connection.execute(
            select(ACKNOWLEDGEMENTS).order_by(ACKNOWLEDGEMENTS.c.position, ACKNOWLEDGEMENTS.c.id)
        ).all()
    )
    kept_out = history.database.read(
        lambda connection: connection.execute(
            select(QUARANTINES).order_by(QUARANTINES.c.scenario, QUARANTINES.c.metric)
        ).all()
    )
    return Decisions(
        acknowledgements=tuple(
            Acknowledgement(
                scenario=row.scenario,
                metric=row.metric,
                revision=row.revision,
                position=row.position,
                reason=row.reason,
                author=row.author,
                time=time_of(row.time),
            )
            for row in known
        ),
        quarantines=tuple(
            Quarantine(
                scenario=row.scenario,
                metric=row.metric,
                revision=row.revision,
                reason=row.reason,
                author=row.author,
                time=time_of(row.time),
                until=None if row.until is None else time_of(row.until),
            )
            for row in kept_out
        ),
    )


def acknowledge(history: History, entries: Sequence[Acknowledgement]) -> None:
    """Write down that changes are known; a second word on the same place replaces the first.

    Raises:
        HarnessUsageError: A reason is missing.
        HistoryError: It cannot be written.
    """
    _replace(history, ACKNOWLEDGEMENTS, [_acknowledgement_row(entry) for entry in entries])


def withdraw(history: History, entries: Sequence[Acknowledgement]) -> None:
    """Take back that changes are known.

    Raises:
        HistoryError: It cannot be written.
    """
    _remove(history, ACKNOWLEDGEMENTS, [entry.id for entry in entries])


def quarantine(history: History, entry: Quarantine) -> None:
    """Keep figures from failing anything; a second word on the same figures replaces the first.

    Raises:
        HarnessUsageError: The reason is missing.
        HistoryError: It cannot be written.
    """
    until = None if entry.until is None else microseconds(entry.until)
    row = {
        "id": entry.id,
        "scenario": entry.scenario,
        "metric": entry.metric,
        "revision": entry.revision,
        "reason": entry.reason,
        "author": entry.author,
        "time": microseconds(entry.time),
        "until": until,
    }
    _replace(history, QUARANTINES, [row])


def release(history: History, entries: Sequence[Quarantine]) -> None:
    """Let figures fail again.

    Raises:
        HistoryError: It cannot be written.
    """
    _remove(history, QUARANTINES, [entry.id for entry in entries])


def _acknowledgement_row(entry: Acknowledgement) -> dict[str, Any]:
    return {
        "id": entry.id,
        "scenario": entry.scenario,
        "metric": entry.metric,
        "revision": entry.revision,
        "position": entry.position,
        "reason": entry.reason,
        "author": entry.author,
        "time": microseconds(entry.time),
    }


def _replace(history: History, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        if not row["reason"].strip():
            message = f"reason must say why {row['scenario']} is decided so, got nothing."
            raise HarnessUsageError(message)
    if not rows:
        return

    def work(connection: Any) -> None:
        connection.execute(delete(table).where(table.c.id.in_([row["id"] for row in rows])))
        connection.execute(insert(table), list(rows))

    history.database.write(work)


def _remove(history: History, table: Any, names: Sequence[str]) -> None:
    history.database.write(
        lambda connection: connection.execute(delete(table).where(table.c.id.in_(names)))
    )


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode("ascii")).hexdigest()[:_DIGITS]
