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
    return "\n".join(_table("pipeline", plain_tables(pipeline), width))


def _table(name: str, table: Mapping[str, Any], width: int) -> Iterator[str]:
    yield f"[{name}]"
    later: dict[str, Any] = {}
    for key, value in table.items():
        lines = _entry(encode_value({key: 0})[2:-6], value, width)
        if lines is None:
            later[key] = value
        else:
            yield from lines
    for key, value in later.items():
        yield ""
        yield from _table(f"{name}.{key}", value, width)


def _entry(key: str, value: Any, width: int) -> list[str] | None:
    """The lines of one key; None for a table that needs a header of its own."""
    line = f"{key} = {encode_value(value)}"
    if len(line) <= width:
        return [line]
    if isinstance(value, dict):
        return None
    if not isinstance(value, list):
        return [line]
    items = [f"{encode_value(item)}," for item in value]
    if any(isinstance(item, dict | list) for item in value):
        body = [f"{_INDENT}{item}" for item in items]
    else:
        body = _filled(items, width)
    return [f"{key} = [", *body, "]"]


def _filled(items: list[str], width: int) -> list[str]:
    """Numbers side by side; texts, which may hold spaces, one below the other."""
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
