"""What the rules foretell happens: real Keras, trained past the refusal."""

from __future__ import annotations

import warnings
from itertools import count
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from harness.callbacks import preflight

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

X = np.linspace(-1.0, 1.0, 20, dtype=np.float32)[:, None]
Y = 2.0 * X
MOST = 40
"""Batches after which a training that never ends is stopped."""

pytestmark = pytest.mark.filterwarnings("ignore")


def model_of(optimizer: Any = None, **options: Any) -> Any:
    """A compiled line."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer or keras.optimizers.SGD(0.1), **{"loss": "mse", **options})
    return model


class Steps(keras.callbacks.Callback):  # type: ignore[misc]
    """Counts the batches of each epoch, and stops what never ends."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        super().__init__()
        self.train: list[int] = []
        self.test: list[int] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Begin to count."""
        self.train.append(0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Count."""
        self.train[-1] += 1
        self.model.stop_training = self.train[-1] >= MOST

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Begin to count."""
        self.test.append(0)

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Count."""
        self.test[-1] += 1
        self.model.stop_evaluating = self.test[-1] >= MOST


def trained(model: Any, **arguments: Any) -> Steps:
    """The steps of a fit."""
    steps = Steps()
    callbacks = [*arguments.pop("callbacks", ()), steps]
    model.fit(**arguments, callbacks=callbacks, verbose=0)
    return steps


def rules_of(model: Any, **arguments: Any) -> list[str]:
    """Names of the rules that a fit breaks."""
    return [found.rule for found in preflight(model, **arguments)]


def batches(number: int) -> Iterator[Any]:
    """So many batches of two, once."""
    for index in range(number):
        yield X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


def dataset() -> Any:
    """Five batches of four."""
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


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


def _classifier() -> Any:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def test_labels_in_order() -> None:
    """A batch after another holds one class."""
    x, labels = X[:18], np.repeat([0, 1, 2], 6)
    seen: list[list[int]] = []
    plan = {"x": x, "y": labels, "batch_size": 6, "shuffle": False}
    model = _classifier()
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
    model, plan = _classifier(), {"x": x, "y": labels, "validation_split": 1 / 3}

    assert rules_of(model, **plan) == ["classes_held_out"]
    trained(model, **plan, epochs=5)
    bias = model.layers[0].bias.numpy()
    assert bias[2] < 0 < min(bias[0], bias[1])


def test_class_weight_misses() -> None:
    """A class without weight counts 1: the same as saying so."""
    labels = np.arange(20) % 2
    losses = []
    for weights in ({0: 3.0}, {0: 3.0, 1: 1.0}):
        model = _classifier()
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


_Decay = keras.optimizers.schedules.CosineDecay


@pytest.mark.parametrize(
    "callback",
    [
        lambda: keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=100.0),
        lambda: keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate),  # noqa: ARG005
    ],
)
@pytest.mark.parametrize("rate", [_Decay(0.1, 5), lambda: 0.1])
def test_rate_has_two_masters(rate: Any, callback: Callable[[], Any]) -> None:
    """The callback raises when it sets the rate."""
    model = model_of(keras.optimizers.SGD(rate))
    plan = {"x": X, "y": Y, "epochs": 5, "callbacks": [callback()]}

    assert rules_of(model, **plan) == ["rate_has_two_masters"]
    with pytest.raises((TypeError, AttributeError), match=r"not settable|assign"):
        trained(model, **plan)


def test_rate_asks_for_arguments() -> None:
    """Text 001's function of the epoch."""
    model = model_of(keras.optimizers.Adam(lambda epoch: 0.1 / (1 + epoch)))

    assert rules_of(model, x=X, y=Y) == ["rate_asks_for_arguments"]
    with pytest.raises(TypeError, match="argument"):
        trained(model, x=X, y=Y)


def test_two_clippings() -> None:
    """The constructor refuses two; set later, only one of them works."""
    optimizer = keras.optimizers.SGD(1.0, clipvalue=1e-3)
    optimizer.clipnorm = 10.0
    model = model_of(optimizer)

    assert rules_of(model, x=X, y=Y) == ["two_clippings"]
    model.layers[0].kernel.assign([[0.0]])
    trained(model, x=X, y=Y)
    assert abs(float(model.layers[0].kernel.numpy()[0, 0])) > 0.1


def test_loss_scale_without_float16() -> None:
    """A step is lost that float32 alone would have made."""
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1e38)
    model = model_of(optimizer)
    before = model.get_weights()[0].copy()

    assert rules_of(model, x=X, y=Y + 100.0) == ["loss_scale_without_float16"]
    trained(model, x=X, y=Y + 100.0)
    assert (model.get_weights()[0] == before).all()


