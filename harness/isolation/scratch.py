"""Folders of fork servers: named after their owner, so that those of the dead can be removed."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FOLDER_PREFIX", "owner_mark", "sweep"]

FOLDER_PREFIX = "harness-server-"
_OWNED = re.compile(rf"{FOLDER_PREFIX}(\d+)-(\d+)-")


def owner_mark(number: int) -> str:
    """Id and start of a process, which no other process has both of.

    Raises:
        psutil.Error: There is no such process.
    """
    return f"{number}-{int(psutil.Process(number).create_time())}"


def sweep(folder: Path) -> None:
    """Remove what servers have left that were killed together with whoever started them.

    Args:
        folder: Where temporary files are.
    """
    for path in folder.glob(f"{FOLDER_PREFIX}*"):
        owner = _OWNED.match(path.name)
        if owner is None:
            continue
        with suppress(psutil.Error):
            # One second: the start is computed from the time of boot, which is not that exact.
            if abs(psutil.Process(int(owner[1])).create_time() - int(owner[2])) <= 1:
                continue
        shutil.rmtree(path, ignore_errors=True)
