"""Which file of a stack is the user's own: neither ours nor of a library."""

from __future__ import annotations

import os
from typing import Final

import harness

__all__ = ["is_users"]

_LIBRARIES: Final = (
    "/site-packages/",
    "/dist-packages/",
    "/lib/python",
    "/keras/src/",
    "/tensorflow/python/",
    f"{os.path.dirname(harness.__file__)}{os.sep}",  # noqa: PTH120 - compared as text
    "<frozen",
)


def is_users(file: str) -> bool:
    """Whether a file is the user's own code.

    Args:
        file: As a stack has it.
    """
    return not any(part in file for part in _LIBRARIES)
