"""Schedules against values worked out by hand, and their limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracles.arrays import ArgumentError
from harness.oracles.schedules import SCHEDULES, learning_rate_at

COSINE_60 = 0.75
"""``0.5 * (1 + cos(pi / 3))``."""

CASES = [
    ("constant", 7, {"learning_rate": 0.5}, 0.5),
    (
        "exponential_decay",
        5,
        {"initial_learning_rate": 8.0, "decay_steps": 10, "decay_rate": 0.25},
        4.0,
    ),
    (
        "exponential_decay",
        19,
        {"initial_learning_rate": 8.0, "decay_steps": 10, "decay_rate": 0.25, "staircase": True},
        2.0,
    ),
    (
        "inverse_time_decay",
        5,
        {"initial_learning_rate": 3.0, "decay_steps": 10, "decay_rate": 1.0},
        2.0,
    ),
    (
        "inverse_time_decay",
        19,
        {"initial_learning_rate": 3.0, "decay_steps": 10, "decay_rate": 2.0, "staircase": True},
        1.0,
    ),
    ("polynomial_decay", 5, {"initial_learning_rate": 1.0001, "decay_steps": 10}, 0.5001),
    (
        "polynomial_decay",
        99,
        {"initial_learning_rate": 1.0, "decay_steps": 10, "end_learning_rate": 0.2},
        0.2,
    ),
    (
        "polynomial_decay",
        0,
        {"initial_learning_rate": 1.0, "decay_steps": 10, "cycle": True},
        1.0,
    ),
    (
        "polynomial_decay",
        15,
        {
            "initial_learning_rate": 1.0,
            "decay_steps": 10,
            "end_learning_rate": 0.0,
            "power": 2.0,
            "cycle": True,
        },
        0.0625,
    ),
    (
        "cosine_decay",
        1,
        {"initial_learning_rate": 2.0, "decay_steps": 3, "alpha": 0.2},
        2.0 * (0.8 * COSINE_60 + 0.2),
    ),
    ("cosine_decay", 99, {"initial_learning_rate": 2.0, "decay_steps": 3, "alpha": 0.2}, 0.4),
    (
        "cosine_decay",
        2,
        {
            "initial_learning_rate": 1.0,
            "decay_steps": 3,
            "warmup_target": 5.0,
            "warmup_steps": 4,
        },
        3.0,
    ),
    (
        "cosine_decay",
        5,
        {
            "initial_learning_rate": 1.0,
            "decay_steps": 3,
            "warmup_target": 5.0,
            "warmup_steps": 4,
        },
        5.0 * COSINE_60,
    ),
    ("cosine_decay_restarts", 1, {"initial_learning_rate": 2.0, "first_decay_steps": 3}, 1.5),
    ("cosine_decay_restarts", 3, {"initial_learning_rate": 2.0, "first_decay_steps": 3}, 2.0),
    ("cosine_decay_restarts", 5, {"initial_learning_rate": 2.0, "first_decay_steps": 3}, 1.5),
    (
        "cosine_decay_restarts",
        7,
        {
            "initial_learning_rate": 2.0,
            "first_decay_steps": 3,
            "t_mul": 1.0,
            "m_mul": 0.5,
            "alpha": 0.2,
        },
        2.0 * (0.8 * 0.25 * COSINE_60 + 0.2),
    ),
    ("warmup_cosine", 2, {"peak_lr": 1.0, "warmup_steps": 4, "total_steps": 7}, 0.5),
    ("warmup_cosine", 5, {"peak_lr": 1.0, "warmup_steps": 4, "total_steps": 7}, COSINE_60),
    ("warmup_cosine", 9, {"peak_lr": 1.0, "warmup_steps": 4, "total_steps": 7}, 0.0),
    ("step_decay", 9, {"initial_learning_rate": 1.0}, 1.0),
    ("step_decay", 10, {"initial_learning_rate": 1.0}, 0.5),
    ("step_decay", 7, {"initial_learning_rate": 1.0, "drop": 0.1, "epochs_drop": 3}, 0.01),
]


@pytest.mark.parametrize(("kind", "step", "arguments", "expected"), CASES)
def test_hand_computed_values(
    kind: str, step: int, arguments: dict[str, object], expected: float
) -> None:
    """Each schedule meets a value worked out on paper."""
    assert learning_rate_at(kind, step, **arguments) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 1.0), (5, 1.0), (6, 0.5), (9, 0.5), (10, 0.1), (99, 0.1)]
)
def test_piecewise_boundaries_belong_to_the_interval_they_end(step: int, expected: float) -> None:
    """At a boundary the old value still holds."""
    rate = learning_rate_at(
        "piecewise_constant_decay", step, boundaries=(5, 9), values=(1.0, 0.5, 0.1)
    )
    assert rate == expected


def test_restarts_with_a_fractional_factor_hit_their_borders() -> None:
    """Periods of 10, 15 and 22.5 steps restart at 10, 25 and after 47.5."""
    rates = [
        learning_rate_at(
            "cosine_decay_restarts",
            step,
            initial_learning_rate=1.0,
            first_decay_steps=10,
            t_mul=1.5,
        )
        for step in range(50)
    ]
    jumps = [step for step in range(1, 50) if rates[step] > rates[step - 1]]
    assert jumps == [10, 25, 48]
    assert rates[10] == rates[25] == 1.0


@given(st.integers(0, 500), st.integers(1, 100), st.floats(0, 1))
def test_cosine_decays_between_start_and_floor(step: int, decay_steps: int, alpha: float) -> None:
    """The rate never leaves [alpha * start, start] and never rises."""
    now, later = (
        learning_rate_at(
            "cosine_decay", s, initial_learning_rate=0.1, decay_steps=decay_steps, alpha=alpha
        )
        for s in (step, step + 1)
    )
    assert alpha * 0.1 * (1 - 1e-12) <= later <= now * (1 + 1e-12)
    assert now <= 0.1 * (1 + 1e-12)


@given(st.integers(0, 300), st.integers(0, 50), st.integers(1, 100))
def test_warmup_cosine_peaks_where_the_warmup_ends(step: int, warmup: int, length: int) -> None:
    """No rate lies above the peak, which is met at `warmup_steps`."""
    arguments = {"peak_lr": 0.1, "warmup_steps": warmup, "total_steps": warmup + length}
    assert learning_rate_at("warmup_cosine", warmup, **arguments) == 0.1
    assert 0.0 <= learning_rate_at("warmup_cosine", step, **arguments) <= 0.1


def test_alpha_is_a_fraction_and_not_a_rate() -> None:
    """With an alpha of 0.01 a rate of 0.001 decays to 0.00001."""
    rate = learning_rate_at(
        "cosine_decay", 10, initial_learning_rate=0.001, decay_steps=10, alpha=0.01
    )
    assert math.isclose(rate, 1e-5, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (
            "exponential_decay",
            {"initial_learning_rate": 1.0, "decay_steps": 0, "decay_rate": 0.5},
            "decay_steps must be greater than 0, got 0.",
        ),
        (
            "piecewise_constant_decay",
            {"boundaries": (5,), "values": (1.0,)},
            "values must hold one entry more than boundaries (1), got 1.",
        ),
        (
            "piecewise_constant_decay",
            {"boundaries": (9, 5), "values": (1.0, 0.5, 0.1)},
            "boundaries must increase strictly, got (9, 5).",
        ),
        (
            "cosine_decay_restarts",
            {"initial_learning_rate": 1.0, "first_decay_steps": 3, "t_mul": 0.5},
            "t_mul must be at least 1, got 0.5.",
        ),
        (
            "constant",
            {"learning_rates": 1.0},
            (
                "constant must be given its own arguments, got ['learning_rates']: "
                "missing a required argument: 'learning_rate'."
            ),
        ),
    ],
)
def test_messages(kind: str, arguments: dict[str, object], message: str) -> None:
    """Bad arguments are answered with the rule and the value."""
    with pytest.raises(ArgumentError) as caught:
        learning_rate_at(kind, 0, **arguments)
    assert str(caught.value) == message


def test_unknown_kind_is_answered_with_all_known_ones() -> None:
    """The message lists every schedule."""
    with pytest.raises(ArgumentError) as caught:
        learning_rate_at("cosin_decay", 0)
    assert str(caught.value) == f"kind must be one of {', '.join(SCHEDULES)}, got 'cosin_decay'."
