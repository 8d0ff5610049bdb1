"""What a long history costs: writing it, and judging all of it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

from harness.history.decisions import Decisions
from harness.history.judging import judge_history, judge_track
from harness.history.opening import open_history
from harness.history.tracks import tracks
from tests.history.rows import noisy, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

SERIES = 200
COMMITS = 500
SINGLE = 200


@contextmanager
def timed(what: str, costs: dict[str, tuple[float, float]]) -> Iterator[None]:
    """Remember how long the block takes: wall and CPU seconds."""
    started = time.perf_counter(), time.process_time()
    yield
    costs[what] = time.perf_counter() - started[0], time.process_time() - started[1]


def test_verdicts_on_100_000_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints seconds for 200 series of 500 commits, one in ten with a step of 10 %."""
    costs: dict[str, tuple[float, float]] = {}
    where = str(tmp_path / "history.sqlite")
    with open_history(where) as history:
        with timed("import of all rows", costs):
            for number in range(SERIES):
                later = 1.1 if number % 10 == 0 else 1.0
                values = noisy(300, seed=number) + noisy(
                    200, level=0.01 * later, seed=1000 + number
                )
                history.add_all(rows(values, scenario=f"area/{number:03d}"))
        with timed("import of the same rows again, one series", costs):
            history.add_all(rows(values, scenario=f"area/{number:03d}"))
        with timed(f"{SINGLE} single rows", costs):
            for number in range(SINGLE):
                history.add(row(1.0, number, scenario="area/single"))
    with open_history(where, create=False) as history:
        with timed("listing all series", costs):
            listed = history.series()
        with timed(f"verdicts on {SERIES} series", costs):
            judged = judge_history(history, margin=0.02)
        with timed("one scenario's verdict, from the file", costs):
            judge_history(history, margin=0.02, scenario="area/010")
        found = tracks(history)
    each = []
    for track in found:
        started = time.process_time()
        judge_track(track, Decisions(), margin=0.02)
        each.append(time.process_time() - started)
    with capsys.disabled():
        print(f"\n\nA history of {SERIES * COMMITS} rows in SQLite:")
        for what, (wall, cpu) in costs.items():
            print(f"  {what:<44} {wall:8.3f} s   {cpu:8.3f} s CPU")
        middle, slowest = median(each) * 1e3, max(each) * 1e3
        print(f"  one verdict, CPU: median {middle:.2f} ms, slowest {slowest:.2f} ms")
    assert len(listed) == len(judged) == SERIES + 1
    assert sum(one.count for one in listed) == SERIES * COMMITS + SINGLE
