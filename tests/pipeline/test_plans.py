"""Preflight plans of live Keras objects: what they know, and what they leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from harness.pipeline.plans import plan_of_fit
from harness.preflight import RatePlan, check

if TYPE_CHECKING:
    from collections.abc import Iterator

X = np.zeros((20, 4), np.float32)
Y = np.repeat([0, 1], 10)


def model_of(*, inputs: bool = True, optimizer: Any = "sgd", **options: Any) -> Any:
    """A compiled classifier of four numbers."""
    layers = [keras.layers.Dense(2, activation="softmax")]
    model = keras.Sequential([keras.Input((4,)), *layers] if inputs else layers)
    options = {"loss": "sparse_categorical_crossentropy", **options}
    model.compile(optimizer, **options)
    return model


def plan_of(**arguments: Any) -> Any:
    """The plan of a fit of that model."""
    return plan_of_fit(model_of(), arguments)


def batches() -> Iterator[Any]:
    """Four batches."""
    for _ in range(4):
        yield X[:5], Y[:5]


def test_arrays_are_counted() -> None:
    """32 at a time unless said otherwise; steps divide what nobody has divided."""
    assert plan_of(x=X, y=Y).source.batches == 1
    assert plan_of(x=X, y=Y, batch_size=6).source.last_batch == 2
    assert plan_of(x=[X, X], y=Y, batch_size=6).source.batches == 4
    assert plan_of(x={"a": X}, y=Y, steps_per_epoch=3).source.batch_size == 7
    assert plan_of(x=X, y=Y, shuffle=False).source.shuffled is False


def test_a_split_leaves_less() -> None:
    """Keras keeps the floor, holds out the end, and so may hold out classes."""
    plan: Any = plan_of(x=X, y=Y, batch_size=6, validation_split=0.5)

    assert (plan.source.examples, plan.validation.examples) == (10, 10)
    assert plan.source.labels.classes == (0,)
    assert plan.source.labels.held_out_only == (1,)
    assert [found.rule for found in check(plan)] == ["classes_held_out"]


def test_validation_data_are_counted_with_their_own_batch_size() -> None:
    """Arrays come in a tuple, everything else alone."""
    assert plan_of(x=X, y=Y, validation_data=(X, Y), batch_size=6).validation.batches == 4
    plan = plan_of(x=X, y=Y, validation_data=(X, Y), validation_batch_size=5)
    assert plan.validation.batches == 4
    assert plan_of(x=X, y=Y, validation_data=batches()).validation.one_shot
    assert plan_of(x=X, y=Y, validation_freq=[1, 3]).validation_freq == (1, 3)


def test_generators_are_not_read() -> None:
    """Looking at a plan takes nothing out of its source."""
    source = batches()
    plan = plan_of(x=source)

    assert (plan.source.kind, plan.source.batches) == ("generator", None)
    assert len(list(source)) == 4
    assert plan_of(x=batches).source.kind == "function"
    assert plan_of(x=object()).source.kind == "other"


def test_py_datasets_know_their_length() -> None:
    """Or that they have none."""

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self, length: int | None) -> None:
            super().__init__()
            self._length = length

        @property
        def num_batches(self) -> int | None:
            return self._length

        def __getitem__(self, index: int) -> Any:
            return X, Y

    assert plan_of(x=Batches(3)).source.batches == 3
    assert plan_of(x=Batches(None)).source.infinite


def test_datasets_tell_what_they_are_made_of() -> None:
    """Cardinality, batch size, examples, order and labels, as far as the chain is known."""
    slices = tf.data.Dataset.from_tensor_slices((X, Y))
    plain: Any = plan_of(x=slices.batch(8).prefetch(1)).source
    shuffled = plan_of(x=slices.shuffle(20).batch(8, drop_remainder=True)).source
    mapped = plan_of(x=slices.batch(8).map(lambda x, y: (x, y))).source
    early = plan_of(x=slices.map(lambda x, y: (x, y)).batch(8)).source

    assert (plain.batches, plain.last_batch, plain.shuffled) == (3, 4, False)
    assert plain.labels is not None
    assert (plain.labels.classes, plain.labels.ascending) == ((0, 1), True)
    assert (shuffled.batches, shuffled.examples, shuffled.shuffled) == (2, 16, True)
    assert (mapped.batches, mapped.examples, mapped.labels) == (3, None, None)
    assert (early.batches, early.last_batch, early.shuffled) == (3, 4, None)
    assert plan_of(x=slices.shuffle(1).batch(8)).source.shuffled is False
    assert plan_of(x=slices.batch(8).repeat()).source.infinite
    unknown = plan_of(x=slices.filter(lambda x, y: True).batch(8)).source  # noqa: ARG005
    assert (unknown.batches, unknown.infinite, unknown.examples) == (None, False, None)


def test_elements_without_a_batch_are_seen() -> None:
    """By a target without axes, or by the rank that the model wants."""
    slices = tf.data.Dataset.from_tensor_slices
    assert plan_of(x=slices((X, Y))).source.batched is False
    assert plan_of(x=slices((X, Y[:, None]))).source.batched is False
    assert plan_of(x=slices((X, Y)).batch(4)).source.batched is True
    assert plan_of(x=slices((X[:, :3], Y[:, None]))).source.batched is None
    model = model_of(inputs=False)
    assert plan_of_fit(model, {"x": slices((X, Y[:, None]))}).source.batched is None


def test_labels_are_looked_at_only_where_there_are_classes() -> None:
    """One-hot rows and columns are labels too; other targets are none."""
    regression = model_of(loss="mse")

    assert plan_of_fit(regression, {"x": X, "y": Y}).source.labels is None
    weighted: Any = plan_of_fit(regression, {"x": X, "y": Y, "class_weight": {0: 1.0}})
    assert weighted.source.labels is not None
    assert weighted.source.labels.classes == (0, 1)
    assert weighted.class_weight == (0,)
    assert plan_of(x=X, y=np.eye(3)[Y]).source.labels.classes == (0, 1)
    assert plan_of(x=X, y=Y[:, None]).source.labels.ascending
    assert plan_of(x=X, y=Y[::-1]).source.labels.ascending is False
    assert plan_of(x=X, y=Y + 0.5).source.labels is None
    assert plan_of(x=X, y=np.ones((20, 3))).source.labels is None
    assert plan_of(x=X, y=np.array(["a"] * 20)).source.labels is None
    assert plan_of(x=X, y=[Y, Y]).source.labels is None
    assert plan_of(x=X, y=Y, class_weight={"a": 1.0}).class_weight is None


_schedules = keras.optimizers.schedules


class _Own(_schedules.LearningRateSchedule):  # type: ignore[misc, name-defined]
    """Linear down to 0 at a step, and further if nobody stops it."""

    def __init__(self, steps: int, *, clipped: bool = True) -> None:
        self.steps, self.clipped = steps, clipped

    def __call__(self, step: Any) -> Any:
        left = 1.0 - keras.ops.cast(step, "float32") / self.steps
        return keras.ops.maximum(left, 0.0) if self.clipped else left


class _Broken(_schedules.LearningRateSchedule):  # type: ignore[misc, name-defined]
    """Fails whatever it is asked."""

    def __call__(self, step: Any) -> Any:
        raise ValueError(step)


def _schedule(name: str, **known: Any) -> RatePlan:
    return RatePlan(kind="schedule", name=name, **known)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (0.1, RatePlan()),
        (lambda: 0.1, RatePlan(kind="callable")),
        (lambda epoch, rate=1: epoch * rate, RatePlan(kind="callable", arguments=1)),
        (_schedules.CosineDecay(0.1, 9), _schedule("CosineDecay", length=9, end=0.0)),
        (
            _schedules.CosineDecay(0.0, 9, alpha=0.5, warmup_target=1.0, warmup_steps=3),
            _schedule("CosineDecay", length=12, end=0.5, warmup=3),
        ),
        (
            _schedules.PolynomialDecay(0.1, 9, end_learning_rate=0.5),
            _schedule("PolynomialDecay", length=9, end=0.5),
        ),
        (_schedules.PolynomialDecay(0.1, 9, cycle=True), _schedule("PolynomialDecay")),
        (
            _schedules.PiecewiseConstantDecay([4, 6], [1.0, 0.5, 0.25]),
            _schedule("PiecewiseConstantDecay", length=7, end=0.25),
        ),
        (_schedules.ExponentialDecay(0.1, 9, 0.5), _schedule("ExponentialDecay")),
        (_Own(7), _schedule("_Own", length=7, end=0.0)),
        (_Own(20), _schedule("_Own")),
        (_Own(7, clipped=False), _schedule("_Own")),
        (_Broken(), _schedule("_Broken")),
    ],
)
def test_rates_are_told_apart(rate: Any, expected: RatePlan) -> None:
    """Keras' schedules by their arguments, others by asking them up to the last of 12 steps."""
    model = model_of(optimizer=keras.optimizers.SGD(rate))
    plan = plan_of_fit(model, {"x": X, "y": Y, "batch_size": 5, "epochs": 3})

    assert plan.optimizer.rate == expected


