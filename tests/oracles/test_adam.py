"""Adam, AMSGrad and AdamW against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ShapeError
from harness.oracles.adam import adam_start, adam_step, adamw_step
from harness.oracles.arrays import as_float32

W = np.array([1.0, 2.0])
G = np.array([0.5, -0.25])


@given(st.floats(1e-3, 1e3), st.floats(0.0, 0.99), st.floats(0.0, 0.9999))
def test_first_step_is_about_the_learning_rate(size: float, beta_1: float, beta_2: float) -> None:
    """Whatever the gradient and the betas, the first step without epsilon is the learning rate."""
    after, _ = adam_step(
        np.zeros(1),
        np.array([size]),
        adam_start(np.zeros(1)),
        learning_rate=0.1,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=0.0,
    )
    np.testing.assert_allclose(after, [-0.1], rtol=1e-9)


def test_epsilon_hat_is_added_to_the_uncorrected_root() -> None:
    """G = 1, betas 1/2 and 3/4, epsilon 1: the step is rate * 0.5 * 1 / (0.5 + 1) at alpha 1."""
    after, state = adam_step(
        np.zeros(1),
        np.ones(1),
        adam_start(np.zeros(1)),
        learning_rate=1.0,
        beta_1=0.5,
        beta_2=0.75,
        epsilon=1.0,
    )
    alpha = math.sqrt(0.25) / 0.5
    np.testing.assert_allclose(state.momentum, [0.5], rtol=1e-15)
    np.testing.assert_allclose(state.velocity, [0.25], rtol=1e-15)
    np.testing.assert_allclose(after, [-alpha * 0.5 / 1.5], rtol=1e-15)


def test_moments_of_a_constant_gradient_follow_their_closed_form() -> None:
    """After n steps m = (1 - beta_1**n) g and v = (1 - beta_2**n) g**2: every step is equal."""
    after, state = W, adam_start(W)
    for _ in range(10):
        after, state = adam_step(after, G, state, learning_rate=0.01, epsilon=0.0)
    assert state.step == 10
    np.testing.assert_allclose(state.momentum, (1 - 0.9**10) * G, rtol=1e-13)
    np.testing.assert_allclose(state.velocity, (1 - 0.999**10) * G**2, rtol=1e-12)
    np.testing.assert_allclose(after, W - 0.1 * np.sign(G), rtol=1e-12)


def test_amsgrad_divides_by_the_largest_second_moment() -> None:
    """A large gradient followed by zeros keeps the denominator of the large one."""
    after, state = np.zeros(1), adam_start(np.zeros(1), amsgrad=True)
    for gradient in (4.0, 0.0):
        after, state = adam_step(
            after,
            np.array([gradient]),
            state,
            learning_rate=1.0,
            beta_1=0.5,
            beta_2=0.75,
            epsilon=0.0,
        )
    first = math.sqrt(0.25) / 0.5 * 2.0 / 2.0
    second = math.sqrt(1 - 0.5625) / 0.75 * 1.0 / 2.0
    np.testing.assert_allclose(state.velocity, [3.0], rtol=1e-15)
    assert state.velocity_hat is not None
    np.testing.assert_allclose(state.velocity_hat, [4.0], rtol=1e-15)
    np.testing.assert_allclose(after, [-(first + second)], rtol=1e-15)


def test_float32_constants_act_on_the_correction_only() -> None:
    """The moments keep the exact betas, the step size takes the rounded ones."""
    start = adam_start(np.zeros(1))
    exact, moments = adam_step(np.zeros(1), np.ones(1), start, learning_rate=1.0, epsilon=0.0)
    rounded, same = adam_step(
        np.zeros(1), np.ones(1), start, learning_rate=1.0, epsilon=0.0, float32_constants=True
    )
    assert moments == same
    ratio = math.sqrt((1 - as_float32(0.999)) / (1 - 0.999)) * (1 - 0.9) / (1 - as_float32(0.9))
    np.testing.assert_allclose(rounded / exact, [ratio], rtol=1e-14)


def test_adamw_decays_before_the_step_and_outside_the_moments() -> None:
    """With a zero gradient only the decay acts: w * (1 - rate * decay)."""
    after, state = adamw_step(
        W, np.zeros(2), adam_start(W), learning_rate=0.5, weight_decay=0.25, float32_constants=True
    )
    np.testing.assert_array_equal(after, W * 0.875)
    np.testing.assert_array_equal(state.momentum, np.zeros(2))


def test_adamw_without_decay_is_adam() -> None:
    """A decay of 0 leaves Adam's own step."""
    plain, _ = adam_step(W, G, adam_start(W), learning_rate=0.1)
    decayed, _ = adamw_step(W, G, adam_start(W), learning_rate=0.1, weight_decay=0.0)
    np.testing.assert_array_equal(plain, decayed)


def test_shapes_are_checked() -> None:
    """A gradient or a maximum of another shape is refused."""
    with pytest.raises(ShapeError, match=r"^gradient must have shape \(2,\), got \(3,\)\."):
        adam_step(W, np.zeros(3), adam_start(W), learning_rate=0.1)
    wrong = adam_start(W)._replace(velocity_hat=np.zeros(3))
    with pytest.raises(ShapeError, match=r"^velocity_hat must have shape \(2,\), got \(3,\)\."):
        adam_step(W, G, wrong, learning_rate=0.1)
