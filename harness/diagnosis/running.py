"""Runs a script in a process of its own, watches it, and reads what it left in its journal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil

from harness.diagnosis.reading import read_script
from harness.errors import HarnessUsageError
from harness.isolation.classify import classify
from harness.isolation.evidence import Limits
from harness.isolation.watching import watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.diagnosis.seen import ScriptSeen
    from harness.isolation.evidence import Evidence

__all__ = ["Limits", "run_script"]

_ONE_CTRL_C_SECONDS: Final = 0.5
"""A terminal, a wrapper and a process group may each deliver the same Ctrl-C."""

_CHILD: Final = Path(__file__).with_name("child.py")


def run_script(command: Sequence[str], limits: Limits, *, quiet_output: bool = False) -> ScriptSeen:
    """Run a script under observation and return what was seen.

    Its standard input is ours; what it writes goes where ours goes. A first Ctrl-C is the script's
    to answer; a second one ends it.

    Args:
        command: The script and its arguments; ``-m`` first where it is a module.
        limits: What it may take.
        quiet_output: Send its standard output to our standard error: ours is for a document.

    Raises:
        HarnessUsageError: There is no such script.
    """
    if command[0] != "-m" and not Path(command[0]).is_file():
        message = f"SCRIPT must be a file, got {command[0]!r}, which is none. Check the path."
        raise HarnessUsageError(message)
    # Without a name: whatever happens to either process, no file is left.
    with tempfile.TemporaryFile("wb+", prefix="harness-journal-") as journal:
        evidence = _watched(command, limits, journal.fileno(), quiet_output=quiet_output)
    ended = evidence.journal.last("script_end") is not None
    return read_script(
        evidence.journal,
        command,
        status=evidence.status,
        death=None if ended else classify(evidence),
        seconds=evidence.seconds,
        peak_bytes=evidence.peak_bytes,
    )


def _watched(
    command: Sequence[str], limits: Limits, journal: int, *, quiet_output: bool
) -> Evidence:
    output: Any = sys.stderr.fileno() if quiet_output else None
    sys.stdout.flush()
    child = subprocess.Popen(  # noqa: S603 - running the script is the job
        [sys.executable, str(_CHILD), str(journal), *command],
        stdout=output,
        stderr=subprocess.PIPE,
        pass_fds=(journal,),
    )
    with child:
        if child.stderr is None:  # pragma: no cover - it was asked for
            message = "a process without standard error"
            raise HarnessUsageError(message)
        process = _Process(child)
        with _leaving_interrupts_to(process):
            return watch(
                process, limits, journal=journal, output=child.stderr.fileno(), heard=_pass_on
            )


def _pass_on(part: bytes) -> None:
    """Write what the script writes to its standard error to ours."""
    with suppress(OSError):
        os.write(2, part)


@dataclass(slots=True)
class _Process:
    """The script's process; who kills it kills what it has started too."""

    child: subprocess.Popen[bytes]
    interrupted_at: float | None = None

    @property
    def pid(self) -> int:
        return self.child.pid

    def poll(self) -> int | None:
        return self.child.poll()

    def send_signal(self, number: int, /) -> None:
        if number == signal.SIGKILL:
            with suppress(psutil.Error):
                for one in psutil.Process(self.pid).children(recursive=True):
                    one.kill()
        self.child.send_signal(number)


@contextmanager
def _leaving_interrupts_to(process: _Process) -> Iterator[None]:
    """While the script runs, the first Ctrl-C is for it; the second one ends it and us."""

    def interrupted(_number: int, _frame: object) -> None:
        now, before = time.monotonic(), process.interrupted_at
        if before is not None and now - before < _ONE_CTRL_C_SECONDS:
            return
        process.interrupted_at = now
        if before is not None:
            raise KeyboardInterrupt
        if not os.isatty(0):
            # Nobody else tells it: a terminal would have.
            process.send_signal(signal.SIGINT)

    usual = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
