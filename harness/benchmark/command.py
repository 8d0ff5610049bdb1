"""Arguments of ``python -m harness.benchmark``, the part of the harness that other processes run.

It needs NumPy, pydantic, psutil, packaging and Keras with a backend; SciPy only for a ratio.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.benchmark.measuring import cannot_measure, measure
from harness.benchmark.report import document, lines
from harness.errors import HarnessError
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["add_arguments", "main", "run"]

_MEASURED, _NOT_MEASURED, _INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one scenario; returns the exit status.

    Args:
        arguments: Without the program's name; None takes them from the command line.

    Returns:
        0: it was measured. 2: it could not be, and standard error says why. 130: interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m harness.benchmark", description=__doc__)
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        return run(options)
    except HarnessError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return _NOT_MEASURED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes, here and as `harness benchmark`."""
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=_positive, metavar="N", help="instead of the file's")
    parser.add_argument("--steps", type=_positive, metavar="N", help="a round, not the file's")
    parser.add_argument("--alone", action="store_true", help="leave out the other side of a ratio")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Measure what parsed arguments say; returns the exit status.

    Raises:
        HarnessError: It can't be measured.
    """
    scenario = load_scenario(options.file)
    if (reason := cannot_measure(scenario)) is not None:
        print(f"{options.file}: {reason}", file=sys.stderr)  # noqa: T201
        return _NOT_MEASURED
    found = measure(scenario, rounds=options.rounds, steps=options.steps, alone=options.alone)
    if options.json:
        print(json.dumps(document(found), allow_nan=False))  # noqa: T201
    else:
        print("\n".join(lines(found)))  # noqa: T201
    return _MEASURED


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = f"must be at least 1, got {number}"
        raise argparse.ArgumentTypeError(message)
    return number
