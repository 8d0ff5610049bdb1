"""Scenario files to scenarios; every problem of a file is reported at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.errors import SpecError
from harness.spec.assembly import assemble, blamed, related
from harness.spec.checks_benchmark import check_benchmark
from harness.spec.consistency import (
    check_asks,
    check_expectations,
    check_keys,
    check_known_issues,
    when_keys,
)
from harness.spec.findings import Finding, finding
from harness.spec.lines import line_of, lines_of
from harness.spec.loaded import Scenario
from harness.spec.messages import findings_of
from harness.spec.reading import parse_toml, read_text
from harness.spec.scenario import ScenarioSpec
from harness.spec.variation import (
    Variation,
    change_keys,
    check_changes,
    check_samples,
    variation_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from harness.spec.pipeline import PipelineSpec

__all__ = ["load_scenario", "parse_scenario"]


def load_scenario(path: Path) -> Scenario:
    """The scenario in a file.

    Raises:
        SpecError: The file can't be read, or breaks rules.
    """
    return parse_scenario(read_text(path), path=str(path))


def parse_scenario(text: str, *, path: str) -> Scenario:
    """The scenario in a text.

    Args:
        text: TOML.
        path: What to call the file in messages, and what the scenario's id and area come from.

    Raises:
        SpecError: The text breaks rules.
    """
    document = parse_toml(text, path=path)
    variation = variation_of(document)
    spec, findings = _tables(document)
    findings += check_asks(document)
    pipeline, broken = _pipeline(document, variation)
    findings += broken
    if pipeline is not None and not broken:
        findings += check_samples(variation)
        findings += check_changes(document, variation.template)
        if spec is not None:
            spec = spec.model_copy(update={"pipeline": pipeline})
            findings += check_known_issues(spec, variation.template)
            findings += check_benchmark(spec, variation.template)
    else:
        # Their values can't be judged without a pipeline to put them in.
        findings += check_keys(change_keys(document))
    if spec is not None:
        findings += check_expectations(spec)
    findings += check_keys(when_keys(document))
    if findings or spec is None:
        raise _error(findings, text, path)
    return Scenario(path=path, spec=spec, template=variation.template)


def _tables(document: dict[str, Any]) -> tuple[ScenarioSpec | None, tuple[Finding, ...]]:
    """Everything but the pipeline, which needs the draws first."""
    tables = {**document, "pipeline": {}}
    try:
        return ScenarioSpec.model_validate(tables), ()
    except ValidationError as error:
        return None, findings_of(error, ScenarioSpec)


def _pipeline(
    document: dict[str, Any], variation: Variation
) -> tuple[PipelineSpec | None, tuple[Finding, ...]]:
    """The pipeline of the first samples; what a draw breaks is found at that draw."""
    if not isinstance(document.get("pipeline", {}), dict):
        return None, (finding("pipeline", "be a table", document["pipeline"]),)
    pipeline, findings = assemble(variation.raw, variation.first)
    if variation.broken and pipeline is not None:
        # What a missing draw would have changed can't be judged.
        return None, ()
    kept = [
        blamed(found, variation.raw, variation.owners)
        for found in findings
        if not any(related(found, key) for key in variation.broken)
    ]
    return pipeline, tuple(kept)


def _error(findings: Iterable[Finding], text: str, path: str) -> SpecError:
    lines = lines_of(text)
    problems = [
        found.problem(path=path, line=line_of(lines, found.place))
        for found in dict.fromkeys(findings)
    ]
    return SpecError(tuple(sorted(problems, key=lambda problem: problem.line or 0)))
