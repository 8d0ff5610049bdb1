"""The journal of a script, read back as frozen data."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.diagnosis.seen import EpochSeen, FitSeen, LoopSeen, ScriptSeen, StepsSeen
from harness.preflight.finding import Finding as PlanFinding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.trace.journal import Entry, Journal
    from harness.trace.stop import Stop

__all__ = ["read_script"]

_NOTES: Final = ("unweighted", "metrics_names", "warning", "train_on_batch", "blind")


def read_script(
    journal: Journal,
    command: Sequence[str],
    *,
    status: int | None = 0,
    death: Stop | None = None,
    seconds: float = 0.0,
    peak_bytes: int = 0,
) -> ScriptSeen:
    """What a journal tells of a script.

    Args:
        journal: As the child wrote it.
        command: What was run.
        status: Exit status of the child.
        death: Why it died, where it did.
        seconds: How long it ran.
        peak_bytes: Most resident memory.
    """
    lanes = _lanes(journal)
    fits = tuple(_fit(journal, entry["fit"], lanes) for entry in journal.of("fit_begin"))
    return ScriptSeen(
        command=tuple(command),
        environment=_environment(journal),
        fits=fits,
        loops=_loops(journal, lanes),
        error=journal.last("raised"),
        exit=journal.last("exit"),
        status=status,
        death=death,
        notes=journal.of(*_NOTES),
        seconds=seconds,
        peak_bytes=peak_bytes,
    )


class _Lane:
    """Rows of one optimizer, those that were overwritten unread being NaN."""

    def __init__(self, entry: Entry) -> None:
        self.number: int = entry["lane"]
        self.optimizer: str = entry["optimizer"]
        self.place: str | None = entry["place"]
        self.measures: list[str] = entry["measures"]
        self.paths: tuple[str, ...] = tuple(entry["paths"])
        self.parts: list[tuple[int, NDArray[np.float64]]] = []
        self.stop = 0

    def add(self, entry: Entry) -> None:
        """Add rows as they were written."""
        data = np.frombuffer(base64.b64decode(entry["data"]), "<f4").astype(np.float64)
        rows = data.reshape(entry["count"], len(self.measures) + len(self.paths))
        self.parts.append((entry["first"], rows))
        self.stop = max(self.stop, entry["first"] + entry["count"])

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """Rows from `start` to before `stop` that are known."""
        width = len(self.measures) + len(self.paths)
        table = np.full((max(stop - start, 0), width), np.nan)
        known = np.zeros(len(table), bool)
        for first, rows in self.parts:
            low, high = max(first, start), min(first + len(rows), stop)
            if low < high:
                table[low - start : high - start] = rows[low - first : high - first]
                known[low - start : high - start] = True
        return table[known]


def _lanes(journal: Journal) -> dict[int, _Lane]:
    lanes = {entry["lane"]: _Lane(entry) for entry in journal.of("lane")}
    for entry in journal.of("rows"):
        lanes[entry["lane"]].add(entry)
    return lanes


def _environment(journal: Journal) -> dict[str, str]:
    entry = journal.last("keras") or {}
    names = ("keras", "backend", "tensorflow", "numpy", "python")
    return {name: entry[name] for name in names if entry.get(name)}


def _rows_at(entry: Mapping[str, Any] | None, lane: int) -> int:
    """Rows of a lane when a record was written; JSON has made text of its number."""
    return 0 if entry is None else int(entry.get("rows", {}).get(str(lane), 0))


def _fit(journal: Journal, number: int, lanes: Mapping[int, _Lane]) -> FitSeen:
    own = [entry for entry in journal.entries if entry.get("fit") == number]
    first = {kind: _first(own, kind) for kind in ("fit_begin", "callbacks", "stop_requested")}
    begin, end = first["fit_begin"] or {}, _first(own, "fit_end")
    lane, span = _main_lane(lanes, own)
    done = _epochs(own, lane, begin)
    steps = None if lane is None else _steps(lane, span, done)
    plain = ("place", "model", "epochs", "initial_epoch", "steps_per_epoch", "class_weight")
    more = ("steps_per_execution", "run_eagerly", "source", "validation")
    ending = end or {}
    return FitSeen(
        number=number,
        **{name: begin[name] for name in (*plain, *more)},
        optimizer=begin["optimizer"] or {},
        callbacks=tuple((first["callbacks"] or {}).get("callbacks", ())),
        counted=(first["callbacks"] or {}).get("steps"),
        begun=sum(entry["kind"] == "epoch_begin" for entry in own),
        done=done,
        validated=tuple(entry for entry in own if entry["kind"] == "validated"),
        steps=steps,
        updates=ending.get("updates"),
        traces=ending.get("traces", 0),
        drawn=ending.get("drawn", done[-1].drawn if done else None),
        source_ended=ending.get("ended", False),
        validation_drawn=ending.get("validation_drawn"),
        validation_ended=ending.get("validation_ended", False),
        request=first["stop_requested"],
        error=ending.get("error"),
        ended=end is not None,
        seconds=ending.get("seconds"),
        wrong_weights=tuple(ending.get("wrong_weights", ())),
        wrong_data=tuple(ending.get("wrong_data", ())),
        replicated=ending.get("replicated", False),
        planned=tuple(_planned(entry) for entry in own if entry["kind"] == "preflight"),
    )


def _first(entries: Sequence[Entry], kind: str) -> Entry | None:
    return next((entry for entry in entries if entry["kind"] == kind), None)


def _planned(entry: Entry) -> PlanFinding:
    names = ("rule", "severity", "where", "message", "remedy")
    return PlanFinding(**{name: entry[name] for name in names})


def _main_lane(
    lanes: Mapping[int, _Lane], own: Sequence[Entry]
) -> tuple[_Lane | None, tuple[int, int]]:
    """The optimizer that did most in a fit, and its first row and the one behind its last."""
    begin, end = _first(own, "fit_begin"), _first(own, "fit_end")
    found: _Lane | None = None
    span = (0, 0)
    for lane in lanes.values():
        start = _rows_at(begin, lane.number)
        stop = _rows_at(end, lane.number) if end is not None else lane.stop
        if stop - start > span[1] - span[0]:
            found, span = lane, (start, stop)
    return found, span


def _epochs(own: Sequence[Entry], lane: _Lane | None, begin: Entry) -> tuple[EpochSeen, ...]:
    ended = {entry["epoch"] for entry in own if entry["kind"] == "epoch_end"}
    before = 0 if lane is None else _rows_at(begin, lane.number)
    found = []
    for entry in own:
        if entry["kind"] != "epoch_done":
            continue
        stop = before if lane is None else _rows_at(entry, lane.number)
        found.append(
            EpochSeen(
                epoch=entry["epoch"],
                batches=entry["batches"] * int(begin["steps_per_execution"] or 1),
                steps=None if lane is None else stop - before,
                logs=entry["logs"],
                drawn=entry["drawn"],
                rss=entry["rss"],
                ended=entry["epoch"] in ended,
            )
        )
        before = stop
    return tuple(found)


def _steps(lane: _Lane, span: tuple[int, int], done: Sequence[EpochSeen]) -> StepsSeen:
    start, stop = span
    table = lane.rows(start, stop)
    missing = stop - start - len(table)
    epoch = np.full(stop - start, done[-1].epoch + 1 if done else 0)
    batch = np.zeros(stop - start, np.int64)
    row = 0
    for record in done:
        size = record.steps or 0
        epoch[row : row + size] = record.epoch
        batch[row : row + size] = np.arange(size)
        row += size
    batch[row:] = np.arange(stop - start - row)
    return _columns(lane, table, missing, epoch[missing:], batch[missing:])


def _columns(
    lane: _Lane, table: NDArray[np.float64], missing: int, epoch: Any, batch: Any
) -> StepsSeen:
    column = {name: table[:, index] for index, name in enumerate(lane.measures)}
    scale = column["loss_scale"]
    with np.errstate(all="ignore"):
        gradients = np.sqrt(2.0 * table[:, len(lane.measures) :]) / scale[:, None]
        move = np.sqrt(2.0 * column["half_square_move"])
    return StepsSeen(
        first=missing,
        epoch=np.asarray(epoch, np.int64),
        batch=np.asarray(batch, np.int64),
        loss=column["loss"],
        learning_rate=column["learning_rate"],
        loss_scale=scale,
        batch_size=column["batch_size"],
        move=move,
        gradients=gradients,
        paths=lane.paths,
    )


def _loops(journal: Journal, lanes: Mapping[int, _Lane]) -> tuple[LoopSeen, ...]:
    """What each optimizer did outside of fits: all its rows but theirs."""
    single = bool(journal.of("train_on_batch"))
    ended = {number: traces for number, _, traces in (journal.last("lanes") or {}).get("lanes", ())}
    found = []
    for lane in lanes.values():
        outside = np.ones(lane.stop, bool)
        for begin in journal.of("fit_begin"):
            own = [entry for entry in journal.entries if entry.get("fit") == begin["fit"]]
            end = _first(own, "fit_end")
            stop = lane.stop if end is None else _rows_at(end, lane.number)
            outside[_rows_at(begin, lane.number) : stop] = False
        if not outside.any():
            continue
        table = lane.rows(0, lane.stop)
        missing = lane.stop - len(table)
        table = table[outside[missing:]]
        count = len(table)
        found.append(
            LoopSeen(
                kind="train_on_batch" if single else "loop",
                place=lane.place,
                optimizer=lane.optimizer,
                steps=_columns(lane, table, missing, np.zeros(count), np.arange(count)),
                traces=ended.get(lane.number, 0),
                rss=tuple(
                    (entry["steps"], entry["rss"])
                    for entry in journal.of("memory")
                    if entry.get("steps")
                ),
            )
        )
    return tuple(found)
