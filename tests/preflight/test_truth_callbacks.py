"""What the rules foretell of callbacks happens: real Keras, trained past the refusal."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest

from tests.preflight.trained import X, Y, classifier, model_of, rules_of, trained

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: keras.callbacks.EarlyStopping("val_auc"), "monitor_not_logged"),
        (lambda: keras.callbacks.EarlyStopping("own"), "direction_unknown"),
    ],
)
def test_the_first_epoch_ends_in_an_error(make: Callable[[], Any], rule: str) -> None:
    """The training time of an epoch is spent by then."""

    def own(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_true - y_pred)

    plan = {"x": X, "y": Y, "epochs": 3, "validation_data": (X, Y), "callbacks": [make()]}
    assert rules_of(model_of(metrics=[own]), **plan) == [rule]
    with pytest.raises(ValueError, match="isn't able to automatically determine"):
        trained(model_of(metrics=[own]), **plan)


def test_the_best_is_never_known(tmp_path: Path) -> None:
    """A checkpoint of the best by a number that is not there saves every epoch, or none."""
    callback = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", save_best_only=True)
    plan = {"x": X, "y": Y, "epochs": 3, "callbacks": [callback]}

    assert rules_of(model_of(), **plan) == ["monitor_not_logged"]
    trained(model_of(), **plan)
    assert len(list(tmp_path.iterdir())) in {0, 3}


def test_direction_reversed() -> None:
    """It stops while the number gets better with every epoch."""
    rising = count()
    callback = keras.callbacks.EarlyStopping("accuracy", mode="min", patience=1)
    plan = {"x": X, "y": np.zeros(20, np.int64), "epochs": 9, "callbacks": [callback]}
    model = model_of(loss="binary_crossentropy", metrics=["accuracy"])

    def rise(_: int, logs: dict[str, float]) -> None:
        logs["accuracy"] = next(rising) / 10

    assert rules_of(model, **plan) == ["direction_reversed"]
    first = keras.callbacks.LambdaCallback(on_epoch_end=rise)
    assert len(trained(model, **{**plan, "callbacks": [first, callback]}).train) == 2


@pytest.mark.parametrize("restore", [True, False])
def test_patience_never_runs_out(*, restore: bool) -> None:
    """All epochs are trained, however bad; only the best weights make it useful."""
    callback = keras.callbacks.EarlyStopping(
        "loss", patience=4, min_delta=1e9, restore_best_weights=restore
    )
    plan = {"x": X, "y": Y, "epochs": 4, "callbacks": [callback]}

    assert rules_of(model_of(), **plan) == ([] if restore else ["patience_never_runs_out"])
    assert len(trained(model_of(), **plan).train) == 4


def test_best_out_of_reach() -> None:
    """Even a perfect accuracy does not beat a baseline in per cent."""
    callback = keras.callbacks.EarlyStopping("accuracy", baseline=90.0, patience=2)
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.layers[0].bias.assign([9.0, 0.0, 0.0])
    plan = {"x": X, "y": np.zeros(20, np.int64), "epochs": 9, "callbacks": [callback]}

    assert rules_of(model, **plan) == ["best_out_of_reach"]
    assert len(trained(model, **plan).train) < 9


def test_checkpoint_name() -> None:
    """Text 001's name; a path that changes behind the constructor's back fails late."""
    with pytest.raises(ValueError, match=r"must end in `\.keras`"):
        keras.callbacks.ModelCheckpoint("model_weights")
    callback = keras.callbacks.ModelCheckpoint("model.keras")
    callback.filepath = "model_weights"
    plan = {"x": X, "y": Y, "callbacks": [callback]}

    assert rules_of(model_of(), **plan) == ["checkpoint_name"]
    with pytest.raises(ValueError, match=r"\.keras"):
        trained(model_of(), **plan)


def test_checkpoint_placeholder(tmp_path: Path) -> None:
    """The first save fails, after the first epoch."""
    callback = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}-{val_loss:.2f}.keras")
    plan = {"x": X, "y": Y, "callbacks": [callback]}

    assert rules_of(model_of(), **plan) == ["checkpoint_placeholder"]
    with pytest.raises(KeyError, match="val_loss"):
        trained(model_of(), **plan)
