"""Dotted keys such as ``callbacks.0.patience`` into the plain tables of a pipeline."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import HarnessUsageError

__all__ = ["MISSING", "replaced", "value_at"]

MISSING: Any = object()


def value_at(table: Any, key: str) -> Any:
    """The value under a dotted key, or `MISSING`; list indices count from 0."""
    node = table
    for part in key.split("."):
        if isinstance(node, Mapping):
            node = node.get(part, MISSING)
        elif isinstance(node, list | tuple) and _is_index(part, node):
            node = node[int(part)]
        else:
            return MISSING
        if node is MISSING:
            return MISSING
    return node


def replaced(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy of `table` with the value under each dotted key replaced or added.

    A key that replaces a whole table comes before keys inside it, whatever their order in
    `changes`: shorter keys are set first.

    Example:
        >>> replaced({"data": {"seed": 0}}, {"data.seed": 3, "optimizer": {"kind": "adam"}})
        {'data': {'seed': 3}, 'optimizer': {'kind': 'adam'}}

    Raises:
        HarnessUsageError: A key leads through something that is neither a table nor a list, or
            past the end of a list.
    """
    result: dict[str, Any] = copy.deepcopy(dict(table))
    for key in sorted(changes, key=lambda name: name.count(".")):
        _set(result, key, copy.deepcopy(changes[key]))
    return result


def _set(table: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    node: Any = table
    for part, following in itertools.pairwise((*parents, last)):
        node = _child(node, part, following, key)
    if isinstance(node, dict):
        node[last] = value
    elif isinstance(node, list) and _is_index(last, node):
        node[int(last)] = value
    else:
        raise HarnessUsageError(_dead_end(key, last))


def _child(node: Any, part: str, following: str, key: str) -> Any:
    if isinstance(node, dict):
        child = node.get(part)
        if isinstance(child, str):
            child = {"kind": child}
        elif child is None and following.isdecimal():
            raise HarnessUsageError(_dead_end(key, following))
        elif child is None:
            child = {}
        elif isinstance(child, tuple):
            child = list(child)
        node[part] = child
        return child
    if isinstance(node, list) and _is_index(part, node):
        if isinstance(node[int(part)], str):
            node[int(part)] = {"kind": node[int(part)]}
        return node[int(part)]
    raise HarnessUsageError(_dead_end(key, part))


def _is_index(part: str, items: Sequence[Any]) -> bool:
    return part in map(str, range(len(items)))


def _dead_end(key: str, part: str) -> str:
    return f"{key} must lead to a place in the pipeline, got a dead end at {part!r}."
