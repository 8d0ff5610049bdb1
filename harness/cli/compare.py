"""What `harness compare` does: judge one environment against another, scenario by scenario."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.files import scenario_files
from harness.cli.status import NOT_JUDGED, complain, worst
from harness.comparison.cache import Cache, default_cache
from harness.comparison.commands import EnvironmentBroken, NothingToMeasure
from harness.comparison.environments import parse_environment
from harness.comparison.preparing import Prepared, prepare
from harness.errors import SpecError
from harness.spec.loader import load_scenario

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from harness.spec.loaded import Scenario
    from harness.spec.scenario import BenchmarkSpec

__all__ = ["run_compare"]


def run_compare(options: argparse.Namespace) -> int:
    """Run the command; returns the exit status, the worst of all scenarios.

    Raises:
        HarnessUsageError: An environment is not one.
        EnvironmentBroken: An environment cannot be built.
        SpecError: A scenario breaks rules.
    """
    cache = Cache(options.cache or default_cache())
    specs = [parse_environment(text) for text in (options.a, options.b)]
    scenarios = [load_scenario(file) for file in scenario_files(options.files)]
    with _progress() as tell:
        prepared = []
        for spec in specs:
            tell(f"building {spec.text}")
            prepared.append(prepare(spec, cache, options.repository))
    judge = _results if options.results else _costs
    statuses, documents = [], []
    for scenario in scenarios:
        try:
            status, document, text = judge(scenario, prepared[0], prepared[1], options)
        except NothingToMeasure as error:
            # The others still are judged; what could not be judged anywhere is no pass either.
            print(f"{scenario.path}: left out, {error}", file=sys.stderr)
            documents.append({"scenario": scenario.path, "left_out": str(error)})
            continue
        except (EnvironmentBroken, SpecError) as error:
            complain(error)
            statuses.append(NOT_JUDGED)
            documents.append({"scenario": scenario.path, "error": str(error)})
            continue
        statuses.append(status)
        documents.append({"scenario": scenario.path, **document})
        if not options.json:
            print(text, flush=True)
    if options.json:
        print(json.dumps({"a": options.a, "b": options.b, "scenarios": documents}, indent=2))
    return worst(statuses or [NOT_JUDGED])


def _costs(
    scenario: Scenario, base: Prepared, other: Prepared, options: argparse.Namespace
) -> tuple[int, dict[str, Any], str]:
    from harness.comparison.comparing import Plan, compare
    from harness.comparison.report import costs_document, costs_text
    from harness.statistics.ratio import MARGIN

    benchmark = _benchmark(scenario)
    plan = Plan(
        margin=options.margin or MARGIN,
        budget_seconds=options.budget,
        seed=options.seed,
        steps=benchmark.steps,
        steps_per_execution=scenario.base.compile.steps_per_execution,
    )
    with _progress() as tell:
        found = compare(base, other, Path(scenario.path), plan, tell)
    text = costs_text(found, scenario, base.name, other.name)
    return found.verdict.exit_status, costs_document(found), text


def _benchmark(scenario: Scenario) -> BenchmarkSpec:
    """How a scenario is measured; one without such a table is measured step by step.

    Raises:
        SpecError: It trains in a way that cannot be measured.
    """
    from harness.spec.checks_benchmark import check_benchmark
    from harness.spec.scenario import BenchmarkSpec

    if scenario.spec.benchmark is not None:
        return scenario.spec.benchmark
    benchmark = BenchmarkSpec(steps=100 * scenario.base.compile.steps_per_execution)
    spec = scenario.spec.model_copy(update={"benchmark": benchmark})
    if findings := check_benchmark(spec, scenario.template):
        raise SpecError(tuple(found.problem(path=scenario.path) for found in findings))
    return benchmark


def _results(
    scenario: Scenario, base: Prepared, other: Prepared, options: argparse.Namespace
) -> tuple[int, dict[str, Any], str]:
    from harness.comparison.report_results import results_document, results_text
    from harness.comparison.results import compare_results

    with _progress() as tell:
        found = compare_results(
            base, other, Path(scenario.path), seeds=options.seeds, margin=options.margin, tell=tell
        )
    text = results_text(found, scenario, base.name, other.name)
    return found.verdict.exit_status, results_document(found), text


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Takes lines of progress; shows the last one, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield status.update
