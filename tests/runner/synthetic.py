"""Trainings that take no time: traces made up from the pipeline alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from harness.spec.canonical import canonical_json
from harness.spec.loader import parse_scenario
from harness.trace import (
    Environment,
    EpochRecord,
    ResourceRecord,
    StepTable,
    Stop,
    StopReason,
    Trace,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from harness.spec.loaded import Scenario
    from harness.spec.pipeline import PipelineSpec
    from harness.trace.recording import Recording

VERSIONS = {"keras": "3.15.1", "tensorflow": "2.21.0"}

BOUND = """
[[expect]]
kind = "bound"
id = "small"
figure = "final_loss"
at_most = 10.0
because = "a made-up training loses as much as its seed says"
"""

SEED = """
[vary]
seed = { integers = [0, 99] }
"""


def scenario_of(*parts: str, path: str = "scenarios/made_up/example.toml") -> Scenario:
    """Return a scenario with a title and these parts."""
    return parse_scenario("\n".join(('title = "Losses stay small"', *parts)), path=path)


def made_up_trace(
    pipeline: PipelineSpec, loss: float, stop: Stop | None = None, steps: int = 1
) -> Trace:
    """Return a trace of one epoch, and of one step with this loss or of none."""
    return Trace(
        pipeline=canonical_json(pipeline),
        steps=StepTable(
            epoch=np.zeros(steps, int), batch=np.arange(steps), loss=np.full(steps, loss)
        ),
        epochs=(
            EpochRecord(
                epoch=0,
                steps=steps,
                logs={"loss": loss},
                first_step=0,
                stop_step=steps,
                rss_bytes=1000,
            ),
        ),
        resources=ResourceRecord(
            wall_seconds=2.0, peak_rss_bytes=2000, start_rss_bytes=1000, peak_method="sampled"
        ),
        stop=stop or Stop(reason=StopReason.COMPLETED, evidence="1 of 1 epochs"),
        environment=Environment(
            python="3.13",
            platform="Linux",
            cpu="any",
            cores=2,
            keras="3.15.1",
            backend="tensorflow",
            backend_version="2.21.0",
            numpy="2.0",
        ),
    )


class MadeUpTraining:
    """Stands in for `run_training`; remembers what was asked of it."""

    def __init__(self) -> None:
        """Lose as much as the seed says, and complete."""
        self.loss: Callable[[PipelineSpec], float] = lambda pipeline: float(pipeline.seed)
        self.stop: Callable[[PipelineSpec], Stop | None] = lambda _: None
        self.steps: Callable[[PipelineSpec], int] = lambda _: 1
        self.pipelines: list[PipelineSpec] = []
        self.reused: list[bool] = []

    def __call__(
        self, pipeline: PipelineSpec, _recording: Recording, *, reuse: bool = True
    ) -> Trace:
        """Return a trace made up from the pipeline."""
        self.pipelines.append(pipeline)
        self.reused.append(reuse)
        return made_up_trace(
            pipeline, self.loss(pipeline), self.stop(pipeline), self.steps(pipeline)
        )

    @property
    def seeds(self) -> list[int]:
        """Seeds of the pipelines, in the order of the runs."""
        return [pipeline.seed for pipeline in self.pipelines]


def install(patch: pytest.MonkeyPatch, versions: dict[str, Any] | None = None) -> MadeUpTraining:
    """Put made-up trainings in the place of real ones."""
    training = MadeUpTraining()
    patch.setattr("harness.runner.judging.run_training", training)
    patch.setattr("harness.runner.properties.installed_versions", lambda: versions or VERSIONS)
    return training
