"""The command: print the matrix of mended defects, and fail where one is not noticed."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.regressions.defects import defects
from tests.regressions.matrix import run_matrix, table


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status, 1 where a defect is not noticed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.regressions",
        description="Judge the Keras releases around each mended defect with its scenarios.",
    )
    parser.add_argument("--only", metavar="TEXT", help="defects whose title or scenario has TEXT")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where releases are kept")
    options = parser.parse_args(arguments)
    chosen = tuple(
        defect
        for defect in defects()
        if options.only is None or options.only in f"{defect.title} {defect.scenarios}"
    )
    with tempfile.TemporaryDirectory() as throw_away:
        cache = options.cache or Path(throw_away)
        rows = run_matrix(chosen, cache, lambda line: print(line, file=sys.stderr, flush=True))
    print(table(rows))
    missed = [row.defect.title for row in rows if not row.noticed]
    print(f"\n{len(rows) - len(missed)} of {len(rows)} mended defects are noticed.")
    for title in missed:
        print(f"not noticed: {title}", file=sys.stderr)
    return 1 if missed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
