"""Has Python look for garbage less often while an item runs."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["collected_seldom"]

_YOUNG = 100_000
"""New objects before the youngest are looked at; Python's own number is below a few thousand."""

_MIDDLE = 20


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Raise the thresholds of the collector, and put back what they were.

    With Python's own a session spends a tenth of its time on looking through the half million
    objects of TensorFlow, which stay. Thresholds that are higher already, or zero for never, stay
    as they are; whoever asks for a collection gets it as always.
    """
    young, middle, old = before = gc.get_threshold()
    if young:
        gc.set_threshold(max(young, _YOUNG), max(middle, _MIDDLE), old)
    try:
        yield
    finally:
        gc.set_threshold(*before)
