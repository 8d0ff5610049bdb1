"""Arguments of `harness history` and its commands."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["add_history", "fraction"]

_HERE: Final = ".harness/history.sqlite"


def add_history(commands: Any) -> None:
    """Add the command and its own commands to those of the program."""
    history = commands.add_parser("history", help="what figures did over time")
    own = history.add_subparsers(required=True, metavar="COMMAND", dest="history_command")
    listing = _command(own, "list", "list the series of a history", "history:list_series")
    listing.add_argument("scenario", nargs="?", help="only this one, or those that match: 'loss/*'")
    listing.add_argument("--decisions", action="store_true", help="list what people decided")
    _metric_and_json(listing)
    show = _command(own, "show", "print the commits of a scenario's figures", "history:show")
    show.add_argument("scenario")
    show.add_argument("--last", type=_count, default=20, metavar="N", help="newest commits (20)")
    _metric_and_json(show)
    _sight(show)
    trend = _command(own, "trend", "draw each figure in one line", "history:trend")
    trend.add_argument("scenario", nargs="?")
    _metric_and_json(trend)
    _sight(trend)
    _margin(trend)
    verdict = _command(
        own, "verdict", "say what got worse or better, and since when", "history:verdict"
    )
    verdict.add_argument("scenario", nargs="?")
    _metric_and_json(verdict)
    _sight(verdict)
    _margin(verdict)
    _exchange(own)
    _deciding(own)


def _exchange(own: Any) -> None:
    reading = _command(
        own, "import", "take in JSON lines or the JSON of pytest-benchmark", "history_exchange:read"
    )
    reading.add_argument("files", nargs="+", type=Path, metavar="FILE")
    writing = _command(
        own, "export", "write JSON lines, or the JSON of pytest-benchmark", "history_exchange:write"
    )
    writing.add_argument("file", type=Path, metavar="FILE", help="'-' is standard output")
    writing.add_argument("--format", choices=("lines", "pytest-benchmark"), default="lines")
    writing.add_argument("--scenario", help="only this one")
    writing.add_argument("--metric", help="only this one")
    writing.add_argument(
        "--revision", help="only this commit; one file of pytest-benchmark holds one (the newest)"
    )


def _deciding(own: Any) -> None:
    known = _command(
        own,
        "acknowledge",
        "a change is known: judge from there on",
        "history_decisions:acknowledge",
    )
    known.add_argument("scenario")
    known.add_argument("--metric", help="only this one (default: all with an open change)")
    known.add_argument("--at", metavar="COMMIT", help="where the new level began, if not as judged")
    known.add_argument("--reason", default="", help="why it is accepted")
    known.add_argument("--withdraw", action="store_true", help="take back what was said")
    _sight(known)
    _margin(known)
    bad = _command(
        own,
        "quarantine",
        "figures that are not trusted fail nothing",
        "history_decisions:quarantine",
    )
    bad.add_argument("scenario")
    bad.add_argument("--metric", default="", help="only this one (default: all)")
    bad.add_argument("--revision", default="", help="only the figures of this commit")
    bad.add_argument("--until", metavar="DATE", help="end by itself on this day: 2026-12-31")
    bad.add_argument("--reason", default="", help="why they are not trusted")
    bad.add_argument("--release", action="store_true", help="trust them again")


def _command(own: Any, name: str, text: str, function: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = own.add_parser(name, help=text, description=text)
    parser.add_argument(
        "--history",
        metavar="URL",
        help="path of an SQLite file or JSON lines, or URL of a PostgreSQL database "
        f"(default: the variable HARNESS_HISTORY, else {_HERE})",
    )
    parser.set_defaults(command=_lazily(function))
    return parser


def _lazily(function: str) -> Callable[[argparse.Namespace], int]:
    """The command of this name; what it needs is imported when it is called."""

    def call(options: argparse.Namespace) -> int:
        module, _, name = function.partition(":")
        status: int = getattr(importlib.import_module(f"harness.cli.{module}"), name)(options)
        return status

    return call


def _metric_and_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--metric", help="only this one")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _sight(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--across",
        metavar="NAMES",
        nargs="?",
        const="*",
        help="compare across environments that differ in these names only: keras,tensorflow; "
        "without names, in whatever they differ",
    )
    parser.add_argument(
        "--branch",
        action="append",
        metavar="NAME",
        help="only rows of this branch; may be repeated (default: the newest row's, and main, "
        "master, trunk)",
    )


def _margin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--margin",
        type=fraction,
        default=0.02,
        metavar="M",
        help="smaller changes do not count: 0.05 or 5%% (default 2%%)",
    )


def fraction(text: str) -> float:
    """A fraction below 1 from ``0.05`` or ``5%``.

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    digits = text.strip()
    try:
        value = float(digits[:-1]) / 100 if digits.endswith("%") else float(digits)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        message = f"must be a fraction below 1 or a percentage, such as 0.05 or 5%, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        message = f"must be a number of commits, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)
