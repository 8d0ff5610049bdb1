"""Exit statuses of the command line, and how it complains."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.errors import HarnessError

__all__ = ["FAILED", "INTERRUPTED", "NOT_JUDGED", "PASSED", "complain", "worst"]

PASSED: Final = 0
FAILED: Final = 1
NOT_JUDGED: Final = 2
INTERRUPTED: Final = 130


def worst(statuses: Iterable[int]) -> int:
    """The status of several: a failure says more than something that could not be judged."""
    found = set(statuses)
    return FAILED if FAILED in found else max(found, default=PASSED)


def complain(error: HarnessError) -> None:
    """Write an error and what was noted about it, without traceback."""
    print("\n".join([str(error), *getattr(error, "__notes__", ())]), file=sys.stderr)
