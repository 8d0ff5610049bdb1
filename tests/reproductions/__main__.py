"""The command: run the scripts of `docs/reproductions` and print what they find."""

from __future__ import annotations

import argparse
import sys

from tests.reproductions.scripts import run, scripts, summary, table


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status, 1 where a script cannot tell."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.reproductions",
        description="Run each script that shows a defect of Keras, on the Keras that is installed.",
    )
    parser.add_argument("--only", metavar="TEXT", help="scripts whose name or first line has TEXT")
    options = parser.parse_args(arguments)
    chosen = [
        script
        for script in scripts()
        if options.only is None or options.only in f"{script.stem} {summary(script)}"
    ]
    reports = []
    for script in chosen:
        print(script.stem, file=sys.stderr, flush=True)
        reports.append(run(script))
    print(table(tuple(reports)))
    broken = [report for report in reports if report.verdict == "broken"]
    for report in broken:
        print(f"\nbroken: {report.script}\n{report.output.rstrip()}", file=sys.stderr)
    return 1 if broken or not reports else 0


if __name__ == "__main__":
    sys.exit(main())
