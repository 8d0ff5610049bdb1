"""Pure functions from what was seen to what is said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.diagnosis.finding import LEVELS
from harness.diagnosis.rules.curves import final_spike, trends
from harness.diagnosis.rules.data import what_it_read
from harness.diagnosis.rules.effects import (
    lowest_rate,
    memory_growth,
    misleading_names,
    retracing,
    weights_without_effect,
)
from harness.diagnosis.rules.numbers import loss_scale, not_finite
from harness.diagnosis.rules.planned import known_before
from harness.diagnosis.rules.stopping import how_it_ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.diagnosis.finding import Finding
    from harness.diagnosis.seen import FitSeen, LoopSeen, ScriptSeen

__all__ = ["find"]


def find(script: ScriptSeen) -> tuple[Finding, ...]:
    """Everything that is found in a script, the worst first.

    Args:
        script: What was seen.
    """
    found = list(how_it_ended(script))
    for fit in script.fits:
        found += _of_fit(fit)
    for loop in script.loops:
        found += _of_loop(loop)
    found += weights_without_effect(script)
    found += misleading_names(script)
    for fit in script.fits:
        rules = {finding.rule for finding in found if finding.where.startswith(fit.where)}
        found += known_before(fit, rules)
    return tuple(sorted(found, key=lambda finding: LEVELS.index(finding.level)))


def _of_fit(fit: FitSeen) -> Iterator[Finding]:
    steps = fit.steps
    wrong = False
    if steps is not None:
        numbers = list(
            not_finite(
                steps,
                fit.where,
                epochs=True,
                wrong_data=fit.wrong_data,
                wrong_weights=fit.wrong_weights,
            )
        )
        wrong = bool(numbers)
        yield from numbers
        yield from loss_scale(steps, fit.where, epochs=True)
    yield from what_it_read(fit)
    if steps is not None and not wrong and fit.ended:
        yield from final_spike(steps, fit.where)
    yield from retracing(fit.traces, fit.done_steps, fit.where, eager=fit.run_eagerly)
    yield from memory_growth(fit)
    yield from lowest_rate(fit)
    yield from trends(fit)


def _of_loop(loop: LoopSeen) -> Iterator[Finding]:
    numbers = list(not_finite(loop.steps, loop.where, epochs=False))
    yield from numbers
    yield from loss_scale(loop.steps, loop.where, epochs=False)
    if not numbers:
        yield from final_spike(loop.steps, loop.where)
    yield from retracing(loop.traces, len(loop.steps), loop.where)
