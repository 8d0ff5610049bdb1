"""The section of the terminal summary, made from the reports so that it works under xdist."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.errors import SpecError
    from harness.runner.verdict import Verdict

__all__ = ["broken_file_properties", "speed_property", "verdict_properties", "write_summary"]

_PREFIX = "harness_"
_WIDTH = 100
_MANY = 5
_ORDER = ("passed", "failed", "known_issue", "fixed", "not_judged", "skipped")


def verdict_properties(verdict: Verdict) -> list[tuple[str, object]]:
    """What an item tells its report: plain pairs, which JUnit XML shows as properties.

    They are outcome, title, examples, stop reason, reason, seed and the claims of a verdict.
    """
    pairs: list[tuple[str, object]] = [
        (f"{_PREFIX}outcome", verdict.outcome.value),
        (f"{_PREFIX}title", verdict.scenario.spec.title),
        (f"{_PREFIX}examples", verdict.examples),
    ]
    if verdict.stop is not None:
        pairs.append((f"{_PREFIX}stop", verdict.stop.reason.value))
    if verdict.reason is not None:
        pairs.append((f"{_PREFIX}reason", verdict.reason))
    if verdict.seed is not None:
        pairs.append((f"{_PREFIX}seed", verdict.seed))
    if verdict.issue is None:
        pairs += [
            (f"{_PREFIX}claim", f"{claim.text} {claim.verdict}: {claim.says}")
            for claim in verdict.scenario.spec.claim
        ]
    return pairs


def broken_file_properties(error: SpecError) -> list[tuple[str, object]]:
    """The same for a file that is no scenario: nothing could be judged."""
    return [(f"{_PREFIX}outcome", "not_judged"), (f"{_PREFIX}reason", str(error))]


def speed_property(text: str) -> tuple[str, object]:
    """What a benchmark tells its report beside its outcome: its figures in a line."""
    return f"{_PREFIX}speed", text


def write_summary(terminal: pytest.TerminalReporter) -> None:
    """Write what came out of the scenarios; nothing when there were none, or with -q."""
    reports = [
        report
        for group in terminal.stats.values()
        for report in group
        if isinstance(report, pytest.TestReport) and _value(report, "outcome") is not None
    ]
    calls = {report.nodeid: report for report in reports if report.when == "call"}
    if not calls or terminal.config.get_verbosity() < 0:
        return
    outcomes = Counter(str(_value(report, "outcome")) for report in calls.values())
    terminal.section("training scenarios")
    counts = (f"{outcomes[name]} {name.replace('_', ' ')}" for name in _ORDER if outcomes[name])
    terminal.line(", ".join(counts))
    for label in ("known_issue", "fixed", "not_judged", "skipped"):
        _list(terminal, label, calls.values())
    _speeds(terminal, calls.values())
    _claims(terminal, calls.values())


def _list(
    terminal: pytest.TerminalReporter, outcome: str, reports: Iterable[pytest.TestReport]
) -> None:
    chosen = [report for report in reports if _value(report, "outcome") == outcome]
    if not chosen:
        return
    terminal.line("")
    terminal.line(f"{outcome.replace('_', ' ')}:")
    shared = Counter(str(_value(report, "reason")) for report in chosen)
    # A whole suite may be left out for one reason; the names are in pytest's own lists.
    for reason, count in shared.items():
        if count > _MANY:
            _item(terminal, f"{count} scenarios", reason)
    for report in chosen:
        reason = str(_value(report, "reason"))
        if shared[reason] <= _MANY:
            _item(terminal, report.nodeid, reason)


def _item(terminal: pytest.TerminalReporter, name: str, text: str) -> None:
    terminal.line(f"  {name}")
    for line in text.splitlines():
        terminal.line(_wrapped(line))


def _speeds(terminal: pytest.TerminalReporter, reports: Iterable[pytest.TestReport]) -> None:
    measured = [(report.nodeid, _value(report, "speed")) for report in reports]
    measured = [(name, text) for name, text in measured if text is not None]
    if not measured:
        return
    terminal.line("")
    terminal.line("measured:")
    for name, text in measured:
        _item(terminal, name, str(text))


def _claims(terminal: pytest.TerminalReporter, reports: Iterable[pytest.TestReport]) -> None:
    claims = [
        str(value)
        for report in reports
        for name, value in report.user_properties
        if name == f"{_PREFIX}claim" and report.passed
    ]
    if not claims:
        return
    verdicts = Counter(claim.split(":")[0].split()[1] for claim in claims)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    verbose = terminal.config.get_verbosity() > 0
    hint = ":" if verbose else " (-v lists them)"
    terminal.line("")
    terminal.line(f"claims of the literature that these runs settle: {counts}{hint}")
    for claim in sorted(claims) if verbose else ():
        terminal.line(_wrapped(claim))


def _wrapped(text: str) -> str:
    indent = "    "
    return textwrap.fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _value(report: pytest.TestReport, name: str) -> Any:
    return next((value for key, value in report.user_properties if key == f"{_PREFIX}{name}"), None)
