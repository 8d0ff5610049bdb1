"""Memory of other processes, as far as it is their own: what they share with others is not."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

__all__ = ["NOTHING", "Memory", "TreeMemory", "kernel_kills", "memory_of"]

_FIELDS = re.compile(rb"^(RssAnon|RssFile|RssShmem|VmSwap):\s+(\d+) kB", re.MULTILINE)
_TREE_SECONDS = 0.5
"""How old the list of a process' children may be; making it reads the whole process table."""


class Memory(NamedTuple):
    """Memory of one process or of several together, in bytes.

    Attributes:
        held: What only the process can give back: anonymous pages, shared memory and swap. The code
            of libraries is not among it: the kernel drops that when memory is short.
        resident: All of it that is in main memory.
    """

    held: int
    resident: int

    def __add__(self, other: object) -> Memory:
        """The memory of both."""
        if not isinstance(other, Memory):
            return NotImplemented
        return Memory(self.held + other.held, self.resident + other.resident)


NOTHING = Memory(0, 0)
"""Of a process that has ended."""


def memory_of(number: int) -> Memory:
    """Memory of one process; nothing where it has ended.

    On systems without ``/proc``, `held` is all that is resident.

    Args:
        number: Id of the process.
    """
    with suppress(OSError):
        text = Path(f"/proc/{number}/status").read_bytes()
        sizes = {name: int(size) * 1024 for name, size in _FIELDS.findall(text)}
        if b"RssAnon" in sizes:
            anonymous, shared = sizes[b"RssAnon"], sizes.get(b"RssShmem", 0)
            return Memory(
                held=anonymous + shared + sizes.get(b"VmSwap", 0),
                resident=anonymous + shared + sizes.get(b"RssFile", 0),
            )
        return NOTHING
    with suppress(psutil.Error):
        resident = int(psutil.Process(number).memory_info().rss)
        return Memory(resident, resident)
    return NOTHING


class TreeMemory:
    """Memory of a process and of everything it has started."""

    def __init__(self, number: int) -> None:
        """Look at the process with this id."""
        self._number = number
        self._children: tuple[int, ...] = ()
        self._listed = -_TREE_SECONDS

    def sample(self, now: float) -> Memory:
        """Memory now.

        Args:
            now: Seconds of a steady clock.
        """
        if now - self._listed >= _TREE_SECONDS:
            self._listed = now
            self._children = _descendants(self._number)
        total = memory_of(self._number)
        for child in self._children:
            total += memory_of(child)
        return total


def _descendants(number: int) -> tuple[int, ...]:
    with suppress(psutil.Error):
        return tuple(child.pid for child in psutil.Process(number).children(recursive=True))
    return ()


def kernel_kills() -> int | None:
    """How many processes the kernel has killed for want of memory; None where it does not tell.

    In the process' own cgroup where there is one, else on the whole machine.
    """
    for file in (_own_events(), Path("/proc/vmstat")):
        if file is None:
            continue
        with suppress(OSError):
            found = re.search(r"^oom_kill (\d+)$", file.read_text(encoding="ascii"), re.MULTILINE)
            if found:
                return int(found[1])
    return None


def _own_events() -> Path | None:
    """``memory.events`` of the cgroup that this process is in, cgroup version 2."""
    with suppress(OSError):
        for line in Path(f"/proc/{os.getpid()}/cgroup").read_text(encoding="utf-8").splitlines():
            if line.startswith("0::"):
                return Path("/sys/fs/cgroup", line[3:].lstrip("/"), "memory.events")
    return None
