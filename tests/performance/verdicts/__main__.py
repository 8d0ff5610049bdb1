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

from tests.performance.verdicts import calibration, recording
from tests.performance.verdicts.comparisons import comparison_rows
from tests.performance.verdicts.histories import history_rows


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
    _table(comparison_rows(comparisons=arguments.comparisons))
    print("\n## Histories, 2.7 % of noise")
    _table(
        history_rows(series=arguments.series, rival_series=arguments.rival_series),
    )
    print(f"\n{time.monotonic() - begin:.0f} s.")


def _table(rows: object) -> None:
    """Print rows as they come, a heading for each thing that is counted."""
    heading = ""
    for what, noise, name, share in rows:  # type: ignore[attr-defined]
        if what != heading:
            print(f"\n### {what}\n\n| noise | judged by | count |\n|---|---|---|")
            heading = what
        print(f"| {noise} | {name} | {share} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
