"""Pipelines as TOML and as JSON: what is written is read back the same."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pytest
from hypothesis import given

from harness.errors import SpecError
from harness.spec import canonical_json, encode_pipeline, encode_value, pipeline_from_json
from harness.spec.model import MLPSpec
from harness.spec.optimizer import SGDSpec
from harness.spec.pipeline import PipelineSpec
from harness.spec.schedule import CosineDecaySpec

from .tables import pipelines, tables_of


@given(tables_of(PipelineSpec))
def test_tables_of_the_strategy_are_pipelines(tables: dict[str, Any]) -> None:
    """The generator of these tests makes well-formed pipelines only."""
    PipelineSpec.model_validate(tables)


@pytest.mark.parametrize("defaults", [False, True])
@given(pipeline=pipelines())
def test_toml_round_trip(pipeline: PipelineSpec, *, defaults: bool) -> None:
    """Any pipeline, NaN, infinities, negative zeros and odd texts included, survives TOML."""
    tables = tomllib.loads(encode_pipeline(pipeline, defaults=defaults))

    # Not ==, which finds a NaN different from itself and 0.0 equal to -0.0.
    again = PipelineSpec.model_validate(tables["pipeline"])
    assert canonical_json(again) == canonical_json(pipeline)


@given(pipelines())
def test_json_round_trip(pipeline: PipelineSpec) -> None:
    """Any pipeline survives JSON, and its canonical text is one."""
    text = canonical_json(pipeline)

    assert canonical_json(pipeline_from_json(text)) == text


def test_canonical_text_does_not_depend_on_how_it_was_written() -> None:
    """Defaults that are written, whole numbers and the order of keys make no difference."""
    short = PipelineSpec.model_validate({"optimizer": "sgd", "seed": 3})
    long = PipelineSpec.model_validate(
        {"seed": 3, "optimizer": {"learning_rate": 0.01, "momentum": 0, "kind": "sgd"}}
    )

    assert canonical_json(short) == canonical_json(long)
    assert '"weight_decay":null' in canonical_json(short)
    assert canonical_json(short) != canonical_json(PipelineSpec())


def test_canonical_text_tells_zeros_apart() -> None:
    """Negative zero is another number, NaN is itself."""
    texts = {
        canonical_json(
            PipelineSpec.model_validate(
                {"callbacks": [{"kind": "early_stopping", "scripted": True, "script": [value]}]}
            )
        )
        for value in (0.0, -0.0, math.nan, -math.nan, math.inf)
    }

    assert len(texts) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "pipeline must be JSON, got '{'."),
        ("[" * 100_000, f"pipeline must be JSON, got '{'[' * 56}...."),
        ('{"seed":-1}', "pipeline.seed must be >= 0, got -1."),
        ("3", "pipeline must be a table, got 3."),
    ],
)
def test_damaged_json(text: str, message: str) -> None:
    """A text that is no pipeline is refused in the words of scenario files."""
    with pytest.raises(SpecError) as caught:
        pipeline_from_json(text)

    assert str(caught.value) == message


def test_toml_of_a_pipeline() -> None:
    """Kinds come first, nested tables get headers, long lists a line for each item."""
    pipeline = PipelineSpec.model_validate(
        {
            "model": {"kind": "multi_output", "heads": [{"name": "a"}, {"name": "b", "units": 2}]},
            "loss": {"kind": "import", "import": "own:loss", "arguments": {"a": [], "b": {}}},
            "optimizer": {
                "kind": "sgd",
                "momentum": 0.5,
                "learning_rate": {
                    "kind": "cosine_decay",
                    "initial_learning_rate": 1,
                    "decay_steps": 9,
                },
            },
            "callbacks": ["terminate_on_nan", {"kind": "early_stopping", "script": [math.nan, 1]}],
            "metrics": [
                {"kind": "import", "import": "own:metric", "arguments": {"weights": [0.125] * 30}}
            ],
            "then": ["predict"],
            "seed": 7,
        }
    )

    assert encode_pipeline(pipeline) == TOML


TOML = (
    """\
[pipeline]
then = ["predict"]
seed = 7

[pipeline.data]
kind = "linear_regression"

[pipeline.model]
kind = "multi_output"

[[pipeline.model.heads]]
name = "a"

[[pipeline.model.heads]]
name = "b"
units = 2

[pipeline.loss]
kind = "import"
import = "own:loss"

[pipeline.loss.arguments]
a = []

[pipeline.loss.arguments.b]

[[pipeline.metrics]]
kind = "import"
import = "own:metric"

[pipeline.metrics.arguments]
weights = [
"""
    + "    0.125,\n" * 30
    + """\
]

[pipeline.optimizer]
kind = "sgd"
momentum = 0.5

[pipeline.optimizer.learning_rate]
kind = "cosine_decay"
initial_learning_rate = 1.0
decay_steps = 9

[pipeline.training]
kind = "fit"

[[pipeline.callbacks]]
kind = "terminate_on_nan"

[[pipeline.callbacks]]
kind = "early_stopping"
script = [nan, 1.0]
"""
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        ('a"b\nc', '"a\\"b\\nc"'),
        ((1, [2.0]), "[1, [2.0]]"),
        ({}, "{}"),
        ({"a b": 1, "c": {"d": []}}, '{ "a b" = 1, c = { d = [] } }'),
        (SGDSpec(momentum=0.5), '{ kind = "sgd", momentum = 0.5 }'),
        (MLPSpec(), '{ kind = "mlp" }'),
        (
            CosineDecaySpec(initial_learning_rate=0.1, decay_steps=2),
            '{ kind = "cosine_decay", initial_learning_rate = 0.1, decay_steps = 2 }',
        ),
    ],
)
def test_value_on_one_line(value: object, text: str) -> None:
    """Any value of a scenario file is one line of TOML."""
    assert encode_value(value) == text
    tomllib.loads(f"value = {text}")
