"""Pipelines whose speed can't be measured as a file asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.spec.assembly import assemble
from harness.spec.findings import Finding, finding
from harness.spec.training import FitSpec, GradientTapeSpec, TrainOnBatchSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.spec.pipeline import PipelineSpec
    from harness.spec.scenario import BenchmarkSpec, ScenarioSpec

__all__ = ["check_benchmark"]

_MEASURED = (FitSpec, TrainOnBatchSpec, GradientTapeSpec)
_ONE_FIT = ("earlier_fit", "interrupt_after", "save_and_load_after")


def check_benchmark(spec: ScenarioSpec, template: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What keeps the pipeline, or the other side of the ratio, from being measured."""
    benchmark = spec.benchmark
    if benchmark is None:
        return ()
    findings = [found.inside("pipeline") for found in _findings(benchmark, spec.pipeline)]
    other, _ = assemble(template, benchmark.against)
    if benchmark.against and other is not None and not findings:
        findings = [found.inside("benchmark", "against") for found in _findings(benchmark, other)]
    return tuple(findings)


def _findings(benchmark: BenchmarkSpec, pipeline: PipelineSpec) -> Iterator[Finding]:
    training, each = pipeline.training, pipeline.compile.steps_per_execution
    if not isinstance(training, _MEASURED):
        rule = "be fit, train_on_batch or gradient_tape in a benchmark"
        yield finding("training.kind", rule, training.kind)
    elif benchmark.measure == "epoch" and not isinstance(training, FitSpec):
        yield finding("training.kind", "be fit where epochs are measured", training.kind)
    for key in _ONE_FIT:
        if getattr(training, key, None) is not None:
            rule = "be left out of a benchmark"
            yield finding(f"training.{key}", rule, getattr(training, key), "It times one fit.")
    if benchmark.measure == "step" and benchmark.steps % each:
        rule = f"divide benchmark.steps, which is {benchmark.steps}"
        yield finding("compile.steps_per_execution", rule, each)
