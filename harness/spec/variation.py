"""What varies in a scenario file, and whether every alternative that it names can be run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from harness.spec.assembly import assemble, blamed, consequence
from harness.spec.paths import replaced
from harness.spec.pipeline import PipelineSpec
from harness.spec.vary import AnyDraw, Draw, DrawSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.spec.findings import Finding, Place

__all__ = ["Variation", "change_keys", "check_changes", "check_samples", "variation_of"]

# With these a dotted key may lead into a table that the file leaves to its default.
_DEFAULT_KINDS = {
    name: {"kind": field.default.kind}
    for name, field in PipelineSpec.model_fields.items()
    if hasattr(field.default, "kind")
}

_DRAW: TypeAdapter[DrawSpec] = TypeAdapter(Draw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """The pipeline of a file and what is drawn in it.

    Attributes:
        raw: Tables of the pipeline as in the file, and the default kinds of those it leaves out.
        draws: What is drawn, by dotted key; whole pipelines are none.
        broken: Keys whose draw is not in order.
    """

    raw: Mapping[str, Any]
    draws: Mapping[str, DrawSpec]
    broken: tuple[str, ...]

    @property
    def first(self) -> dict[str, Any]:
        """The first sample of every draw."""
        return {key: draw.samples()[0] for key, draw in self.draws.items()}

    @property
    def owners(self) -> dict[str, tuple[Place, Place]]:
        """Where each draw stands, and inside it what makes its first sample."""
        return {key: (("vary", key), draw.located()[0][0]) for key, draw in self.draws.items()}

    @property
    def template(self) -> dict[str, Any]:
        """The tables with the first sample of every draw put in.

        Raises:
            HarnessUsageError: A key leads nowhere.
        """
        return replaced(self.raw, self.first)


def variation_of(document: Mapping[str, Any]) -> Variation:
    """What varies in a file, as far as it is in order."""
    raw, vary = document.get("pipeline"), document.get("vary")
    draws: dict[str, DrawSpec] = {}
    broken = []
    for key, table in vary.items() if isinstance(vary, dict) else ():
        try:
            draw = _DRAW.validate_python(table)
            if not isinstance(draw, AnyDraw):
                draws[key] = draw
        except ValidationError:
            broken.append(key)
    tables = _DEFAULT_KINDS | (raw if isinstance(raw, dict) else {})
    return Variation(raw=tables, draws=draws, broken=tuple(broken))


def check_samples(variation: Variation) -> tuple[Finding, ...]:
    """What the samples after the first one break, each put in alone."""
    findings: list[Finding] = []
    first = variation.first
    for key, draw in variation.draws.items():
        place = ("vary", key)
        for inside, value in draw.located()[1:]:
            for found in assemble(variation.raw, {**first, key: value})[1]:
                blame = blamed(found, variation.raw, {key: (place, inside)})
                own = blame.place[0] == "vary"
                findings.append(blame if own else consequence(found, (*place, *inside)))
    return tuple(findings)


def check_changes(document: Mapping[str, Any], template: Mapping[str, Any]) -> tuple[Finding, ...]:
    """What the changes that a file names break, each table of them put in alone."""
    findings: list[Finding] = []
    for place, changes in _changes(document):
        owners: dict[str, tuple[Place, Place]] = {key: ((*place, key), ()) for key in changes}
        for found in assemble(template, changes)[1]:
            blame = blamed(found, template, owners)
            own = blame.place[0] != "pipeline"
            findings.append(blame if own else consequence(found, place))
    return tuple(findings)


def change_keys(document: Mapping[str, Any]) -> tuple[Place, ...]:
    """The dotted keys of all changes that a file names."""
    return tuple((*place, key) for place, changes in _changes(document) for key in changes)


def _changes(document: Mapping[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every table of changes in a file that is a table; others are reported as such elsewhere."""
    for table, key in (("expect", "change"), ("known_issue", "example")):
        for index, item in enumerate(_list(document.get(table))):
            if isinstance(item, dict) and isinstance(item.get(key), dict):
                yield (table, str(index), key), item[key]
    benchmark = document.get("benchmark")
    if isinstance(benchmark, dict) and isinstance(benchmark.get("against"), dict):
        yield ("benchmark", "against"), benchmark["against"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
