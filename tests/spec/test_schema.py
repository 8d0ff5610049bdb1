"""The JSON Schema that editors complete and check scenario files with."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness.spec.base import Spec
from harness.spec.callbacks import EarlyStoppingSpec
from harness.spec.schema import attribute_docs, json_schema

jsonschema = pytest.importorskip("jsonschema")

CASES = Path(__file__).parent / "cases"
SCHEMA = json_schema()
# What a schema cannot see: what keys say about each other, and what is drawn.
SEEN = [
    "few_choices",
    "missing_kind",
    "missing_title_and_expect",
    "names",
    "ranges",
    "several_at_once",
    "unknown_invariant",
    "unknown_key",
    "unknown_kind",
    "unknown_kind_bare",
    "unknown_table",
    "wrong_table",
    "wrong_types",
]


def _errors(file: Path) -> list[Any]:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return list(validator.iter_errors(tomllib.loads(file.read_text("utf-8"))))


def test_schema_is_one() -> None:
    """The schema is valid against its own meta-schema, and plain JSON."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA, allow_nan=False)) == SCHEMA


@pytest.mark.parametrize("file", sorted((CASES / "valid").glob("*.toml")), ids=lambda p: p.stem)
def test_valid_files_pass(file: Path) -> None:
    """An editor has nothing against a valid file, even if the draws complete its pipeline."""
    assert _errors(file) == []


@pytest.mark.parametrize("name", SEEN)
def test_invalid_files_fail(name: str) -> None:
    """An editor underlines what is wrong within one table."""
    assert _errors(CASES / "invalid" / f"{name}.toml")


def test_keys_that_may_be_drawn_are_not_required() -> None:
    """An editor does not miss a key of the pipeline: it can't see that nothing draws it."""
    assert _errors(CASES / "invalid" / "missing_keys.toml") == []


def test_every_table_is_described() -> None:
    """Tables have the first lines of their docstring, fields the text about them."""
    tables = SCHEMA["$defs"]
    stopping = tables["EarlyStoppingSpec"]

    assert all(table["description"] for table in tables.values())
    assert "Attributes" not in json.dumps(SCHEMA)
    assert stopping["description"] == "``keras.callbacks.EarlyStopping``."
    assert stopping["properties"]["monitor"]["description"] == "Key of the logs."
    assert tables["ImportedModelSpec"]["properties"]["import"]["description"].startswith("Where")
    assert "null" not in json.dumps(SCHEMA)


def test_bare_names_are_offered() -> None:
    """A kind without required keys may be written as its bare name."""
    names = SCHEMA["$defs"]["PipelineSpec"]["properties"]["callbacks"]["items"]["anyOf"][0]["enum"]

    assert "early_stopping" in names
    assert "leak" not in names
    assert "import" not in names


def test_docs_of_a_table_and_its_bases() -> None:
    """The text about a field may stand at the base that has it; over several lines it is joined."""
    docs = attribute_docs(EarlyStoppingSpec)

    assert docs["script"] == (
        "Value of the monitor at the end of each epoch; past its end the last one stays."
    )
    assert attribute_docs(Spec) == {}
