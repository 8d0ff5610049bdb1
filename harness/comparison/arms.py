"""The parent's end of a worker: one arm of a comparison, measured a round at a time."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from harness.comparison.children import (
    check_versions,
    kill_session,
    last_lines,
    process,
    shown_path,
)
from harness.comparison.commands import EnvironmentBroken, NothingToMeasure

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from harness.comparison.preparing import Prepared

__all__ = ["Arm", "Figures"]

_WORKER: Final = "harness.comparison.worker"
_PATIENCE_SECONDS: Final = 900.0
"""For one answer; the longest is the one after compiling."""

Figures = dict[str, float]
"""What one fresh process cost, by metric."""


class Arm:
    """An environment with a worker in it; a context, because the worker must end.

    Attributes:
        name: What it is called when it breaks.
        versions: What its worker loaded.
    """

    def __init__(self, name: str, prepared: Prepared, scenario: Path) -> None:
        """Say where it runs; nothing is started yet."""
        self.name = name
        self.versions: Mapping[str, str] = {}
        self._prepared, self._scenario = prepared, scenario
        self._stack = contextlib.ExitStack()
        self._worker: subprocess.Popen[bytes] | None = None
        self._forks = False

    def __enter__(self) -> Self:
        """Start the worker, and let it import Keras; `ready` waits for it."""
        folder = self._stack.enter_context(
            tempfile.TemporaryDirectory(prefix="harness-", ignore_cleanup_errors=True)
        )
        self._folder = Path(folder)
        self._log = self._folder / "log"
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the worker."""
        self._stack.close()

    def ready(self) -> None:
        """Wait until the worker has imported Keras.

        Raises:
            EnvironmentBroken: It cannot, or loads other versions than were asked for.
        """
        answer = self._answer()
        self.versions = answer["versions"]
        self._forks = answer["forks"]
        check_versions(self._prepared, self.versions)

    def begin(self, steps: int) -> None:
        """Build, compile and warm up in a fresh process.

        Args:
            steps: Train steps in a round.

        Raises:
            EnvironmentBroken: The pipeline cannot be trained there.
        """
        if self._worker is None:
            self._start()
            self.ready()
        self._ask(do="begin", steps=steps)

    def round(self) -> float:
        """Seconds a step of one round."""
        seconds: float = self._ask(do="round")["step_seconds"]
        return seconds

    def end(self) -> Figures:
        """End the fresh process; returns what it cost besides."""
        found = self._ask(do="end")
        if not self._forks:
            self._stop()
        return {name: float(value) for name, value in found.items() if value is not None}

    def _start(self) -> None:
        output = self._stack.enter_context(self._log.open("wb"))
        arguments = ["-m", _WORKER, shown_path(self._prepared, self._scenario)]
        self._running = contextlib.ExitStack()
        self._stack.push(self._running)
        self._worker = self._running.enter_context(
            process(self._prepared, arguments, self._folder, stdout=subprocess.PIPE, stderr=output)
        )

    def _stop(self) -> None:
        self._running.close()
        self._worker = None

    def _ask(self, **request: Any) -> dict[str, Any]:
        if self._worker is None or self._worker.stdin is None:
            raise EnvironmentBroken(f"{self.name} must be running, got no process.")  # noqa: EM102, TRY003
        try:
            self._worker.stdin.write(json.dumps(request).encode() + b"\n")
            self._worker.stdin.flush()
        except OSError:
            # It has died; the answer, or what it printed, says of what.
            pass
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        if self._worker is None or self._worker.stdout is None:
            raise EnvironmentBroken(f"{self.name} must be running, got no process.")  # noqa: EM102, TRY003
        # Nobody waits for ever: a worker that is ended closes its output.
        patience = threading.Timer(_PATIENCE_SECONDS, kill_session, [self._worker])
        patience.start()
        try:
            line = self._worker.stdout.readline()
        finally:
            patience.cancel()
        if not line:
            said = last_lines(self._log)
            tail = f" It said:\n{said}" if said else ""
            message = f"{self.name} must answer, got the end of its process.{tail}"
            raise EnvironmentBroken(message)
        found: dict[str, Any] = json.loads(line)
        if "left_out" in found:
            message = f"{self.name}: {found['left_out']}"
            raise NothingToMeasure(message)
        if "error" in found:
            message = f"{self.name} must train the scenario, got: {found['error']}"
            raise EnvironmentBroken(message)
        return found
