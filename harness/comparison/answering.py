"""The child's end of `children.ask`: read the request, answer it, and end with the parent."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["answer_and_end", "end_with_parent"]


def answer_and_end(handle: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> NoReturn:
    """Answer the request that the command line names, and end the process.

    Args:
        handle: Takes the request and returns the answer; what it raises is printed, and the parent
            reads that.
    """
    end_with_parent()
    status = 0
    try:
        question, answer = map(Path, sys.argv[1:])
        part = answer.with_suffix(".part")
        reply = handle(json.loads(question.read_text(encoding="utf-8")))
        part.write_text(json.dumps(reply), encoding="utf-8")
        part.replace(answer)
    except BaseException:  # noqa: BLE001 - the parent reads what is printed here
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of a broken release must not keep the process alive.
    os._exit(status)


def end_with_parent() -> None:
    """End this process as soon as its standard input is closed."""
    threading.Thread(target=_watch, daemon=True, name="parent").start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)
