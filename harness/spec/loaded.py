"""A scenario file that has been read and found to be in order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from harness.errors import SpecError
from harness.spec.assembly import assemble, blamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.spec.pipeline import PipelineSpec
    from harness.spec.scenario import ScenarioSpec

__all__ = ["Scenario"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scenario.

    Attributes:
        path: The file, as the reader typed it.
        spec: Its tables.
        template: The tables of the pipeline as in the file, with the first sample of every draw
            and the kind of those that are left to their default.
    """

    path: str
    spec: ScenarioSpec
    template: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The file's name without its ending."""
        return PurePath(self.path).stem

    @property
    def area(self) -> str:
        """Name of the folder that the file is in; empty where the path has none."""
        return PurePath(self.path).parent.name

    @property
    def base(self) -> PipelineSpec:
        """The pipeline with the first sample of every draw."""
        return self.spec.pipeline

    def pipeline_for(self, draw: Mapping[str, Any]) -> PipelineSpec:
        """The pipeline with the value under each dotted key replaced.

        Args:
            draw: Dotted keys of the pipeline and plain values, as TOML would hold them.

        Raises:
            SpecError: The result is not a pipeline, or one that cannot run.
        """
        pipeline, findings = assemble(self.template, draw)
        if pipeline is None or findings:
            # Of a whole table that is drawn, the place inside it is the place in the pipeline.
            owners = {key: (("pipeline", *key.split(".")), ()) for key in draw}
            problems = [blamed(found, self.template, owners) for found in findings]
            raise SpecError(tuple(found.problem(path=self.path) for found in problems))
        return pipeline
