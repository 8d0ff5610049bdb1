"""Writes what the tests measured into the history, and fails the session on a regression.

Only the process that has the terminal writes: without xdist the only one, with it the controller.
Rows are written as the reports come in, so that a session that is killed keeps what it had.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from harness.errors import HarnessError
from harness.plugin.reported import attach, attached

if TYPE_CHECKING:
    from collections.abc import Generator

    from harness.history.judging import Judgement
    from harness.history.measurement import EnvironmentKey, Measurement, Revision, SeriesKey
    from harness.history.store import History
    from harness.plugin.history_options import HistoryOptions

__all__ = ["HistoryKeeper"]

_JUDGED: Final = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""How a session may have ended for its figures to be judged: not interrupted, not broken."""


class HistoryKeeper:
    """The hooks of a session that was given a history."""

    def __init__(self, config: pytest.Config, options: HistoryOptions) -> None:
        """Take what the session asks for; nothing is opened yet."""
        self.config = config
        self.options = options
        self.writes = not hasattr(config, "workerinput")
        self.history: History | None = None
        self.written: list[SeriesKey] = []
        self.unwritten: list[Measurement] = []
        self.trouble: str | None = None
        self.judgements: tuple[Judgement, ...] = ()
        self._place: tuple[EnvironmentKey, Revision] | None = None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put the item's figures on its report."""
        report = yield
        attach(item, report)
        return report

    def pytest_sessionstart(self) -> None:
        """Open the history, so that a mistake in its name shows at once."""
        if self.writes and not self.config.option.collectonly:
            from harness.history.opening import open_history

            try:
                self.history = open_history(self.options.where or "")
            except HarnessError as error:
                self.trouble = str(error)

    def pytest_report_header(self) -> str | None:
        """Where the history is, or why it cannot be used."""
        if not self.writes:
            return None
        if self.trouble is not None:
            return f"harness history: {self.trouble}"
        shown = "" if self.history is None else self.history.database.shown
        return f"harness history: {shown}" if shown else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the figures of one item."""
        carried = attached(report) if self.writes else None
        if carried is not None:
            for measurement in self._measurements(carried, report.stop):
                self._write(measurement)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Judge the new rows; a regression turns a session that passed into one that failed."""
        if not self.writes:
            return
        self._rescue()
        if self.history is None or not self.written or session.exitstatus not in _JUDGED:
            return
        from harness.history.judging import judge_series

        try:
            self.judgements = judge_series(
                self.history, self.written, margin=self.options.margin or 0.0
            )
        except HarnessError as error:
            self.trouble = str(error)
        if self.options.margin is None or session.exitstatus != pytest.ExitCode.OK:
            return
        if any(judgement.fails for judgement in self.judgements):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what regressed."""
        if self.writes:
            from harness.plugin.history_summary import write_history_summary

            write_history_summary(terminalreporter, self)

    def pytest_unconfigure(self) -> None:
        """Close the history."""
        if self.history is not None:
            self.history.close()

    def _measurements(self, carried: dict[str, Any], stop: float) -> list[Measurement]:
        from harness.history.measurement import Measurement, Samples

        environment, revision = self._here()
        return [
            Measurement.of(
                scenario=carried["scenario"],
                definition=carried["definition"],
                metric=figure["metric"],
                value=figure["value"],
                unit=figure["unit"],
                better=figure["better"],
                samples=Samples.of(figure["samples"]),
                environment=environment,
                revision=revision,
                time=datetime.fromtimestamp(stop, UTC),
            )
            for figure in carried["figures"]
        ]

    def _here(self) -> tuple[EnvironmentKey, Revision]:
        """Where and of what this session measures; asked once."""
        if self._place is None:
            from harness.history.revisions import revision_of
            from harness.history.surroundings import surroundings

            self._place = surroundings(), revision_of(self.config.rootpath)
        return self._place

    def _write(self, measurement: Measurement) -> None:
        """Write a row; once that failed, keep the others without trying, until the end."""
        if self.history is not None and self.trouble is None:
            try:
                self.history.add(measurement)
            except HarnessError as error:
                self.trouble = str(error)
            else:
                self.written.append(measurement.series)
                return
        self.unwritten.append(measurement)

    def _rescue(self) -> None:
        """Put what could not be written into a file that can be imported later."""
        if not self.unwritten:
            return
        from harness.history.lines import append_lines

        path = self.config.rootpath / ".harness" / "unwritten.jsonl"
        count = len(self.unwritten)
        figures = (
            "1 figure of this session is" if count == 1 else f"{count} figures of this session are"
        )
        try:
            append_lines(path, self.unwritten)
        except HarnessError as error:
            self.trouble = f"{self.trouble}\n{figures} lost: {error}"
        else:
            later = f"Later: harness history import {path}"
            self.trouble = f"{self.trouble}\n{figures} kept in {path}. {later}"
