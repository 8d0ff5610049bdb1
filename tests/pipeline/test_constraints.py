from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from harness.pipeline.constraints import build_constraint, build_regularizer
from harness.spec.constraints import AnyRegularizer, Constraint

CONSTRAINT: TypeAdapter[Any] = TypeAdapter(Constraint)
REGULARIZER: TypeAdapter[Any] = TypeAdapter(AnyRegularizer)


@pytest.mark.parametrize("name", ["non_neg", "unit_norm", "max_norm", "min_max_norm"])
def test_a_name_means_its_defaults(name: str) -> None:
    """The table without arguments is what Keras finds under the name."""
    named = build_constraint(CONSTRAINT.validate_python(name))
    given = build_constraint(CONSTRAINT.validate_python({"kind": name}))
    assert type(named) is type(given)
    assert named.get_config() == given.get_config()


def test_arguments_of_constraints() -> None:
    """Every argument arrives under Keras' name; one axis is a number, several are a list."""
    table = {"kind": "min_max_norm", "min_value": 0.5, "max_value": 2.0, "rate": 0.25, "axis": [1]}
    found = build_constraint(CONSTRAINT.validate_python(table))
    assert found.get_config() == {"min_value": 0.5, "max_value": 2.0, "rate": 0.25, "axis": 1}
    both = build_constraint(CONSTRAINT.validate_python({"kind": "max_norm", "axis": [0, 1]}))
    assert both.get_config() == {"max_value": 2.0, "axis": [0, 1]}


@pytest.mark.parametrize(
    "table",
    [
        {"kind": "l1", "l1": 0.5},
        {"kind": "l2", "l2": 0.5},
        {"kind": "l1_l2", "l1": 0.5, "l2": 0.25},
        {"kind": "orthogonal", "factor": 0.5, "mode": "columns"},
    ],
)
def test_arguments_of_regularizers(table: dict[str, Any]) -> None:
    """Every argument arrives under Keras' name."""
    found = build_regularizer(REGULARIZER.validate_python(table))
    assert {"kind": table["kind"], **found.get_config()} == table


def test_nothing() -> None:
    """Nothing asked for is nothing."""
    assert build_constraint(None) is None
    assert build_regularizer(None) is None
