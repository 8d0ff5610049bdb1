"""Comparisons as text for people and as plain values for programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.comparison.pairs import ALPHA
from harness.statistics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.comparison.comparing import Comparison
    from harness.comparison.pairs import MetricResult
    from harness.spec.loaded import Scenario

__all__ = ["costs_document", "costs_text", "environments_lines", "percent"]


def costs_text(found: Comparison, scenario: Scenario, base: str, other: str) -> str:
    """What costs how much more or less, and what this run could have seen."""
    lines = [f"{scenario.area}/{scenario.id}".lstrip("/") + f": {scenario.spec.title}"]
    lines += environments_lines(base, other, found.versions)
    if found.reason is not None:
        lines.append(f"  could not judge: {found.reason}")
    for result in found.results:
        lines += _metric(result)
    if found.results:
        estimate = found.results[0].estimate
        judged, measured = estimate.pairs, len(found.pairs)
        count = f"{judged}" if judged == measured else f"{judged} of {measured}"
        lines.append(
            f"  {count} pairs in {found.seconds:.0f} s; intervals hold at "
            f"{1.0 - ALPHA / len(found.results):.2%}, false alarms at most {ALPHA:.0%}"
        )
    return "\n".join(lines)


def costs_document(found: Comparison) -> dict[str, Any]:
    """The same for programs, with every pair."""
    return {
        "verdict": found.verdict.value,
        "reason": found.reason,
        "metrics": [result.to_json() for result in found.results],
        "versions": [dict(versions) for versions in found.versions],
        "seconds": found.seconds,
        "pairs": [
            {"base": dict(pair.base), "other": dict(pair.other), "control": dict(pair.control)}
            for pair in found.pairs
        ],
    }


def environments_lines(
    base: str, other: str, versions: tuple[Mapping[str, str], Mapping[str, str]]
) -> Iterator[str]:
    """What A and B are; versions that differ without being asked for are seen here."""
    for letter, name, loaded in zip("AB", (base, other), versions, strict=True):
        told = ", ".join(f"{package} {version}" for package, version in loaded.items())
        yield f"  {letter}  {name}  ({told})"


def percent(ratio: float) -> str:
    """A ratio as a change: ``+5.2 %``."""
    if not math.isfinite(ratio):
        return "any"
    return f"{(ratio - 1.0) * 100:+.1f} %"


def _metric(result: MetricResult) -> Iterator[str]:
    found, metric = result.estimate, result.metric
    base = f"{result.base * metric.scale:.4g} {metric.unit}"
    interval = (
        f"[{found.low:.3f}, {found.high:.3f}]"
        if math.isfinite(found.high)
        else "[too few pairs for an interval]"
    )
    seen = (
        f"could have seen {percent(1.0 + found.detectable)}"
        if math.isfinite(found.detectable)
        else "could have seen nothing"
    )
    yield (
        f"  {metric.title:<14} {result.verdict.upper() if _alarming(result) else result.verdict}"
        f": B/A {found.ratio:.3f} {interval}, A is {base}; margin {found.margin:.0%}, {seen}"
    )
    control = result.control
    if control.significant and control.counts:
        yield (
            f"  {'':<14} A against itself gives {control.ratio:.3f} "
            f"[{control.low:.3f}, {control.high:.3f}]: this machine measures something else than "
            "the environments"
        )


def _alarming(result: MetricResult) -> bool:
    return result.verdict is Verdict.REGRESSION
