"""What the callbacks of a run have written: checkpoints by their content, logs by their lines."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.recorders.summaries import is_summary_file, summary_events
from harness.recorders.variables import state_variables
from harness.trace import Event

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from harness.pipeline.pipeline import TrainingPipeline
    from harness.recorders.run_recorder import RunRecorder
    from harness.trace import StateTable

__all__ = ["file_events"]

_CHECKPOINTS = (".keras", ".weights.h5")


def file_events(recorder: RunRecorder, state: StateTable | None) -> tuple[Event, ...]:
    """One event for each checkpoint, log, line and summary in the folder of the run.

    Other files are left out. A checkpoint is loaded into the model, whose own values are put back:
    its event tells whether the architecture and the optimizer are in it, and after how many steps
    the variables were so.
    """
    folder, pipeline = recorder.folder, recorder.pipeline
    if folder is None or pipeline is None:
        return ()
    events: list[Event] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.name.endswith(_CHECKPOINTS):
            detail = _checkpoint(path, pipeline, state)
            events.append(Event(kind="file", name=name, detail=detail))
        elif path.suffix == ".csv":
            lines = path.read_text(encoding="utf-8").splitlines()
            events.append(Event(kind="file", name=name, detail={"lines": len(lines)}))
            events += [Event(kind="line", name=name, detail={"text": line}) for line in lines]
        elif is_summary_file(path):
            events += summary_events(path)
    return tuple(events)


def _checkpoint(
    path: Path, pipeline: TrainingPipeline, state: StateTable | None
) -> dict[str, str | float]:
    variables = state_variables(pipeline)
    kept = [variable.numpy() for variable in variables]
    detail: dict[str, str | float] = {"architecture": zipfile.is_zipfile(path)}
    try:
        for variable in variables:
            variable.assign(_unlikely(variable.numpy()))
        pipeline.model.load_weights(str(path))
        loaded = [variable.numpy() for variable in variables]
    except Exception:  # noqa: BLE001 - whatever Keras says of a file that it cannot load
        return detail
    finally:
        for variable, value in zip(variables, kept, strict=True):
            variable.assign(value)
    there = [value.tobytes() != _unlikely(value).tobytes() for value in map(np.asarray, loaded)]
    own = {id(variable) for variable in pipeline.optimizer.variables}
    optimizer = [
        present for variable, present in zip(variables, there, strict=True) if id(variable) in own
    ]
    detail["optimizer"] = all(optimizer)
    if state is not None:
        detail |= _moments(loaded, there, state)
    return detail


def _unlikely(value: NDArray[Any]) -> NDArray[Any]:
    """A value that no training leaves behind: what is still there after loading was not saved."""
    if np.issubdtype(value.dtype, np.integer):
        return np.full_like(value, np.iinfo(value.dtype).max - 1)
    return np.full_like(value, -1.2345e30)


def _moments(
    loaded: list[NDArray[Any]], there: list[bool], state: StateTable
) -> dict[str, str | float]:
    """First and last number of steps after which the variables had these bits."""
    row = np.concatenate([np.asarray(value, np.float64).ravel() for value in loaded])
    sizes = [np.size(value) for value in loaded]
    columns = np.repeat(there, sizes)
    rows = np.vstack([state.initial[None], state.after])[:, columns]
    same = np.flatnonzero((rows.view(np.int64) == row[columns].view(np.int64)).all(axis=1))
    return {} if not len(same) else {"first_steps": int(same[0]), "last_steps": int(same[-1])}
