from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from harness.errors import PipelineError
from harness.oracles import losses as oracles
from harness.pipeline.losses import build_loss
from harness.spec.losses import AnyLoss

if TYPE_CHECKING:
    from collections.abc import Callable

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyLoss)
RNG = np.random.default_rng(0)
SCORES = RNG.standard_normal((6, 3)).astype("float32")
SHARES = (np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)).astype("float32")
ONE_HOT = np.eye(3, dtype="float32")[[0, 1, 2, 2, 1, 0]]
TARGETS = RNG.uniform(0.1, 2.0, (6, 3)).astype("float32")


def build(table: Any) -> Any:
    """Return the loss of a table or a name."""
    return build_loss(ADAPTER.validate_python(table))


def mean(values: Any) -> float:
    """Return the mean of a loss over examples and outputs."""
    return float(np.mean(np.asarray(values, np.float64)))


ERROR = TARGETS.astype(float) - SCORES
LOSSES: list[tuple[Any, Any, Any, float]] = [
    ("mean_squared_error", TARGETS, SCORES, mean(ERROR**2)),
    ("mean_absolute_error", TARGETS, SCORES, mean(abs(ERROR))),
    ("mean_absolute_percentage_error", TARGETS, SCORES, 100 * mean(abs(ERROR / TARGETS))),
    (
        "mean_squared_logarithmic_error",
        TARGETS,
        SHARES,
        mean((np.log1p(TARGETS) - np.log1p(SHARES)) ** 2),
    ),
    ("log_cosh", TARGETS, SCORES, mean(np.log(np.cosh(ERROR)))),
    ("poisson", TARGETS, SHARES, mean(SHARES - TARGETS * np.log(SHARES + 1e-7))),
    ("kl_divergence", SHARES, ONE_HOT.clip(0.2, 1), 0.0),
    ("hinge", 2 * ONE_HOT - 1, SCORES, mean(np.maximum(1 - (2 * ONE_HOT - 1) * SCORES, 0))),
    (
        "squared_hinge",
        2 * ONE_HOT - 1,
        SCORES,
        mean(np.maximum(1 - (2 * ONE_HOT - 1) * SCORES, 0) ** 2),
    ),
    (
        {"kind": "huber", "delta": 0.5},
        TARGETS,
        SCORES,
        mean(np.where(abs(ERROR) <= 0.5, 0.5 * ERROR**2, 0.5 * abs(ERROR) - 0.125)),
    ),
    (
        "binary_crossentropy",
        ONE_HOT,
        SHARES,
        -mean(ONE_HOT * np.log(SHARES) + (1 - ONE_HOT) * np.log(1 - SHARES)),
    ),
    ("categorical_crossentropy", ONE_HOT, SHARES, -3 * mean(ONE_HOT * np.log(SHARES))),
    (
        {"kind": "sparse_categorical_crossentropy", "from_logits": True},
        ONE_HOT.argmax(axis=1),
        SCORES,
        -3 * mean(ONE_HOT * np.log(SHARES)),
    ),
    (
        {"kind": "weighted_mse", "under_weight": 3.0},
        TARGETS,
        SCORES,
        mean(np.where(ERROR > 0, 3.0, 1.0) * ERROR**2),
    ),
    (
        {"kind": "focal_loss", "gamma": 2.0, "alpha": 0.25},
        ONE_HOT,
        SHARES,
        -mean(0.25 * ONE_HOT * (1 - SHARES) ** 2 * np.log(SHARES)),
    ),
]


@pytest.mark.parametrize(
    ("table", "truth", "prediction", "expected"), LOSSES, ids=[str(row[0]) for row in LOSSES]
)
def test_every_loss_is_the_mean_of_its_formula(
    table: Any, truth: Any, prediction: Any, expected: float
) -> None:
    """Arguments of the spec reach the Keras class that the kind names."""
    if table == "kl_divergence":
        expected = 3 * mean(truth * np.log(truth / prediction))
    got = float(build(table)(truth, prediction))
    # Float32 over 18 terms of order 1; measured at most 3e-6.
    assert got == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["weighted_mse", "focal_loss"])
def test_own_losses_honour_sample_weights_and_reduction(kind: str) -> None:
    """They return one value per example, so the weights meet examples, not a mean."""
    truth, prediction = (TARGETS, SCORES) if kind == "weighted_mse" else (ONE_HOT, SHARES)
    weight = np.array([0, 0, 1, 0, 0, 0], "float32")
    alone = float(build(kind)(truth[2:3], prediction[2:3]))
    summed = float(build({"kind": kind, "reduction": "sum"})(truth, prediction, weight))
    assert summed == pytest.approx(alone, rel=1e-6)


def test_the_oracles_agree_on_the_own_losses() -> None:
    """Specification, Keras class and oracle mean the same thing."""
    got = float(build({"kind": "weighted_mse"})(TARGETS, SCORES))
    expected = oracles.weighted_mse(TARGETS.astype(float), SCORES.astype(float))
    assert got == pytest.approx(mean(expected.values), rel=1e-5)


def test_an_imported_loss_is_the_function_or_what_it_returns(
    user_module: Callable[[str], str],
) -> None:
    """`call` decides."""
    name = user_module(
        "def absolute(y_true, y_pred):\n    return abs(y_true - y_pred)\n"
        "def scaled(factor):\n    return lambda y_true, y_pred: factor\n"
    )
    plain = build({"kind": "import", "import": f"{name}:absolute"})
    assert plain(1.0, 3.0) == 2.0
    made = build(
        {"kind": "import", "import": f"{name}:scaled", "call": True, "arguments": {"factor": 4.0}}
    )
    assert made(1.0, 3.0) == 4.0


def test_an_imported_loss_must_be_callable(user_module: Callable[[str], str]) -> None:
    """None would be taken by Keras as no loss at all."""
    name = user_module("def nothing():\n    return None\n")
    with pytest.raises(PipelineError) as caught:
        build({"kind": "import", "import": f"{name}:nothing", "call": True})
    assert str(caught.value) == (
        f"{name}:nothing must return a keras Loss or a function, got type NoneType."
    )
