"""Resident memory of this process, now and at its peak."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

import psutil

__all__ = ["PeakMemory", "resident_bytes"]

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"


def resident_bytes() -> int:
    """Resident memory of this process now."""
    return int(_process(os.getpid()).memory_info().rss)


@lru_cache(maxsize=1)
def _process(number: int) -> psutil.Process:
    """Looking a process up costs more than asking it; a fork has another number."""
    return psutil.Process(number)


class PeakMemory:
    """The largest resident memory since the object was made.

    Attributes:
        method: ``VmHWM``: the kernel's high-water mark, reset at the start. ``process peak``: the
            same since the process began, where it can't be reset. ``epoch samples``: the largest
            of the values seen at epoch ends, where the kernel keeps no mark.
    """

    def __init__(self) -> None:
        """Reset the kernel's mark where it lets us."""
        self._largest = resident_bytes()
        try:
            _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
            self.method = "VmHWM"
        except OSError:
            self.method = "process peak" if sys.platform != "win32" else "epoch samples"

    def sample(self) -> int:
        """Resident memory now, also counted for the peak."""
        now = resident_bytes()
        self._largest = max(self._largest, now)
        return now

    def bytes(self) -> int:
        """The peak so far."""
        self.sample()
        match self.method:
            case "VmHWM":
                return max(self._largest, _status_bytes("VmHWM"))
            case "process peak":
                return max(self._largest, _lifetime_peak())
            case _:
                return self._largest


def _status_bytes(name: str) -> int:
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _lifetime_peak() -> int:
    import resource  # noqa: PLC0415 - not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS: getrusage(2) of each.
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024
