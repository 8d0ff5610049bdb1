"""The JSON of pytest-benchmark: taken in, and written so that its own tools read it.

A benchmark there is a distribution of seconds. What it measured beside time travels in
``extra_info["harness"]["measurements"]``, in the form of `harness.history.lines`, so that a file
that went out comes in again as exactly what it was.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from harness.errors import HarnessUsageError, HistoryError
from harness.history.lines import Imported, from_json, to_json
from harness.history.measurement import EnvironmentKey, Measurement, Revision, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["SECONDS", "from_benchmarks", "is_benchmark_json", "read_benchmarks", "to_benchmarks"]

SECONDS: Final = "seconds"
"""The metric of a benchmark that nobody gave another name."""

_OURS: Final = "harness"
_ENDINGS: Final = {
    "_seconds": ("s", "lower"),
    "_bytes": ("bytes", "lower"),
    "flops_per_second": ("FLOP/s", "higher"),
    "_share": ("", "higher"),
}
_VERSIONS: Final = ("keras", "tensorflow", "jax", "torch")
_NO_COMMIT: Final = frozenset({"", "unknown", "unversioned"})
_NO_BRANCH: Final = frozenset({"(unknown)", "(detached head)"})
_VERSION: Final = "5.1.0"
"""The release of pytest-benchmark whose fields are written."""


def is_benchmark_json(document: object) -> bool:
    """Whether a JSON document looks like one of pytest-benchmark's."""
    return isinstance(document, dict) and {"benchmarks", "machine_info"} <= document.keys()


