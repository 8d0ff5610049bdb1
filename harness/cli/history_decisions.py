"""What `harness history acknowledge` and `quarantine` do."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.cli.history_opening import chosen_scenarios, opened, sight_of
from harness.cli.status import PASSED
from harness.errors import HarnessUsageError
from harness.history import decisions as decided
from harness.history.decisions import Acknowledgement, Quarantine, decisions
from harness.history.judging import judge_track
from harness.history.sentences import headline, short
from harness.history.tracks import tracks

if TYPE_CHECKING:
    import argparse

    from harness.history.judging import Judgement
    from harness.history.store import History
    from harness.history.tracks import Commit, Track

__all__ = ["acknowledge", "quarantine"]


def acknowledge(options: argparse.Namespace) -> int:
    """Write down that changes are known; returns the exit status."""
    with opened(options) as history:
        chosen = chosen_scenarios(history, options.scenario)
        if options.withdraw:
            return _withdraw(history, options, chosen)
        _require_reason(options.reason)
        known = decisions(history)
        judgements = [
            judge_track(track, known, margin=options.margin)
            for name in chosen
            for track in tracks(
                history, sight=sight_of(options), scenario=name, metric=options.metric
            )
        ]
        entries = [
            entry for judgement in judgements for entry in _acknowledgements(judgement, options)
        ]
        if not entries:
            what = "a commit that was measured" if options.at else "an open change"
            message = (
                f"acknowledge must find {what} of {options.scenario}, got none. "
                "See: harness history trend."
            )
            raise HarnessUsageError(message)
        decided.acknowledge(history, entries)
    for entry in entries:
        print(f"known from {short(entry.revision) or 'there'} on: {entry.scenario} {entry.metric}")
    return PASSED


def quarantine(options: argparse.Namespace) -> int:
    """Put figures into quarantine, or take them out; returns the exit status."""
    with opened(options) as history:
        chosen = chosen_scenarios(history, options.scenario)
        if options.release:
            return _release(history, options, chosen)
        _require_reason(options.reason)
        for name in chosen:
            entry = Quarantine(
                scenario=name,
                metric=options.metric,
                revision=_whole_revision(history, name, options.revision),
                reason=options.reason,
                author=_author(),
                time=datetime.now(UTC),
                until=_day(options.until),
            )
            decided.quarantine(history, entry)
            commit = f" at {short(entry.revision)}" if entry.revision else ""
            print(f"in quarantine: {name} {options.metric or '(all metrics)'}{commit}")
    return PASSED


def _acknowledgements(
    judgement: Judgement, options: argparse.Namespace
) -> tuple[Acknowledgement, ...]:
    track = judgement.track
    if options.at:
        found = [commit for commit in track.commits if commit.revision.startswith(options.at)]
        return tuple(_acknowledgement(track, commit, options.reason) for commit in found[:1])
    changes = [change for change in judgement.changes if change.open]
    for change in changes[-1:]:
        print(headline(judgement))
        return (_acknowledgement(track, change.first, options.reason),)
    return ()


def _acknowledgement(track: Track, commit: Commit, reason: str) -> Acknowledgement:
    return Acknowledgement(
        scenario=track.key.scenario,
        metric=track.key.metric,
        revision=commit.revision,
        position=commit.position,
        reason=reason,
        author=_author(),
        time=datetime.now(UTC),
    )


def _withdraw(history: History, options: argparse.Namespace, chosen: tuple[str, ...]) -> int:
    entries = [
        entry
        for entry in decisions(history).acknowledgements
        if entry.scenario in chosen
        and options.metric in {None, entry.metric}
        and entry.revision.startswith(options.at or "")
    ]
    if not entries:
        message = f"withdraw must find what was acknowledged of {options.scenario}, got nothing."
        raise HarnessUsageError(message)
    decided.withdraw(history, entries)
    for entry in entries:
        print(f"withdrawn: {entry.scenario} {entry.metric} at {short(entry.revision)}")
    return PASSED


def _release(history: History, options: argparse.Namespace, chosen: tuple[str, ...]) -> int:
    entries = [
        entry
        for entry in decisions(history).quarantines
        if entry.scenario in chosen
        and options.metric in {"", entry.metric}
        and entry.revision.startswith(options.revision)
    ]
    if not entries:
        message = f"release must find a quarantine of {options.scenario}, got none."
        raise HarnessUsageError(message)
    decided.release(history, entries)
    for entry in entries:
        print(f"released: {entry.scenario} {entry.metric or '(all metrics)'}")
    return PASSED


def _whole_revision(history: History, scenario: str, wanted: str) -> str:
    """The full hash of a commit that was measured.

    Raises:
        HarnessUsageError: It was not, or several begin like it.
    """
    if not wanted:
        return ""
    series = [summary.key.id for summary in history.series(scenario=scenario)]
    revisions = {
        revision for points in history.points(series).values() for revision in points.revisions
    }
    found = [revision for revision in revisions if revision.startswith(wanted)]
    if len(found) != 1:
        got = "none" if not found else f"{len(found)} that begin so"
        message = f"--revision must be one commit of {scenario}, {wanted!r} got {got}."
        raise HarnessUsageError(message)
    return found[0]


def _day(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        message = f"--until must be a day such as 2026-12-31, got {text!r}."
        raise HarnessUsageError(message) from error


def _require_reason(reason: str) -> None:
    if not reason.strip():
        message = "--reason must say why, got nothing. Others will read it."
        raise HarnessUsageError(message)


def _author() -> str:
    """Who decides: the name of the account, where there is one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return os.environ.get("USER", "unknown")
