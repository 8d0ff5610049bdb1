"""Forgets the gradients that a graph leaves in TensorFlow's table of them.

Where a graph is traced, `tf.custom_gradient` enters the gradient into a table of the process, under
a name that only this graph knows, and nothing takes it out again. The entry holds the graph, and
the graph what it was traced from: one to four megabytes for each pipeline that was ever compiled.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["CustomGradients"]

_PREFIX = "CustomGradient-"


class CustomGradients:
    """The entries of one compiled pipeline."""

    def __init__(self) -> None:
        """Know of none."""
        self._own: set[str] = set()
        self._foreign: frozenset[str] = frozenset()

    def watch(self) -> None:
        """Take what is entered from here on for the pipeline's own."""
        self._foreign = frozenset(_table())

    def note(self) -> None:
        """Remember what was entered since `watch`."""
        entered = _table().keys() - self._foreign
        self._own |= {name for name in entered if name.startswith(_PREFIX)}

    def forget(self) -> None:
        """Take the pipeline's own out of the table; its graphs have no slope any more."""
        table = _table()
        for name in self._own:
            table.pop(name, None)
        self._own = set()


def _table() -> dict[str, Any]:
    """TensorFlow's own; empty where it is not loaded, or keeps it in another way."""
    ops = sys.modules.get("tensorflow.python.framework.ops")
    registry = getattr(ops, "gradient_registry", None)
    return getattr(registry, "_registry", None) or {}
