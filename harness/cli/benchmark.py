"""What `harness benchmark` does: measure scenarios, and print them one way or the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.benchmark.measuring import cannot_measure, measure
from harness.benchmark.report import document, lines, markdown
from harness.cli.files import scenario_files
from harness.cli.status import NOT_JUDGED, PASSED, complain, worst
from harness.errors import HarnessError, HarnessUsageError
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    import argparse

    from harness.benchmark.measurement import Benchmark
    from harness.spec.loaded import Scenario

__all__ = ["run_benchmarks"]


def run_benchmarks(options: argparse.Namespace) -> int:
    """Measure every scenario with a benchmark table; returns the exit status.

    A row that this machine can't measure is told, and is no error.

    Raises:
        HarnessUsageError: No scenario has a benchmark table.
    """
    statuses, measured = [], 0
    for file in scenario_files(options.files):
        try:
            scenario = load_scenario(file)
            if scenario.spec.benchmark is None:
                continue
            measured += 1
            if (reason := cannot_measure(scenario)) is None:
                _tell(_measured(scenario, options), options, first=measured == 1)
            else:
                print(_skipped(scenario, reason, options))
        except HarnessError as error:
            complain(error)
            statuses.append(NOT_JUDGED)
    if not measured and not statuses:
        message = "the files must have a [benchmark] table, got none with one."
        raise HarnessUsageError(message)
    return worst(statuses or [PASSED])


def _measured(scenario: Scenario, options: argparse.Namespace) -> Benchmark:
    return measure(scenario, rounds=options.rounds, steps=options.steps, alone=options.alone)


def _tell(found: Benchmark, options: argparse.Namespace, *, first: bool) -> None:
    if options.json:
        print(json.dumps(document(found), allow_nan=False), flush=True)
    elif options.markdown:
        print("\n".join(markdown(found, header=first)), flush=True)
    else:
        print("\n".join(lines(found)), end="\n\n", flush=True)


def _skipped(scenario: Scenario, reason: str, options: argparse.Namespace) -> str:
    name = f"{scenario.area}/{scenario.id}"
    if options.json:
        return json.dumps({"scenario": name, "reason": reason})
    if options.markdown:
        return f"| `{name}` | {reason} | | | | | |"
    return f"{name}: {reason}\n"
