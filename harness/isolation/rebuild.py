"""The trace of a run that died, out of what its journal says and what was seen of it."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.isolation.classify import classify
from harness.spec.canonical import canonical_json
from harness.trace import (
    STEP_COLUMNS,
    Environment,
    EpochRecord,
    Event,
    ResourceRecord,
    StepTable,
    StopReason,
    Trace,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.isolation.evidence import Evidence
    from harness.spec.pipeline import PipelineSpec
    from harness.trace.journal import Entry, Journal

__all__ = ["rebuilt"]

_FEWEST_EPOCHS: Final = 3
_MEMORY: Final = StopReason.OUT_OF_MEMORY


def rebuilt(pipeline: PipelineSpec, evidence: Evidence) -> Trace:
    """Everything that a run had said before it died, and why it died.

    Of each step there are the cheap columns, of each epoch everything; gradients, variables and
    examples die with the process. Native words and Python stacks are events.

    Args:
        pipeline: What was run.
        evidence: What was seen of it.
    """
    journal = evidence.journal
    rows, epochs, events = _read(journal)
    plan = _plan(journal)
    trace = Trace(
        pipeline=canonical_json(pipeline),
        steps=_steps(rows),
        epochs=tuple(epochs),
        resources=ResourceRecord(
            wall_seconds=evidence.seconds,
            peak_rss_bytes=evidence.peak_bytes,
            start_rss_bytes=min(_held_at_start(journal), evidence.peak_bytes),
            peak_method="watched",
        ),
        stop=replace(
            classify(evidence),
            planned_epochs=plan.get("planned_epochs"),
            planned_steps=plan.get("planned_steps"),
        ),
        environment=_environment(journal),
        events=(*events, *_heard(evidence)),
    )
    return _with_growth(trace)


def _read(journal: Journal) -> tuple[list[dict[str, Any]], list[EpochRecord], list[Event]]:
    """Steps with the epoch and batch they belong to, epochs that ended, events."""
    rows: list[dict[str, Any]] = []
    epochs: list[EpochRecord] = []
    events: list[Event] = []
    epoch, first = 0, 0
    for entry in journal.entries:
        values = {name: value for name, value in entry.items() if name != "kind"}
        match entry["kind"]:
            case "epoch_begin":
                epoch, first = values["epoch"], len(rows)
            case "step":
                rows.append({**values, "epoch": epoch, "batch": len(rows) - first})
            case "rewind":
                del rows[values["steps"] :]
            case "epoch_end":
                epochs.append(EpochRecord(**values))
            case "event":
                events.append(Event(kind=values.pop("event"), **values))
    return rows, epochs, events


def _steps(rows: list[dict[str, Any]]) -> StepTable:
    known = [name for name in STEP_COLUMNS if rows and all(name in row for row in rows)]
    columns = {name: np.array([row[name] for row in rows]) for name in known}
    if {"iterations_before", "iterations_after"} <= columns.keys():
        updated = columns["iterations_after"] > columns["iterations_before"]
        columns["updated"] = updated.astype(np.int8)
    epoch = columns.pop("epoch", np.zeros(0, np.int64))
    batch = columns.pop("batch", np.zeros(0, np.int64))
    others: dict[str, Any] = columns
    return StepTable(epoch=epoch, batch=batch, **others)


def _plan(journal: Journal) -> Entry:
    return next((entry for entry in journal.of("phase") if entry["name"] == "train"), {})


def _held_at_start(journal: Journal) -> int:
    ready = journal.last("ready")
    return 0 if ready is None else int(ready["held_bytes"])


def _environment(journal: Journal) -> Environment:
    entry = journal.last("environment")
    if entry is not None:
        return Environment(**entry["values"])
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()}-{platform.machine()}",
        cpu=platform.processor() or platform.machine(),
        cores=os.cpu_count() or 1,
        keras="unknown",
        backend="unknown",
        backend_version="unknown",
        numpy=np.__version__,
    )


def _heard(evidence: Evidence) -> tuple[Event, ...]:
    texts: Mapping[str, str | None] = {
        "stderr": evidence.output,
        "stacks": evidence.stacks,
        "damaged": evidence.journal.damaged,
    }
    return tuple(
        Event(kind="process", name=name, detail={"text": text})
        for name, text in texts.items()
        if text
    )


def _with_growth(trace: Trace) -> Trace:
    """Where memory ran out, say how it grew, if enough epochs tell."""
    if trace.stop.reason is not _MEMORY or len(trace.epochs) < _FEWEST_EPOCHS:
        return trace
    growth = trace.figure("rss_growth_per_epoch_bytes") / (1 << 20)
    evidence = f"{trace.stop.evidence}, after growing by {growth:.1f} MiB an epoch"
    return replace(trace, stop=replace(trace.stop, evidence=evidence))