def read_benchmarks(path: Path) -> Imported:
    """The measurements of a file.

    Raises:
        HistoryError: It cannot be read, or is not of pytest-benchmark.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        message = f"{path} must be a file that can be read, got {error.strerror or error}."
        raise HistoryError(message) from error
    except ValueError as error:
        message = f"{path} must be JSON, got {error}."
        raise HistoryError(message) from error
    if not is_benchmark_json(document):
        message = f"{path} must be what --benchmark-json writes, got other JSON."
        raise HistoryError(message)
    found = from_benchmarks(document)
    if found.left_out and not found.measurements:
        message = f"{path} must hold benchmarks, got none that is whole. {found.left_out[0]}"
        raise HistoryError(message)
    left_out = tuple(f"{path}: {reason}" for reason in found.left_out)
    return Imported(measurements=found.measurements, left_out=left_out)


def from_benchmarks(document: Mapping[str, Any]) -> Imported:
    """The measurements of a document: the median seconds of each benchmark, and what it carries."""
    measurements: list[Measurement] = []
    left_out: list[str] = []
    for number, benchmark in enumerate(document["benchmarks"]):
        try:
            measurements += _measurements(benchmark, document)
        except (
            AttributeError,
            HarnessUsageError,
            HistoryError,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            name = benchmark.get("fullname", "") if isinstance(benchmark, dict) else ""
            reason = error if isinstance(error, HistoryError) else f"{type(error).__name__} {error}"
            left_out.append(f"benchmark {name or number} must be whole, got: {reason}")
    return Imported(measurements=tuple(measurements), left_out=tuple(left_out))


def _measurements(
    benchmark: Mapping[str, Any], document: Mapping[str, Any]
) -> Iterator[Measurement]:
    ours = benchmark.get("extra_info", {}).get(_OURS, {})
    rows = ours.get("measurements") if isinstance(ours, dict) else None
    if rows:
        yield from map(from_json, rows)
        return
    stats = benchmark["stats"]
    extra = benchmark.get("extra_info", {})
    common: dict[str, Any] = {
        "scenario": benchmark["fullname"],
        "time": _time(document["datetime"]),
        "environment": _environment(document["machine_info"], extra),
        "revision": _revision(document.get("commit_info") or {}),
    }
    for metric, value in extra.items():
        unit, better = _meaning(metric)
        if better and isinstance(value, int | float):
            yield Measurement.of(metric=metric, value=value, unit=unit, better=better, **common)
    yield Measurement.of(
        metric=SECONDS,
        value=stats["median"],
        unit="s",
        better="lower",
        **common,
        samples=Samples(
            count=stats["rounds"],
            minimum=stats["min"],
            q1=stats["q1"],
            median=stats["median"],
            q3=stats["q3"],
            maximum=stats["max"],
            mean=stats["mean"],
            stddev=stats["stddev"],
        ),
    )


def _meaning(metric: str) -> tuple[str, str]:
    """Unit of a figure that a scenario left with its benchmark, and which way is good news.

    Both are empty for what is no figure: names, settings, sizes.
    """
    if metric == "examples_per_second":
        return "examples/s", "higher"
    return next(
        (meaning for ending, meaning in _ENDINGS.items() if metric.endswith(ending)), ("", "")
    )


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    # Older releases wrote universal time without saying so.
    return time if time.tzinfo else datetime.fromisoformat(f"{text}+00:00")


def _environment(machine: Mapping[str, Any], extra: Mapping[str, Any]) -> EnvironmentKey:
    """The machine, and the versions that a scenario names beside its figures."""
    cpu = machine.get("cpu") or {}
    values = {
        "system": machine.get("system"),
        "machine": machine.get("machine"),
        "cpu": cpu.get("brand_raw") or cpu.get("brand") or machine.get("processor"),
        "cores": cpu.get("count"),
        "python": ".".join(str(machine.get("python_version", "")).split(".")[:2]),
        **{name: extra[name] for name in _VERSIONS if isinstance(extra.get(name), str)},
    }
    return EnvironmentKey(values={name: str(value) for name, value in values.items() if value})


def _revision(commit: Mapping[str, Any]) -> Revision:
    name = commit.get("id") or ""
    branch = commit.get("branch") or ""
    committed = commit.get("time")
    return Revision(
        id="" if name in _NO_COMMIT else name,
        committed=None if committed is None else _time(committed),
        branch="" if branch in _NO_BRANCH else branch,
        dirty=bool(commit.get("dirty")),
    )


def to_benchmarks(measurements: Sequence[Measurement]) -> dict[str, Any]:
    """The document of some measurements, which should be of one commit and environment.

    Each series in seconds is a benchmark. What the same scenario measured in other units travels
    with its first one; a scenario without any time becomes a benchmark of 0 seconds that carries
    its figures.

    Raises:
        HarnessUsageError: There is nothing to write.
    """
    if not measurements:
        message = "export must have something to write, got no measurement."
        raise HarnessUsageError(message)
    latest = max(measurements, key=lambda measurement: measurement.time)
    by_scenario: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        by_scenario.setdefault(measurement.series.scenario, []).append(measurement)
    return {
        "machine_info": _machine_info(latest.environment),
        "commit_info": _commit_info(latest.revision),
        "benchmarks": [entry for rows in by_scenario.values() for entry in _entries(rows)],
        "datetime": latest.time.isoformat(),
        "version": _VERSION,
    }


def _entries(measurements: Sequence[Measurement]) -> Iterator[dict[str, Any]]:
    timed = [row for row in measurements if row.series.unit == "s" and math.isfinite(row.value)]
    others = [row for row in measurements if row not in timed]
    for number, measurement in enumerate(timed):
        carried = [measurement, *(others if number == 0 else ())]
        yield _entry(measurement.series.metric, measurement, carried)
    if not timed:
        yield _entry("figures", None, others)


def _entry(
    metric: str, timed: Measurement | None, carried: Sequence[Measurement]
) -> dict[str, Any]:
    scenario = carried[0].series.scenario
    suffix = "" if metric == SECONDS else f"::{metric}"
    return {
        "group": None,
        "name": f"{scenario.rsplit('::', 1)[-1]}{suffix}",
        "fullname": f"{scenario}{suffix}",
        "params": None,
        "param": None,
        "extra_info": {_OURS: {"measurements": [to_json(row) for row in carried]}},
        "options": {},
        "stats": _stats(timed),
    }


def _stats(timed: Measurement | None) -> dict[str, Any]:
    value = 0.0 if timed is None else timed.value
    samples = (timed.samples if timed is not None else None) or Samples(
        count=1,
        minimum=value,
        q1=value,
        median=value,
        q3=value,
        maximum=value,
        mean=value,
        stddev=0.0,
    )
    return {
        "min": samples.minimum,
        "max": samples.maximum,
        "mean": samples.mean,
        "stddev": samples.stddev,
        "rounds": samples.count,
        "median": samples.median,
        "iqr": samples.q3 - samples.q1,
        "q1": samples.q1,
        "q3": samples.q3,
        "iqr_outliers": 0,
        "stddev_outliers": 0,
        "outliers": "0;0",
        "ld15iqr": samples.minimum,
        "hd15iqr": samples.maximum,
        "ops": 1 / samples.mean if samples.mean else 0.0,
        "total": samples.mean * samples.count,
        "iterations": 1,
    }


def _machine_info(environment: EnvironmentKey) -> dict[str, Any]:
    values = environment.values
    return {
        "node": "",
        "processor": values.get("cpu", ""),
        "machine": values.get("machine", ""),
        "python_implementation": "CPython",
        "python_version": values.get("python", ""),
        "release": "",
        "system": values.get("system", ""),
        "cpu": {"brand_raw": values.get("cpu", ""), "count": int(values.get("cores", "0") or 0)},
        _OURS: dict(values),
    }


def _commit_info(revision: Revision) -> dict[str, Any]:
    committed = None if revision.committed is None else revision.committed.isoformat()
    return {
        "id": revision.id or "unversioned",
        "time": committed,
        "author_time": committed,
        "dirty": revision.dirty,
        "project": "",
        "branch": revision.branch or "(unknown)",
    }
