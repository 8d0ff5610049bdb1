"""Verdicts as text for people: what is wrong first, then how to see it again."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Mapping
from typing import Any

from harness.invariants.base import Violation
from harness.runner.verdict import Failure, Outcome, Verdict
from harness.spec.encode import encode_pipeline
from harness.spec.loaded import Scenario

__all__ = ["explain", "one_line", "replay_command"]

_WIDTH = 100
_INDENT = "  "
_LABEL = 10


def explain(verdict: Verdict) -> str:
    """The whole text of a verdict that is not a pass."""
    scenario = verdict.scenario
    parts = [scenario.spec.title, _wrapped(f"{scenario.path}: {_subject(verdict)}")]
    if verdict.reason is not None:
        parts.append(_wrapped(_sentence(verdict)))
    if verdict.failure is not None and verdict.outcome is not Outcome.KNOWN_ISSUE:
        parts += _failure(scenario, verdict.failure)
    if verdict.versions:
        parts.append(_wrapped(_circumstances(verdict)))
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
    return f"{verdict.outcome.value.replace('_', ' ')}  {name}{issue}{detail}"


def replay_command(scenario: Scenario, draw: Mapping[str, Any]) -> str:
    """The command that runs one draw again."""
    command = f"harness run {shlex.quote(scenario.path)}"
    if not draw:
        return command
    text = json.dumps(dict(draw), separators=(",", ":"))
    return f"{command} --draw {shlex.quote(text)}"


def _subject(verdict: Verdict) -> str:
    if verdict.failure is not None and verdict.issue is None:
        return verdict.failure.expectation
    return verdict.outcome.value.replace("_", " ") if verdict.issue is None else verdict.issue


def _sentence(verdict: Verdict) -> str:
    match verdict.outcome:
        case Outcome.NOT_JUDGED:
            return f"This could not be judged: {verdict.reason}"
        case Outcome.KNOWN_ISSUE:
            return f"This is known: {verdict.reason}"
        case _:
            return verdict.reason or ""


def _failure(scenario: Scenario, failure: Failure) -> list[str]:
    first, *others = failure.violations
    parts = [_wrapped(first.message), _table(first)]
    if others:
        parts.append(_wrapped(f"{len(others)} more differences come with it."))
    parts.append(_wrapped(f"How the run ended: {failure.stop.sentence}"))
    pipeline = textwrap.indent(encode_pipeline(failure.pipeline).rstrip("\n"), 2 * _INDENT)
    kind = "The smallest pipeline that shows it" if scenario.spec.vary else "The pipeline"
    parts.append(f"{_INDENT}{kind}:\n\n{pipeline}")
    command = replay_command(scenario, failure.draw)
    parts.append(f"{_INDENT}To run it again:\n\n{2 * _INDENT}{command}")
    return parts


def _table(violation: Violation) -> str:
    rows = [
        ("step", violation.step),
        ("epoch", violation.epoch),
        ("where", violation.where),
        ("got", violation.got),
        ("expected", violation.expected),
        ("allowed", violation.allowed),
        ("why", violation.why),
    ]
    return "\n".join(_row(label, str(value)) for label, value in rows if value is not None)


def _row(label: str, value: str) -> str:
    hanging = " " * (len(_INDENT) + _LABEL)
    return textwrap.fill(
        value,
        _WIDTH,
        initial_indent=f"{_INDENT}{label:<{_LABEL}}",
        subsequent_indent=hanging,
        break_on_hyphens=False,
    )


def _circumstances(verdict: Verdict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in verdict.versions.items())
    drawn = "" if verdict.seed is None else f"; {verdict.examples} examples, seed {verdict.seed}"
    return f"{versions}{drawn}"


def _wrapped(text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
    )
