"""One spelling per pipeline: JSON with sorted keys and every default written out.

Two pipelines are equal exactly when their canonical texts are, so the text serves as a key of
caches, as part of a trace, and as a message to another process.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from harness.errors import Problem, SpecError
from harness.spec.findings import shown
from harness.spec.messages import findings_of
from harness.spec.pipeline import PipelineSpec

__all__ = ["canonical_json", "canonical_tables", "pipeline_from_json"]


def canonical_tables(pipeline: PipelineSpec) -> dict[str, Any]:
    """The pipeline as plain tables with every default, keys written as in a scenario file."""
    return pipeline.model_dump(by_alias=True)


def canonical_json(pipeline: PipelineSpec) -> str:
    """The canonical text of a pipeline; not-a-number and infinities stay what they are."""
    return json.dumps(canonical_tables(pipeline), sort_keys=True, separators=(",", ":"))


def pipeline_from_json(text: str) -> PipelineSpec:
    """The pipeline that a canonical text describes.

    Raises:
        SpecError: The text is no JSON, or describes no pipeline.
    """
    try:
        tables = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError((Problem("", None, "pipeline", "be JSON", shown(text)),)) from error
    try:
        return PipelineSpec.model_validate(tables)
    except ValidationError as error:
        findings = findings_of(error, PipelineSpec)
        raise SpecError(
            tuple(finding.inside("pipeline").problem() for finding in findings)
        ) from error
