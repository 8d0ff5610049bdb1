"""A pipeline as TOML that is short enough to be read: whatever fits stands on one line."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

from harness.spec.encode import encode_value, plain_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.spec.pipeline import PipelineSpec

__all__ = ["pipeline_listing"]

_INDENT: Final = "    "


def pipeline_listing(pipeline: PipelineSpec, *, width: int = 96) -> str:
    """The ``[pipeline]`` tables of a scenario file; reading them back gives the same pipeline.

    Args:
        pipeline: What to write; arguments with their default value are left out.
        width: Lines are at most this long, unless one value alone is longer.
    """
    lines = ("[pipeline]", *_table("pipeline", plain_tables(pipeline), width))
    return "\n".join(lines)


def _table(name: str, table: Mapping[str, Any], width: int) -> Iterator[str]:
    yield from _entries(table, width)
    for key, value in table.items():
        if not _needs_headers(key, value, width):
            continue
        inner = f"{name}.{_key(key)}"
        header = f"[{inner}]" if isinstance(value, dict) else f"[[{inner}]]"
        for part in [value] if isinstance(value, dict) else value:
            yield from ("", header)
            yield from _table(inner, part, width)


def _entries(table: Mapping[str, Any], width: int) -> Iterator[str]:
    """The keys of a table that need no header of their own: they must come first."""
    for key, value in table.items():
        if _needs_headers(key, value, width):
            continue
        line = f"{_key(key)} = {encode_value(value)}"
        if len(line) <= width or not isinstance(value, list):
            yield line
        else:
            yield f"{_key(key)} = ["
            yield from _items(value, width)
            yield "]"


def _needs_headers(key: str, value: Any, width: int) -> bool:
    """Whether a table, or a list of tables, is too long for one line."""
    tables = [value] if isinstance(value, dict) else value
    if not isinstance(tables, list) or not tables:
        return False
    too_long = len(f"{_key(key)} = {encode_value(value)}") > width
    return too_long and all(isinstance(item, dict) for item in tables)


def _items(values: list[Any], width: int) -> list[str]:
    """Numbers side by side; texts and lists, which may hold spaces, one below the other."""
    items = [f"{encode_value(item)}," for item in values]
    if any(" " in item for item in items):
        return [f"{_INDENT}{item}" for item in items]
    return textwrap.wrap(
        " ".join(items),
        width,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _key(key: str) -> str:
    """The key as TOML wants it, with quotes where it needs them."""
    return encode_value({key: 0}).removeprefix("{ ").removesuffix(" = 0 }")
