"""Arguments of `harness bisect`; importing this costs nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

__all__ = ["add_arguments"]

_SECONDS: Final = 900.0

_EPILOG: Final = """\
exit status:
  0 the answer is one release or revision, 2 it is one of several, or the ends are wrong
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("file", nargs="?", type=Path, metavar="SCENARIO", help="scenario file")
    parser.add_argument("--package", metavar="NAME", help="bisect the releases of this package")
    parser.add_argument(
        "--repository",
        type=Path,
        metavar="DIR",
        help="bisect revisions of this git repository (without --package: the one around here)",
    )
    parser.add_argument("--good", required=True, metavar="X", help="where it holds; may be newer")
    parser.add_argument("--bad", required=True, metavar="Y", help="where it fails")
    parser.add_argument(
        "--run",
        metavar="COMMAND",
        help="judge by this command instead: status 0 is good, 125 says nothing, 1 to 127 is bad",
    )
    parser.add_argument(
        "--releases", metavar="LIST", help="releases by hand, joined by commas, not from the index"
    )
    parser.add_argument(
        "--with",
        dest="inside",
        metavar="ENVIRONMENT",
        help="what else is in every environment, as for compare: threads:1, or another interpreter",
    )
    parser.add_argument("--profile", default="quick", choices=("quick", "ci", "thorough"))
    parser.add_argument(
        "--timeout", type=float, default=_SECONDS, metavar="SECONDS", help="for one candidate"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where environments are kept")
    parser.add_argument("--fresh", action="store_true", help="use no verdicts of earlier calls")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
