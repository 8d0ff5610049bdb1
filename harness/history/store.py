"""The history: measurements go in one by one or in bulk, series come out as columns."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from harness.history.database import SQLITE
from harness.history.measurement import (
    EnvironmentKey,
    Measurement,
    Revision,
    Samples,
    SeriesKey,
    microseconds,
    time_of,
)
from harness.history.tables import ENVIRONMENTS, MEASUREMENTS, SERIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from sqlalchemy import Connection, Row, Select, Table

    from harness.history.database import Database

__all__ = ["History", "Points", "SeriesSummary"]

_BATCH: Final = 200
"""Rows per statement and series per query: SQLite takes a limited number of parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSummary:
    """One series at a glance.

    Attributes:
        key: What it is about.
        count: How many measurements it has.
        latest: When the last of them was made.
    """

    key: SeriesKey
    count: int
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """The measurements of one series as columns, in the order of commits.

    Attributes:
        values: What came out.
        positions: Where each stands, in microseconds since 1970.
        revisions: Commit of each; empty where there is none.
        branches: Branch of each.
        dirty: Whether there were uncommitted changes.
        times: When each was measured, in microseconds since 1970.
    """

    values: tuple[float, ...] = ()
    positions: tuple[int, ...] = ()
    revisions: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    dirty: tuple[bool, ...] = ()
    times: tuple[int, ...] = ()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.values)


