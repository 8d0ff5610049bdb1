"""Whether a figure got worse or better: one verdict a track, made of its changes of level.

A change stays open for as long as the newest level is beyond the level before it, in the same
direction: a regression that was mended is over, one that was not stays a regression however old it
is, until somebody acknowledges it. Regressions and improvements are treated alike.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

from harness.history.decisions import decisions
from harness.history.detection import FEWEST_COMMITS, FEWEST_SINCE, SMALLEST, detected
from harness.history.shifts import FEWEST_EQUAL, Shift, exact_shifts, moved, relative_change
from harness.history.tracks import tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.history.decisions import Acknowledgement, Decisions, Quarantine
    from harness.history.measurement import Better, SeriesKey
    from harness.history.store import History
    from harness.history.tracks import Commit, Sight, Track

__all__ = ["Change", "Judgement", "Movement", "judge_history", "judge_series", "judge_track"]


class Movement(StrEnum):
    """What a history says about one figure.

    CHANGED: a figure of which neither direction is good news has another level.
    """

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    CHANGED = "changed"
    NO_CHANGE = "no change"
    COULD_NOT_JUDGE = "could not judge"

    @property
    def exit_status(self) -> int:
        """1 for a regression, 2 when it could not be judged, else 0."""
        return {Movement.REGRESSION: 1, Movement.COULD_NOT_JUDGE: 2}.get(self, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of level, in terms of commits.

    Attributes:
        movement: What it means for this metric.
        shift: Levels, size and interval; its indexes are those of the track's commits.
        good: The last commit that is surely of the level before; None at the very beginning.
        first: The commit with which the new level most likely began.
        bad: The first commit that is surely of the new level.
        open: The newest level is still on its far side, by more than the margin.
    """

    movement: Movement
    shift: Shift
    good: Commit | None
    first: Commit
    bad: Commit
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one track.

    Attributes:
        track: What was judged.
        movement: The verdict.
        change: The change that it is about: the largest that stands. None when none does.
        changes: All changes since judging started anew, the oldest first.
        level: The newest level; NaN when nothing could be judged.
        reason: Why it could not be judged; empty when it could.
        start: The acknowledged change at which judging started anew.
        quarantine: The quarantine it is in.
    """

    track: Track
    movement: Movement
    change: Change | None = None
    changes: tuple[Change, ...] = ()
    level: float = math.nan
    reason: str = ""
    start: Acknowledgement | None = None
    quarantine: Quarantine | None = None

    @property
    def fails(self) -> bool:
        """A regression that nobody has put into quarantine."""
        return self.movement is Movement.REGRESSION and self.quarantine is None

    @property
    def exit_status(self) -> int:
        """0, 1 or 2; what is in quarantine fails nothing."""
        return 0 if self.quarantine is not None else self.movement.exit_status


def judge_history(
    history: History,
    *,
    margin: float,
    sight: Sight | None = None,
    scenario: str | None = None,
    metric: str | None = None,
) -> tuple[Judgement, ...]:
    """A verdict for each scenario and metric, by name.

    Args:
        history: Where from.
        margin: Smaller changes do not count, as a fraction of the level before.
        sight: Which rows are compared.
        scenario: Only this one.
        metric: Only this one.

    Raises:
        HistoryError: It cannot be read.
    """
    found = tracks(history, sight=sight, scenario=scenario, metric=metric)
    known = decisions(history)
    return tuple(judge_track(track, known, margin=margin) for track in found)


def judge_series(
    history: History, keys: Iterable[SeriesKey], *, margin: float
) -> tuple[Judgement, ...]:
    """A verdict for each of some series, in their own environment.

    Raises:
        HistoryError: They cannot be read.
    """
    found = tracks(history, only=keys)
    known = decisions(history)
    return tuple(judge_track(track, known, margin=margin) for track in found)


def judge_track(track: Track, known: Decisions, *, margin: float) -> Judgement:
    """The verdict on one track.

    Args:
        track: What to judge.
        known: What people decided.
        margin: Smaller changes do not count, as a fraction of the level before.
    """
    key = track.key
    starts = known.starts(key.scenario, key.metric)
    start = starts[-1] if starts else None
    bad = known.bad_commits(key.scenario, key.metric)
    commits = tuple(commit for commit in track.commits if commit.revision not in bad)
    quarantine = known.quarantine_of(key.scenario, key.metric, datetime.now(UTC))
    finite = tuple(commit for commit in commits if math.isfinite(commit.value))
    lost = _lost(commits)
    if lost:
        judged, shifts, reason = commits, lost, ""
    else:
        judged = finite
        shifts, reason = _shifts(finite, [entry.position for entry in starts], margin)
    level = _level(judged, shifts)
    changes = tuple(_change(shift, judged, key.better, level, margin) for shift in shifts)
    change = _decisive(changes, level, margin)
    movement = change.movement if change else Movement.NO_CHANGE
    if reason and change is None:
        movement = Movement.COULD_NOT_JUDGE
    return Judgement(
        track=track,
        movement=movement,
        change=change,
        changes=changes,
        level=level,
        reason=reason if movement is Movement.COULD_NOT_JUDGE else "",
        start=start,
        quarantine=quarantine,
    )


def _lost(commits: Sequence[Commit]) -> tuple[Shift, ...]:
    """The change to figures that are no numbers any more; empty while the newest one is finite."""
    end = len(commits)
    while end and not math.isfinite(commits[end - 1].value):
        end -= 1
    if end in {0, len(commits)}:
        return ()
    before = commits[end - 1].value
    return (
        Shift(
            first=end,
            earliest=end,
            latest=end,
            before=before,
            after=commits[-1].value,
            low=math.nan,
            high=math.nan,
        ),
    )


def _shifts(
    commits: Sequence[Commit], known: Sequence[int], margin: float
) -> tuple[tuple[Shift, ...], str]:
    """Changes of level after the last known one, and why there may be others nobody can see."""
    positions = [commit.position for commit in commits]
    starts = sorted({place for mark in known if (place := bisect_left(positions, mark)) > 0})
    last = starts[-1] if starts else 0
    values = [commit.value for commit in commits]
    if last == len(values):
        return (), "it has no finite value" + (" since its last known change" if last else "")
    repeated = [commit.rows > 1 and commit.agree for commit in commits]
    exact = exact_shifts(values[last:], repeated[last:])
    shifts = tuple(moved(shift, by=last) for shift in exact.shifts)
    rest = last + exact.rest
    if exact.pending:
        return shifts, (
            f"the newest value, {values[-1]:.6g}, is the first other one after {values[-2]:.6g} "
            "came again and again: measure once more"
        )
    if rest == len(values):
        return shifts, ""
    # Levels that are over tell how the figure scatters, so they are looked at again.
    if shifts:
        starts = sorted({*starts, *(shift.first for shift in shifts)})
    seen = detected(values, known=starts, smallest=min(margin, SMALLEST))
    shifts += tuple(shift for shift in seen.shifts if shift.first > rest)
    count, need = len(values) - rest, FEWEST_SINCE if last else FEWEST_COMMITS
    if count < need and not shifts:
        return (), _too_few(count, need)
    if seen.correlation is not None:
        return shifts, (
            f"its scatter is correlated from commit to commit by {seen.correlation:.2f}, which is "
            "more than false alarms are bounded for"
        )
    return shifts, ""


def _too_few(count: int, need: int) -> str:
    commits = "1 commit" if count == 1 else f"{count} commits"
    since = " so far" if need == FEWEST_COMMITS else " since the last known change"
    return (
        f"{commits}{since}, and it takes {need} to tell a change from scatter"
        f" ({FEWEST_EQUAL} where nothing scatters)"
    )


def _level(commits: Sequence[Commit], shifts: Sequence[Shift]) -> float:
    start = shifts[-1].first if shifts else 0
    values = [commit.value for commit in commits[start:]]
    return median(values) if values and all(map(math.isfinite, values)) else math.nan


def _change(
    shift: Shift, commits: Sequence[Commit], better: Better, level: float, margin: float
) -> Change:
    upwards = shift.after > shift.before
    worse = not math.isfinite(shift.after) or upwards == (better == "lower")
    movement = Movement.REGRESSION if worse else Movement.IMPROVEMENT
    still = relative_change(shift.before, level)
    beyond = abs(still) > margin and (still > 0) == upwards
    return Change(
        movement=Movement.CHANGED if better == "neutral" else movement,
        shift=shift,
        good=commits[shift.earliest - 1] if shift.earliest > 0 else None,
        first=commits[shift.first],
        bad=commits[shift.latest],
        open=beyond or not math.isfinite(level),
    )


def _decisive(changes: Sequence[Change], level: float, margin: float) -> Change | None:
    """The open change that makes the verdict: a regression before others, then the largest.

    What only takes back an earlier change is no news: the level must be beyond every level before.
    """
    standing = [
        change
        for number, change in enumerate(changes)
        if change.open
        and (
            change.movement is Movement.REGRESSION
            or all(_beyond(earlier.shift, change, level, margin) for earlier in changes[:number])
        )
    ]
    return max(
        standing,
        key=lambda change: (change.movement is Movement.REGRESSION, abs(change.shift.size)),
        default=None,
    )


def _beyond(earlier: Shift, change: Change, level: float, margin: float) -> bool:
    """Whether the newest level lies beyond that before an earlier change, on this one's side."""
    moved_since = relative_change(earlier.before, level)
    upwards = change.shift.after > change.shift.before
    return abs(moved_since) > margin and (moved_since > 0) == upwards
