"""Threads, open files and child processes of this process, before and after a run."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import threading
import time
from collections import Counter
from functools import cache
from pathlib import Path

import psutil

__all__ = ["Ledger"]

_GRACE_SECONDS = 0.5
"""How long the ends of threads are waited for; joined threads were seen to be gone in 1 ms."""

_NUMBER = re.compile(r"[-_]?\d+")

_DESCRIPTORS = "/proc/self/fd"

_TASKS = "/proc/self/task"

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
    if not _has_lists():
        return [f"process {child.name()}" for child in psutil.Process().children()]
    names = []
    for task in os.listdir(_TASKS):
        # The thread or the child may have ended since.
        with contextlib.suppress(OSError, psutil.Error):
            children = _read(f"{_TASKS}/{task}/children")
            names += [f"process {psutil.Process(int(pid)).name()}" for pid in children.split()]
    return names


@cache
def _has_lists() -> bool:
    return Path(f"{_TASKS}/{os.getpid()}/children").exists()


def _read(path: str) -> bytes:
    """A small file of the kernel's, without the buffers and decoders that cost more than it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 2**16)
    finally:
        os.close(descriptor)


def _files() -> list[str]:
    if not Path(_DESCRIPTORS).is_dir():
        return [f"file {Path(file.path).name}" for file in psutil.Process().open_files()]
    names = []
    for entry in os.listdir(_DESCRIPTORS):
        # Another thread may have closed it since.
        with contextlib.suppress(OSError):
            names.append(os.readlink(f"{_DESCRIPTORS}/{entry}"))
    return [f"file {os.path.basename(_NUMBER.sub('', n))}" for n in names if not _KERNEL.match(n)]
