"""What the tables of a scenario file say about each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.spec.assembly import assemble
from harness.spec.expectation import expectation_id
from harness.spec.fields import lookup
from harness.spec.findings import Finding, finding, known_names, shown
from harness.spec.known import when_matches
from harness.spec.pipeline import PipelineSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.spec.findings import Place
    from harness.spec.scenario import ScenarioSpec

__all__ = [
    "ASKS",
    "check_asks",
    "check_expectations",
    "check_keys",
    "check_known_issues",
    "when_keys",
]

ASKS = ("expect", "benchmark")
"""Tables without one of which there is nothing to find out."""


def check_asks(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    """A file asks whether something holds, or how fast it is."""
    if any(table in document for table in ASKS):
        return ()
    return (Finding(place=(ASKS[0],), rule="be given"),)


def check_expectations(spec: ScenarioSpec) -> tuple[Finding, ...]:
    """Ids must be unique, and known issues must excuse an expectation that is there."""
    ids = [expectation_id(expectation) for expectation in spec.expect]
    findings = [
        finding(f"expect.{index}.id", "be unique", name, "Give each expectation an id of its own.")
        for index, name in enumerate(ids)
        if name in ids[:index]
    ]
    issues = [issue.id for issue in spec.known_issue]
    for index, issue in enumerate(spec.known_issue):
        if issue.id in issues[:index]:
            findings.append(finding(f"known_issue.{index}.id", "be unique", issue.id))
        if issue.expectation not in ids:
            key = f"known_issue.{index}.expectation"
            remedy = known_names(issue.expectation, ids)
            findings.append(finding(key, "be the id of an expectation", issue.expectation, remedy))
    return tuple(findings)


def check_known_issues(spec: ScenarioSpec, template: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Each known issue must show itself in an example that its own condition leaves out."""
    findings = []
    for index, issue in enumerate(spec.known_issue):
        key = f"known_issue.{index}.example"
        if spec.vary and not issue.example:
            remedy = "Name the values that show the defect, so that it doesn't depend on a draw."
            findings.append(finding(key, "be given where something varies", {}, remedy))
            continue
        pipeline, _ = assemble(template, issue.example)
        if pipeline is not None and not when_matches(issue.when, pipeline):
            findings.append(finding(key, "meet the conditions in when", issue.example))
    return tuple(findings)


def check_keys(places: Iterable[Place]) -> tuple[Finding, ...]:
    """Dotted keys, each the last part of a place, must lead to a field of some pipeline."""
    findings = []
    for place in places:
        key = place[-1]
        found, options = lookup(PipelineSpec, key)
        if not found:
            remedy = known_names(_wrong_part(key), options) if options else None
            findings.append(
                Finding(
                    place=place, rule="lead to a key of a pipeline", got=shown(key), remedy=remedy
                )
            )
    return tuple(findings)


def _wrong_part(key: str) -> str:
    parts = key.split(".")
    return next(
        part
        for index, part in enumerate(parts)
        if not lookup(PipelineSpec, ".".join(parts[: index + 1]))[0]
    )


def when_keys(document: Mapping[str, Any]) -> tuple[Place, ...]:
    """The keys of all conditions, where they are tables; other things are reported elsewhere."""
    issues = document.get("known_issue")
    return tuple(
        ("known_issue", str(row), "when", str(column), key)
        for row, issue in enumerate(issues if isinstance(issues, list) else ())
        if isinstance(issue, dict) and isinstance(issue.get("when"), list)
        for column, table in enumerate(issue["when"])
        if isinstance(table, dict)
        for key in table
    )
