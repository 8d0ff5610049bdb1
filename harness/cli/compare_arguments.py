"""Arguments of `harness compare`; importing this costs nothing."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from harness.cli.status import NOT_JUDGED, PASSED
from harness.errors import HarnessError

__all__ = ["add_arguments"]

_EPILOG: Final = """\
environments:
  .                       as it is
  keras==3.14.0           this release, laid over what is installed
  tensorflow==2.20.0      this release in a virtual environment, everything else as it is
  git:REVISION            your repository at this revision
  OMP_NUM_THREADS=1       an environment variable; threads:1 sets those of TensorFlow as well
  PATH                    a folder of packages, a wheel, a virtual environment or an interpreter
several are joined by commas: keras==3.14.0,threads:1

exit status:
  0 no regression, 1 a regression of B against A, 2 it could not be judged
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("a", metavar="A", help="the environment to compare with")
    parser.add_argument("b", metavar="B", help="the environment that is judged")
    parser.add_argument("files", nargs="+", type=Path, metavar="SCENARIO", help="scenario files")
    parser.add_argument(
        "--margin",
        type=_share,
        metavar="SHARE",
        help="smallest change of a step that matters (0.05), five times that for compiling; with "
        "--results a share of the curve instead of what seeds differ by",
    )
    parser.add_argument(
        "--budget",
        type=_seconds,
        default=60.0,
        metavar="SECONDS",
        help="of measuring, for each scenario (60); starting processes comes on top",
    )
    parser.add_argument(
        "--results",
        action="store_true",
        help="compare what training arrives at, over seeds, instead of what it costs",
    )
    parser.add_argument(
        "--seeds", type=int, default=16, metavar="N", help="trainings in each environment (16)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the measuring order")
    parser.add_argument(
        "--repository", type=Path, metavar="DIR", help="where git revisions are looked up"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where environments are kept")
    parser.add_argument(
        "--clean",
        action=_Clean,
        help="remove all kept environments (of --cache, before it), and end",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


class _Clean(argparse.Action):
    """Like ``--version``: does its work where it stands, and ends the program."""

    def __init__(self, option_strings: list[str], dest: str, **options: Any) -> None:
        """Take no value."""
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        *_: object,
    ) -> None:
        """Remove the cache."""
        from harness.comparison.cache import Cache, default_cache

        cache = Cache(namespace.cache or default_cache())
        try:
            freed = cache.clean()
        except HarnessError as error:
            parser.exit(NOT_JUDGED, f"{error}\n")
        print(f"{cache.folder} is gone, which gives back {freed / 2**20:,.0f} MiB.")
        parser.exit(PASSED)


def _share(text: str) -> float:
    value = float(text)
    if not 0.0 < value < 1.0:
        message = f"must lie between 0 and 1, got {text}"
        raise argparse.ArgumentTypeError(message)
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.0 < value < float("inf"):
        message = f"must be a positive number of seconds, got {text}"
        raise argparse.ArgumentTypeError(message)
    return value
