"""JSON Schema of scenario files, for editors that complete and check them."""

from __future__ import annotations

import inspect
import re
from typing import Any

from pydantic.json_schema import models_json_schema

from harness.spec.base import Spec
from harness.spec.consistency import ASKS
from harness.spec.pipeline import PipelineSpec
from harness.spec.scenario import ScenarioSpec

__all__ = ["attribute_docs", "json_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HEADING = "\nAttributes:\n"
_REFERENCES = "#/$defs/{model}"
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8,}\S.*)*)", re.MULTILINE)


def json_schema() -> dict[str, Any]:
    """The schema of a whole scenario file, draft 2020-12.

    It says which keys, types, ranges and names there are. What keys say about each other, and
    what a draw may be, only loading the file finds out. No key of a pipeline is required but
    the kind, because ``[vary]`` may bring the others.
    """
    names, schema = models_json_schema([(ScenarioSpec, "validation")], ref_template=_REFERENCES)
    tables: dict[str, Any] = schema["$defs"]
    models = {model.__name__: model for model in _models(Spec)}
    drawable = _names_below(PipelineSpec)
    for name, table in tables.items():
        _document(table, models[name])
        required = [] if name in drawable else table.pop("required", [])
        kind = ["kind"] if "kind" in table["properties"] else []
        table["required"] = [*kind, *required]
    reference = names[(ScenarioSpec, "validation")]
    tables[ScenarioSpec.__name__]["anyOf"] = [{"required": [key]} for key in ASKS]
    return {
        "$schema": _DIALECT,
        "title": "Scenario of the training-regression harness",
        **reference,
        "$defs": tables,
    }


def attribute_docs(model: type[Spec]) -> dict[str, str]:
    """What the docstrings of a model and its bases say about its fields, by name of the field."""
    docs: dict[str, str] = {}
    for base in reversed(model.__mro__):
        _, _, attributes = inspect.cleandoc(base.__doc__ or "").partition(_HEADING)
        for name, text in _ATTRIBUTE.findall(attributes):
            docs[name] = " ".join(text.split())
    return {name: text for name, text in docs.items() if name in model.model_fields}


def _document(table: dict[str, Any], model: type[Spec]) -> None:
    """Put the docstring where editors look for it."""
    docs = attribute_docs(model)
    summary, _, _ = inspect.cleandoc(model.__doc__ or "").partition(_HEADING)
    table["description"] = summary.strip()
    for name, field in model.model_fields.items():
        entry = table["properties"][field.alias or name]
        entry.pop("title", None)
        _drop_null(entry)
        if name in docs:
            entry["description"] = docs[name]


def _without_null(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if item is not None}


def _drop_null(entry: dict[str, Any]) -> None:
    """TOML has no null: an absent value is left out."""
    options = [option for option in entry.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del entry["anyOf"]
        entry.update(options[0])
    elif options:
        entry["anyOf"] = options
    if isinstance(entry.get("default"), dict | None):
        entry.pop("default", None)
    if isinstance(entry.get("default"), list):
        entry["default"] = [_without_null(item) for item in entry["default"]]


def _models(model: type[Spec]) -> set[type[Spec]]:
    below = {found for child in model.__subclasses__() for found in _models(child)}
    return {model, *below}


def _names_below(model: type[Spec]) -> set[str]:
    _, schema = models_json_schema([(model, "validation")], ref_template=_REFERENCES)
    return set(schema["$defs"])
