"""Which keys a table may have: a walk over the annotations of the models.

pydantic reports places by field names and by the tags of the unions it went through. The walk
follows the same way and turns it into the keys a person has written.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Tag
from pydantic.fields import FieldInfo

from harness.spec.base import Spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.spec.findings import Place

__all__ = ["Slot", "keys_of", "lookup", "slot_of", "walk"]


@dataclass(frozen=True, slots=True)
class Slot:
    """What may stand at one place.

    Attributes:
        type: The bare type: a model, a union of several, a tuple, a scalar.
        metadata: The constraints and marks on it.
    """

    type: Any
    metadata: tuple[Any, ...] = ()

    @property
    def variants(self) -> dict[str, Slot]:
        """The alternatives of a tagged union by tag; empty for anything else."""
        return _variants(self.type)

    def child(self, part: str | int) -> Slot | None:
        """What may stand one key further, or None when there is no such key."""
        if isinstance(self.type, type) and issubclass(self.type, Spec):
            return _table(self.type).get(str(part))
        origin, arguments = get_origin(self.type), get_args(self.type)
        if origin is tuple and str(part).isdecimal():
            return slot_of(arguments[0])
        if origin is dict:
            return slot_of(arguments[1])
        return Slot(Any) if self.type is Any else None


def slot_of(annotation: Any, metadata: Iterable[Any] = ()) -> Slot:
    """The slot of an annotation, without what only says that nothing is allowed too."""
    marks = tuple(metadata)
    while True:
        if get_origin(annotation) is Annotated:
            for mark in annotation.__metadata__:
                marks += tuple(mark.metadata) if isinstance(mark, FieldInfo) else (mark,)
            annotation = annotation.__origin__
        elif _is_union(annotation) and types.NoneType in get_args(annotation):
            annotation = Union[  # noqa: UP007 - built at run time
                tuple(item for item in get_args(annotation) if item is not types.NoneType)
            ]
        else:
            return Slot(annotation, marks)


def keys_of(slot: Slot) -> tuple[str, ...]:
    """The keys of a table, of any of its variants."""
    if slot.variants:
        return tuple(dict.fromkeys(key for item in slot.variants.values() for key in keys_of(item)))
    if isinstance(slot.type, type) and issubclass(slot.type, Spec):
        return tuple(_table(slot.type))
    return ()


def walk(model: type[Spec], location: Iterable[str | int]) -> Iterator[tuple[Place, Slot | None]]:
    """Follow a pydantic location; yields each written place on the way and what may stand there.

    The first item is the table itself, with an empty place. Tags of unions are left out.
    """
    place: Place = ()
    slot: Slot | None = Slot(model)
    yield place, slot
    for part in location:
        if slot is not None and part in slot.variants:
            slot = slot.variants[str(part)]
        else:
            place = (*place, str(part))
            slot = None if slot is None else slot.child(part)
        yield place, slot


def lookup(model: type[Spec], key: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a dotted key leads to a field of any variant, and what was possible where it fails.

    Returns:
        True and nothing, or False and the keys that exist where the first wrong part stands.
    """
    slots = [Slot(model)]
    for part in key.split("."):
        options = [option for slot in slots for option in _leaves(slot)]
        children = [child for child in (option.child(part) for option in options) if child]
        if not children:
            return False, tuple(dict.fromkeys(key for option in options for key in keys_of(option)))
        slots = children
    return True, ()


def _leaves(slot: Slot) -> Iterator[Slot]:
    if not slot.variants:
        yield slot
    for variant in slot.variants.values():
        yield from _leaves(variant)


@cache
def _table(model: type[Spec]) -> dict[str, Slot]:
    return {
        field.alias or name: slot_of(field.annotation, field.metadata)
        for name, field in model.model_fields.items()
    }


@cache
def _variants(annotation: Any) -> dict[str, Slot]:
    if not _is_union(annotation):
        return {}
    return {tag: slot_of(item) for item in get_args(annotation) for tag in _tags(item)}


def _tags(annotation: Any) -> tuple[str, ...]:
    slot = slot_of(annotation)
    for mark in slot.metadata:
        if isinstance(mark, Tag):
            return (mark.tag,)
    kind = _table(slot.type)["kind"].type
    return get_args(kind) if get_origin(kind) is Literal else ()


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)
