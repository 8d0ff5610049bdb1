"""Arguments of the command line, and what each command does with them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import harness
from harness.benchmark.arguments import add_arguments
from harness.cli.diagnose import add_diagnose
from harness.cli.files import scenario_files
from harness.cli.status import FAILED, INTERRUPTED, NOT_JUDGED, PASSED, complain, worst
from harness.errors import HarnessError, SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name; None takes them from the command line.

    Returns:
        0: everything passed. 1: something failed. 2: nothing failed, but something could not be
        judged, or the call was wrong. 130: somebody interrupted it.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except HarnessError as error:
        complain(error)
        return NOT_JUDGED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads on; what is still in the buffer must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="harness", description=harness.__doc__)
    parser.add_argument("--version", action="version", version=harness.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="train and judge scenario files without pytest")
    run.add_argument("files", nargs="+", type=Path, metavar="FILE")
    run.add_argument("--draw", metavar="JSON", help="run this draw only, as a failure prints it")
    run.add_argument("--profile", default="quick", choices=("quick", "ci", "thorough"))
    run.add_argument("--seed", type=int, metavar="N", help="where the draws start")
    run.add_argument("--trace", type=Path, metavar="OUT", help="keep the trace of --draw here")
    run.set_defaults(command=_run)
    benchmark = commands.add_parser("benchmark", help="measure how fast scenarios train")
    add_arguments(benchmark, several=True)
    benchmark.set_defaults(command=_benchmark)
    check = commands.add_parser("check", help="read and validate scenario files, train nothing")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.add_argument(
        "--preflight", action="store_true", help="say what is wrong with each plan, too"
    )
    check.set_defaults(command=_check)
    listing = commands.add_parser("list", help="list scenario files and what they claim")
    listing.add_argument("paths", nargs="*", type=Path, default=[Path("scenarios")], metavar="PATH")
    what = listing.add_mutually_exclusive_group()
    for name, text in (
        ("invariants", "list the checks instead"),
        ("issues", "print the known issues as a table for a document"),
        ("claims", "print the claims of the literature, and what became of them, as a table"),
    ):
        what.add_argument(f"--{name}", dest="what", action="store_const", const=name, help=text)
    listing.set_defaults(command=_list)
    add_diagnose(commands)
    schema = commands.add_parser("schema", help="print the JSON Schema of scenario files")
    schema.set_defaults(command=_schema)
    return parser


def _run(options: argparse.Namespace) -> int:
    from harness.pipeline.backend import cannot_observe

    # Before what watches is imported: it needs TensorFlow.
    if (reason := cannot_observe()) is not None:
        print(f"not judged: {reason}.", file=sys.stderr)
        return NOT_JUDGED
    from harness.cli.run import run_draw, run_file

    if options.draw is not None or options.trace is not None:
        if len(options.files) != 1:
            print("--draw and --trace go with one file.", file=sys.stderr)
            return NOT_JUDGED
        return run_draw(options.files[0], options.draw, options.trace)
    statuses = []
    for file in scenario_files(options.files):
        try:
            statuses.append(run_file(file, options.profile, options.seed))
        except HarnessError as error:
            complain(error)
            statuses.append(NOT_JUDGED)
    return worst(statuses)


def _benchmark(options: argparse.Namespace) -> int:
    from harness.cli.benchmark import run_benchmarks

    return run_benchmarks(options)


def _check(options: argparse.Namespace) -> int:
    from harness.spec.loader import load_scenario

    status = PASSED
    files = scenario_files(options.files)
    for file in files:
        try:
            scenario = load_scenario(file)
        except SpecError as error:
            print(error, file=sys.stderr)
            status = FAILED
        else:
            if options.preflight:
                from harness.cli.preflight import print_findings

                status = worst([status, print_findings(scenario)])
    if status == PASSED:
        count = "1 scenario file is" if len(files) == 1 else f"{len(files)} scenario files are"
        print(f"{count} in order.")
    return status


def _list(options: argparse.Namespace) -> int:
    from harness.cli import listing

    match options.what:
        case "invariants":
            return listing.list_checks()
        case "issues":
            return listing.list_issues(options.paths)
        case "claims":
            return listing.list_claims(options.paths)
        case _:
            return listing.list_scenarios(options.paths)


def _schema(_options: argparse.Namespace) -> int:
    from harness.spec.schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return PASSED
