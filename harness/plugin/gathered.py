"""What workers of xdist measured, handed to pytest-benchmark where it writes its table and files.

pytest-benchmark switches itself off under xdist. Our benchmarks run alone on the machine all the
same, so what they measured is put where it would have put it.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import pytest

__all__ = ["MEASURED", "Gathered", "Measured", "put_on_report"]

Measured: TypeAlias = dict[str, Any]
"""Plain values: name, full name, group, extra information and seconds per step of each round."""

MEASURED: Final = pytest.StashKey[Measured]()
"""What an item measured without pytest-benchmark."""

_ATTRIBUTE: Final = "harness_measured"


def put_on_report(item: pytest.Item, report: pytest.TestReport) -> None:
    """Let what was measured travel with the report of the call."""
    if report.when == "call" and MEASURED in item.stash:
        setattr(report, _ATTRIBUTE, item.stash[MEASURED])


class Gathered:
    """Takes measurements from reports; a plugin of the session that starts the workers."""

    def __init__(self, config: pytest.Config) -> None:
        """Remember where pytest-benchmark keeps its own."""
        self._session: Any = getattr(config, "_benchmarksession", None)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add what a report brings."""
        measured: Measured | None = getattr(report, _ATTRIBUTE, None)
        if measured is None or self._session is None:
            return
        from pytest_benchmark.stats import Metadata

        metadata = Metadata(_Fixture(measured), iterations=1, options={})
        for seconds in measured["samples"]:
            metadata.update(seconds)
        self._session.benchmarks.append(metadata)


class _Fixture:
    """As much of pytest-benchmark's fixture as its records are made from."""

    param = params = cprofile_stats = None
    has_error = False

    def __init__(self, measured: Measured) -> None:
        self.name: str = measured["name"]
        self.fullname: str = measured["fullname"]
        self.group: str | None = measured["group"]
        self.extra_info: dict[str, Any] = measured["extra_info"]
