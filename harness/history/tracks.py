"""From the rows of one scenario and metric to one series of commits that may be judged.

Rows are points of one series when environment and definition of the scenario are the same, or
differ only in what the caller allows. Everything else is left out, counted, and named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.history.measurement import EnvironmentKey, SeriesKey
    from harness.history.store import History, Points, SeriesSummary

__all__ = [
    "ANYTHING",
    "BASE_BRANCHES",
    "DEFINITION",
    "Commit",
    "LeftOut",
    "Sight",
    "Track",
    "tracks",
]

ANYTHING: Final = "*"
"""In the place of a name: series are put together whatever differs."""

DEFINITION: Final = "definition"
"""The name under which an edited scenario differs."""

BASE_BRANCHES: Final = frozenset({"", "main", "master", "trunk"})
"""Branches whose rows every other branch is compared with; empty where nobody said which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Which rows are looked at together.

    Attributes:
        across: Names of what may differ between environments; `ANYTHING` allows all of it.
        branches: Rows of these branches; None takes the branch of the newest row and
            `BASE_BRANCHES`.
    """

    across: frozenset[str] = frozenset()
    branches: frozenset[str] | None = None


class Commit(NamedTuple):
    """One point: what was measured of one commit, once or several times.

    Attributes:
        revision: Its hash; empty where there is none, and then each row is a point.
        position: Where it stands, in microseconds since 1970.
        value: The median of its rows.
        rows: How many there are.
        agree: All of its rows have the same value.
        branch: The branch it was measured on.
        dirty: Measured with uncommitted changes.
    """

    revision: str
    position: int
    value: float
    rows: int
    agree: bool
    branch: str
    dirty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Rows of the same scenario and metric that are not compared, and why.

    Attributes:
        rows: How many.
        differences: Name, value there and value here of what differs; empty for rows that are
            left out for their branch, or for uncommitted changes.
        reason: Why, in words, where it is not a difference.
    """

    rows: int
    differences: tuple[tuple[str, str, str], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One series of commits.

    Attributes:
        key: The newest series that is in it.
        environment: Where the newest row was measured.
        commits: The oldest first.
        left_out: What is not compared.
        across: Name and values of what differs among its environments.
    """

    key: SeriesKey
    environment: EnvironmentKey
    commits: tuple[Commit, ...]
    left_out: tuple[LeftOut, ...] = ()
    across: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """Scenario and metric as one reads them together."""
        return f"{self.key.scenario} {self.key.metric}"

    @property
    def rows(self) -> int:
        """Measurements behind the commits."""
        return sum(commit.rows for commit in self.commits)


def tracks(
    history: History,
    *,
    sight: Sight | None = None,
    scenario: str | None = None,
    metric: str | None = None,
    only: Iterable[SeriesKey] | None = None,
) -> tuple[Track, ...]:
    """One track for each scenario and metric, by name.

    Args:
        history: Where from.
        sight: What is looked at together; by default one environment, one definition.
        scenario: Only this one.
        metric: Only this one.
        only: Of these series and no other; each takes the place of the newest.

    Raises:
        HistoryError: They cannot be read.
    """
    sight = sight or Sight()
    wanted = None if only is None else {(key.scenario, key.metric): key for key in only}
    grouped = [
        tuple(group)
        for name, group in groupby(
            history.series(scenario=scenario, metric=metric),
            key=lambda summary: (summary.key.scenario, summary.key.metric),
        )
        if wanted is None or name in wanted
    ]
    environments = history.environments()
    chosen = [_chosen(group, wanted, environments, sight) for group in grouped]
    points = history.points([key.id for one in chosen for key in one.keys])
    return tuple(_track(one, environments, points, sight) for one in chosen)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The series of one scenario and metric that go together."""

    newest: SeriesKey
    keys: tuple[SeriesKey, ...]
    left_out: tuple[LeftOut, ...]
    across: tuple[str, ...]


def _chosen(
    group: Sequence[SeriesSummary],
    wanted: Mapping[tuple[str, str], SeriesKey] | None,
    environments: Mapping[str, EnvironmentKey],
    sight: Sight,
) -> _Chosen:
    newest = group[-1].key
    if wanted is not None:
        newest = wanted[newest.scenario, newest.metric]
    keys, left_out = [newest], []
    across: dict[str, None] = {}
    for summary in group:
        if summary.key == newest:
            continue
        differences = _differences(summary.key, newest, environments)
        names = [name for name, _, _ in differences]
        if all(name in sight.across or _is_free(name, sight) for name in names):
            keys.append(summary.key)
            across |= dict.fromkeys(names)
        else:
            left_out.append(LeftOut(rows=summary.count, differences=differences))
    return _Chosen(newest, tuple(keys), tuple(left_out), tuple(across))


def _is_free(name: str, sight: Sight) -> bool:
    return ANYTHING in sight.across and name not in {"unit", "better"}


def _differences(
    there: SeriesKey, here: SeriesKey, environments: Mapping[str, EnvironmentKey]
) -> tuple[tuple[str, str, str], ...]:
    own = tuple(
        (name, getattr(there, name), getattr(here, name))
        for name in ("unit", "better", DEFINITION)
        if getattr(there, name) != getattr(here, name)
    )
    return own + environments[there.fingerprint].differences(environments[here.fingerprint])


def _track(
    chosen: _Chosen,
    environments: Mapping[str, EnvironmentKey],
    points: Mapping[str, Points],
    sight: Sight,
) -> Track:
    rows = [row for key in chosen.keys for row in _rows(points[key.id])]
    rows.sort(key=lambda row: (row.position, row.revision, row.time))
    latest = max(rows, key=lambda row: row.time, default=None)
    left_out = list(chosen.left_out)
    if latest is not None:
        branches = sight.branches or BASE_BRANCHES | {latest.branch}
        own = [row for row in rows if row.branch in branches]
        clean = [row for row in own if not row.dirty or row is latest]
        for count, reason in (
            (len(rows) - len(own), "of other branches"),
            (len(own) - len(clean), "with uncommitted changes"),
        ):
            if count:
                left_out.append(LeftOut(rows=count, reason=reason))
        rows = clean
    return Track(
        key=chosen.newest,
        environment=environments[chosen.newest.fingerprint],
        commits=_commits(rows),
        left_out=tuple(left_out),
        across=chosen.across,
    )


class _Row(NamedTuple):
    """One measurement, in the order of the columns of `Points`; made by the hundred thousand."""

    value: float
    position: int
    revision: str
    branch: str
    dirty: bool
    time: int


def _rows(points: Points) -> list[_Row]:
    columns = (
        points.values,
        points.positions,
        points.revisions,
        points.branches,
        points.dirty,
        points.times,
    )
    return [_Row(*row) for row in zip(*columns, strict=True)]


def _commits(rows: Sequence[_Row]) -> tuple[Commit, ...]:
    """Rows of one commit become one point: repeating a measurement is no news about the code."""
    grouped = groupby(rows, key=lambda row: (row.revision or row.time, row.dirty))
    return tuple(_commit(tuple(group)) for _, group in grouped)


def _commit(rows: Sequence[_Row]) -> Commit:
    first = rows[0]
    alone = len(rows) == 1
    return Commit(
        revision=first.revision,
        position=first.position,
        value=first.value if alone else _middle([row.value for row in rows]),
        rows=len(rows),
        agree=alone or len({row.value for row in rows}) == 1,
        branch=rows[-1].branch,
        dirty=first.dirty,
    )


def _middle(values: Sequence[float]) -> float:
    return math.nan if any(map(math.isnan, values)) else median(values)
