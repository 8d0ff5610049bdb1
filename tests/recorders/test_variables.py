from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tensorflow as tf

from harness.recorders.variables import flatten

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

SLOTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"kind": "sgd"}, []),
    ({"kind": "sgd", "momentum": 0.5}, ["momentum"]),
    ({"kind": "adam"}, ["momentum", "velocity"]),
    ({"kind": "adam", "amsgrad": True}, ["momentum", "velocity", "velocity_hat"]),
    ({"kind": "adamw"}, ["momentum", "velocity"]),
    ({"kind": "rmsprop"}, ["velocity"]),
    (
        {"kind": "rmsprop", "momentum": 0.5, "centered": True},
        ["velocity", "momentum", "average_gradient"],
    ),
    ({"kind": "adagrad"}, ["accumulator"]),
    ({"kind": "adadelta"}, ["accumulated_grad", "accumulated_delta_var"]),
    ({"kind": "adamax"}, ["momentum", "norm"]),
    ({"kind": "nadam"}, ["momentum", "velocity"]),
    ({"kind": "lion"}, ["momentum"]),
    ({"kind": "ftrl"}, ["accumulator", "linear"]),
    ({"kind": "lamb"}, ["momentum", "velocity"]),
]


@pytest.mark.parametrize(("optimizer", "slots"), SLOTS, ids=[str(row[0]) for row in SLOTS])
def test_every_slot_is_known_by_role_owner_and_name(
    optimizer: dict[str, Any], slots: list[str], run: Callable[..., Trace]
) -> None:
    """Averages and accumulators of any optimizer are told apart from its own slots."""
    trace = run(
        "state",
        model={"kind": "variables", "shapes": [[1], [2]]},
        optimizer={**optimizer, "use_ema": True, "gradient_accumulation_steps": 2},
        training={"kind": "apply_gradients", "gradients": [[1.0] * 3], "compiled": False},
    )
    assert trace.state is not None
    for path, shape in (("variable_0", (1,)), ("variable_1", (2,))):
        own = [info for info in trace.state.variables if info.slot_of == path]
        assert [info.slot for info in own if info.role == "slot"] == slots
        assert [info.slot for info in own if info.role == "average"] == ["average"]
        assert [info.slot for info in own if info.role == "accumulator"] == ["gradient_accumulator"]
        assert {info.shape for info in own} == {shape}
    assert len(trace.state.paths("iterations")) == len(trace.state.paths("learning_rate")) == 1


def test_slots_without_a_name_of_their_own(run: Callable[..., Trace]) -> None:
    """Adafactor's factors bear the weight's name, Nadam's product none at all."""
    trace = run(
        "state",
        model={"kind": "variables", "shapes": [[2, 3]]},
        optimizer={"kind": "adafactor"},
        training={"kind": "apply_gradients", "gradients": [[1.0] * 6]},
    )
    assert trace.state is not None
    own = {info.slot: info.shape for info in trace.state.variables if info.slot_of}
    assert own == {"r": (2,), "c": (3,), "velocity": (2, 3)}
    trace = run(
        "state",
        model={"kind": "variables", "shapes": [[2]]},
        optimizer={"kind": "nadam"},
        training={"kind": "apply_gradients", "gradients": [[1.0] * 2]},
    )
    assert trace.state is not None
    shared = [info.slot for info in trace.state.variables if info.role == "slot"]
    assert "u_product" in shared


def test_a_loss_scale_hides_its_unused_counter(run: Callable[..., Trace]) -> None:
    """There is one counter of iterations and one rate: those that count."""
    trace = run(
        "state",
        data={"kind": "linear_regression", "examples": 8, "batch_size": 8},
        model={"kind": "mlp", "batch_norm": True, "dropout": 0.5},
        precision={"policy": "mixed_float16"},
    )
    assert trace.state is not None
    roles = {
        role: trace.state.paths(role)
        for role in ("iterations", "learning_rate", "loss_scale", "step_counter", "seed")
    }
    assert roles == {
        "iterations": ("sgd/iteration",),
        "learning_rate": ("sgd/learning_rate",),
        "loss_scale": ("loss_scale_optimizer/dynamic_scale",),
        "step_counter": ("loss_scale_optimizer/step_counter",),
        "seed": ("seed_generator/seed_generator_state",),
    }
    assert trace.state.paths("non_trainable") == (
        "mlp/batch_norm_0/moving_mean",
        "mlp/batch_norm_0/moving_variance",
    )


def test_flatten_is_exact() -> None:
    """Float16, float32 and whole numbers survive float64."""
    row = flatten([tf.constant([[0.1]], "float32"), tf.constant(2**40, "int64")])
    assert row.numpy().tolist() == [float(tf.constant(0.1, "float32")), float(2**40)]
    assert flatten([]).shape == (0,)
