"""The further algorithms on slots: names, start, masks and what their variables share."""

from typing import Any

import numpy as np
import pytest

from harness.errors import ShapeError
from harness.oracles.algorithms import ALGORITHMS
from harness.oracles.nadam import nadam_product
from harness.oracles.rule import KINDS, make_rule
from harness.oracles.slots import (
    algorithm_step,
    decay_of,
    shared_slots,
    slot_names,
    start_slots,
)
from harness.oracles.update import apply_gradients, initial_state

NAMES: dict[str, tuple[str, ...]] = {
    "adadelta": ("accumulated_grad", "accumulated_delta_var"),
    "adamax": ("momentum", "norm"),
    "nadam": ("momentum", "velocity"),
    "lion": ("momentum",),
    "ftrl": ("accumulator", "linear"),
    "lamb": ("momentum", "velocity"),
    "adafactor": ("velocity",),
    "schedule_free_adamw": ("momentum", "velocity"),
    "muon": ("momentum", "velocity"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_slots_of_a_vector(kind: Any) -> None:
    """A slot exists where Keras creates one, at the start and after a step."""
    rule, weights = make_rule(kind), np.array([1.0, -2.0])
    assert slot_names(rule) == NAMES[kind]
    slots = start_slots(rule, weights)
    after, new = algorithm_step(rule, weights, weights, slots, learning_rate=0.5, updates=0)
    assert (tuple(slots), tuple(new)) == (NAMES[kind], NAMES[kind])
    assert not np.array_equal(after, weights)


def test_every_kind_is_known() -> None:
    """Those that are not here are in `slots` itself."""
    assert set(NAMES) == set(ALGORITHMS)
    assert set(KINDS) - set(ALGORITHMS) == {"sgd", "adam", "adamw", "rmsprop", "adagrad"}


def test_matrices_have_other_slots() -> None:
    """Adafactor's factors, and no second moment under Muon unless Adam has the matrix."""
    matrix = np.ones((2, 3))
    factors = start_slots(make_rule("adafactor"), matrix)
    assert {name: value.shape for name, value in factors.items()} == {
        "r": (2,),
        "c": (3,),
        "velocity": (2, 3),
    }
    rule = make_rule("muon", adam_mask=(False, True))
    assert [tuple(start_slots(rule, matrix, index)) for index in (0, 1)] == [
        ("momentum",),
        ("momentum", "velocity"),
    ]
    assert tuple(start_slots(rule, matrix)) == ("momentum",)


def test_each_branch_of_muon_decays_by_its_own() -> None:
    """With no gradient to speak of only the decay is left."""
    rule = make_rule("muon", weight_decay=0.5, adam_weight_decay=0.25, float32_constants=False)
    weights = (np.ones((1, 2)), np.ones(2))
    zeros = [np.zeros_like(value) for value in weights]
    result = apply_gradients(rule, initial_state(rule, weights), weights, zeros, learning_rate=0.5)
    np.testing.assert_allclose(result.parameters[0], [[0.75, 0.75]])
    np.testing.assert_allclose(result.parameters[1], [0.875, 0.875])
    assert decay_of(make_rule("adamw"), {}) == 0.004


def test_a_mask_must_have_one_entry_a_variable() -> None:
    """A mask for other variables is refused."""
    with pytest.raises(ShapeError, match=r"^adam_mask must hold 2 entries, got 1\."):
        initial_state(make_rule("muon", adam_mask=(True,)), (np.ones(2), np.ones(2)))


def test_only_nadam_shares() -> None:
    """One product for all variables."""
    assert shared_slots(make_rule("adam"), 3) == {}
    rule = make_rule("nadam", beta_1=0.5)
    assert shared_slots(rule, 3) == {"u_product": nadam_product(3, beta_1=0.5)}
