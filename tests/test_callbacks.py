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


def complete_example(total_steps: int, **options: Any) -> tuple[Any, dict[str, Any]]:
    """Text 004's complete example, smaller: its model and the arguments of its fit."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((1040, 8)).astype(np.float32), rng.integers(0, 3, 1040)

    class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __call__(self, step: Any) -> Any:
            step = keras.ops.cast(step, "float32")
            done = keras.ops.clip((step - 20) / (total_steps - 20), 0.0, 1.0)
            cosine = 0.5 * 1e-3 * (1.0 + keras.ops.cos(np.pi * done))
            return keras.ops.where(step < 20, 1e-3 * step / 20, cosine)

    dense = keras.layers.Dense
    model = keras.Sequential(
        [
            keras.Input((8,)),
            dense(16, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.2),
            dense(3, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.AdamW(WarmupCosine(), global_clipnorm=1.0),
        "sparse_categorical_crossentropy",
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(2, name="top2")],
    )
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", patience=8, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True),
        *options.pop("callbacks", ()),
    ]
    arguments = {"x": x, "y": y, "epochs": 30, "batch_size": 64, "validation_split": 0.2}
    return model, {**arguments, **options, "callbacks": callbacks}


def test_the_complete_example_is_in_order() -> None:
    """832 examples in 13 batches, 30 times: a schedule of so many steps, and no plateau."""
    model, arguments = complete_example(13 * 30)

    assert preflight(model, **arguments) == ()


def test_the_complete_example_as_printed_is_not() -> None:
    """A plateau beside the schedule, and a total that leaves out the last, partial batches."""
    model, arguments = complete_example(
        (832 // 80) * 30,
        batch_size=80,
        callbacks=[keras.callbacks.ReduceLROnPlateau("val_loss", patience=5)],
    )

    found = preflight(model, **arguments)
    plateau, schedule = map(str, found)
    assert plateau == (
        "callbacks[2] ReduceLROnPlateau: the learning rate comes from WarmupCosine and can't be "
        "set: the first plateau raises an error, and the training is lost. Keep the schedule or "
        "the callback. [rate_has_two_masters]"
    )
    assert schedule == (
        "optimizer: WarmupCosine: the schedule is over after 300 steps, the training takes 330: "
        "the last 30 run at a rate of 0; it leaves out the last, partial batch of each of 30 "
        "epochs. Give it 330 steps. [schedule_ends_early]"
    )
