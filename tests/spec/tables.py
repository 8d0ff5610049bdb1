"""Hypothesis strategies for the plain tables of specs, read off the models themselves."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal, get_args, get_origin

import annotated_types
from hypothesis import strategies as st

from harness.spec.base import Spec
from harness.spec.fields import Slot, slot_of
from harness.spec.pipeline import PipelineSpec

_TEXTS = st.text(max_size=8)
_SCALARS = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), _TEXTS)
_PLAIN = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
)
_PATTERNS = {"import": "own.module:make", "name": "a_1"}


def tables_of(model: type[Spec]) -> st.SearchStrategy[dict[str, Any]]:
    """Tables that the model takes, as a TOML parser would hand them over."""
    return _tables(model)


@st.composite
def _tables(draw: st.DrawFn, model: type[Spec]) -> dict[str, Any]:
    # Under a name: Hypothesis writes nested strategies out, which takes 43 kB for a pipeline.
    return draw(_fixed_tables(model))


@cache
def _fixed_tables(model: type[Spec]) -> st.SearchStrategy[dict[str, Any]]:
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        place = required if field.is_required() or key == "kind" else optional
        place[key] = _values(key, slot_of(field.annotation, field.metadata))
    return st.fixed_dictionaries(required, optional=optional)


def pipelines() -> st.SearchStrategy[PipelineSpec]:
    """Well-formed pipelines, most of which could not run."""
    return tables_of(PipelineSpec).map(PipelineSpec.model_validate)


def _values(key: str, slot: Slot) -> st.SearchStrategy[Any]:
    if slot.variants:
        models = dict.fromkeys(slot.variants.values())
        return st.one_of([_values(key, variant) for variant in models])
    if isinstance(slot.type, type) and issubclass(slot.type, Spec):
        return tables_of(slot.type)
    if get_origin(slot.type) is Literal:
        return st.sampled_from(get_args(slot.type))
    if get_origin(slot.type) is tuple:
        shortest = _bound(slot, annotated_types.MinLen, "min_length") or 0
        longest = _bound(slot, annotated_types.MaxLen, "max_length") or shortest + 2
        item = _values(key, slot_of(get_args(slot.type)[0]))
        return st.lists(item, min_size=int(shortest), max_size=int(longest))
    if get_origin(slot.type) is dict:
        _, item_type = get_args(slot.type)
        plain = item_type is Any
        items = _PLAIN if plain else _values(key, slot_of(item_type))
        return st.dictionaries(_TEXTS, items, max_size=3)
    return _scalar(key, slot)


def _scalar(key: str, slot: Slot) -> st.SearchStrategy[Any]:
    if slot.type is bool:
        return st.booleans()
    if slot.type is str:
        if _has_pattern(slot):
            return st.just(_PATTERNS[key])
        shortest = int(_bound(slot, annotated_types.MinLen, "min_length") or 0)
        longest = _bound(slot, annotated_types.MaxLen, "max_length")
        return st.text(min_size=shortest, max_size=8 if longest is None else int(longest))
    low, high = _bound(slot, annotated_types.Ge, "ge"), _bound(slot, annotated_types.Le, "le")
    above, below = _bound(slot, annotated_types.Gt, "gt"), _bound(slot, annotated_types.Lt, "lt")
    if slot.type is int:
        return st.integers(int(low or 0), 2**63 - 1 if high is None else int(high))
    lowest = low if above is None else above
    highest = high if below is None else below
    return st.floats(
        min_value=lowest,
        max_value=highest,
        exclude_min=above is not None,
        exclude_max=below is not None,
        allow_nan=_may_be_nan(slot),
        allow_infinity=_may_be_nan(slot),
    )


def _bound(slot: Slot, kind: type[Any], name: str) -> float | None:
    return next((getattr(mark, name) for mark in slot.metadata if isinstance(mark, kind)), None)


def _has_pattern(slot: Slot) -> bool:
    return any(getattr(mark, "pattern", None) for mark in slot.metadata)


def _may_be_nan(slot: Slot) -> bool:
    return all(getattr(mark, "allow_inf_nan", True) is not False for mark in slot.metadata)
