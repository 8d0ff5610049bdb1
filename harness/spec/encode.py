"""A pipeline as the TOML that describes it; reading the text back gives the same pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import tomli_w

from harness.spec.base import Spec
from harness.spec.pipeline import PipelineSpec

if TYPE_CHECKING:
    from harness.spec.findings import Place

__all__ = ["encode_pipeline", "encode_value", "plain_tables"]

_LINE_LENGTH = 100


def encode_pipeline(pipeline: PipelineSpec, *, defaults: bool = False) -> str:
    """The ``[pipeline...]`` tables of a scenario file.

    Args:
        pipeline: What to write.
        defaults: Write arguments that have their default value too.
    """
    lines = _table(("pipeline",), plain_tables(pipeline, defaults=defaults), "[{}]")
    return "\n".join(lines).lstrip("\n") + "\n"


def encode_value(value: Any) -> str:
    """Any value of a scenario file on one line, tables as inline tables."""
    if isinstance(value, Spec):
        return encode_value(plain_tables(value))
    if isinstance(value, Mapping):
        pairs = [f"{_key(key)} = {encode_value(item)}" for key, item in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(encode_value(item) for item in value)}]"
    return tomli_w.dumps({"value": value}).removeprefix("value = ").removesuffix("\n")


def plain_tables(spec: Spec, *, defaults: bool = False) -> dict[str, Any]:
    """A spec as plain tables and lists, without what TOML cannot say: an absent value.

    The kind is always there, and so is every table of a pipeline that has a kind: a reader sees
    which model and which optimizer it was without knowing the defaults.
    """
    tables: dict[str, Any] = {}
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        telling = name == "kind" or (isinstance(spec, PipelineSpec) and hasattr(value, "kind"))
        # repr tells -0.0 from 0.0 and finds NaN equal to itself; == does neither.
        default = field.get_default(call_default_factory=True)
        if value is not None and (defaults or telling or repr(value) != repr(default)):
            tables[field.alias or name] = _plain(value, defaults=defaults)
    kind = {"kind": tables.pop("kind")} if "kind" in tables else {}
    return kind | tables


def _plain(value: Any, *, defaults: bool) -> Any:
    if isinstance(value, Spec):
        return plain_tables(value, defaults=defaults)
    if isinstance(value, list | tuple):
        return [_plain(item, defaults=defaults) for item in value]
    return value


def _table(place: Place, table: Mapping[str, Any], header: str) -> Iterator[str]:
    """Lines of a table: its header, its values, then the tables in it."""
    values = {key: value for key, value in table.items() if not _is_section(value)}
    if values or not table or header == "[[{}]]":
        yield ""
        yield header.format(_name(place))
        for key, value in values.items():
            yield from _pair(key, value)
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _table((*place, key), value, "[{}]")
        elif _is_section(value):
            for item in value:
                yield from _table((*place, key), item, "[[{}]]")


def _pair(key: str, value: Any) -> Iterator[str]:
    line = f"{_key(key)} = {encode_value(value)}"
    if len(line) <= _LINE_LENGTH or not isinstance(value, list):
        yield line
        return
    yield f"{_key(key)} = ["
    for item in value:
        yield f"    {encode_value(item)},"
    yield "]"


def _is_section(value: Any) -> bool:
    """Whether it gets a header of its own: a table, or a list of nothing but tables."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, Mapping) for item in value)
    return isinstance(value, Mapping)


def _name(place: Place) -> str:
    return ".".join(_key(part) for part in place)


def _key(key: str) -> str:
    return tomli_w.dumps({key: 0}).removesuffix(" = 0\n")
