"""Whole runs of dense models, predicted."""

import math

import numpy as np
import pytest

from harness.oracles.arrays import as_float32
from harness.oracles.dense import DenseLayer, loss_and_gradients
from harness.oracles.loss_scaling import DynamicLossScale
from harness.oracles.penalties import Penalty
from harness.oracles.reference import predict_run
from harness.oracles.schedules import exponential_decay, step_decay
from harness.oracles.update import make_rule

LINE = (DenseLayer(np.array([[1.0]]), None),)
RNG = np.random.default_rng(5)
X = RNG.normal(size=(10, 3))
Y = RNG.normal(size=(10, 1))
MLP = (
    DenseLayer(RNG.normal(size=(3, 4)), np.zeros(4), "tanh"),
    DenseLayer(RNG.normal(size=(4, 1)), np.zeros(1)),
)


def test_gradient_descent_on_a_parabola() -> None:
    """Loss w**2 at rate 0.25 halves the weight with every step: 1, 1/2, 1/4, 1/8."""
    run = predict_run(
        LINE,
        np.ones((1, 1)),
        np.zeros((1, 1)),
        batches=[[[0], [0]], [[0]]],
        loss="mean_squared_error",
        rule=make_rule("sgd"),
        learning_rate=lambda _step, _epoch: 0.25,
    )
    assert run.losses.tolist() == [1.0, 0.25, 0.0625]
    assert run.gradients.tolist() == [[2.0], [1.0], [0.5]]
    assert run.parameters.tolist() == [[0.5], [0.25], [0.125]]
    assert run.learning_rates.tolist() == [0.25] * 3
    assert run.updated.tolist() == [1.0, 1.0, 1.0]
    assert run.epoch_losses == (0.625, 0.0625)
    assert run.final_parameters[0].tolist() == [[0.125]]
    assert run.state.iterations == 3


def test_epoch_loss_weights_batches_by_their_size() -> None:
    """With a learning rate of 0 the loss of an epoch is that of all examples at once."""
    run = predict_run(
        MLP,
        X,
        Y,
        batches=[[range(4), range(4, 8), range(8, 10)], []],
        loss="huber",
        rule=make_rule("adam"),
        learning_rate=lambda _step, _epoch: 0.0,
        loss_arguments={"delta": 0.5},
    )
    whole = loss_and_gradients(MLP, X, Y, "huber", delta=0.5).loss
    assert run.epoch_losses[0] == pytest.approx(whole, rel=1e-14)
    assert math.isnan(run.epoch_losses[1])


def test_sample_weights_follow_their_examples() -> None:
    """Examples of weight 0 leave no gradient."""
    run = predict_run(
        MLP,
        X,
        Y,
        batches=[[[8, 9], [0, 1]]],
        loss="mean_squared_error",
        rule=make_rule("sgd"),
        learning_rate=lambda _step, _epoch: 0.1,
        sample_weight=np.array([1.0] * 8 + [0.0] * 2),
    )
    assert not run.gradients[0].any()
    assert run.gradients[1].any()


def test_accumulated_micro_batches_equal_one_large_batch() -> None:
    """Two epochs of two halves come to the same parameters as two of the whole."""
    common = {"loss": "mean_squared_error", "learning_rate": lambda _step, _epoch: 0.1}
    split = predict_run(
        MLP,
        X,
        Y,
        batches=[[range(5), range(5, 10)]] * 2,
        rule=make_rule("adam", gradient_accumulation_steps=2),
        **common,  # type: ignore[arg-type]
    )
    whole = predict_run(
        MLP,
        X,
        Y,
        batches=[[range(10)]] * 2,
        rule=make_rule("adam"),
        **common,  # type: ignore[arg-type]
    )
    assert split.updated.tolist() == [0.0, 1.0, 0.0, 1.0]
    np.testing.assert_allclose(split.parameters[1::2], whole.parameters, rtol=1e-12)


def test_schedule_sees_counter_and_epoch() -> None:
    """The rate is evaluated at the counter before each step, or at the epoch."""
    common = {
        "batches": [[range(5), range(5, 10)]] * 2,
        "loss": "mean_squared_error",
        "rule": make_rule("sgd"),
    }
    by_step = predict_run(
        MLP,
        X,
        Y,
        learning_rate=lambda step, _epoch: exponential_decay(
            step, initial_learning_rate=0.1, decay_steps=1, decay_rate=0.5
        ),
        **common,  # type: ignore[arg-type]
    )
    np.testing.assert_allclose(by_step.learning_rates, [0.1, 0.05, 0.025, 0.0125])
    by_epoch = predict_run(
        MLP,
        X,
        Y,
        learning_rate=lambda _step, epoch: step_decay(
            epoch, initial_learning_rate=0.1, epochs_drop=1
        ),
        initial_epoch=1,
        **common,  # type: ignore[arg-type]
    )
    np.testing.assert_allclose(by_epoch.learning_rates, [0.05, 0.05, 0.025, 0.025])


def test_skipped_steps_do_not_count() -> None:
    """An infinite example under dynamic scaling leaves weights and counter alone."""
    run = predict_run(
        LINE,
        np.array([[1.0], [np.inf]]),
        np.zeros((2, 1)),
        batches=[[[0], [1]]],
        loss="mean_squared_error",
        rule=make_rule("sgd", loss_scale=DynamicLossScale(initial_scale=4.0)),
        learning_rate=lambda _step, _epoch: 0.25,
    )
    assert run.updated.tolist() == [1.0, 0.0]
    assert run.parameters.tolist() == [[0.5], [0.5]]
    assert (run.state.iterations, run.state.scale) == (1, 2.0)


def test_regularisation_factor_is_rounded_like_other_constants() -> None:
    """Keras casts the factor to float32; `float32_constants=False` keeps it exact."""
    layers = (DenseLayer(np.array([[1.0]]), None, "linear", Penalty(l2=0.1)),)
    for rounded in (True, False):
        run = predict_run(
            layers,
            np.ones((1, 1)),
            np.ones((1, 1)),
            batches=[[[0]]],
            loss="mean_squared_error",
            rule=make_rule("sgd", float32_constants=rounded),
            learning_rate=lambda _step, _epoch: 0.1,
        )
        assert run.losses[0] == (as_float32(0.1) if rounded else 0.1)


def test_no_epoch_at_all() -> None:
    """A run without epochs leaves the start values and empty tables of the right width."""
    run = predict_run(
        MLP,
        X,
        Y,
        batches=[],
        loss="mean_squared_error",
        rule=make_rule("sgd"),
        learning_rate=lambda _step, _epoch: 0.1,
    )
    assert run.gradients.shape == run.parameters.shape == (0, 21)
    assert run.epoch_losses == ()
    np.testing.assert_array_equal(run.final_parameters[0], MLP[0].kernel)
