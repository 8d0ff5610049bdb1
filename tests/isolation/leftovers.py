"""Runs that leave something behind when they die, and how to see that it is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

SLEEPER = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


def leaving(note: str) -> Any:
    """Start a process of a session of its own and shared memory, note both, and die."""
    memory = SharedMemory(create=True, size=1 << 20)
    process = subprocess.Popen(SLEEPER, start_new_session=True)
    Path(note).write_text(f"{process.pid} {memory.name}", "utf-8")
    os.kill(os.getpid(), signal.SIGKILL)


def printing(variable: str) -> Any:
    """Print what the environment has, and die."""
    print(os.environ[variable])  # noqa: T201 - what the test is about
    os.kill(os.getpid(), signal.SIGKILL)


def comes_true(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether a condition holds before long; how long is nobody's business here."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def is_gone(number: int) -> bool:
    """Whether a process has ended and nobody is still to be told."""
    try:
        return bool(psutil.Process(number).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def descriptors() -> set[str]:
    """What the open descriptors of this process are."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except OSError:
            continue
    return found
