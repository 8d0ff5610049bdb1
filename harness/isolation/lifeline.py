"""What a watched process does at its start, so that its end can be explained."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from harness.isolation.memory import memory_of
from harness.isolation.watching import STACKS_SIGNAL

if TYPE_CHECKING:
    from harness.trace.journal import JournalWriter

__all__ = ["backstop", "die_with_parent", "end_now", "prepare"]

_PR_SET_PDEATHSIG = 1
_SPARE_BYTES = 512 << 20
_SPARE_PER_CORE = 64 << 20
"""Stacks of thread pools, eight threads a core: they count as data although nobody writes them."""

end_now = os._exit
"""The real one, for our own use."""


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent dies, where the kernel can (Linux).

    Args:
        parent: Id of the parent; it may have died before this call, which ends us as well.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        end_now(1)


def backstop(memory_bytes: int | None) -> int | None:
    """What a process with this budget may have of writable memory at the very most.

    The watch looks at resident memory a hundred times a second, and one allocation may be larger
    than what is left on the machine. So there is a limit on reserved memory too, well above the
    budget, for TensorFlow reserves more than it ever touches.
    """
    if memory_bytes is None:
        return None
    cores = os.cpu_count() or 1
    return memory_bytes + memory_bytes // 4 + _SPARE_BYTES + cores * _SPARE_PER_CORE


def prepare(journal: JournalWriter, *, memory_bytes: int | None = None) -> None:
    """Make the end of this process speak, and limit what it can take.

    A fatal signal writes all Python stacks to standard error, `STACKS_SIGNAL` does so without
    ending anything, ``os._exit`` leaves a record of who called it, and no core file is written.

    Args:
        journal: Where this process says what happens.
        memory_bytes: Its budget; None is as much as it likes.
    """
    faulthandler.enable(file=2, all_threads=True)
    faulthandler.register(STACKS_SIGNAL, file=2, all_threads=True)
    _limit(memory_bytes)

    def recorded_exit(status: int) -> NoReturn:
        caller = sys._getframe(1)  # noqa: SLF001 - the cheapest way to who called
        location = f"{caller.f_code.co_filename}:{caller.f_lineno}"
        with suppress(OSError):
            journal.write("exit", call="os._exit", status=status, location=location)
        end_now(status)

    setattr(os, "_exit", recorded_exit)  # noqa: B010 - this process is the run's own
    journal.write("ready", held_bytes=memory_of(os.getpid()).held)


def _limit(memory_bytes: int | None) -> None:
    import resource  # noqa: PLC0415 - not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    room, held = backstop(memory_bytes), _data_bytes()
    if room is None or held is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = held + room
    if hard == resource.RLIM_INFINITY or most < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def _data_bytes() -> int | None:
    """Writable memory that this process has reserved; None where the kernel does not say."""
    with suppress(OSError):
        found = re.search(
            rb"^VmData:\s+(\d+) kB", Path("/proc/self/status").read_bytes(), re.MULTILINE
        )
        return None if found is None else int(found[1]) * 1024
    return None
