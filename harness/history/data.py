"""Verdicts and series as plain values: what ``--json`` prints and a report is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.history.measurement import time_of

if TYPE_CHECKING:
    from harness.history.judging import Change, Judgement
    from harness.history.store import SeriesSummary
    from harness.history.tracks import Commit, Track

__all__ = ["judgement_data", "summary_data", "track_data"]


def judgement_data(judgement: Judgement, *, points: bool = False) -> dict[str, Any]:
    """A verdict; with `points`, the series it is about as well."""
    start, quarantine = judgement.start, judgement.quarantine
    return {
        **track_data(judgement.track, points=points),
        "verdict": judgement.movement.value,
        "fails": judgement.fails,
        "reason": judgement.reason,
        "level": _number(judgement.level),
        "change": None if judgement.change is None else _change_data(judgement.change),
        "changes": [_change_data(change) for change in judgement.changes],
        "acknowledged": None
        if start is None
        else {"revision": start.revision, "reason": start.reason, "author": start.author},
        "quarantine": None
        if quarantine is None
        else {"reason": quarantine.reason, "author": quarantine.author},
    }


def track_data(track: Track, *, points: bool) -> dict[str, Any]:
    """What a track is about, and what is not in it."""
    data: dict[str, Any] = {
        "scenario": track.key.scenario,
        "metric": track.key.metric,
        "unit": track.key.unit,
        "better": track.key.better,
        "fingerprint": track.key.fingerprint,
        "definition": track.key.definition,
        "environment": dict(track.environment.values),
        "commits": len(track.commits),
        "across": list(track.across),
        "left_out": [
            {
                "rows": entry.rows,
                "reason": entry.reason,
                "differences": [list(difference) for difference in entry.differences],
            }
            for entry in track.left_out
        ],
    }
    if points:
        data["points"] = [_commit_data(commit) for commit in track.commits]
    return data


def summary_data(summary: SeriesSummary) -> dict[str, Any]:
    """One series at a glance."""
    key = summary.key
    return {
        "scenario": key.scenario,
        "metric": key.metric,
        "unit": key.unit,
        "better": key.better,
        "fingerprint": key.fingerprint,
        "definition": key.definition,
        "rows": summary.count,
        "latest": summary.latest.isoformat(),
    }


def _change_data(change: Change) -> dict[str, Any]:
    shift = change.shift
    return {
        "movement": change.movement.value,
        "open": change.open,
        "before": _number(shift.before),
        "after": _number(shift.after),
        "size": _number(shift.size),
        "low": _number(shift.low),
        "high": _number(shift.high),
        "good": None if change.good is None else change.good.revision,
        "first": change.first.revision,
        "bad": change.bad.revision,
        "index": shift.first,
    }


def _commit_data(commit: Commit) -> dict[str, Any]:
    return {
        "revision": commit.revision,
        "time": time_of(commit.position).isoformat(),
        "value": _number(commit.value),
        "rows": commit.rows,
        "branch": commit.branch,
        "dirty": commit.dirty,
    }


def _number(value: float) -> float | str:
    """JSON has no NaN and no infinities: they become text."""
    return value if math.isfinite(value) else str(value)
