from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import PipelineError
from harness.pipeline.schedules import build_learning_rate
from harness.spec.schedule import ImportedScheduleSpec, WarmupCosineSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

STEPS = range(8)


def cosine(progress: float) -> float:
    """Return half a cosine from 1 to 0."""
    return 0.5 * (1.0 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))


def restarted(step: int) -> float:
    """Return the rate of a restart schedule with first period 2, t_mul 2, m_mul 0.5."""
    return cosine(step / 2) if step < 2 else 0.5 * cosine((step - 2) / 4) if step < 6 else (
        0.25 * cosine((step - 6) / 8)
    )  # fmt: skip


SCHEDULES: list[tuple[dict[str, Any], list[float]]] = [
    (
        {"kind": "exponential_decay", "initial_learning_rate": 1, "decay_steps": 4,
         "decay_rate": 0.5},
        [0.5 ** (step / 4) for step in STEPS],
    ),
    (
        {"kind": "exponential_decay", "initial_learning_rate": 1, "decay_steps": 4,
         "decay_rate": 0.5, "staircase": True},
        [0.5 ** (step // 4) for step in STEPS],
    ),
    (
        {"kind": "inverse_time_decay", "initial_learning_rate": 1, "decay_steps": 4,
         "decay_rate": 0.5},
        [1 / (1 + 0.5 * step / 4) for step in STEPS],
    ),
    (
        {"kind": "polynomial_decay", "initial_learning_rate": 1, "decay_steps": 4,
         "end_learning_rate": 0.5, "power": 2},
        [0.5 + 0.5 * (1 - min(step, 4) / 4) ** 2 for step in STEPS],
    ),
    (
        {"kind": "piecewise_constant_decay", "boundaries": [2, 5], "values": [1, 0.5, 0.25]},
        [1.0 if step <= 2 else 0.5 if step <= 5 else 0.25 for step in STEPS],
    ),
    (
        {"kind": "cosine_decay", "initial_learning_rate": 1, "decay_steps": 4, "alpha": 0.5},
        [0.5 + 0.5 * cosine(step / 4) for step in STEPS],
    ),
    (
        {"kind": "cosine_decay_restarts", "initial_learning_rate": 1, "first_decay_steps": 2,
         "m_mul": 0.5},
        [restarted(step) for step in STEPS],
    ),
    (
        {"kind": "warmup_cosine", "peak": 1, "warmup_steps": 2, "total_steps": 6},
        [step / 2 if step < 2 else cosine((step - 2) / 4) for step in STEPS],
    ),
    ({"kind": "callable", "value": 0.25}, [0.25 for _ in STEPS]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("schedule", "expected"), SCHEDULES, ids=[table["kind"] for table, _ in SCHEDULES]
)
def test_each_update_uses_the_rate_of_its_count(
    schedule: dict[str, Any], expected: list[float], run: Callable[..., Trace]
) -> None:
    """The recorded rate is the closed form of the count before the update, weights agree."""
    trace = run(
        "state",
        model={"kind": "variables", "shapes": [[1]]},
        optimizer={"kind": "sgd", "learning_rate": schedule},
        precision={"policy": "float64"},
        training={"kind": "apply_gradients", "gradients": [[1.0] for _ in STEPS]},
    )
    assert trace.steps.learning_rate is not None
    # Keras computes schedules in float32 even under float64.
    assert trace.steps.learning_rate.tolist() == pytest.approx(expected, abs=1e-7)
    assert trace.state is not None
    moved = trace.state.before_of("variable_0") - trace.state.after_of("variable_0")
    assert moved[:, 0].tolist() == pytest.approx(expected, abs=1e-7)


def test_warmup_cosine_knows_its_arguments() -> None:
    """Keras saves a schedule by its configuration."""
    schedule = build_learning_rate(WarmupCosineSpec(peak=1.0, warmup_steps=2, total_steps=6))
    assert schedule.get_config() == {"peak": 1.0, "warmup_steps": 2, "total_steps": 6}


def test_an_imported_schedule_must_be_one(user_module: Callable[[str], str]) -> None:
    """A function of the epoch is none: text 001 thought so."""
    name = user_module(
        "import keras\n\ndef make():\n"
        "    return keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)\n"
        "def wrong():\n    return lambda epoch: 0.1\n"
    )
    made = build_learning_rate(ImportedScheduleSpec.model_validate({"import": f"{name}:make"}))
    assert float(made(1)) == 0.5
    with pytest.raises(PipelineError) as caught:
        build_learning_rate(ImportedScheduleSpec.model_validate({"import": f"{name}:wrong"}))
    assert str(caught.value) == (
        f"{name}:wrong must return a keras LearningRateSchedule, got type function."
    )
