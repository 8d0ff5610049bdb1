from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.metrics import f1_score

from harness.errors import PipelineError
from harness.pipeline.metrics import build_metric
from harness.spec.metrics import AnyMetric

if TYPE_CHECKING:
    from collections.abc import Callable

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyMetric)
RNG = np.random.default_rng(0)
SCORE = RNG.uniform(size=(20, 1)).astype("float32")
LABEL = (RNG.uniform(size=(20, 1)) < 0.5).astype("float32")
SHARES = RNG.dirichlet(np.ones(4), size=20).astype("float32")
CLASS = RNG.integers(0, 4, 20)
ONE_HOT = np.eye(4, dtype="float32")[CLASS]


def value(table: Any, truth: Any, prediction: Any, **weights: Any) -> float:
    """Return a metric over examples given in two batches."""
    metric = build_metric(ADAPTER.validate_python(table))
    for part in (slice(0, 13), slice(13, None)):
        weight = {name: array[part] for name, array in weights.items()}
        metric.update_state(truth[part], prediction[part], **weight)
    return float(metric.result())


HIT = (SCORE > 0.5) & (LABEL == 1)
RIGHT = SHARES.argmax(axis=1) == CLASS
ENTROPY = -np.log(SHARES[np.arange(20), CLASS])
METRICS: list[tuple[Any, Any, Any, float]] = [
    ("categorical_accuracy", ONE_HOT, SHARES, RIGHT.mean()),
    ("sparse_categorical_accuracy", CLASS, SHARES, RIGHT.mean()),
    ("mean_squared_error", LABEL, SCORE, ((LABEL - SCORE) ** 2).mean()),
    ("mean_absolute_error", LABEL, SCORE, abs(LABEL - SCORE).mean()),
    ("root_mean_squared_error", LABEL, SCORE, ((LABEL - SCORE) ** 2).mean() ** 0.5),
    ("categorical_crossentropy", ONE_HOT, SHARES, ENTROPY.mean()),
    ("sparse_categorical_crossentropy", CLASS, SHARES, ENTROPY.mean()),
    (
        "binary_crossentropy",
        LABEL,
        SCORE,
        -(LABEL * np.log(SCORE) + (1 - LABEL) * np.log(1 - SCORE)).mean(),
    ),
    ({"kind": "binary_accuracy", "threshold": 0.3}, LABEL, SCORE, ((SCORE > 0.3) == LABEL).mean()),
    (
        {"kind": "top_k_categorical_accuracy", "k": 2},
        ONE_HOT,
        SHARES,
        (np.argsort(-SHARES)[:, :2] == CLASS[:, None]).any(axis=1).mean(),
    ),
    (
        {"kind": "sparse_top_k_categorical_accuracy", "k": 2},
        CLASS,
        SHARES,
        (np.argsort(-SHARES)[:, :2] == CLASS[:, None]).any(axis=1).mean(),
    ),
    ({"kind": "precision"}, LABEL, SCORE, HIT.sum() / (SCORE > 0.5).sum()),
    ({"kind": "recall"}, LABEL, SCORE, HIT.sum() / LABEL.sum()),
]


@pytest.mark.parametrize(
    ("table", "truth", "prediction", "expected"), METRICS, ids=[str(row[0]) for row in METRICS]
)
def test_every_metric_is_its_formula_over_all_examples(
    table: Any, truth: Any, prediction: Any, expected: float
) -> None:
    """Two unequal batches make no difference."""
    # Float32 sums over 20 terms.
    assert value(table, truth, prediction) == pytest.approx(expected, rel=1e-5)


def test_auc_of_a_perfect_ranking_is_one() -> None:
    """The curve is approximated at so many thresholds."""
    table = {"kind": "auc", "num_thresholds": 50}
    # Keras' thresholds lie 1 / 49 apart: a perfect ranking is exact.
    assert value(table, LABEL, 0.25 + 0.5 * LABEL) == pytest.approx(1.0, abs=1e-6)


def test_f1_is_that_of_scikit_learn_with_and_without_weights() -> None:
    """Sample weights count, unlike in the text's own version."""
    weight = RNG.uniform(size=20).astype("float32")
    truth, guess = LABEL[:, 0], SCORE[:, 0] >= 0.5
    assert value("f1", LABEL, SCORE) == pytest.approx(f1_score(truth, guess), rel=1e-6)
    weighted = value("f1", LABEL, SCORE, sample_weight=weight)
    assert weighted == pytest.approx(f1_score(truth, guess, sample_weight=weight), rel=1e-6)


def test_f1_of_nothing_is_zero() -> None:
    """Nothing to find and nothing found is no division by zero."""
    assert value("f1", np.zeros((20, 1)), np.zeros((20, 1))) == 0.0


def test_names_of_the_logs() -> None:
    """The kind unless a name is given; plain accuracy is left for Keras to resolve."""
    assert build_metric(ADAPTER.validate_python("auc")).name == "auc"
    assert build_metric(ADAPTER.validate_python({"kind": "auc", "name": "area"})).name == "area"
    assert build_metric(ADAPTER.validate_python({"kind": "f1", "name": "score"})).name == "score"
    assert build_metric(ADAPTER.validate_python("accuracy")) == "accuracy"


def test_an_imported_metric(user_module: Callable[[str], str]) -> None:
    """It must be a Keras metric."""
    name = user_module(
        "import keras\n\ndef make():\n    return keras.metrics.MeanSquaredError(name='own')\n"
        "def wrong():\n    return 1\n"
    )
    metric = build_metric(ADAPTER.validate_python({"kind": "import", "import": f"{name}:make"}))
    assert metric.name == "own"
    with pytest.raises(PipelineError) as caught:
        build_metric(ADAPTER.validate_python({"kind": "import", "import": f"{name}:wrong"}))
    assert str(caught.value) == f"{name}:wrong must return a keras Metric, got type int."
