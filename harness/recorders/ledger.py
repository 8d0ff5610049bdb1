"""Threads, open files and child processes of this process, before and after a run."""

from __future__ import annotations

import contextlib
import gc
import re
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

__all__ = ["Ledger"]

_GRACE_SECONDS = 0.5
"""How long the ends of threads are waited for; joined threads were seen to be gone in 1 ms."""

_NUMBER = re.compile(r"[-_]?\d+")

_DESCRIPTORS = Path("/proc/self/fd")

_TASKS = Path("/proc/self/task")

_KERNEL = re.compile(r"^(anon_inode|socket|/dev|/proc|/sys)")
"""Descriptors that libraries keep for good: event queues, devices, what they read of the system."""


class Ledger:
    """What there was when the object was made."""

    def __init__(self) -> None:
        """Look."""
        self._before = _held()

    def difference(self) -> tuple[str, ...]:
        """What there is now that was not there before, sorted; nothing in the good case.

        Threads that are told to end may take a moment. What only garbage holds is held: nobody
        knows until when, so it is collected for the sake of the next run alone.
        """
        late = _late(self._before)
        deadline = time.monotonic() + _GRACE_SECONDS
        while late and time.monotonic() < deadline:
            time.sleep(0.01)
            late = _late(self._before)
        if late:
            gc.collect()
        return late


def _late(before: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted((_held() - before).elements()))


def _held() -> Counter[str]:
    """How often each name is there; names without numbers, which differ from run to run."""
    threads = [
        f"thread {_NUMBER.sub('', thread.name)}"
        for thread in threading.enumerate()
        # Those are threads of TensorFlow's that have once run Python: they stay.
        if not isinstance(thread, threading._DummyThread)  # noqa: SLF001 - no public name
    ]
    return Counter([*threads, *_files(), *_children()])


def _children() -> list[str]:
    """Child processes; a list that is kept by the kernel, where psutil reads every process."""
    lists = list(_TASKS.glob("*/children"))
    if not lists:
        return [f"process {child.name()}" for child in psutil.Process().children()]
    names = []
    for path in lists:
        # The thread or the child may have ended since.
        with contextlib.suppress(OSError, psutil.Error):
            names += [
                f"process {psutil.Process(int(pid)).name()}" for pid in path.read_text().split()
            ]
    return names


def _files() -> list[str]:
    if not _DESCRIPTORS.is_dir():
        return [f"file {Path(file.path).name}" for file in psutil.Process().open_files()]
    names = []
    for entry in _DESCRIPTORS.iterdir():
        # Another thread may have closed it since.
        with contextlib.suppress(OSError):
            names.append(str(entry.readlink()))
    return [f"file {Path(_NUMBER.sub('', n)).name}" for n in names if not _KERNEL.match(n)]
