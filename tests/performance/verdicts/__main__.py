"""Prints how often verdicts are wrong: ``python -m tests.performance.verdicts figures``.

Three commands: `figures` counts by simulation, `record` measures the noise of this machine for it,
`calibrate` computes the bars that the history's scores must clear. Apache Otava and ruptures take
part where they are installed (``tox -e verdicts``).
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import time
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from tests.performance.verdicts import calibration, recording
from tests.performance.verdicts.comparisons import comparison_rows
from tests.performance.verdicts.histories import (
    history_rows,
    limit_rows,
    quality_rows,
    verdict_costs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable


def main() -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance.verdicts")
    commands = parser.add_subparsers(dest="command", required=True)
    figures = commands.add_parser("figures", help="count false alarms and what is found")
    figures.add_argument("--series", type=int, default=2000, help="flat histories per noise")
    figures.add_argument("--rival-series", type=int, default=200, help="the same for slow rivals")
    figures.add_argument("--comparisons", type=int, default=2000, help="comparisons per noise")
    record = commands.add_parser("record", help="record the noise of this machine")
    record.add_argument("--seconds", type=float, default=600.0)
    calibrate = commands.add_parser("calibrate", help="compute the bars of the history's scores")
    calibrate.add_argument("--series", type=int, default=20000, help="flat histories per noise")
    arguments = parser.parse_args()
    if arguments.command == "record":
        print(recording.record(seconds=arguments.seconds))
    elif arguments.command == "calibrate":
        print(calibration.write_table(series=arguments.series), end="")
    else:
        _figures(arguments)
    return 0


def _figures(arguments: argparse.Namespace) -> None:
    begin = time.monotonic()
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    print(f"`python -m tests.performance.verdicts {' '.join(sys.argv[1:])}`, {today}.\n")
    print(f"Recorded noise: {recording.summary()}.\n")
    print("Counts with exact 95 % intervals in per cent.\n\n## Comparisons")
    _tables(comparison_rows(comparisons=arguments.comparisons))
    print("\n## Histories, 2.7 % of noise")
    _tables(history_rows(series=arguments.series, rival_series=arguments.rival_series))
    _tables(limit_rows(series=arguments.series))
    _tables(quality_rows(series=arguments.series // 4))
    print(f"\nProcessor time of one verdict: {', '.join(verdict_costs())}.")
    print(f"\n{time.monotonic() - begin:.0f} s.")


def _tables(cells: Iterable[tuple[str, str, str, str]]) -> None:
    """Print one table for each thing that is counted: a row a noise, a column a judge."""
    for what, table in groupby(cells, key=itemgetter(0)):
        print(f"\n### {what}\n")
        for number, (noise, row) in enumerate(groupby(table, key=itemgetter(1))):
            judged = {name: count for _, _, name, count in row}
            if not number:
                print(f"| noise | {' | '.join(judged)} |\n|{'---|' * (len(judged) + 1)}")
            print(f"| {noise} | {' | '.join(judged.values())} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
