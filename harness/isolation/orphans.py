"""What a run has started and left behind is handed down to the server, which ends it."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["adopt_orphans", "end_orphans"]

_PR_SET_CHILD_SUBREAPER = 36
_TRACKER_SECONDS = 2.0


def adopt_orphans() -> bool:
    """Become the parent of all descendants whose parent dies; whether the kernel can (Linux)."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def end_orphans(known: Collection[int]) -> None:
    """End all children but the known ones, and the children that these hand down to us.

    Args:
        known: Ids of those that may stay.
    """
    until = time.monotonic() + _TRACKER_SECONDS
    while orphans := [child for child in _children() if child.pid not in known]:
        late = time.monotonic() >= until
        for orphan in orphans:
            # It unlinks shared memory once nobody is left who uses it, so it comes last.
            if late or not _is_resource_tracker(orphan):
                with suppress(psutil.Error):
                    orphan.kill()
            with suppress(ChildProcessError):
                os.waitpid(orphan.pid, os.WNOHANG)
        time.sleep(0.002)


def _children() -> list[psutil.Process]:
    try:
        return list(psutil.Process().children())
    except psutil.Error:
        return []


def _is_resource_tracker(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "multiprocessing.resource_tracker" in " ".join(process.cmdline())
    return False
