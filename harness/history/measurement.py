"""One row of the history, as data."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast, get_args

from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Better", "EnvironmentKey", "Measurement", "Revision", "Samples", "SeriesKey"]

Better: TypeAlias = Literal["lower", "higher", "neutral"]
"""Which way is good news; of `neutral` figures neither is, and a change of them never fails."""

_FINGERPRINT_DIGITS: Final = 12
_KEY_DIGITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentKey:
    """Where something was measured, as coarse as it can be and still explain a figure.

    Attributes:
        values: Hardware, driver, versions and settings by name; what is unknown is left out.
    """

    values: Mapping[str, str]

    def __post_init__(self) -> None:
        """Freeze the values, in alphabetical order."""
        texts = {str(name): str(value) for name, value in sorted(self.values.items())}
        object.__setattr__(self, "values", MappingProxyType(texts))

    def __hash__(self) -> int:
        """Equal environments have the same fingerprint."""
        return hash(self.fingerprint)

    @property
    def fingerprint(self) -> str:
        """12 hexadecimal digits that are equal for equal environments, in any process."""
        return _fingerprint(self.to_json())

    def to_json(self) -> str:
        """The values as canonical JSON."""
        return _canonical(dict(self.values))

    def differences(self, other: EnvironmentKey) -> tuple[tuple[str, str, str], ...]:
        """Name, value here and value there of whatever differs; empty where one has none."""
        names = sorted(self.values.keys() | other.values.keys())
        pairs = ((name, self.values.get(name, ""), other.values.get(name, "")) for name in names)
        return tuple((name, here, there) for name, here, there in pairs if here != there)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The state of the code that was measured.

    Attributes:
        id: Full hash of the commit; empty where there is none.
        committed: When it was committed.
        branch: The branch it was on; empty where that is unknown.
        dirty: Files that git tracks were changed and not committed.
    """

    id: str = ""
    committed: datetime | None = None
    branch: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """The measurements behind one value, summed up in the value's unit.

    Attributes:
        count: How many there were.
        minimum: The smallest.
        q1: A quarter of them are below, counting the extremes in.
        median: The middle one.
        q3: Three quarters of them are below.
        maximum: The largest.
        mean: Their mean.
        stddev: Standard deviation with ``count - 1``; 0 for a single one.
    """

    count: int
    minimum: float
    q1: float
    median: float
    q3: float
    maximum: float
    mean: float
    stddev: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Samples | None:
        """The summary of some measurements; None where there are none, or one is not finite."""
        if not values or not all(map(math.isfinite, values)):
            return None
        several = len(values) > 1
        quarters = statistics.quantiles(values, method="inclusive") if several else 3 * [*values]
        return cls(
            count=len(values),
            minimum=min(values),
            q1=quarters[0],
            median=quarters[1],
            q3=quarters[2],
            maximum=max(values),
            mean=statistics.fmean(values),
            stddev=statistics.stdev(values) if several else 0.0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesKey:
    """What must be equal for two measurements to be points of one series.

    Attributes:
        scenario: Area and id of a scenario, or the full name of a benchmark.
        metric: What was measured.
        unit: In which unit; empty for a plain number.
        better: Which way is good news.
        fingerprint: Fingerprint of the environment.
        definition: Digest of what was run, so that an edited scenario starts a series of its
            own; empty where nobody says.
    """

    scenario: str
    metric: str
    unit: str
    better: Better
    fingerprint: str
    definition: str

    def __post_init__(self) -> None:
        """Refuse what no series can be named by."""
        for name in ("scenario", "metric"):
            if not getattr(self, name):
                message = f"{name} of a measurement must be a name, got nothing."
                raise HarnessUsageError(message)
        if self.better not in get_args(Better):
            message = f"better must be one of {', '.join(get_args(Better))}, got {self.better!r}."
            raise HarnessUsageError(message)

    @property
    def id(self) -> str:
        """32 hexadecimal digits made from all of it."""
        return _series_id(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One figure of one run.

    Attributes:
        series: What was measured, and where.
        environment: The environment that the series' fingerprint stands for.
        value: What came out; NaN and infinities are values too.
        time: When, to the microsecond.
        revision: Of which code.
        samples: The measurements behind the value, summed up.
    """

    series: SeriesKey
    environment: EnvironmentKey
    value: float
    time: datetime
    revision: Revision = Revision()
    samples: Samples | None = None

    def __post_init__(self) -> None:
        """Convert the value and refuse a time without zone."""
        object.__setattr__(self, "value", float(self.value))
        if self.time.tzinfo is None:
            message = f"time of a measurement must have a zone, got {self.time.isoformat()}."
            raise HarnessUsageError(message)
        if self.series.fingerprint != self.environment.fingerprint:
            message = (
                f"fingerprint of {self.series.scenario} must be that of its environment, "
                f"{self.environment.fingerprint}, got {self.series.fingerprint}."
            )
            raise HarnessUsageError(message)

    @classmethod
    def of(  # noqa: D417 - the others are the attributes of the class and of its series
        cls,
        *,
        scenario: str,
        metric: str,
        value: float,
        environment: EnvironmentKey,
        time: datetime,
        unit: str = "",
        better: str = "neutral",
        definition: str = "",
        revision: Revision | None = None,
        samples: Samples | None = None,
    ) -> Measurement:
        """A measurement with the series it belongs to.

        Args:
            environment: Where; its fingerprint becomes that of the series.
        """
        series = SeriesKey(
            scenario=scenario,
            metric=metric,
            unit=unit,
            better=cast("Better", better),
            fingerprint=environment.fingerprint,
            definition=definition,
        )
        return cls(
            series=series,
            environment=environment,
            value=value,
            time=time,
            revision=revision or Revision(),
            samples=samples,
        )

    @property
    def key(self) -> str:
        """32 hexadecimal digits that are equal for the same measurement, wherever it went through.

        Two measurements are the same when series, revision, time and value are: the time tells
        two runs of one thing apart.
        """
        parts = [self.series.id, self.revision.id, microseconds(self.time), self.value.hex()]
        return _digest(_canonical(parts), digits=_KEY_DIGITS)

    @property
    def position(self) -> int:
        """Where it stands in its series, in microseconds: by commit, else by time.

        An old commit that is measured today belongs to its neighbours of then.
        """
        return microseconds(self.revision.committed or self.time)


def microseconds(time: datetime) -> int:
    """Whole microseconds since 1970 of a time with zone."""
    passed = time.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def time_of(count: int) -> datetime:
    """The time that lies so many microseconds after 1970."""
    return datetime.fromtimestamp(count // 1_000_000, UTC).replace(microsecond=count % 1_000_000)


@lru_cache(maxsize=1024)
def _series_id(key: SeriesKey) -> str:
    """Worked out once for all rows of a series."""
    parts = [key.scenario, key.metric, key.unit, key.better, key.fingerprint, key.definition]
    return _digest(_canonical(parts), digits=_KEY_DIGITS)


@lru_cache(maxsize=64)
def _fingerprint(text: str) -> str:
    return _digest(text, digits=_FINGERPRINT_DIGITS)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _digest(text: str, *, digits: int) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:digits]
