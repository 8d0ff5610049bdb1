"""pydantic's errors in our words: place, rule, what was there, what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import annotated_types

from harness.spec.base import NamedByKind, Rule, Spec
from harness.spec.fields import Slot, keys_of, walk
from harness.spec.findings import Finding, Place, known_names, nearest, shown
from harness.spec.names import FIGURE_FAMILIES, FIGURES
from harness.spec.vary import DRAW_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import ValidationError

__all__ = ["UNKNOWN_KEY", "findings_of"]

UNKNOWN_KEY = "be a key of this table"

_FEW = 6
_NOUNS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


class _Error:
    """One error of pydantic, with what may stand at its place.

    Attributes:
        place: Keys as written.
        slot: What may stand there; None for an unknown key.
        parent: The table around it.
        value: What stands there.
        context: pydantic's details.
        text: pydantic's own words.
    """

    __slots__ = ("context", "parent", "place", "slot", "text", "value")

    def __init__(self, details: Mapping[str, Any], model: type[Spec]) -> None:
        steps = list(walk(model, details["loc"]))
        self.place, self.slot = steps[-1]
        self.parent: Slot | None = next(
            (slot for place, slot in reversed(steps) if len(place) < len(self.place)), None
        )
        self.value: Any = details["input"]
        self.context: Mapping[str, Any] = details.get("ctx", {})
        self.text: str = details["msg"]

    def says(self, rule: str, remedy: str | None = None, *, place: Place | None = None) -> Finding:
        """The finding, about the value that is there."""
        return Finding(
            place=self.place if place is None else place,
            rule=rule,
            got=shown(self.value),
            remedy=remedy,
        )


def findings_of(error: ValidationError, model: type[Spec]) -> tuple[Finding, ...]:
    """Every error of a validation, in the order of the model's fields, none twice.

    Args:
        error: What pydantic raised.
        model: The model that was validated; places are relative to its table.
    """
    findings = []
    for details in error.errors(include_url=False):
        translate = _TRANSLATIONS.get(details["type"], _untranslated)
        if not _is_echo(details):
            findings.append(translate(_Error(details, model)))
    return tuple(dict.fromkeys(findings))


def _is_echo(details: Mapping[str, Any]) -> bool:
    """Whether a list is only too short because items of it were refused, each for itself."""
    if details["type"] != "too_short":
        return False
    return len(details["input"]) >= int(details["ctx"]["min_length"])


def _unknown_key(error: _Error) -> Finding:
    name = error.place[-1]
    names = keys_of(error.parent or Slot(None))
    return Finding(
        place=error.place,
        rule=UNKNOWN_KEY,
        got=shown(name),
        remedy=nearest(name, names) or f"Known: {', '.join(sorted(names))}.",
    )


def _missing(error: _Error) -> Finding:
    if error.place[-1].isdecimal():
        return error.says(_exactly(error.parent), place=error.place[:-1])
    return Finding(place=error.place, rule="be given")


def _too_long(error: _Error) -> Finding:
    limit = error.context["max_length"]
    if error.slot is not None and get_args(error.slot.type)[-1] is not Ellipsis:
        return error.says(_exactly(error.slot))
    return error.says(f"hold at most {_items(limit)}")


def _too_short(error: _Error) -> Finding:
    return error.says(f"hold at least {_items(error.context['min_length'])}")


def _text_too_short(error: _Error) -> Finding:
    return error.says(f"be at least {error.context['min_length']} characters long")


def _exactly(slot: Slot | None) -> str:
    return f"hold exactly {_items(len(get_args(slot.type) if slot else ()))}"


def _items(count: int) -> str:
    return f"{count} item" if count == 1 else f"{count} items"


def _kind_unknown(error: _Error) -> Finding:
    kinds = error.slot.variants if error.slot else {}
    kind = str(error.context["tag"])
    return Finding(
        place=(*error.place, "kind"),
        rule="be a known kind",
        got=shown(kind),
        remedy=known_names(kind, kinds),
    )


def _kind_missing(error: _Error) -> Finding:
    kinds = error.slot.variants if error.slot else {}
    return error.says("have a kind", f"Known: {', '.join(sorted(kinds))}.")


def _no_table(error: _Error) -> Finding:
    slot = error.slot or Slot(None)
    if any(isinstance(mark, NamedByKind) for mark in slot.metadata):
        return error.says("be the name of a kind or a table with one")
    return error.says("be a table with a kind" if slot.variants else "be a table")


def _no_draw(error: _Error) -> Finding:
    keys = list(error.value) if isinstance(error.value, dict) else []
    remedy = next((hint for key in keys if (hint := nearest(key, DRAW_KEYS))), None)
    if remedy is None and any(isinstance(error.value[key], dict) for key in keys):
        remedy = "Put quotes around the whole dotted key."
    return error.says(error.text, remedy)


def _no_choice(error: _Error) -> Finding:
    options = [shown(option) for option in get_args((error.slot or Slot(None)).type)]
    name = str(error.value)
    if len(options) <= _FEW:
        plain = [option.strip("'") for option in options]
        return error.says(f"be {_alternatives(options)}", nearest(name, plain))
    plain = [option.strip("'") for option in options]
    return error.says("be a known name", known_names(name, plain))


def _alternatives(options: list[str]) -> str:
    words = [{"True": "true", "False": "false"}.get(option, option) for option in options]
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _own_words(error: _Error) -> Finding:
    return error.says(str(error.context["error"]))


def _described(error: _Error) -> Finding:
    """Wrong type or wrong form: say all that is asked for."""
    slot = error.slot or Slot(Any)
    for mark in slot.metadata:
        if isinstance(mark, Rule):
            return error.says(mark.text)
    noun = _NOUNS[slot.type]
    limits = _limits(slot)
    return error.says(f"be {noun}{' ' if limits else ''}{limits}")


def _out_of_range(error: _Error) -> Finding:
    """Right type, wrong size: say the range only."""
    slot = error.slot or Slot(Any)
    if any(isinstance(mark, Rule) for mark in slot.metadata):
        return _described(error)
    limits = _limits(slot)
    return error.says(f"lie {limits}" if limits.startswith("in") else f"be {limits}")


def _not_finite(error: _Error) -> Finding:
    slot = error.slot or Slot(Any)
    if any(isinstance(mark, Rule) for mark in slot.metadata):
        return _described(error)
    limits = _limits(slot)
    return error.says(f"be a finite number{' ' if limits else ''}{limits}")


def _limits(slot: Slot) -> str:
    low = high = ""
    for mark in slot.metadata:
        match mark:
            case annotated_types.Ge():
                low = f">= {mark.ge}"
            case annotated_types.Gt():
                low = f"> {mark.gt}"
            case annotated_types.Le():
                high = f"{mark.le}]"
            case annotated_types.Lt():
                high = f"{mark.lt})"
            case _:
                pass
    if not high:
        return low
    opening = "[" if low.startswith(">=") else "("
    return f"in {opening}{low.lstrip('>= ')}, {high}"


def _no_figure(error: _Error) -> Finding:
    known = [*FIGURES, *(f"{family}.<key>" for family in FIGURE_FAMILIES)]
    return error.says("be a figure of a trace", known_names(str(error.value), known))


def _no_list(error: _Error) -> Finding:
    return error.says("be a list")


def _untranslated(error: _Error) -> Finding:
    return error.says(f"be valid ({error.text})")


_TRANSLATIONS: dict[str, Callable[[_Error], Finding]] = {
    "bool_type": _described,
    "dict_type": _no_table,
    "draw": _no_draw,
    "extra_forbidden": _unknown_key,
    "figure": _no_figure,
    "finite_number": _not_finite,
    "float_type": _described,
    "greater_than": _out_of_range,
    "greater_than_equal": _out_of_range,
    "int_type": _described,
    "less_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "literal_error": _no_choice,
    "missing": _missing,
    "model_attributes_type": _no_table,
    "model_type": _no_table,
    "string_pattern_mismatch": _described,
    "string_too_short": _text_too_short,
    "string_type": _described,
    "too_long": _too_long,
    "too_short": _too_short,
    "tuple_type": _no_list,
    "union_tag_invalid": _kind_unknown,
    "union_tag_not_found": _kind_missing,
    "value_error": _own_words,
}
