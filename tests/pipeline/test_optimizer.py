from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter

from harness.errors import PipelineError
from harness.pipeline.optimizer import build_optimizer, inner_optimizer
from harness.spec.optimizer import AnyOptimizer, SGDSpec
from harness.spec.training import LossScaleSpec, PrecisionSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.trace import Trace

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyOptimizer)

OPTIMIZERS: list[dict[str, Any]] = [
    {"kind": "sgd", "momentum": 0.5, "nesterov": True},
    {"kind": "adam", "beta_1": 0.5, "beta_2": 0.75, "epsilon": 1e-5, "amsgrad": True},
    {"kind": "adamw", "weight_decay": 0.125},
    {"kind": "rmsprop", "rho": 0.5, "momentum": 0.25, "centered": True},
    {"kind": "adagrad", "initial_accumulator_value": 0.5},
]
COMMON: dict[str, Any] = {
    "learning_rate": 0.25,
    "clipnorm": 2.0,
    "use_ema": True,
    "ema_momentum": 0.5,
    "ema_overwrite_frequency": 3,
    "loss_scale_factor": 8.0,
    "gradient_accumulation_steps": 2,
}


@pytest.mark.parametrize("table", OPTIMIZERS, ids=[table["kind"] for table in OPTIMIZERS])
def test_every_argument_reaches_keras(table: dict[str, Any]) -> None:
    """What the file says is what Keras' own configuration says."""
    spec = ADAPTER.validate_python({**COMMON, **table})
    optimizer = build_optimizer(spec, PrecisionSpec())
    config = optimizer.get_config()
    for name, value in {**COMMON, **table}.items():
        assert config.get(name, getattr(optimizer, "name", None)) == value or name == "kind"
    assert optimizer.name == table["kind"]


@pytest.mark.parametrize("clipping", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_every_clipping_reaches_keras(clipping: str) -> None:
    """One at a time."""
    spec = ADAPTER.validate_python({"kind": "sgd", clipping: 0.5})
    assert getattr(build_optimizer(spec, PrecisionSpec()), clipping) == 0.5


def test_a_loss_scale_wraps_the_optimizer() -> None:
    """The inner optimizer is the one that was asked for."""
    scale = LossScaleSpec(initial_scale=4.0, dynamic_growth_steps=3)
    optimizer = build_optimizer(ADAPTER.validate_python("sgd"), PrecisionSpec(loss_scale=scale))
    assert (optimizer.initial_scale, optimizer.dynamic_growth_steps) == (4.0, 3)
    assert inner_optimizer(optimizer).name == "sgd"
    assert inner_optimizer(inner_optimizer(optimizer)).name == "sgd"


def test_names_excluded_from_decay_do_not_decay(run: Callable[..., Trace]) -> None:
    """With zero gradients only the decay moves a weight."""
    trace = run(
        "state",
        model={"kind": "variables"},
        optimizer={
            "kind": "sgd",
            "learning_rate": 0.5,
            "weight_decay": 0.5,
            "exclude_from_weight_decay": ["variable_1"],
        },
        training={"kind": "apply_gradients", "gradients": [[0.0] * 5]},
    )
    assert trace.state is not None
    assert trace.state.final_of("variable_0").tolist() == [0.75] * 2
    assert trace.state.final_of("variable_1").tolist() == [1.0] * 3


def test_an_imported_optimizer(user_module: Callable[[str], str]) -> None:
    """Any Keras optimizer will do, nothing else."""
    name = user_module(
        "import keras\n\ndef make(rate):\n    return keras.optimizers.Lion(rate)\n"
        "def wrong():\n    return 'lion'\n"
    )
    table = {"kind": "import", "import": f"{name}:make", "arguments": {"rate": 0.5}}
    assert type(build_optimizer(ADAPTER.validate_python(table), PrecisionSpec())).__name__ == "Lion"
    with pytest.raises(PipelineError) as caught:
        build_optimizer(
            ADAPTER.validate_python({"kind": "import", "import": f"{name}:wrong"}), PrecisionSpec()
        )
    assert str(caught.value) == f"{name}:wrong must return a keras Optimizer, got type str."


def test_exclusions_through_the_wrapper() -> None:
    """The loss scale is asked to exclude variables only where the spec says so."""
    spec = SGDSpec(exclude_from_weight_decay=("bias",))
    for through in (False, True):
        scale = LossScaleSpec(excludes=through)
        wrapper = build_optimizer(spec, PrecisionSpec(loss_scale=scale))
        inner = wrapper.inner_optimizer
        asked, other = (wrapper, inner) if through else (inner, wrapper)
        assert "bias" in str(asked._exclude_from_weight_decay_pattern)
        assert getattr(other, "_exclude_from_weight_decay_pattern", None) is None
