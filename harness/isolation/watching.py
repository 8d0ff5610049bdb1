"""Keeps one process within its limits, and gathers evidence until it has ended."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import psutil

from harness.isolation.evidence import EndedBy, Evidence, Limits
from harness.isolation.memory import NOTHING, Memory, TreeMemory, kernel_kills
from harness.trace.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STACKS_SIGNAL", "Watchable", "watch"]

STACKS_SIGNAL = signal.SIGQUIT
"""A watched process answers it with all its Python stacks on standard error, see `lifeline`."""

_POLL_SECONDS = 0.01
"""A process that fills 4 GB a second is 40 MB over its budget before anybody looks."""

_STACKS_SECONDS = 2.0
"""How long a process that is stuck may take to write its stacks down."""

_QUIET_LOOKS = 2
"""Looks without a further word after which the stacks are whole."""

_KEPT_OUTPUT = 64 * 1024


class Watchable(Protocol):
    """A process as `watch` needs it; `subprocess.Popen` is one."""

    @property
    def pid(self) -> int:
        """Its id."""
        ...

    def poll(self) -> int | None:
        """Its exit status once it has ended; below 0 minus the signal that ended it."""
        ...

    def send_signal(self, number: int, /) -> None:
        """Send a signal, or nothing where it has ended."""
        ...


def watch(
    process: Watchable,
    limits: Limits,
    *,
    journal: int,
    output: int,
    heard: Callable[[bytes], object] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Evidence:
    """Wait until a process has ended, and end it when it takes too much.

    Args:
        process: Has been started.
        limits: What it may take.
        journal: Open file that it writes its journal to.
        output: Reading end of the pipe that is its standard error.
        heard: Gets what it writes there, as it comes.
        clock: Tells the seconds that limits are in.

    Raises:
        KeyboardInterrupt: Somebody interrupts us; the process has been ended by then.
    """
    now = clock()
    state = _Watch(
        process, limits, journal, output, heard or (lambda _: None), clock, started=now, said_at=now
    )
    try:
        return state.run()
    except BaseException:
        state.kill()
        raise


@dataclass(slots=True)
class _Watch:
    process: Watchable
    limits: Limits
    journal: int
    output: int
    heard: Callable[[bytes], object]
    clock: Callable[[], float]
    started: float
    said_at: float
    tail: bytearray = field(default_factory=bytearray)
    ready: float | None = None
    base: int = 0
    most: Memory = NOTHING
    said: int = 0
    said_cpu: float = 0.0

    def run(self) -> Evidence:
        kills = kernel_kills()
        os.set_blocking(self.output, False)
        memory = TreeMemory(self.process.pid)
        ended_by, stacks, idle = None, "", None
        while (status := self.process.poll()) is None:
            self._wait()
            now = self.clock()
            self._progress(now)
            if (status := self.process.poll()) is not None:
                break
            self._sample(memory.sample(now))
            ended_by = self._exceeded(now)
            if ended_by is not None:
                if ended_by is EndedBy.STALL:
                    idle = self._cpu() - self.said_cpu
                stacks = "" if ended_by is EndedBy.MEMORY else self._dump()
                status = self.kill()
                break
        self._drain()
        return Evidence(
            status=status,
            ended_by=ended_by,
            limits=self.limits,
            seconds=self.clock() - (self.started if self.ready is None else self.ready),
            held_bytes=max(self.most.held - self.base, 0),
            peak_bytes=self.most.resident,
            kernel_kills=_difference(kernel_kills(), kills),
            stalled_cpu_seconds=idle,
            output=self.tail.decode("utf-8", "replace"),
            stacks=stacks,
            journal=read_journal(self.journal),
        )

    def kill(self) -> int | None:
        """End the process and its group, and wait for it; its status, None if it does not end."""
        until = time.monotonic() + 10.0
        while (status := self.process.poll()) is None and time.monotonic() < until:
            self.process.send_signal(signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        return status

    def _wait(self) -> None:
        """Sleep until there is something to read, or it is time to look again."""
        wake: list[int] = [self.output]
        fileno = getattr(self.process, "fileno", None)
        if fileno is not None:
            wake.append(fileno())
        ready, _, _ = select.select(wake, [], [], _POLL_SECONDS)
        if self.output in ready and not self._drain():
            # Closed by the process, which may go on: the pipe would wake us without end.
            time.sleep(_POLL_SECONDS)

    def _drain(self) -> bool:
        """Read what there is; whether the pipe is still open."""
        with suppress(BlockingIOError):
            while part := os.read(self.output, 65536):
                self.heard(part)
                self.tail += part
                del self.tail[:-_KEPT_OUTPUT]
            return False
        return True

    def _progress(self, now: float) -> None:
        size = os.fstat(self.journal).st_size
        if size == self.said:
            return
        self.said, self.said_at = size, now
        if self.limits.stall_seconds is not None:
            self.said_cpu = self._cpu()
        if self.ready is None:
            entry = read_journal(self.journal).last("ready")
            if entry is not None:
                self.ready, self.base = now, int(entry["held_bytes"])

    def _sample(self, memory: Memory) -> None:
        self.most = Memory(
            max(self.most.held, memory.held), max(self.most.resident, memory.resident)
        )

    def _exceeded(self, now: float) -> EndedBy | None:
        limits = self.limits
        if self.ready is None:
            return EndedBy.START if now - self.started > limits.start_seconds else None
        if limits.memory_bytes is not None and self.most.held - self.base > limits.memory_bytes:
            return EndedBy.MEMORY
        if limits.wall_seconds is not None and now - self.ready > limits.wall_seconds:
            return EndedBy.DEADLINE
        if limits.stall_seconds is not None and now - self.said_at > limits.stall_seconds:
            return EndedBy.STALL
        return None

    def _cpu(self) -> float:
        with suppress(psutil.Error):
            times = psutil.Process(self.process.pid).cpu_times()
            return float(times.user + times.system)
        return self.said_cpu

    def _dump(self) -> str:
        """All Python stacks of the process, which faulthandler writes even in a deadlock."""
        self._drain()
        before, self.tail = self.tail, bytearray()
        self.process.send_signal(STACKS_SIGNAL)
        until = time.monotonic() + _STACKS_SECONDS
        quiet = 0
        while quiet < _QUIET_LOOKS and time.monotonic() < until and self.process.poll() is None:
            size = len(self.tail)
            time.sleep(5 * _POLL_SECONDS)
            self._drain()
            quiet = quiet + 1 if size and len(self.tail) == size else 0
        stacks = self.tail.decode("utf-8", "replace")
        self.tail = (before + self.tail)[-_KEPT_OUTPUT:]
        return stacks


def _difference(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before
