"""What `harness history import` and `export` do."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.cli.history_opening import opened
from harness.cli.status import FAILED, PASSED
from harness.errors import HarnessUsageError, HistoryError
from harness.history.benchmark_json import is_benchmark_json, read_benchmarks, to_benchmarks
from harness.history.lines import read_lines, to_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from harness.history.lines import Imported
    from harness.history.measurement import Measurement
    from harness.history.store import History

__all__ = ["read", "write"]

_STANDARD_OUTPUT: Final = Path("-")


def read(options: argparse.Namespace) -> int:
    """Take in files, whichever of the two forms they have; returns the exit status.

    It is 1 where something had to be left out. What a history has already is not taken twice, so
    that an import may be repeated.
    """
    status = PASSED
    with opened(options, create=True) as history:
        for file in options.files:
            found = _read(file)
            fresh = history.add_all(found.measurements)
            known = len(found.measurements) - fresh
            print(f"{file}: {fresh} new, {known} known already")
            for reason in found.left_out:
                print(f"left out: {reason}", file=sys.stderr)
                status = FAILED
    return status


def write(options: argparse.Namespace) -> int:
    """Write measurements into a file; returns the exit status."""
    with opened(options) as history:
        rows = _wanted(history, options)
    if options.format == "lines":
        text = "".join(f"{json.dumps(to_json(row), allow_nan=False)}\n" for row in rows)
    else:
        rows = _of_one_commit(rows, options.revision)
        text = json.dumps(to_benchmarks(rows), indent=4, allow_nan=False) + "\n"
    if options.file == _STANDARD_OUTPUT:
        sys.stdout.write(text)
        return PASSED
    _replace(options.file, text)
    print(f"{options.file}: {_counted(len(rows))}")
    return PASSED


def _read(file: Path) -> Imported:
    """One JSON document is pytest-benchmark's; a file of lines fails to be one document."""
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        message = f"{file} must be a file that can be read, got {error.strerror or error}."
        raise HistoryError(message) from error
    except ValueError:
        return read_lines(file)
    return read_benchmarks(file) if is_benchmark_json(document) else read_lines(file)


def _wanted(history: History, options: argparse.Namespace) -> list[Measurement]:
    series = [
        summary.key.id
        for summary in history.series(scenario=options.scenario, metric=options.metric)
    ]
    rows = list(history.measurements(series=series, revision=options.revision))
    if not rows:
        message = "export must have something to write, got no measurement that is meant."
        raise HarnessUsageError(message)
    return rows


def _of_one_commit(rows: Sequence[Measurement], revision: str | None) -> list[Measurement]:
    """Rows of the newest commit in the environment of its newest row: one file holds no more."""
    newest = max(rows, key=lambda row: row.time)
    if revision is None:
        rows = [row for row in rows if row.revision.id == newest.revision.id]
    kept = [row for row in rows if row.environment == newest.environment]
    if len(kept) < len(rows):
        left = _counted(len(rows) - len(kept))
        print(f"left out: {left} in other environments", file=sys.stderr)
    return kept


def _counted(count: int) -> str:
    return "1 measurement" if count == 1 else f"{count} measurements"


def _replace(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}-", delete=False
        ) as stream:
            stream.write(text)
        try:
            os.replace(stream.name, file)  # noqa: PTH105 - the name is a text
        except OSError:
            Path(stream.name).unlink(missing_ok=True)
            raise
    except OSError as error:
        message = f"{file} must be a file that can be written, got {error.strerror or error}."
        raise HistoryError(message) from error
