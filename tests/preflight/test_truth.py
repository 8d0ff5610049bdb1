"""What the rules foretell of data and validation happens: real Keras, trained past the refusal."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.preflight.trained import (
    MOST,
    X,
    Y,
    batches,
    classifier,
    dataset,
    model_of,
    rules_of,
    trained,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore")


def test_no_epoch_left() -> None:
    """Nothing is trained."""
    model, plan = model_of(), {"x": X, "y": Y, "epochs": 3, "initial_epoch": 3}

    assert rules_of(model, **plan) == ["no_epoch_left"]
    assert trained(model, **plan).train == []


def test_training_never_ends() -> None:
    """It goes on and on; somebody has to stop it."""
    model, plan = model_of(), {"x": dataset().repeat(), "epochs": 1}

    assert rules_of(model, **plan) == ["training_never_ends"]
    assert trained(model, **plan).train == [MOST]


def test_validation_never_ends() -> None:
    """Neither does an evaluation."""
    plan = {"x": X, "y": Y, "validation_data": dataset().repeat()}
    model = model_of()

    assert rules_of(model, **plan) == ["validation_never_ends"]
    assert trained(model, **plan).test == [MOST]


@pytest.mark.parametrize(("epochs", "steps"), [(2, 4), (3, 5), (1, 6)])
def test_steps_beyond_data(epochs: int, steps: int) -> None:
    """What can be had is trained, in the very epochs that were foretold."""
    model, plan = model_of(), {"x": dataset(), "epochs": epochs, "steps_per_epoch": steps}
    short = {(2, 4): [4, 1], (1, 6): [5]}.get((epochs, steps))

    assert rules_of(model, **plan) == (["steps_beyond_data"] if short else [])
    assert trained(model, **plan).train == (short or [5, 5, 5])


def test_generator_for_several_epochs() -> None:
    """Four batches are there; the later epochs are not four new ones."""
    model, drawn = model_of(), []

    def source() -> Iterator[Any]:
        for batch in batches(4):
            drawn.append(1)
            yield batch

    plan = {"x": source(), "epochs": 3}
    assert rules_of(model, **plan) == ["generator_for_several_epochs"]
    trained(model, **plan)
    assert len(drawn) == 4


def test_generator_not_called() -> None:
    """Keras refuses it, in words that don't help."""
    model, plan = model_of(), {"x": batches, "epochs": 1}

    assert rules_of(model, **plan) == ["generator_not_called"]
    with pytest.raises(ValueError, match="Unrecognized data type"):
        trained(model, **plan)


def test_elements_without_batch() -> None:
    """Keras takes the features of an example for so many examples."""
    slices = tf.data.Dataset.from_tensor_slices((np.ones((20, 4)), np.ones(20)))
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    assert rules_of(model, x=slices) == ["elements_without_batch"]
    with pytest.raises(ValueError, match="Invalid input shape"):
        trained(model, x=slices)


def test_tiny_last_batch() -> None:
    """One example moves the weight as far as eight do together."""
    x, moves = np.ones((9, 1), np.float32), []
    model = model_of(keras.optimizers.SGD(0.01))
    model.layers[0].kernel.assign([[0.0]])
    plan = {"x": x, "y": 100.0 * x, "batch_size": 8, "shuffle": False}

    def moved(batch: int, logs: Any = None) -> None:  # noqa: ARG001
        moves.append(float(model.layers[0].kernel.numpy()[0, 0]))

    assert rules_of(model, **plan) == ["tiny_last_batch"]
    trained(model, **plan, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=moved)])
    assert (moves[1] - moves[0]) / moves[0] > 0.9


def test_labels_in_order() -> None:
    """A batch after another holds one class."""
    x, labels = X[:18], np.repeat([0, 1, 2], 6)
    seen: list[list[int]] = []
    plan = {"x": x, "y": labels, "batch_size": 6, "shuffle": False}
    model = classifier()
    assert rules_of(model, **plan) == ["labels_in_order"]

    def watched(y_true: Any, y_pred: Any) -> Any:
        seen.append(np.unique(y_true.numpy()).tolist())
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    model.compile("sgd", watched, run_eagerly=True)
    trained(model, **plan)
    assert seen[-3:] == [[0], [1], [2]]


def test_classes_held_out() -> None:
    """What is held out is the end: class 2 is never trained on, and its logit sinks."""
    x, labels = np.zeros((18, 1), np.float32), np.repeat([0, 1, 2], 6)
    model, plan = classifier(), {"x": x, "y": labels, "validation_split": 1 / 3}

    assert rules_of(model, **plan) == ["classes_held_out"]
    trained(model, **plan, epochs=5)
    bias = model.layers[0].bias.numpy()
    assert bias[2] < 0 < min(bias[0], bias[1])


def test_class_weight_misses() -> None:
    """A class without weight counts 1: the same as saying so."""
    labels = np.arange(20) % 2
    losses = []
    for weights in ({0: 3.0}, {0: 3.0, 1: 1.0}):
        model = classifier()
        model.layers[0].kernel.assign(np.ones((1, 3)))
        plan = {"x": X, "y": labels, "class_weight": weights, "shuffle": False}
        losses.append(model.fit(**plan, verbose=0).history["loss"])
        assert rules_of(model, **plan) == ([] if 1 in weights else ["class_weight_misses"])

    assert losses[0] == losses[1]


def test_validation_read_once() -> None:
    """Every evaluation but the first sees other data than it."""
    model = model_of(keras.optimizers.SGD(0.0))
    plan = {"x": X, "y": Y, "epochs": 3, "validation_data": batches(6)}

    assert rules_of(model, **plan) == ["validation_read_once"]
    losses = model.fit(**plan, verbose=0).history["val_loss"]
    assert losses[1] != losses[0]


def test_validation_differs() -> None:
    """With weights that stand still the value changes all the same."""
    model = model_of(keras.optimizers.SGD(0.0))
    plan = {"x": X, "y": Y, "epochs": 3, "validation_data": batches(9), "validation_steps": 3}

    assert rules_of(model, **plan) == ["validation_differs"]
    assert len(set(model.fit(**plan, verbose=0).history["val_loss"])) > 1


def test_validation_steps_beyond_data() -> None:
    """There are five."""
    plan = {"x": X, "y": Y, "validation_data": dataset(), "validation_steps": 7}
    model = model_of()

    assert rules_of(model, **plan) == ["validation_steps_beyond_data"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert trained(model, **plan).test == [5]
    assert any("ran out of data" in str(warning.message) for warning in caught)


def test_validation_never_due() -> None:
    """No evaluation at all."""
    plan = {"x": X, "y": Y, "epochs": 3, "validation_data": (X, Y), "validation_freq": 4}
    model = model_of()

    assert rules_of(model, **plan) == ["validation_never_due"]
    assert trained(model, **plan).test == []


def test_every_rule_is_shown() -> None:
    """A rule that says what will happen shows it here."""
    from pathlib import Path as File

    from harness.preflight import rules

    texts = [path.read_text("utf-8") for path in File(__file__).parent.glob("test_truth*.py")]
    assert [rule.name for rule in rules() if f'"{rule.name}"' not in "".join(texts)] == []