def test_the_optimizer_is_looked_at_below_its_wrapper() -> None:
    """Scale, accumulation, clipping and the count."""
    inner = keras.optimizers.SGD(0.1, clipnorm=1.0, gradient_accumulation_steps=2)
    wrapped = model_of(optimizer=keras.optimizers.LossScaleOptimizer(inner))
    plan = plan_of_fit(wrapped, {"x": X, "y": Y}).optimizer

    assert (plan.loss_scale, plan.accumulation, plan.clippings) == ("dynamic", 2, ("clipnorm",))
    static = model_of(optimizer=keras.optimizers.SGD(0.1, loss_scale_factor=8.0))
    assert plan_of_fit(static, {"x": X, "y": Y}).optimizer.loss_scale == "static"
    used = model_of()
    used.fit(X, Y, batch_size=5, verbose=0)
    assert plan_of_fit(used, {"x": X, "y": Y}).optimizer.steps_done == 4


def test_compile_options_are_those_asked_for() -> None:
    """Keras switches XLA off in silence later on: what counts is what was asked."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization()])
    model.add(keras.layers.Dense(1))
    model.compile("sgd", "mse", jit_compile=True, steps_per_execution=3, run_eagerly=False)
    options = plan_of_fit(model, {"x": X, "y": X[:, :1]}).compile

    assert (options.jit_compile, options.steps_per_execution) == (True, 3)
    assert (options.batch_norm, options.policy, options.run_eagerly) == (True, "float32", False)


def test_layers_that_xla_can_not_compile_are_named() -> None:
    """They say so themselves."""
    hashing = keras.layers.Hashing(3, name="hashed")
    model = keras.Sequential([keras.Input((4,)), hashing, keras.layers.Dense(1)])
    with pytest.warns(UserWarning, match="doesn't support `jit_compile=True`"):
        model.compile("sgd", "mse", jit_compile=True)

    (found,) = check(plan_of_fit(model, {"x": X, "y": X[:, :1], "epochs": 1}))
    assert found.message.startswith("XLA can't compile hashed,")


def test_metrics_have_names_before_they_are_built() -> None:
    """Strings keep theirs, objects have one, and Keras knows the direction of its own."""

    def own(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_true - y_pred)

    metrics = ["accuracy", "mse", keras.metrics.AUC(name="area"), keras.losses.huber, own]
    directions = plan_of_fit(model_of(metrics=metrics), {"x": X, "y": Y}).compile.directions

    assert directions == {
        "loss": "down",
        "accuracy": "up",
        "mse": "down",
        "area": "up",
        "huber": "down",
        "own": None,
    }


def test_metrics_have_names_once_they_are_built() -> None:
    """What the logs of a training had is what they will have."""
    metrics = ["accuracy", "mse", keras.losses.huber]
    model = model_of(metrics=metrics, loss="categorical_crossentropy")
    logs = model.fit(X, np.eye(2)[Y], verbose=0).history

    directions = plan_of_fit(model, {"x": X, "y": Y}).compile.directions
    assert directions == {"loss": "down", "accuracy": "up", "huber": "down", "mse": "down"}
    assert sorted(directions) == sorted(logs)


def test_own_steps_may_log_anything() -> None:
    """A model that overrides its steps, or has several outputs, is asked for nothing."""

    class Own(keras.Sequential):  # type: ignore[misc]
        def train_step(self, *data: Any) -> Any:
            return super().train_step(*data)

    own = Own([keras.Input((4,)), keras.layers.Dense(2)])
    own.compile("sgd", "mse")
    assert plan_of_fit(own, {"x": X, "y": Y}).compile.directions is None
    inputs = keras.Input((4,))
    two = keras.Model(inputs, [keras.layers.Dense(1)(inputs), keras.layers.Dense(1)(inputs)])
    two.compile("sgd", ["mse", "mse"], metrics=[["mae"], ["mae"]])
    assert plan_of_fit(two, {"x": X, "y": [Y, Y]}).compile.directions is None
    listed = model_of(metrics=[["accuracy"]])
    assert plan_of_fit(listed, {"x": X, "y": Y}).compile.directions is None


def test_callbacks_are_what_they_do() -> None:
    """A subclass that only stores things is its parent; one with hooks may do anything."""

    class Named(keras.callbacks.EarlyStopping):  # type: ignore[misc]
        """Another name, the same behaviour."""

    class Hooked(keras.callbacks.EarlyStopping):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            """Something else."""

    callbacks = [
        keras.callbacks.EarlyStopping("loss", patience=3, min_delta=0.5),
        Named(),
        Hooked(),
        keras.callbacks.LambdaCallback(),
    ]
    plans = plan_of(x=X, y=Y, callbacks=callbacks).callbacks

    assert [plan.kinds for plan in plans] == [("EarlyStopping",), ("EarlyStopping",), (), ()]
    assert [plan.index for plan in plans] == [0, 1, 2, 3]
    given = {"monitor": "loss", "patience": 3, "min_delta": 0.5, "mode": "auto"}
    assert given.items() <= dict(plans[0].arguments).items()
    assert plan_of(x=X, y=Y).callbacks == ()
    assert len(plan_of(x=X, y=Y, callbacks=callbacks[0]).callbacks) == 1
    made = keras.callbacks.CallbackList(callbacks)
    assert len(plan_of(x=X, y=Y, callbacks=made).callbacks) == 4


def test_a_threshold_is_the_best_so_far() -> None:
    """Keras keeps it under that name."""
    callback = keras.callbacks.ModelCheckpoint("a.keras", initial_value_threshold=90.0)
    (plan,) = plan_of(x=X, y=Y, callbacks=[callback]).callbacks

    assert plan.arguments["initial_value_threshold"] == 90.0
