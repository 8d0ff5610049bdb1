"""What a child process does first: it ends with its parent, however that ends."""

from __future__ import annotations

import os
import sys
import threading

__all__ = ["end_with_parent"]


def end_with_parent() -> None:
    """End this process as soon as its standard input is closed."""
    threading.Thread(target=_watch, daemon=True, name="parent").start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)
