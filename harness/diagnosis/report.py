"""A diagnosis as text for people, and as a document for programs."""

from __future__ import annotations

import json
import math
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from harness.trace.stop import StopReason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.diagnosis.finding import Diagnosis, Finding, RunSummary
    from harness.trace.stop import Stop

__all__ = ["FORMAT", "as_json", "as_text"]

FORMAT: Final = 1
"""Goes up when a program that reads the document has to change."""

_WIDTH: Final = 96


def as_text(diagnosis: Diagnosis) -> str:
    """The report that a person reads."""
    lines = [*_head(diagnosis)]
    for number, run in enumerate(diagnosis.runs, 1):
        lines += ["", f"Training {number}: {run.where}", *_run(run)]
    for finding in diagnosis.findings:
        lines += ["", *_finding(finding)]
    lines += ["", *_tail(diagnosis)]
    return "\n".join(lines)


def as_json(diagnosis: Diagnosis) -> str:
    """The same as a JSON document; what is no number in JSON becomes text."""
    document = {"format": FORMAT, "status": diagnosis.status, **asdict(diagnosis)}
    for run, shown in zip(diagnosis.runs, document["runs"], strict=True):
        shown["stop"] = {
            name: value
            for name in ("reason", "evidence", "callback", "location", "exception", "epoch", "step")
            if (value := getattr(run.stop, name)) is not None
        }
    return json.dumps(_plain(document), indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value


def _head(diagnosis: Diagnosis) -> Iterator[str]:
    shown = ("keras", "tensorflow", "python")
    versions = ", ".join(
        f"{name} {diagnosis.environment[name]}" for name in shown if name in diagnosis.environment
    )
    yield f"harness diagnose: {' '.join(diagnosis.command)}"
    peak = f"{diagnosis.peak_bytes / 2**30:.2f} GiB"
    yield f"  {versions or 'without Keras'}; {diagnosis.seconds:.1f} s; peak of memory {peak}"


def _run(run: RunSummary) -> Iterator[str]:
    yield from _entry("data", run.source)
    yield from _entry("planned", _amount(run.planned_epochs, run.planned_steps))
    yield from _entry("done", _amount(run.done_epochs, run.done_steps))
    yield from _entry("ended", _ended(run.stop))
    if run.course:
        yield from _entry("course", run.course)


def _ended(stop: Stop) -> str:
    """Why a run ended; where it ended stands beside it."""
    evidence = f"{stop.evidence[:1].upper()}{stop.evidence[1:]}."
    if stop.reason is StopReason.COMPLETED:
        return f"As planned. {evidence}"
    place = "" if stop.location is None else f" At {stop.location}."
    return f"{stop.reason.sentence} {evidence}{place}"


def _amount(epochs: int | None, steps: int | None) -> str:
    parts = []
    if epochs is not None:
        parts.append(f"{epochs} epoch{'' if epochs == 1 else 's'}")
    if steps is not None:
        parts.append(f"{steps} step{'' if steps == 1 else 's'}")
    if epochs is None and steps is None:
        return "unknown: the script decides"
    return ", ".join(parts) if steps is not None else f"{parts[0]} of unknown length"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.level.upper()} {finding.rule} ({finding.where})"
    yield from _entry("seen", finding.seen)
    yield from _entry("why", finding.why)
    yield from _entry("do", finding.remedy)


def _entry(name: str, text: str) -> Iterator[str]:
    indent = " " * 11
    yield from textwrap.wrap(
        text,
        width=_WIDTH,
        initial_indent=f"  {name:<9}",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _tail(diagnosis: Diagnosis) -> Iterator[str]:
    yield diagnosis.ending
    if diagnosis.unjudged is not None:
        yield f"Could not judge: {diagnosis.unjudged}"
    counts = [
        f"{number} {level}{'' if number == 1 else 's'}"
        for level in ("problem", "warning", "note")
        if (number := sum(finding.level == level for finding in diagnosis.findings))
    ]
    if counts:
        yield f"Found: {', '.join(counts)}."
    elif diagnosis.unjudged is None:
        yield "Nothing wrong was found."