def test_float16_without_loss_scale() -> None:
    """A small gradient becomes 0 and the weight stays."""
    finals = []
    for scaled in (True, False):
        layer = keras.layers.Dense(
            1, use_bias=False, kernel_initializer="ones", dtype="mixed_float16"
        )
        half = keras.Sequential([keras.Input((1,)), layer])
        half.dtype_policy = keras.DTypePolicy("mixed_float16")
        half.compile(keras.optimizers.Adam(0.1), "mse", auto_scale_loss=scaled)
        # The gradient is 2 x 1e-4 x 1e-4: below what float16 can hold.
        plan = {"x": np.full((1, 1), 1e-4, np.float32), "y": np.zeros((1, 1), np.float32)}
        expected = [] if scaled else ["float16_without_loss_scale"]
        assert rules_of(half, **plan) == expected
        half.fit(**plan, verbose=0)
        finals.append(float(half.get_weights()[0][0, 0]))

    assert finals[1] == 1.0 != finals[0]


def test_schedule_ends_early() -> None:
    """Text 004's total leaves the last partial batches out: they change nothing."""
    model = model_of(keras.optimizers.SGD(_Decay(0.1, (20 // 8) * 5)))
    plan = {"x": X, "y": Y + 1.0, "batch_size": 8, "epochs": 5}
    (found,) = preflight(model, **plan)
    assert found.rule == "schedule_ends_early"
    assert "the last 5 run at a rate of 0; it leaves out the last, partial batch" in found.message

    kept: list[Any] = []

    def keep(batch: int, logs: Any = None) -> None:  # noqa: ARG001
        kept.append(float(model.get_weights()[0][0, 0]))

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=keep)
    trained(model, **plan, callbacks=[callback])
    assert len(set(kept[9:])) == 1
    assert len(set(kept[:10])) == 10


def test_schedule_counts_micro_batches() -> None:
    """A length in updates is over after the k-th part of the training."""
    optimizer = keras.optimizers.SGD(_Decay(0.1, 10), gradient_accumulation_steps=2)
    model, plan = model_of(optimizer), {"x": X, "y": Y, "batch_size": 4, "epochs": 4}

    (found,) = preflight(model, **plan)
    assert "it counts updates, Keras counts each of the 2 micro-batches" in found.message
    trained(model, **{**plan, "epochs": 2})
    assert int(optimizer.iterations) == 5
    assert float(optimizer.learning_rate) == 0.0


def test_schedule_outlives_training() -> None:
    """With examples for steps the rate has hardly moved at the end."""
    optimizer = keras.optimizers.SGD(_Decay(0.1, 20 * 5))
    model, plan = model_of(optimizer), {"x": X, "y": Y, "batch_size": 10, "epochs": 5}

    assert rules_of(model, **plan) == ["schedule_outlives_training"]
    trained(model, **plan)
    assert float(optimizer.learning_rate) > 0.097


def test_warmup_outlives_training() -> None:
    """The peak is never seen."""
    rate = _Decay(0.0, 100, warmup_target=0.1, warmup_steps=50)
    optimizer = keras.optimizers.SGD(rate)
    model, plan = model_of(optimizer), {"x": X, "y": Y, "batch_size": 10, "epochs": 5}

    assert rules_of(model, **plan) == ["warmup_outlives_training"]
    trained(model, **plan)
    assert float(optimizer.learning_rate) <= 0.021


@pytest.mark.parametrize(
    ("micro", "rule", "same_as"),
    [(6, "accumulation_never_complete", 0), (4, "accumulation_left_over", 4)],
)
def test_accumulation_throws_gradients_away(micro: int, rule: str, same_as: int) -> None:
    """Five steps end with the weights of the last complete window."""
    finals = []
    for steps in (5, same_as):
        model = model_of(keras.optimizers.SGD(0.1, gradient_accumulation_steps=micro))
        model.layers[0].kernel.assign([[0.5]])
        plan = {"x": X[: 4 * steps], "y": Y[: 4 * steps], "batch_size": 4, "shuffle": False}
        if steps == 5:
            assert rules_of(model, **plan) == [rule]
        if steps:
            trained(model, **plan)
        finals.append(float(model.get_weights()[0][0, 0]))

    assert finals[0] == finals[1]


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
    model = _classifier()
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


def test_execution_overruns_epoch() -> None:
    """Five steps are asked for, eight are trained."""
    model = model_of(steps_per_execution=4)
    plan = {"x": dataset().repeat(), "steps_per_epoch": 5}

    assert rules_of(model, **plan) == ["execution_overruns_epoch"]
    trained(model, **plan)
    assert int(model.optimizer.iterations) == 8


def test_jit_compile_ignored() -> None:
    """Keras has switched it off."""
    layers = [keras.Input((1,)), keras.layers.Hashing(3), keras.layers.Dense(1)]
    hashed = keras.Sequential(layers)
    hashed.compile("sgd", "mse", jit_compile=True)

    assert rules_of(hashed, x=X, y=Y) == ["jit_compile_ignored"]
    assert not hashed.jit_compile
    # Of this one Keras forgets what was asked; a scenario doesn't.
    assert not model_of(jit_compile=True, run_eagerly=True).jit_compile


def test_every_rule_is_shown() -> None:
    """A rule that says what will happen shows it here."""
    from pathlib import Path as File

    from harness.preflight import rules

    text = File(__file__).read_text("utf-8")
    assert [rule.name for rule in rules() if f'"{rule.name}"' not in text] == []
