"""A scenario file's text, or what keeps it from being read: the only I/O of this layer."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from harness.errors import Problem, SpecError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LARGEST_FILE_BYTES", "parse_toml", "read_text"]

LARGEST_FILE_BYTES = 1024 * 1024

_DEEPEST = 64
_NUMBERS = "hold 64-bit whole numbers only"

_POSITION = re.compile(r" \(at line (\d+), column (\d+)\)$")


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        SpecError: There is no such file, it is none, it is too large, or it is not UTF-8.
    """
    try:
        if not path.exists():
            raise _refused(path, "exist", "no such file", "Check the path.")
        if not path.is_file():
            raise _refused(path, "be a file", "a folder" if path.is_dir() else "a special file")
        size = path.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise _refused(
                path,
                f"be at most {LARGEST_FILE_BYTES} bytes long",
                f"{size} bytes",
                "A scenario is a page of text; keep data out of it.",
            )
        content = path.read_bytes()
    except OSError as error:
        raise _refused(path, "be readable", error.strerror or type(error).__name__) from error
    try:
        return content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        got = f"byte 0x{content[error.start]:02x} at offset {error.start}"
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(
            path, "be UTF-8 text", got, "Save the file with UTF-8 encoding.", line=line
        ) from error


def parse_toml(text: str, *, path: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        SpecError: It is not TOML, or nothing is in it.
    """
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise _refused(path, "be nested less deeply", f"more than {_DEEPEST} levels") from error
    except tomllib.TOMLDecodeError as error:
        words = str(error)
        position = _POSITION.search(words)
        line = int(position[1]) if position else None
        got = words[: position.start()] + f" in column {position[2]}" if position else words
        raise _refused(path, "be valid TOML", got[:1].lower() + got[1:], line=line) from error
    except ValueError as error:
        # Python itself refuses to read decimal numbers as long as a page.
        raise _refused(path, _NUMBERS, "one of thousands of digits") from error
    _check_size(document, path)
    if not document:
        remedy = "Start with a title and an [[expect]] table."
        raise _refused(path, "hold a scenario", "an empty file", remedy)
    return document


def _check_size(document: dict[str, Any], path: str) -> None:
    """Refuse what other parsers of TOML would not read either."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(value.values())
            elif isinstance(value, list):
                inner.extend(value)
            elif isinstance(value, int) and not -(2**63) <= value < 2**63:
                got = f"one of {value.bit_length()} bits"
                raise _refused(path, _NUMBERS, got)
        level = inner
    if level:
        raise _refused(path, "be nested less deeply", f"more than {_DEEPEST} levels")


def _refused(
    path: Path | str, rule: str, got: str, remedy: str | None = None, *, line: int | None = None
) -> SpecError:
    return SpecError((Problem(str(path), line, "file", rule, got, remedy),))
