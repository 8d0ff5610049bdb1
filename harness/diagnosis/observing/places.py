"""Where in the user's own code something happened, and which callback was at work."""

from __future__ import annotations

import os
import sys
import sysconfig
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

__all__ = ["Hook", "hook_in", "is_ours", "place_of", "raised_at", "user_place", "without_ours"]

_OURS = str(Path(__file__).resolve().parents[2]) + os.sep
_LIBRARIES = tuple(
    {
        os.path.realpath(sysconfig.get_path(name)) + os.sep
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
)
_PACKAGES = ("keras", "tensorflow", "numpy", "runpy", "importlib", "ml_dtypes")
"""Whatever is in these is a library's, wherever it lies."""


class Hook(NamedTuple):
    """A callback hook that was running.

    Attributes:
        callback: The object.
        name: The method.
        frame: Its frame.
    """

    callback: Any
    name: str
    frame: FrameType


def is_ours(file: str) -> bool:
    """Whether a file belongs to the observer."""
    return file.startswith(_OURS)


@cache
def _is_library(file: str) -> bool:
    if file.startswith("<") or "__autograph_generated_file" in file:
        return True
    return os.path.realpath(file).startswith(_LIBRARIES) or is_ours(file)


def _is_users(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return name not in _PACKAGES and not _is_library(frame.f_code.co_filename)


def place_of(code: CodeType, line: int | None = None) -> str:
    """``file:line`` of a piece of code, relative to the working directory where it lies below.

    Args:
        code: The code.
        line: Another line of it than its first.
    """
    return f"{_shown(code.co_filename)}:{code.co_firstlineno if line is None else line}"


def _shown(file: str) -> str:
    path = Path(file)
    with_cwd = Path.cwd()
    return str(path.relative_to(with_cwd)) if path.is_relative_to(with_cwd) else file


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def user_place(frame: FrameType | None = None) -> str | None:
    """``file:line`` of the innermost frame of the user's own code; None where there is none.

    Args:
        frame: Where to begin; the caller by default.
    """
    start = sys._getframe(1) if frame is None else frame
    found = next((one for one in _frames(start) if _is_users(one)), None)
    return None if found is None else place_of(found.f_code, found.f_lineno)


def hook_in(frame: FrameType | None, base: type) -> Hook | None:
    """The outermost callback hook among the callers, below the call of ``fit``.

    Args:
        frame: Where to begin.
        base: Keras' `Callback`; its `CallbackList` is none of the user's.
    """
    found = None
    for one in _frames(frame):
        code, owner = one.f_code, one.f_locals.get("self")
        if code.co_name == "fit" and owner is not None and not isinstance(owner, base):
            break
        is_list = type(owner).__name__ == "CallbackList"
        if isinstance(owner, base) and not is_list and code.co_name.startswith("on_"):
            found = Hook(owner, code.co_name, one)
    return found


def raised_at(error: BaseException, base: type | None = None) -> dict[str, Any]:
    """Where an exception came from: the innermost line of the user's, and the callback around it.

    Args:
        error: Has been raised.
        base: Keras' `Callback`, once Keras is there.
    """
    trace = error.__traceback__
    place = None if trace is None else user_place(trace.tb_frame)
    hook, last = None, None
    while trace is not None:
        frame = trace.tb_frame
        here = place_of(frame.f_code, trace.tb_lineno)
        if _is_users(frame):
            place = here
        if not is_ours(frame.f_code.co_filename):
            last = here
        owner = frame.f_locals.get("self")
        name = frame.f_code.co_name
        if (
            base is not None
            and isinstance(owner, base)
            and type(owner).__name__ != "CallbackList"
            and name.startswith("on_")
            and hook is None
        ):
            hook = {"callback": type(owner).__name__, "hook": name}
        trace = trace.tb_next
    return {
        "type": type(error).__name__,
        "message": str(error)[:2000],
        "location": place or last,
        **(hook or {}),
    }


def without_ours(trace: TracebackType | None) -> TracebackType | None:
    """The same traceback without the observer's frames, as the user would see it unobserved."""
    if trace is None:
        return None
    rest = without_ours(trace.tb_next)
    file = trace.tb_frame.f_code.co_filename
    if is_ours(file) or Path(file).name in {"runpy.py", "<frozen runpy>"}:
        return rest
    return TracebackType(rest, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
