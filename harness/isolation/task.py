"""One run to be made in another process, and what that process does with it."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
import traceback
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.isolation.classify import is_out_of_memory
from harness.isolation.lifeline import end_now, prepare
from harness.isolation.users import is_users
from harness.trace import dump_trace
from harness.trace._record import items_of
from harness.trace.journal import JournalWriter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from harness.spec.pipeline import PipelineSpec
    from harness.trace.recording import Recording

__all__ = ["Task", "read_task", "run_task", "write_task"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One run.

    Attributes:
        pipeline: What to run.
        recording: What to keep.
        memory_bytes: Its budget; None is as much as it likes.
        folder: The working directory.
        path: Where Python looks for modules.
        environment: The environment variables.
    """

    pipeline: PipelineSpec
    recording: Recording
    memory_bytes: int | None
    folder: str
    path: tuple[str, ...]
    environment: Mapping[str, str]


def write_task(task: Task, file: IO[bytes]) -> None:
    """Write a task into an open file, for a process of ours to read."""
    pickle.dump(task, file)
    file.flush()


def read_task(descriptor: int) -> Task:
    """The task that was written to an open file."""
    with open(os.dup(descriptor), "rb") as file:  # noqa: PTH123 - it has no path
        file.seek(0)
        task: Task = pickle.load(file)  # noqa: S301 - both ends are ours, the file has no name
        return task


def run_task(task: Task, *, journal: int, result: int, scratch: str | None) -> None:
    """Make the run and end this process; what happens goes to the journal.

    Args:
        task: What to run.
        journal: Open file, for appending.
        result: Open file that gets the whole trace.
        scratch: Folder for temporary files, which somebody else removes; None is the system's.
    """
    writer = JournalWriter(journal)
    status = 1
    # What is printed must not be lost with the process.
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - no path, kept
    try:
        os.environ.clear()
        os.environ.update(task.environment)
        os.chdir(task.folder)
        sys.path[:] = task.path
        if scratch is not None:
            os.environ["TMPDIR"] = tempfile.tempdir = scratch
        prepare(writer, memory_bytes=task.memory_bytes)
        _train(task, writer, result)
        status = 0
    except HarnessError as error:
        status = _tell_refusal(writer, error)
    except (MemoryError, SystemExit, KeyboardInterrupt) as error:
        _tell_raised(writer, error)
    except BaseException as error:  # noqa: BLE001 - the border of the process
        text = "".join(traceback.format_exception(error))
        writer.write("crashed", text=text[-8000:])
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        # No clean-up of TensorFlow's, which takes longer than the run: the kernel does it.
        end_now(status)


def _train(task: Task, writer: JournalWriter, result: int) -> None:
    from harness.pipeline.backend import (  # noqa: PLC0415 - after the limits are set
        environment,
        import_tensorflow,
    )
    from harness.runner.run import run_pipeline  # noqa: PLC0415 - it takes TensorFlow to import

    import_tensorflow()
    place = {name: _plain(value) for name, value in items_of(environment())}
    writer.write("environment", values=place)
    trace = run_pipeline(task.pipeline, task.recording, reuse=False, journal=writer)
    with open(os.dup(result), "wb") as file:  # noqa: PTH123 - it has no path
        dump_trace(trace, file)
    writer.write("done")


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "keys") else value


def _tell_refusal(writer: JournalWriter, error: HarnessError) -> int:
    """What the user must mend; to run out of memory, or to leave, is no mistake to mend."""
    cause = error.__cause__
    starved = cause is not None and is_out_of_memory(f"{type(cause).__name__}: {cause}")
    if cause is not None and (starved or isinstance(cause, SystemExit | MemoryError)):
        _tell_raised(writer, cause)
        return 1
    notes = list(getattr(error, "__notes__", ()))
    writer.write("refused", type=type(error).__name__, message=str(error), notes=notes)
    return 0


def _tell_raised(writer: JournalWriter, error: BaseException) -> None:
    writer.write(
        "raised",
        type=type(error).__name__,
        message=str(error),
        location=_raised_at(error.__traceback__),
    )


def _raised_at(trace: TracebackType | None) -> str | None:
    """``file:line`` of the innermost frame that is the user's own, else of any."""
    frames = traceback.extract_tb(trace)
    chosen = [frame for frame in frames if is_users(frame.filename)] or frames
    return f"{chosen[-1].filename}:{chosen[-1].lineno}" if chosen else None
