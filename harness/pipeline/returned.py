"""What Keras returns of a run, as a dictionary or as a list, by its names."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from harness.spec.reported import reported_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.spec.pipeline import PipelineSpec

__all__ = ["by_name", "return_dict"]

_NO_VALUE = object()


def return_dict(spec: PipelineSpec) -> bool:
    """The argument of that name."""
    return spec.compile.returns == "dict"


def by_name(returned: Any, spec: PipelineSpec) -> Mapping[str, Any]:
    """The values by name; those of a list get the names in the documented order.

    A value too many is called by its place, one too few is missing. A lone value is the loss: where
    there is no other, Keras documents a scalar and no list.

    Args:
        returned: Of `evaluate`, `train_on_batch` or `test_on_batch`.
        spec: Names the losses and metrics.
    """
    if return_dict(spec):
        found: Mapping[str, Any] = returned
        return found
    names, listed = reported_names(spec), isinstance(returned, list | tuple)
    if listed and len(names) == 1:
        return {f"value {place} of a list": value for place, value in enumerate(returned)}
    values = returned if listed else [returned]
    pairs = zip_longest(names, values, fillvalue=_NO_VALUE)
    return {
        f"value {place}" if name is _NO_VALUE else str(name): value
        for place, (name, value) in enumerate(pairs)
        if value is not _NO_VALUE
    }
