"""Measures one scenario: both sides built, warmed up, and timed round by round in turns."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.benchmark.machine import machine_peaks
from harness.benchmark.measurement import Benchmark
from harness.benchmark.side import Side
from harness.errors import HarnessUsageError
from harness.pipeline.backend import backend_name, environment, installed_versions
from harness.pipeline.device import device
from harness.runner.required import missing_requirement

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from harness.spec.loaded import Scenario
    from harness.spec.pipeline import PipelineSpec
    from harness.spec.scenario import BenchmarkSpec

__all__ = ["CONFIDENCE", "NO_GPU", "Measuring", "cannot_measure", "measure"]

CONFIDENCE = 0.95
"""Of the interval of a speed-up."""

NO_GPU = "not judged: no GPU"


def cannot_measure(scenario: Scenario) -> str | None:
    """Why this machine can't measure a scenario; None where it can.

    Raises:
        MissingBackendError: There is no Keras here.
    """
    if _benchmark_of(scenario).device == "gpu" and device().kind != "gpu":
        return NO_GPU
    return missing_requirement(scenario, installed_versions())


def measure(
    scenario: Scenario, *, rounds: int | None = None, steps: int | None = None, alone: bool = False
) -> Benchmark:
    """Measure a scenario in this process.

    Args:
        scenario: It has a benchmark table.
        rounds: Rounds instead of those of the file.
        steps: Steps a round instead of those of the file.
        alone: Leave out the other side.

    Raises:
        HarnessUsageError: The scenario has no benchmark table.
        PipelineError: A side can't be built or trained.
        MissingBackendError: There is no Keras here, or not the backend that a side needs.
    """
    with Measuring(scenario, steps=steps, alone=alone) as measuring:
        for _ in range(rounds or _benchmark_of(scenario).rounds):
            measuring.round()
        return measuring.finish()


class Measuring:
    """A scenario being measured; a context, because callbacks may write files."""

    def __init__(
        self, scenario: Scenario, *, steps: int | None = None, alone: bool = False
    ) -> None:
        """Say what is measured; nothing is built yet."""
        self._scenario, self._benchmark = scenario, _benchmark_of(scenario)
        self._steps, self._alone = steps or self._benchmark.steps, alone
        self._order = random.Random(scenario.id)  # noqa: S311 - order, not secrets
        self._elapsed = 0.0

    def __enter__(self) -> Self:
        """Build both sides and warm them up."""
        backend_name()
        self._folder = tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)
        try:
            changes = {} if self._alone else dict(self._benchmark.against)
            self._changes = changes
            self._sides = [self._side(self._scenario.base, "file")]
            if changes:
                self._sides.append(self._side(self._scenario.pipeline_for(changes), "against"))
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what callbacks wrote."""
        self._folder.cleanup()

    def round(self) -> None:
        """One round of each side, in an order drawn anew, so that drift hits both alike."""
        for side in self._order.sample(self._sides, len(self._sides)):
            side.round()
        self._elapsed += self._sides[0].step_seconds

    def now(self) -> float:
        """A clock that only goes on by what a step of the scenario took in each round."""
        return self._elapsed

    def finish(self) -> Benchmark:
        """Time single calls, then all that was measured.

        Raises:
            HarnessUsageError: No round was run.
        """
        if not self._sides[0].round_seconds:
            message = "a measurement must have a round, got none. Call round() first."
            raise HarnessUsageError(message)
        # The other side is there for the ratio, which is one of whole rounds.
        self._sides[0].time_each_call()
        measured = self._sides[0].measurement()
        against = self._sides[1].measurement() if len(self._sides) > 1 else None
        speed_up = None
        if against is not None:
            # SciPy takes long to import, and a side alone needs no ratio.
            from harness.statistics.ratio import estimate_ratio  # noqa: PLC0415

            base, other = (
                side.examples / np.asarray(side.round_seconds) for side in (against, measured)
            )
            speed_up = estimate_ratio(base, other, alpha=1.0 - CONFIDENCE)
        return Benchmark(
            id="/".join(part for part in (self._scenario.area, self._scenario.id) if part),
            title=self._scenario.spec.title,
            measured=measured,
            against=against,
            changes=self._changes,
            speed_up=speed_up,
            peaks=machine_peaks(measured.compute_dtype, reached=measured.flops_per_second or 0.0),
            device=device(),
            environment=environment(),
        )

    def _side(self, spec: PipelineSpec, name: str) -> Side:
        folder = Path(self._folder.name) / name
        folder.mkdir()
        return Side(spec, self._benchmark, folder, steps=self._steps)


def _benchmark_of(scenario: Scenario) -> BenchmarkSpec:
    benchmark = scenario.spec.benchmark
    if benchmark is None:
        message = (
            f"{scenario.path} must have a [benchmark] table to be measured, got none. "
            "Add one, if only with its default values."
        )
        raise HarnessUsageError(message)
    return benchmark
