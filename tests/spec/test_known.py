"""Conditions on drawn pipelines, and version ranges."""

from __future__ import annotations

import math
from typing import Any

import pytest

from harness.spec import condition_holds, issue_applies, when_matches
from harness.spec.paths import MISSING
from harness.spec.pipeline import PipelineSpec
from harness.spec.scenario import ConditionSpec

NAN = math.nan


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ({"is": 3}, 3, True),
        ({"is": 3}, 3.0, True),
        ({"is": 3}, 4, False),
        ({"is": True}, True, True),
        ({"is": True}, 1, False),
        ({"is": 1}, True, False),
        ({"is": False}, 0, False),
        ({"is": NAN}, NAN, True),
        ({"is": NAN}, 1.0, False),
        ({"is": "sgd"}, {"kind": "sgd", "momentum": 0.5}, True),
        ({"is": "sgd"}, {"kind": "adam"}, False),
        ({"is": {"kind": "sgd", "momentum": 0.5}}, {"kind": "sgd", "momentum": 0.5, "x": 1}, True),
        ({"is": {"momentum": 0.5}}, {"kind": "sgd", "momentum": 0.25}, False),
        ({"is": 3}, {"kind": "sgd"}, False),
        ({"is": [1, NAN]}, (1, NAN), True),
        ({"is": [1]}, (1, 2), False),
        ({"is": [1, 2]}, (1, 3), False),
        ({"is": "relu"}, "relu", True),
        ({"in": [1, 2]}, 2, True),
        ({"in": [1, 2]}, 3, False),
        ({"in": ["sgd", "adam"]}, {"kind": "adam"}, True),
        ({"at_least": 2}, 2, True),
        ({"at_least": 2}, 1.5, False),
        ({"at_least": 2}, NAN, False),
        ({"at_least": 0}, True, False),
        ({"at_least": 0}, "text", False),
        ({"at_most": 2}, 2.0, True),
        ({"at_most": 2}, 3, False),
        ({"at_most": 2}, [1], False),
        ({"at_least": 1, "at_most": 2}, 3, False),
        ({"at_least": 1, "at_most": 2}, 1, True),
        ({"nan": True}, NAN, True),
        ({"nan": True}, 1, False),
        ({"nan": False}, 1, True),
        ({"nan": False}, NAN, False),
        ({"has_nan": True}, [1.0, [2.0, NAN]], True),
        ({"has_nan": True}, (1.0, 2.0), False),
        ({"has_nan": False}, (1.0,), True),
        ({"has_nan": True}, NAN, True),
        ({"given": True}, 0, True),
        ({"given": False}, 0, False),
        ({}, 0, True),
        ({"given": False}, None, True),
        ({"given": False}, MISSING, True),
        ({"given": True}, None, False),
        ({"given": False, "is": 3}, None, False),
        ({"nan": False}, None, False),
        ({"has_nan": False}, MISSING, False),
        ({}, MISSING, False),
    ],
)
def test_condition(condition: dict[str, Any], value: object, *, holds: bool) -> None:
    """All parts of a condition must hold; of an absent value nothing does but its absence."""
    assert condition_holds(ConditionSpec.model_validate(condition), value) is holds


def _when(*tables: dict[str, Any]) -> tuple[dict[str, ConditionSpec], ...]:
    return tuple(
        {key: ConditionSpec.model_validate(value) for key, value in table.items()}
        for table in tables
    )


def test_when() -> None:
    """All conditions of one table, any of the tables; defaults count as values; None is always."""
    pipeline = PipelineSpec.model_validate(
        {"optimizer": {"kind": "sgd", "clipnorm": 1.0}, "callbacks": ["early_stopping"]}
    )
    yes = {"optimizer": {"is": "sgd"}, "optimizer.clipnorm": {"given": True}}
    defaults = {"callbacks.0.patience": {"is": 0}, "optimizer.learning_rate.kind": {"given": False}}
    no = {"optimizer": {"is": "sgd"}, "optimizer.clipvalue": {"given": True}}

    assert when_matches(None, pipeline)
    assert when_matches(_when(yes), pipeline)
    assert when_matches(_when(no, defaults), pipeline)
    assert not when_matches(_when(no), pipeline)
    assert not when_matches((), pipeline)


@pytest.mark.parametrize(
    ("versions", "installed", "applies"),
    [
        ("keras>=3.12,<3.16", {"keras": "3.15.1"}, True),
        ("keras>=3.12,<3.16", {"keras": "3.16.0"}, False),
        ("keras >= 3.12", {"Keras": "3.12.0"}, True),
        ("Tensor.Flow==2.*", {"tensor-flow": "2.21.0"}, True),
        ("keras<3.16", {"keras": "3.16.0.dev2026"}, False),
        ("keras>=3.12", {"keras": "3.16.0.dev2026"}, True),
        ("keras==3.15.1", {"keras": "3.15.1+patched"}, True),
        ("keras>=3", {"tensorflow": "2.21.0"}, False),
        ("keras>=3", {"keras": "a patched build"}, False),
    ],
)
def test_versions(versions: str, installed: dict[str, str], *, applies: bool) -> None:
    """Ranges are PEP 440's, development builds included; what is not installed is not meant."""
    assert issue_applies(versions, installed) is applies
