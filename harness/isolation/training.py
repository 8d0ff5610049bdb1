"""Trains in a process of its own: a specification in, a trace out, whatever happens inside."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from harness import errors
from harness.errors import HarnessError, PipelineError
from harness.isolation.client import Server, shared_server
from harness.isolation.evidence import Evidence, Limits
from harness.isolation.files import RunFiles
from harness.isolation.rebuild import rebuilt
from harness.isolation.task import Task, write_task
from harness.isolation.watching import watch
from harness.pipeline.backend import installed_versions
from harness.trace import Trace, load_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.spec.loaded import Scenario
    from harness.spec.pipeline import PipelineSpec
    from harness.trace.recording import Recording

__all__ = ["IsolatedTraining", "training_for"]

_STALL_SECONDS: Final = 300.0
"""Without a word for so long a run is stuck; compiling a large model takes a minute or two."""

_ENDS_PROCESS: Final = frozenset({"killed", "timed_out"})
"""Stop reasons that a run can only have in a process of its own."""


def training_for(scenario: Scenario) -> IsolatedTraining | None:
    """What trains this scenario in a process of its own; None where it may train in ours.

    ``limits.isolation`` says which. Left to us, it is its own process where the scenario limits
    memory, time or silence, which only a watcher can enforce, and where it expects to be killed.
    """
    limits = scenario.spec.limits
    expected = {
        expectation.reason for expectation in scenario.spec.expect if expectation.kind == "stops"
    }
    watched = (limits.memory, limits.wall_seconds, limits.stall_seconds)
    risky = any(limit is not None for limit in watched) or bool(expected & _ENDS_PROCESS)
    if limits.isolation == "none" or (limits.isolation == "auto" and not risky):
        return None
    return IsolatedTraining(
        limits=Limits(
            memory_bytes=limits.memory,
            wall_seconds=limits.wall_seconds,
            stall_seconds=limits.stall_seconds or _STALL_SECONDS,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolatedTraining:
    """Stands in the place of `harness.runner.judging.run_training`.

    Attributes:
        limits: What each run may take.
        server: Starts the runs.
        clock: Tells the seconds that limits are in.
    """

    limits: Limits = field(default_factory=Limits)
    server: Callable[[], Server] = shared_server
    clock: Callable[[], float] = time.monotonic

    def versions(self) -> dict[str, str]:
        """What runs will find, without importing it here where the server knows it."""
        versions = self.server().versions
        return installed_versions() if versions is None else versions

    def __call__(
        self, pipeline: PipelineSpec, recording: Recording, *, reuse: bool = True
    ) -> Trace:
        """The trace of one run; of a run that died, everything up to its death.

        Args:
            pipeline: What to run.
            recording: What to keep.
            reuse: Means nothing here: a process of its own has nothing to use again.

        Raises:
            PipelineError: The user must mend something before anything can run.
            MissingBackendError: There is no Keras here.
            KeyboardInterrupt: Somebody interrupts us; the run has been ended by then.
        """
        del reuse
        task = Task(
            pipeline=pipeline,
            recording=recording,
            memory_bytes=self.limits.memory_bytes,
            folder=str(Path.cwd()),
            path=tuple(sys.path),
            environment=dict(os.environ),
        )
        with RunFiles.make() as files:
            write_task(task, files.task)
            evidence = self._watched(files)
            journal = evidence.journal
            if evidence.ended_by is None and journal.last("done") is not None:
                return load_trace(files.result, "the trace of an isolated run")
            _raise_what_was_told(evidence)
            return rebuilt(pipeline, evidence)

    def _watched(self, files: RunFiles) -> Evidence:
        printed = _standard_output()
        try:
            run = self.server().start(files, printed)
        finally:
            os.close(printed)
        files.handed_over()
        try:
            return watch(
                run,
                self.limits,
                journal=files.journal.fileno(),
                output=files.heard.fileno(),
                heard=_pass_on,
                clock=self.clock,
            )
        except BaseException:
            # Its end is still to be told; nobody would wait for it.
            run.poll()
            raise


def _standard_output() -> int:
    """A copy of our standard output, or of nothing where we have none."""
    try:
        return os.dup(1)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _pass_on(said: bytes) -> None:
    """Put what a run writes to standard error where pytest finds it."""
    with suppress(OSError, ValueError):
        stream: IO[str] = sys.stderr
        stream.write(said.decode("utf-8", "replace"))


def _raise_what_was_told(evidence: Evidence) -> None:
    """Raise what the run could not be started for, as it would have been raised here."""
    refused = evidence.journal.last("refused")
    if refused is not None:
        kind = getattr(errors, refused["type"], PipelineError)
        error: HarnessError = kind(refused["message"])
        for note in refused["notes"]:
            error.add_note(note)
        raise error
    crashed = evidence.journal.last("crashed")
    if crashed is not None:
        message = f"a fault of the harness ended an isolated run:\n{crashed['text']}"
        raise RuntimeError(message)
