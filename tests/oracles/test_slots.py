"""Slots carry Keras' names and their algorithm's arithmetic."""

import numpy as np
import pytest

from harness.oracles.adagrad import adagrad_start, adagrad_step
from harness.oracles.adam import adam_start, adam_step
from harness.oracles.arrays import Float64, as_float32
from harness.oracles.rmsprop import rmsprop_start, rmsprop_step
from harness.oracles.rule import Kind, make_rule
from harness.oracles.sgd import sgd_start, sgd_step
from harness.oracles.slots import algorithm_step, slot_names, start_slots

W = np.array([1.0, -2.0])
G = np.array([0.5, 0.25])

NAMES: list[tuple[Kind, dict[str, float | bool], tuple[str, ...]]] = [
    ("sgd", {}, ()),
    ("sgd", {"momentum": 0.9}, ("momentum",)),
    ("adam", {}, ("momentum", "velocity")),
    ("adamw", {"amsgrad": True}, ("momentum", "velocity", "velocity_hat")),
    ("rmsprop", {}, ("velocity",)),
    ("rmsprop", {"momentum": 0.5}, ("velocity", "momentum")),
    (
        "rmsprop",
        {"momentum": 0.5, "centered": True},
        ("velocity", "momentum", "average_gradient"),
    ),
    ("adagrad", {}, ("accumulator",)),
]


@pytest.mark.parametrize(("kind", "arguments", "names"), NAMES)
def test_slot_names(kind: Kind, arguments: dict[str, float | bool], names: tuple[str, ...]) -> None:
    """A slot exists exactly where Keras creates one, at the start and after a step."""
    rule = make_rule(kind, **arguments)  # type: ignore[arg-type]
    assert slot_names(rule) == names
    slots = start_slots(rule, W)
    assert set(slots) == set(names)
    _, slots = algorithm_step(rule, W, G, slots, learning_rate=0.1, updates=0)
    assert set(slots) == set(names)
    assert all(not slot.flags.writeable for slot in slots.values())


def test_adagrad_starts_from_the_rounded_value() -> None:
    """The accumulator starts at the float32 nearest to 0.1, or at 0.1 itself on request."""
    assert start_slots(make_rule("adagrad"), W)["accumulator"][0] == as_float32(0.1)
    exact = make_rule("adagrad", float32_constants=False)
    assert start_slots(exact, W)["accumulator"][0] == 0.1


def _single(kind: Kind) -> Float64:
    match kind:
        case "sgd":
            return sgd_step(W, G, sgd_start(W), learning_rate=0.1)[0]
        case "rmsprop":
            return rmsprop_step(W, G, rmsprop_start(W), learning_rate=0.1)[0]
        case "adagrad":
            return adagrad_step(W, G, adagrad_start(W), learning_rate=0.1)[0]
        case _:
            return adam_step(W, G, adam_start(W), learning_rate=0.1)[0]


@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw", "rmsprop", "adagrad"])
def test_step_is_that_of_the_single_oracle(kind: Kind) -> None:
    """With documented constants the composite step equals the algorithm's own function."""
    rule = make_rule(kind, float32_constants=False)
    after, _ = algorithm_step(rule, W, G, start_slots(rule, W), learning_rate=0.1, updates=0)
    np.testing.assert_array_equal(after, _single(kind))


def test_bias_correction_uses_the_count_of_updates() -> None:
    """A later update number gives Adam another step size."""
    rule = make_rule("adam", beta_1=0.5, beta_2=0.75, epsilon=0.0)
    slots = start_slots(rule, np.zeros(1))
    after, _ = algorithm_step(rule, np.zeros(1), np.ones(1), slots, learning_rate=1.0, updates=1)
    alpha = np.sqrt(1 - 0.5625) / 0.75
    np.testing.assert_allclose(after, [-alpha], rtol=1e-15)