class History:
    """A database of measurements. Made by `open_history`; use it in a ``with`` statement."""

    def __init__(self, database: Database) -> None:
        """Take a database whose tables are those of today."""
        self.database = database

    def __enter__(self) -> Self:
        """The history itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def add(self, measurement: Measurement) -> bool:
        """Write one measurement at once; False when it is there already.

        Raises:
            HistoryError: It cannot be written.
        """
        return self.database.write(lambda connection: self._insert(connection, [measurement])) == 1

    def add_all(self, measurements: Iterable[Measurement]) -> int:
        """Write many, all or none of them; returns how many were not there yet.

        Raises:
            HistoryError: They cannot be written.
        """
        rows = tuple(measurements)
        return self.database.write(
            lambda connection: sum(
                self._insert(connection, rows[start : start + _BATCH])
                for start in range(0, len(rows), _BATCH)
            )
        )

    def series(
        self, *, scenario: str | None = None, metric: str | None = None
    ) -> tuple[SeriesSummary, ...]:
        """All series, or those of one scenario or metric, by name and then the newest last.

        Raises:
            HistoryError: They cannot be read.
        """
        query = (
            select(
                SERIES, func.count().label("points"), func.max(MEASUREMENTS.c.time).label("latest")
            )
            .join(MEASUREMENTS, MEASUREMENTS.c.series == SERIES.c.id)
            .group_by(*SERIES.c)
            .order_by(SERIES.c.scenario, SERIES.c.metric, "latest", SERIES.c.id)
        )
        if scenario is not None:
            query = query.where(SERIES.c.scenario == scenario)
        if metric is not None:
            query = query.where(SERIES.c.metric == metric)
        return tuple(
            SeriesSummary(key=_series_key(row), count=row.points, latest=time_of(row.latest))
            for row in self._rows(query)
        )

    def points(self, series: Sequence[str]) -> dict[str, Points]:
        """The measurements of some series, by the series' id.

        Raises:
            HistoryError: They cannot be read.
        """
        columns = MEASUREMENTS.c
        found: dict[str, list[Any]] = {name: [] for name in series}
        for start in range(0, len(series), _BATCH):
            query = (
                select(
                    columns.series,
                    columns.value,
                    columns.position,
                    columns.revision,
                    columns.branch,
                    columns.dirty,
                    columns.time,
                )
                .where(columns.series.in_(series[start : start + _BATCH]))
                .order_by(columns.series, columns.position, columns.time, columns.key)
            )
            for row in self._rows(query):
                found[row[0]].append(row[1:])
        return {name: _points(rows) for name, rows in found.items()}

    def measurements(
        self, *, series: Sequence[str] | None = None, revision: str | None = None
    ) -> Iterator[Measurement]:
        """Everything, or what belongs to some series or a commit, the oldest first.

        Raises:
            HistoryError: It cannot be read.
        """
        environments = self.environments()
        query = (
            select(MEASUREMENTS, *SERIES.c)
            .join(SERIES, MEASUREMENTS.c.series == SERIES.c.id)
            .order_by(MEASUREMENTS.c.time, MEASUREMENTS.c.key)
        )
        if series is not None:
            query = query.where(MEASUREMENTS.c.series.in_(series))
        if revision is not None:
            query = query.where(MEASUREMENTS.c.revision.startswith(revision, autoescape=True))
        for row in self._rows(query):
            yield _measurement(row, environments)

    def environments(self) -> Mapping[str, EnvironmentKey]:
        """Every environment by its fingerprint.

        Raises:
            HistoryError: They cannot be read.
        """
        return {
            row.fingerprint: EnvironmentKey(values=json.loads(row.detail))
            for row in self._rows(select(ENVIRONMENTS))
        }

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        return self.database.read(lambda connection: connection.execute(query).all())

    def _insert(self, connection: Connection, measurements: Sequence[Measurement]) -> int:
        """Insert what is not there; returns how much that was."""
        rows = {measurement.key: measurement for measurement in measurements}
        query = select(MEASUREMENTS.c.key).where(MEASUREMENTS.c.key.in_(rows))
        there = set(connection.execute(query).scalars())
        fresh = {key: measurement for key, measurement in rows.items() if key not in there}
        environments = {row.series.fingerprint: row.environment for row in fresh.values()}
        series = dict.fromkeys(row.series for row in fresh.values())
        for table, values in (
            (
                ENVIRONMENTS,
                [_environment_row(environment) for environment in environments.values()],
            ),
            (SERIES, [_series_row(key) for key in series]),
            (MEASUREMENTS, [_measurement_row(key, row) for key, row in fresh.items()]),
        ):
            if values:
                connection.execute(self._insert_new(table), values)
        return len(fresh)

    def _insert_new(self, table: Table) -> Any:
        """An insert that leaves alone what is there, as each of the two databases spells it."""
        make = sqlite.insert if self.database.dialect == SQLITE else postgresql.insert
        return make(table).on_conflict_do_nothing()


def _environment_row(environment: EnvironmentKey) -> dict[str, Any]:
    return {"fingerprint": environment.fingerprint, "detail": environment.to_json()}


def _series_row(key: SeriesKey) -> dict[str, Any]:
    return {"id": key.id, **asdict(key)}


def _measurement_row(key: str, measurement: Measurement) -> dict[str, Any]:
    revision = measurement.revision
    committed = revision.committed
    samples = measurement.samples
    return {
        "key": key,
        "series": measurement.series.id,
        "position": measurement.position,
        "time": microseconds(measurement.time),
        "value": None if math.isnan(measurement.value) else measurement.value,
        "revision": revision.id,
        "committed": None if committed is None else microseconds(committed),
        "branch": revision.branch,
        "dirty": int(revision.dirty),
        "samples": None if samples is None else json.dumps(asdict(samples)),
    }


def _series_key(row: Row[Any]) -> SeriesKey:
    return SeriesKey(
        scenario=row.scenario,
        metric=row.metric,
        unit=row.unit,
        better=row.better,
        fingerprint=row.fingerprint,
        definition=row.definition,
    )


def _measurement(row: Row[Any], environments: Mapping[str, EnvironmentKey]) -> Measurement:
    return Measurement(
        series=_series_key(row),
        environment=environments[row.fingerprint],
        value=math.nan if row.value is None else row.value,
        time=time_of(row.time),
        revision=Revision(
            id=row.revision,
            committed=None if row.committed is None else time_of(row.committed),
            branch=row.branch,
            dirty=bool(row.dirty),
        ),
        samples=None if row.samples is None else Samples(**json.loads(row.samples)),
    )


def _points(rows: Sequence[Sequence[Any]]) -> Points:
    if not rows:
        return Points()
    values, positions, revisions, branches, dirty, times = zip(*rows, strict=True)
    return Points(
        values=tuple(math.nan if value is None else value for value in values),
        positions=positions,
        revisions=revisions,
        branches=branches,
        dirty=tuple(map(bool, dirty)),
        times=times,
    )
