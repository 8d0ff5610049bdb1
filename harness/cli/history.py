"""What `harness history` prints: series, commits, lines, verdicts."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from harness.cli.history_opening import chosen_scenarios, opened, sight_of
from harness.cli.sparkline import ASCII, BLOCKS, sparkline
from harness.cli.status import FAILED, NOT_JUDGED, PASSED
from harness.cli.tables import can_show, print_table
from harness.errors import HarnessUsageError
from harness.history.data import judgement_data, summary_data, track_data
from harness.history.decisions import decisions
from harness.history.judging import Movement, judge_track
from harness.history.measurement import time_of
from harness.history.sentences import (
    FALSE_ALARMS,
    counted,
    headline,
    left_out_sentences,
    magnitude,
    percent,
    sentences,
    short,
)
from harness.history.tracks import tracks

if TYPE_CHECKING:
    import argparse

    from harness.history.judging import Judgement
    from harness.history.store import History
    from harness.history.tracks import Track

__all__ = ["list_series", "show", "trend", "verdict"]


def list_series(options: argparse.Namespace) -> int:
    """Print the series of a history, or what was decided; returns the exit status."""
    with opened(options) as history:
        if options.decisions:
            return _list_decisions(history, as_json=options.json)
        names = set(chosen_scenarios(history, options.scenario))
        found = [
            summary
            for summary in history.series(metric=options.metric)
            if summary.key.scenario in names
        ]
    if options.json:
        _print_json([summary_data(summary) for summary in found])
        return PASSED
    rows = [
        (
            summary.key.scenario,
            summary.key.metric,
            summary.key.unit or "-",
            summary.key.fingerprint,
            summary.key.definition or "-",
            str(summary.count),
            f"{summary.latest:%Y-%m-%d %H:%M}",
        )
        for summary in found
    ]
    print_table(
        ("scenario", "metric", "unit", "environment", "definition", "rows", "latest (UTC)"), rows
    )
    return PASSED


def show(options: argparse.Namespace) -> int:
    """Print the newest commits of a scenario's figures; returns the exit status."""
    with opened(options) as history:
        found = _tracks(history, options)
    if options.json:
        _print_json([track_data(track, points=True) for track in found])
        return PASSED
    for number, track in enumerate(found):
        if number:
            print()
        print(track.name)
        values = track.environment.values.items()
        print("  " + ", ".join(f"{name} {value}" for name, value in values))
        for sentence in left_out_sentences(track.left_out):
            print(f"  {sentence}")
        print_table(
            ("commit", "when (UTC)", "branch", "value", "rows"),
            [
                (
                    (short(commit.revision) or "-") + (" + changes" if commit.dirty else ""),
                    f"{time_of(commit.position):%Y-%m-%d %H:%M}",
                    commit.branch or "-",
                    magnitude(commit.value, track.key.unit),
                    str(commit.rows),
                )
                for commit in track.commits[-options.last :]
            ],
        )
    return PASSED


def trend(options: argparse.Namespace) -> int:
    """Draw each figure in one line; returns the exit status, which judges nothing."""
    judgements = _judgements(options)
    if options.json:
        _print_json([judgement_data(judgement, points=True) for judgement in judgements])
        return PASSED
    signs = BLOCKS if can_show(BLOCKS) else ASCII
    rows = [_trend_row(judgement, signs) for judgement in judgements]
    print_table(("scenario", "metric", "trend", "newest", "verdict"), rows)
    return PASSED


def verdict(options: argparse.Namespace) -> int:
    """Say what got worse or better; returns 0, 1 for a regression, or 2 if nothing can be said.

    What cannot be judged beside figures that can is told and does not change the status.
    """
    judgements = _judgements(options)
    if options.json:
        _print_json([judgement_data(judgement) for judgement in judgements])
    else:
        _tell(judgements, whole=options.scenario is not None)
    if any(judgement.fails for judgement in judgements):
        return FAILED
    unjudged = [one for one in judgements if one.movement is Movement.COULD_NOT_JUDGE]
    return NOT_JUDGED if len(unjudged) == len(judgements) else PASSED


def _tell(judgements: tuple[Judgement, ...], *, whole: bool) -> None:
    """Everything about the scenarios asked for; of a whole history only what moved."""
    for judgement in judgements:
        if whole or judgement.movement not in {Movement.NO_CHANGE, Movement.COULD_NOT_JUDGE}:
            head, *rest = sentences(judgement)
            print(_coloured(head, judgement))
            for sentence in rest:
                print(f"    {sentence}")
    if not whole:
        print(f"{len(judgements)} figures: {counted(judgements)}")
        print(FALSE_ALARMS)


def _coloured(text: str, judgement: Judgement) -> str:
    if not sys.stdout.isatty():
        return text
    colours = {Movement.REGRESSION: 31, Movement.IMPROVEMENT: 32, Movement.COULD_NOT_JUDGE: 33}
    colour = colours.get(judgement.movement)
    return text if colour is None else f"\x1b[{colour}m{text}\x1b[0m"


def _trend_row(judgement: Judgement, signs: str) -> tuple[str, ...]:
    track = judgement.track
    values = [commit.value for commit in track.commits]
    said = judgement.movement.value
    if judgement.change is not None:
        said = headline(judgement).replace(f": {track.name}", "")
    elif judgement.changes:
        said = f"{said} ({percent(judgement.changes[-1].shift.size)}, over)"
    return (
        track.key.scenario,
        track.key.metric,
        sparkline(values, signs=signs),
        magnitude(values[-1], track.key.unit) if values else "-",
        said,
    )


def _tracks(history: History, options: argparse.Namespace) -> tuple[Track, ...]:
    names = set(chosen_scenarios(history, options.scenario))
    alone = next(iter(names)) if len(names) == 1 else None
    found = tracks(history, sight=sight_of(options), scenario=alone, metric=options.metric)
    chosen = tuple(track for track in found if track.key.scenario in names)
    if not chosen:
        message = (
            f"metric must be one of {options.scenario or 'the history'}, got {options.metric!r}."
        )
        raise HarnessUsageError(message)
    return chosen


def _judgements(options: argparse.Namespace) -> tuple[Judgement, ...]:
    with opened(options) as history:
        found = _tracks(history, options)
        known = decisions(history)
    return tuple(judge_track(track, known, margin=options.margin) for track in found)


def _list_decisions(history: History, *, as_json: bool) -> int:
    known = decisions(history)
    rows = [
        ("acknowledged", one.scenario, one.metric, short(one.revision), one.author, one.reason)
        for one in known.acknowledgements
    ]
    for entry in known.quarantines:
        until = "" if entry.until is None else f" until {entry.until:%Y-%m-%d}"
        metric = entry.metric or "(all)"
        what = f"quarantine{until}"
        rows.append(
            (what, entry.scenario, metric, short(entry.revision), entry.author, entry.reason)
        )
    header = ("decision", "scenario", "metric", "commit", "by", "reason")
    if as_json:
        _print_json([dict(zip(header, row, strict=True)) for row in rows])
    else:
        print_table(header, rows)
    return PASSED


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2, allow_nan=False))
