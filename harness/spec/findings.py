"""A broken rule before it is known which file and line it stands in."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Finding", "Place", "dotted", "finding", "known_names", "nearest", "shown"]

Place = tuple[str, ...]

_LONGEST = 60
_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken rule at one place of a table.

    Attributes:
        place: Keys that lead there as they are written, list indices as text.
        rule: What the value must do, to follow "must".
        got: The offending value as text; empty when there is none to show.
        remedy: A full sentence on what to do, or None.
    """

    place: Place
    rule: str
    got: str = ""
    remedy: str | None = None

    def inside(self, *prefix: str) -> Finding:
        """The same, seen from a table further out."""
        return replace(self, place=(*prefix, *self.place))

    def problem(self, *, path: str = "", line: int | None = None) -> Problem:
        """The problem a person reads."""
        return Problem(path, line, dotted(self.place), self.rule, self.got, self.remedy)


def finding(key: str, rule: str, got: Any, remedy: str | None = None) -> Finding:
    """A finding at a dotted key."""
    return Finding(place=tuple(key.split(".")), rule=rule, got=shown(got), remedy=remedy)


def dotted(place: Place) -> str:
    """The place as one dotted key, with quotes where TOML needs them."""
    parts = (part if _BARE.fullmatch(part) else f'"{cut(part)}"' for part in place)
    return ".".join(parts)


def shown(value: Any) -> str:
    """A value as text for a message, cut when it is long."""
    try:
        return cut(repr(value))
    except (RecursionError, ValueError):
        return "something too large to show"


def cut(text: str) -> str:
    """A text on one line, without what is too long to read."""
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return text.encode("unicode_escape").decode() if not text.isprintable() else text


def nearest(name: str, names: Iterable[str]) -> str | None:
    """``Did you mean ...?`` for the known name that looks most like this one."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"Did you mean {close[0]!r}?" if close else None


def known_names(name: str, names: Iterable[str]) -> str:
    """The nearest name, if any is near, and all of them."""
    everything = sorted(set(names))
    hints = (nearest(name, everything), f"Known: {', '.join(everything)}.")
    return " ".join(hint for hint in hints if hint)
