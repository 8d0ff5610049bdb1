"""Comparisons of results as text for people and as plain values for programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from harness.comparison.report import environments_lines
from harness.statistics.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.comparison.results import Curve, Parting, ResultComparison
    from harness.spec.loaded import Scenario

__all__ = ["results_document", "results_text"]


def results_text(found: ResultComparison, scenario: Scenario, base: str, other: str) -> str:
    """Whether the curves are equivalent, and at which step the runs part."""
    lines = [f"{scenario.area}/{scenario.id}".lstrip("/") + f": {scenario.spec.title}"]
    lines += environments_lines(base, other, found.versions)
    if not found.curves:
        lines.append("  could not judge: no epoch logs a loss or a metric of known direction")
    for curve in found.curves:
        lines += _curve(curve)
    if found.epochs[0] != found.epochs[1]:
        a, b = found.epochs
        lines.append(f"  the shortest training has {a} epochs in A and {b} in B")
    lines += [
        f"  seed {seed} ends by {first} in A and by {second} in B"
        for seed, first, second in found.stops
    ]
    lines += _parting(found.parting)
    lines.append(f"  {found.seeds} seeds in each environment, paired")
    return "\n".join(lines)


def results_document(found: ResultComparison) -> dict[str, Any]:
    """The same for programs."""
    first = found.parting.first
    return {
        "verdict": found.verdict.value,
        "curves": [_plain(curve) for curve in found.curves],
        "first_difference": None if first is None else first.sentence(),
        "first_difference_step": None if first is None else first.step,
        "largest_relative_loss_difference": _finite(found.parting.largest),
        "seeds": found.seeds,
        "epochs": list(found.epochs),
        "versions": [dict(versions) for versions in found.versions],
        "stops": [list(stop) for stop in found.stops],
    }


def _curve(curve: Curve) -> Iterator[str]:
    found = curve.equivalence
    worse = found.verdict is Verdict.REGRESSION
    verdict = found.verdict.upper() if worse else found.verdict
    difference = found.final
    yield (
        f"  {curve.name:<14} {verdict}: B-A {difference.mean:+.3g} "
        f"[{difference.low:+.3g}, {difference.high:+.3g}] after the last epoch, "
        f"A is {curve.final[0]:.4g}; margin {difference.margin:.3g}, "
        f"could have seen {difference.detectable:.3g}"
    )
    if found.verdict is not Verdict.NO_CHANGE:
        yield f"  {'':<14} {found.reason}"


def _parting(found: Parting) -> Iterator[str]:
    if found.first is None:
        yield f"  step by step   the same to the last bit over {found.steps} steps"
        return
    yield f"  step by step   B first differs from A at {found.first.sentence()}"
    if found.largest is not None:
        yield f"  {'':<14} losses differ by {found.largest:.1e} at most, relative to A"


def _plain(curve: Curve) -> dict[str, Any]:
    found = curve.equivalence
    return {
        "name": curve.name,
        "verdict": found.verdict.value,
        "reason": found.reason,
        "final": [_finite(value) for value in curve.final],
        "difference": _finite(found.final.mean),
        "low": _finite(found.final.low),
        "high": _finite(found.final.high),
        "margin": _finite(found.final.margin),
        "detectable": _finite(found.final.detectable),
        "epochs": [_finite(float(value)) for value in found.epochs],
        "diverged": list(found.diverged),
        "alpha": found.alpha,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
