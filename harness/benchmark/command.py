"""``python -m harness.benchmark``, the part of the harness that comparisons run elsewhere.

It needs NumPy, pydantic, psutil, packaging and Keras with a backend; SciPy only for a ratio.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from harness.benchmark.arguments import add_arguments
from harness.benchmark.measuring import cannot_measure, measure
from harness.benchmark.report import document, lines
from harness.errors import HarnessError
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_MEASURED, _NOT_MEASURED, _INTERRUPTED = 0, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure one scenario and print what came out; returns the exit status.

    Args:
        arguments: Without the program's name; None takes them from the command line.

    Returns:
        0: it was measured. 2: it could not be, and standard error says why. 130: interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="python -m harness.benchmark", description="measure how fast one scenario trains"
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        scenario = load_scenario(options.file)
        if (reason := cannot_measure(scenario)) is not None:
            print(f"{options.file}: {reason}", file=sys.stderr)
            return _NOT_MEASURED
        found = measure(scenario, rounds=options.rounds, steps=options.steps, alone=options.alone)
    except HarnessError as error:
        print("\n".join([str(error), *getattr(error, "__notes__", ())]), file=sys.stderr)
        return _NOT_MEASURED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    text = json.dumps(document(found), allow_nan=False) if options.json else "\n".join(lines(found))
    print(text)
    return _MEASURED
