"""Verdicts as text for people: what is wrong first, then how to see it again."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from harness.runner.listing import pipeline_listing
from harness.runner.replay_command import replay_command
from harness.runner.verdict import Outcome

if TYPE_CHECKING:
    from harness.invariants.base import Violation
    from harness.runner.verdict import Failure, Verdict
    from harness.spec.loaded import Scenario

__all__ = ["explain", "one_line"]

_WIDTH: Final = 100
_INDENT: Final = "  "
_LABEL: Final = 10

_UNSTABLE: Final = (
    "Not reproducible: this failed in a process that had run other draws, and passed when it was "
    "repeated from a fresh pipeline. Either chance decides, or what an earlier run left behind."
)


def explain(verdict: Verdict) -> str:
    """The whole text of a verdict: what must be true, what is wrong, how to see it again."""
    scenario = verdict.scenario
    parts = [f"{scenario.spec.title}\n{_INDENT}{scenario.path}: {_subject(verdict)}"]
    if verdict.reason is not None:
        parts.append(_wrapped(_sentence(verdict)))
    if verdict.failure is not None:
        parts += _failure(scenario, verdict.failure, unstable=verdict.unstable)
    circumstances = _circumstances(verdict)
    if circumstances:
        parts.append(_wrapped(circumstances))
    return "\n\n".join(parts)


def one_line(verdict: Verdict) -> str:
    """The verdict in one line, for lists."""
    name = f"{verdict.scenario.area}/{verdict.scenario.id}".lstrip("/")
    issue = f" [{verdict.issue}]" if verdict.issue else ""
    detail = ""
    if verdict.failure is not None and verdict.outcome is Outcome.FAILED:
        detail = f": {verdict.failure.expectation}"
    elif verdict.reason is not None:
        detail = f": {verdict.reason}"
    elif verdict.examples > 1:
        detail = f": {verdict.examples} examples"
    return f"{verdict.outcome.value.replace('_', ' ')}  {name}{issue}{detail}"


def _subject(verdict: Verdict) -> str:
    expectation = verdict.failure.expectation if verdict.failure is not None else None
    issue = f"known issue {verdict.issue}" if verdict.issue is not None else None
    return ", ".join(part for part in (expectation, issue) if part) or (
        verdict.outcome.value.replace("_", " ")
    )


def _sentence(verdict: Verdict) -> str:
    match verdict.outcome:
        case Outcome.NOT_JUDGED | Outcome.SKIPPED:
            return f"This could not be judged: {verdict.reason}"
        case Outcome.KNOWN_ISSUE:
            return f"This is known: {verdict.reason}"
        case _:
            return verdict.reason or ""


def _failure(scenario: Scenario, failure: Failure, *, unstable: bool) -> list[str]:
    first, *others = failure.violations
    parts = [f"{_wrapped(first.message)}\n\n{_table(first)}"]
    if unstable:
        parts.append(_wrapped(_UNSTABLE))
    if others:
        count = (
            "1 more difference comes"
            if len(others) == 1
            else f"{len(others)} more differences come"
        )
        parts.append(_wrapped(f"{count} with it, the next: {others[0].message}"))
    if failure.also:
        parts.append(_wrapped(f"The same run also breaks {', '.join(failure.also)}."))
    parts.append(_wrapped(f"Why training ended: {failure.stop.sentence}"))
    kind = "The smallest pipeline that shows it" if scenario.spec.vary else "The pipeline"
    parts.append(f"{_INDENT}{kind}:\n\n{_pasted(pipeline_listing(failure.pipeline))}")
    command = replay_command(scenario, failure.draw)
    parts.append(f"{_INDENT}To run it again:\n\n{_pasted(command)}")
    return parts


def _table(violation: Violation) -> str:
    step = violation.step
    rows = [
        ("step", step if violation.epoch is None else f"{step}, in epoch {violation.epoch}"),
        ("where", violation.where),
        ("got", violation.got),
        ("expected", violation.expected),
        ("allowed", violation.allowed),
        ("why", violation.why),
    ]
    if step is None:
        rows[0] = ("epoch", violation.epoch)
    return "\n".join(_row(label, str(value)) for label, value in rows if value is not None)


def _row(label: str, value: str) -> str:
    return textwrap.fill(
        value,
        _WIDTH,
        initial_indent=f"{_INDENT}{label:<{_LABEL}}",
        subsequent_indent=" " * (len(_INDENT) + _LABEL),
        break_on_hyphens=False,
    )


def _circumstances(verdict: Verdict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in verdict.versions.items())
    drawn = ""
    if verdict.seed is not None:
        drawn = f"{verdict.examples} examples were run, drawn from seed {verdict.seed}"
    return "; ".join(part for part in (versions, drawn) if part)


def _wrapped(text: str) -> str:
    return "\n".join(
        textwrap.fill(
            line,
            _WIDTH,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_on_hyphens=False,
            break_long_words=False,
        )
        for line in text.splitlines()
    )


def _pasted(text: str) -> str:
    """What a person copies: indented, never wrapped."""
    return textwrap.indent(text, 2 * _INDENT)
