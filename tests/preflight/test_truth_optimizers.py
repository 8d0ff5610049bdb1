"""What the rules foretell of optimizers and steps happens: real Keras, trained past the refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import pytest

from harness.callbacks import preflight
from tests.preflight.trained import X, Y, dataset, model_of, rules_of, trained

if TYPE_CHECKING:
    from collections.abc import Callable

_Decay = keras.optimizers.schedules.CosineDecay

pytestmark = pytest.mark.filterwarnings("ignore")


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
