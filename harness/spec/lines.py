"""The line of every key of a TOML text, which the parser of the standard library doesn't tell.

It reads texts that are known to be valid TOML and only looks for keys; values are skipped, but for
the keys and items inside them. It never guesses: a key it has not seen has no line.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.spec.findings import Place

__all__ = ["line_of", "lines_of"]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r"[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|\'\'\'.*?\'{3,5}(?!\')|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")


def lines_of(text: str) -> dict[Place, int]:
    """Line, from 1, of each key, table header and list item; list indices are written as text.

    Args:
        text: Valid TOML.
    """
    return _Scanner(text.replace("\r\n", "\n")).scan()


def line_of(lines: dict[Place, int], place: Place) -> int | None:
    """Line of a place, or of the nearest table around it that is written down."""
    while place:
        if place in lines:
            return lines[place]
        place = place[:-1]
    return None


class _Scanner:
    """Walks over a text once, from key to key."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[Place, int] = {}
        self._items: dict[Place, int] = {}

    def scan(self) -> dict[Place, int]:
        table: Place = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._peek("["):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Place:
        """``[a.b]`` or ``[[a.b]]``: the place that the following pairs belong to."""
        depth = 2 if self._peek("[[") else 1
        self._advance(depth)
        place: Place = ()
        for part in self._dotted():
            place = self._into_last_item((*place, part))
        self._advance(depth)
        if depth == 1:
            self._lines.setdefault(place, self._line)
            return place
        whole = self._without_item(place)
        index = self._items.get(whole, -1) + 1
        self._items[whole] = index
        self._lines.setdefault(whole, self._line)
        self._lines[(*whole, str(index))] = self._line
        return (*whole, str(index))

    def _into_last_item(self, place: Place) -> Place:
        return (*place, str(self._items[place])) if place in self._items else place

    def _without_item(self, place: Place) -> Place:
        return place[:-1] if place[:-1] in self._items else place

    def _pair(self, table: Place) -> None:
        line = self._line
        place = table
        for part in self._dotted():
            place = (*place, part)
            self._lines.setdefault(place, line)
        self._advance(1)
        self._skip(_SPACE)
        self._value(place)

    def _dotted(self) -> tuple[str, ...]:
        parts = []
        while True:
            self._skip(_SPACE)
            parts.append(_unquoted(self._skip(_KEY)))
            self._skip(_SPACE)
            if not self._peek("."):
                return tuple(parts)
            self._advance(1)

    def _value(self, place: Place) -> None:
        if self._peek("["):
            self._array(place)
        elif self._peek("{"):
            self._inline_table(place)
        elif self._peek('"') or self._peek("'"):
            self._skip(_TEXT)
        else:
            self._skip(_SCALAR)

    def _array(self, place: Place) -> None:
        self._advance(1)
        self._skip(_BLANK)
        index = 0
        while not self._peek("]"):
            item = (*place, str(index))
            self._lines[item] = self._line
            self._value(item)
            self._comma()
            index += 1
        self._advance(1)

    def _inline_table(self, place: Place) -> None:
        self._advance(1)
        self._skip(_BLANK)
        while not self._peek("}"):
            self._pair(place)
            self._comma()
        self._advance(1)

    def _comma(self) -> None:
        self._skip(_BLANK)
        if self._peek(","):
            self._advance(1)
            self._skip(_BLANK)

    def _peek(self, token: str) -> bool:
        return self._text.startswith(token, self._at)

    def _advance(self, count: int) -> None:
        self._at += count

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Pass what the pattern matches, count its lines, and return it."""
        match = pattern.match(self._text, self._at)
        passed = match.group() if match else ""
        self._at += len(passed)
        self._line += passed.count("\n")
        return passed


def _unquoted(key: str) -> str:
    if key[:1] in {'"', "'"}:
        return next(iter(tomllib.loads(f"{key} = 0")))
    return key
