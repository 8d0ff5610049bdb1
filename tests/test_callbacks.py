"""The callback for trainings of one's own, and the function that does the same before."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest

from harness.callbacks import Preflight, PreflightWarning, preflight
from harness.errors import HarnessUsageError, PreflightError

X = np.zeros((20, 1), np.float32)
BAD = {"x": X, "y": X, "epochs": 3, "batch_size": 19}
"""Warned about for its last batch."""

TINY = (
    "fit: batch_size: the last batch of a pass has 1 example of 19 and moves the weights as far as "
    "a full one. Drop it (`drop_remainder=True`), or choose a batch size that divides the data "
    "better. [tiny_last_batch]"
)
MISSING = (
    "callbacks[1] ReduceLROnPlateau: monitor: 'val_loss' will not be in the logs: there are no "
    "validation data, so the rate is never reduced. There will be loss. [monitor_not_logged]"
)


def model_of() -> Any:
    """A compiled line."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_a_plan_in_order_is_left_alone() -> None:
    """No warning, no error, the same training."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = model_of().fit(X, X, epochs=2, verbose=0, callbacks=[Preflight()])

    assert list(history.history) == ["loss"]


def test_a_training_is_refused_before_its_first_step() -> None:
    """Everything that refuses it is said at once; nothing has been trained."""
    model = model_of()
    callbacks = [Preflight(), keras.callbacks.ReduceLROnPlateau(patience=1)]

    with (
        pytest.warns(PreflightWarning, match="tiny_last_batch"),
        pytest.raises(PreflightError) as raised,
    ):
        model.fit(**BAD, verbose=0, callbacks=callbacks)

    assert str(raised.value) == (f"This training is refused before its first step:\n  {MISSING}")
    assert int(model.optimizer.iterations) == 0


def test_warnings_point_at_the_call_of_fit() -> None:
    """Not at some line of Keras."""
    with pytest.warns(PreflightWarning) as caught:
        model_of().fit(**BAD, verbose=0, callbacks=[Preflight()])

    assert [str(warning.message) for warning in caught] == [TINY]
    assert caught[0].filename == __file__


def test_strict_refuses_what_would_be_warned_about() -> None:
    """For those who want nothing of it in their training."""
    with pytest.raises(PreflightError, match="tiny_last_batch"):
        model_of().fit(**BAD, verbose=0, callbacks=[Preflight(strict=True)])


def test_rules_can_be_left_out() -> None:
    """By the name that stands at the end of each finding."""
    for ignore in ("tiny_last_batch", ["tiny_last_batch"]):
        model_of().fit(**BAD, verbose=0, callbacks=[Preflight(ignore=ignore, strict=True)])


def test_unknown_rules_are_refused() -> None:
    """A misspelt name would leave nothing out."""
    with pytest.raises(HarnessUsageError) as raised:
        Preflight(ignore=["tiny_last_bach"])

    assert str(raised.value).startswith(
        "ignore must name rules, got 'tiny_last_bach'. Did you mean 'tiny_last_batch'? Known: "
    )


def test_a_split_is_seen_after_it_was_made() -> None:
    """By then Keras has put what is left of the arrays in their place."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    with pytest.warns(PreflightWarning, match="class 1 occur only there"):
        model.fit(
            X, np.repeat([0, 1], 10), validation_split=0.5, verbose=0, callbacks=[Preflight()]
        )


def test_a_loop_without_fit_tells_little() -> None:
    """Callbacks driven by hand get what Keras tells every callback."""
    callbacks = keras.callbacks.CallbackList([Preflight()], model=model_of(), epochs=2, steps=3)

    callbacks.on_train_begin()


def test_a_model_that_wraps_fit_is_found() -> None:
    """The innermost call is the one that trains."""

    class Own(keras.Sequential):  # type: ignore[misc]
        def fit(self, *args: Any, **kwargs: Any) -> Any:
            return super().fit(*args, batch_size=19, **kwargs)

    model = Own([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    with pytest.warns(PreflightWarning, match="tiny_last_batch"):
        model.fit(X, X, verbose=0, callbacks=[Preflight()])


def test_the_function_says_the_same_before() -> None:
    """Nothing runs."""
    model = model_of()
    findings = preflight(model, **BAD, verbose=2)

    assert [str(found) for found in findings] == [TINY]
    assert not model.optimizer.built or int(model.optimizer.iterations) == 0


def test_the_function_knows_the_arguments_of_fit() -> None:
    """A misspelt one would be left out of the plan."""
    with pytest.raises(HarnessUsageError) as raised:
        preflight(model_of(), X=X)

    assert str(raised.value).startswith("arguments must be those of fit, got 'X'. ")
