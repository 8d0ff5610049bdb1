"""Plain tables plus changes by dotted key to a checked pipeline, or to what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from harness.errors import HarnessUsageError
from harness.spec.checks import check_pipeline
from harness.spec.findings import Finding, Place, dotted, shown
from harness.spec.messages import UNKNOWN_KEY, findings_of
from harness.spec.paths import MISSING, replaced, value_at
from harness.spec.pipeline import PipelineSpec

__all__ = ["assemble", "blamed", "consequence", "related"]

_NOWHERE = "lead to a place in the pipeline"


def assemble(
    template: Mapping[str, Any], changes: Mapping[str, Any]
) -> tuple[PipelineSpec | None, tuple[Finding, ...]]:
    """The pipeline of `template` with `changes`, and every rule that it breaks.

    Returns:
        The pipeline, or None where it is not even well formed, and the findings. Their places
        are those inside ``[pipeline]``; dead ends among the changes carry the dotted key as one
        part.
    """
    try:
        tables = replaced(template, changes)
    except HarnessUsageError:
        dead_ends = _dead_ends(template, changes)
        others = {key: changes[key] for key in changes if (key,) not in dead_ends}
        broken = tuple(
            Finding(place=place, rule=_NOWHERE, got=shown(*place)) for place in dead_ends
        )
        return None, broken + assemble(template, others)[1]
    try:
        pipeline = PipelineSpec.model_validate(tables)
    except ValidationError as error:
        return None, findings_of(error, PipelineSpec)
    return pipeline, check_pipeline(pipeline)


def _dead_ends(template: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[Place, ...]:
    """The changes that lead through something that is no table, or past the end of a list."""
    places = []
    tables = dict(template)
    for key in sorted(changes, key=lambda name: name.count(".")):
        try:
            tables = replaced(tables, {key: changes[key]})
        except HarnessUsageError:
            places.append((key,))
    return tuple(places)


def blamed(
    found: Finding, template: Mapping[str, Any], owners: Mapping[str, tuple[Place, Place]]
) -> Finding:
    """The finding at the place in the file that is to blame for it.

    Args:
        found: A finding inside the pipeline that `template` and changes make.
        template: The tables before the changes.
        owners: Per changed key, where the key stands in the file and, inside that, the value.
    """
    for key, (place, inside) in owners.items():
        parts = tuple(key.split("."))
        rest = found.place[len(parts) :]
        if len(parts) > 1 and found.place == (key,):
            return replace(found, place=place)
        if found.rule == UNKNOWN_KEY and found.place == parts[: len(found.place)]:
            hint = "Leave out 'pipeline.'." if parts[0] == "pipeline" else found.remedy
            return replace(found, place=place, rule=_NOWHERE, got=shown(key), remedy=hint)
        if found.place == (*parts, *rest):
            return replace(found, place=_within(place, inside, rest))
        if parts[: len(found.place)] == found.place and not _holds(template, found.place):
            return replace(found, place=place, rule=_indirect(found))
    return found.inside("pipeline")


def related(found: Finding, key: str) -> bool:
    """Whether a finding is about a dotted key, something inside it or something around it."""
    parts = tuple(key.split("."))
    shorter = min(len(parts), len(found.place))
    return parts[:shorter] == found.place[:shorter]


def consequence(found: Finding, place: Place) -> Finding:
    """The finding as something that a change elsewhere, at `place`, brings about."""
    return replace(found, place=place, rule=_indirect(found))


def _indirect(found: Finding) -> str:
    key = dotted(("pipeline", *found.place))
    return f"leave a pipeline that can run: {key} must {found.rule}"


def _within(place: Place, inside: Place, rest: Place) -> Place:
    """Where a part of a drawn value stands; the items of a drawn list are all drawn alike."""
    lists = inside.count("lists")
    if lists > len(rest):
        return place
    return (*place, *inside, *rest[lists:])


def _holds(template: Mapping[str, Any], place: Place) -> bool:
    value = value_at(template, ".".join(place))
    return value is not MISSING and isinstance(value, Mapping | list)
