"""What ``python -m harness.benchmark`` and ``harness benchmark`` take; light, nothing is loaded."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Add the files and the options.

    Args:
        parser: Gets them.
        several: Any number of files and folders, not one file.
    """
    if several:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    else:
        parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=_rounds, metavar="N", help="rounds, not the file's own")
    parser.add_argument("--steps", type=_rounds, metavar="N", help="steps a round, likewise")
    parser.add_argument("--alone", action="store_true", help="leave out the other side of a ratio")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON document a scenario, on a line")
    if several:
        form.add_argument("--markdown", action="store_true", help="a table for a document")


def _rounds(text: str) -> int:
    number = int(text)
    if number < 1:
        message = f"must be at least 1, got {number}"
        raise argparse.ArgumentTypeError(message)
    return number
