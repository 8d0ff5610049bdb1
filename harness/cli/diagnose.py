"""What `harness diagnose` does: run a script under observation and say what was wrong with it."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from harness.cli.status import INTERRUPTED

if TYPE_CHECKING:
    from harness.diagnosis.finding import Diagnosis
    from harness.diagnosis.seen import ScriptSeen

__all__ = ["add_diagnose"]

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)", re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600}

_EPILOG = """\
Options of harness come before SCRIPT; everything behind it is for the script.
Exit status: 0 nothing wrong, 1 findings, 2 could not judge, 130 interrupted.
"""


def add_diagnose(commands: Any) -> None:
    """Add the command to the parser.

    Args:
        commands: What `argparse` returned for subcommands.
    """
    parser = commands.add_parser(
        "diagnose",
        help="run a training script under observation and say what was wrong with it",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-m", dest="module", action="store_true", help="SCRIPT is a module")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print a JSON document; what the script prints goes to standard error",
    )
    parser.add_argument(
        "--memory", type=_size, metavar="SIZE", help="end it when it holds more, such as 4GiB"
    )
    parser.add_argument(
        "--timeout", type=_seconds, metavar="TIME", help="end it after 90, 30m or 2h"
    )
    parser.add_argument(
        "--stall",
        type=_seconds,
        metavar="TIME",
        help="end it when a training stands still for so long",
    )
    parser.add_argument(
        "--trace", type=Path, metavar="OUT", help="keep the trace of its last fit here"
    )
    parser.add_argument("script", metavar="SCRIPT")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS")
    parser.set_defaults(command=_diagnose)


def _diagnose(options: argparse.Namespace) -> int:
    from harness.diagnosis.judging import diagnose
    from harness.diagnosis.report import as_json, as_text
    from harness.diagnosis.running import Limits, run_script

    command = [*(["-m"] if options.module else []), options.script, *options.arguments]
    limits = Limits(
        memory_bytes=options.memory, wall_seconds=options.timeout, stall_seconds=options.stall
    )
    script = run_script(command, limits, quiet_output=options.json)
    diagnosis = diagnose(script)
    sys.stderr.flush()
    print(as_json(diagnosis) if options.json else f"\n{as_text(diagnosis)}")
    if options.trace is not None:
        _keep(script, options.trace)
    return _status(script, diagnosis)


def _status(script: ScriptSeen, diagnosis: Diagnosis) -> int:
    error = script.error
    interrupted = error is not None and error["type"] == "KeyboardInterrupt"
    return INTERRUPTED if interrupted else diagnosis.status


def _keep(script: ScriptSeen, path: Path) -> None:
    from harness.diagnosis.tracing import trace_of
    from harness.trace import write_trace

    write_trace(trace_of(script), path)
    print(f"trace written to {path}", file=sys.stderr)


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        message = f"must be a size such as 500MB or 4GiB, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    number, unit, binary = found.groups()
    base = 1024 if binary or not unit else 1000
    return int(float(number) * base ** _POWERS[unit.lower()])


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        message = f"must be a time such as 90, 30m or 2h, got {text!r}"
        raise argparse.ArgumentTypeError(message)
    return float(found[1]) * _SECONDS[found[2].lower()]
