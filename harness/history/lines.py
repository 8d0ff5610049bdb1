"""JSON lines: one measurement a line, so that files of several machines can be put together.

A line holds everything about its measurement. It is appended by one call of the system, so that
several writers may share a file, and a writer that is killed leaves at most its last line half
written, which a reader leaves out and reports.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessUsageError, HistoryError
from harness.history.measurement import EnvironmentKey, Measurement, Revision, Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["Imported", "append_lines", "from_json", "read_lines", "to_json"]

_FORMAT: Final = 1
_NAMES: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
"""JSON has no such numbers: they are written as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a file held.

    Attributes:
        measurements: What could be read, in the order of the file.
        left_out: Where something could not, and why, as ``path:line: reason``.
    """

    measurements: tuple[Measurement, ...]
    left_out: tuple[str, ...] = ()


def to_json(measurement: Measurement) -> dict[str, Any]:
    """A measurement as plain values that JSON can hold."""
    series, revision = measurement.series, measurement.revision
    value: float | str = measurement.value
    if not math.isfinite(measurement.value):
        value = next(name for name, number in _NAMES.items() if _same(number, measurement.value))
    row: dict[str, Any] = {
        "harness": _FORMAT,
        "scenario": series.scenario,
        "metric": series.metric,
        "value": value,
        "unit": series.unit,
        "better": series.better,
        "definition": series.definition,
        "time": measurement.time.isoformat(),
        "revision": asdict(revision)
        | {"committed": revision.committed.isoformat() if revision.committed else None},
        "environment": dict(measurement.environment.values),
    }
    if measurement.samples is not None:
        row["samples"] = asdict(measurement.samples)
    return row


def from_json(row: Mapping[str, Any]) -> Measurement:
    """The measurement that `to_json` wrote; what the format adds later is left alone.

    Raises:
        HistoryError: It is no measurement, or one of a newer format.
    """
    form = row.get("harness")
    if form != _FORMAT:
        message = f"harness must be format {_FORMAT} of a measurement, got {form!r}."
        raise HistoryError(message)
    try:
        revision = row["revision"]
        committed = revision["committed"]
        samples = row.get("samples")
        value = row["value"]
        return Measurement.of(
            scenario=row["scenario"],
            metric=row["metric"],
            value=_NAMES[value] if isinstance(value, str) else float(value),
            unit=row["unit"],
            better=row["better"],
            definition=row["definition"],
            time=datetime.fromisoformat(row["time"]),
            environment=EnvironmentKey(values=row["environment"]),
            revision=Revision(
                id=revision["id"],
                committed=None if committed is None else datetime.fromisoformat(committed),
                branch=revision["branch"],
                dirty=revision["dirty"],
            ),
            samples=None if samples is None else Samples(**samples),
        )
    except (AttributeError, HarnessUsageError, KeyError, TypeError, ValueError) as error:
        message = f"measurement must be whole, got {type(error).__name__}: {error}."
        raise HistoryError(message) from error


def append_lines(path: Path, measurements: Iterable[Measurement]) -> None:
    """Append measurements to a file, which is made if it is not there.

    Raises:
        HistoryError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            if _ends_within_a_line(descriptor):
                os.write(descriptor, b"\n")
            for measurement in measurements:
                line = json.dumps(to_json(measurement), allow_nan=False) + "\n"
                _write(descriptor, line.encode())
        finally:
            os.close(descriptor)
    except OSError as error:
        message = f"{path} must be a file that can be written, got {error.strerror or error}."
        raise HistoryError(message) from error


def read_lines(path: Path) -> Imported:
    """The measurements of a file, and which lines are none.

    Raises:
        HistoryError: The file cannot be read, or none of its lines is a measurement.
    """
    measurements: list[Measurement] = []
    left_out: list[str] = []
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        message = f"{path} must be a file that can be read, got {error.strerror or error}."
        raise HistoryError(message) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            measurements.append(from_json(_object(line)))
        except HistoryError as error:
            left_out.append(f"{path}:{number}: {error}")
    if left_out and not measurements:
        message = f"{path} must hold measurements, one a line. {left_out[0]}"
        raise HistoryError(message)
    return Imported(measurements=tuple(measurements), left_out=tuple(left_out))


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        message = f"line must be JSON, got {error}."
        raise HistoryError(message) from error
    if not isinstance(row, dict):
        message = f"line must be a JSON object, got {type(row).__name__}."
        raise HistoryError(message)
    return row


def _ends_within_a_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    if written != len(data):
        # A disk that fills up takes a part; the rest of the line tells why.
        os.write(descriptor, data[written:])


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
