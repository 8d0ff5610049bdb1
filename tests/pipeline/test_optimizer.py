from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from harness.errors import PipelineError
from harness.pipeline.backend import import_keras
from harness.pipeline.optimizer import build_optimizer, inner_optimizer, is_prebuilt
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
    {"kind": "adadelta", "rho": 0.5, "epsilon": 1e-5},
    {"kind": "adamax", "beta_1": 0.5, "beta_2": 0.75, "epsilon": 1e-5},
    {"kind": "nadam", "beta_1": 0.5, "beta_2": 0.75, "epsilon": 1e-5},
    {"kind": "lion", "beta_1": 0.5, "beta_2": 0.75},
    {
        "kind": "ftrl",
        "learning_rate_power": -0.25,
        "initial_accumulator_value": 0.5,
        "l1_regularization_strength": 0.5,
        "l2_regularization_strength": 0.25,
        "l2_shrinkage_regularization_strength": 0.125,
        "beta": 0.5,
    },
    {"kind": "lamb", "beta_1": 0.5, "beta_2": 0.75, "epsilon": 1e-5},
    {
        "kind": "adafactor",
        "beta_2_decay": -0.5,
        "epsilon_1": 1e-5,
        "epsilon_2": 0.5,
        "clip_threshold": 2.0,
        "relative_step": False,
    },
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


@pytest.mark.parametrize(
    ("name", "table"),
    [
        (
            "ScheduleFreeAdamW",
            {"kind": "schedule_free_adamw", "beta_1": 0.5, "epsilon": 1e-5, "warmup_steps": 3},
        ),
        (
            "Muon",
            {
                "kind": "muon",
                "adam_beta_1": 0.5,
                "adam_weight_decay": None,
                "exclude_layers": ["out"],
                "exclude_embeddings": False,
                "ns_steps": 2,
                "nesterov": False,
                "rms_rate": None,
            },
        ),
    ],
)
def test_every_argument_of_the_newest_reaches_keras(name: str, table: dict[str, Any]) -> None:
    """Where this Keras has them."""
    if not hasattr(import_keras().optimizers, name):
        pytest.skip(f"this Keras has no {name}")
    optimizer = build_optimizer(ADAPTER.validate_python({**COMMON, **table}), PrecisionSpec())
    config = optimizer.get_config()
    wanted = {key: value for key, value in {**COMMON, **table}.items() if key != "kind"}
    assert {key: config.get(key) for key in wanted} == wanted


@pytest.mark.parametrize("kind", [table["kind"] for table in OPTIMIZERS])
def test_defaults_are_those_of_keras(kind: str) -> None:
    """Left to Keras, every argument is what the file's default says."""
    plain = build_optimizer(ADAPTER.validate_python({"kind": kind}), PrecisionSpec())
    table = {"kind": kind, "built_by": "defaults"}
    other = build_optimizer(ADAPTER.validate_python(table), PrecisionSpec())
    assert other.get_config() == plain.get_config()


@pytest.mark.parametrize("way", ["class", "config", "serialized", "name", "assignment", "defaults"])
@pytest.mark.parametrize("rate", [0.25, {"kind": "exponential_decay", "decay_rate": 0.5}])
def test_every_way_gives_the_same_optimizer(way: str, rate: Any) -> None:
    """Its configuration says so, and there is no variable more."""
    if isinstance(rate, dict):
        rate = {**rate, "initial_learning_rate": 0.5, "decay_steps": 2}
    table = {**COMMON, "kind": "adam", "beta_1": 0.5, "learning_rate": rate}
    plain = build_optimizer(ADAPTER.validate_python(table), PrecisionSpec())
    other = build_optimizer(ADAPTER.validate_python({**table, "built_by": way}), PrecisionSpec())
    assert other.get_config() == plain.get_config()
    assert len(other.variables) == len(plain.variables)


def test_several_optimizers() -> None:
    """Each variable finds its own; the loss scale is that of the whole."""
    if not hasattr(import_keras().optimizers, "MultiOptimizer"):
        pytest.skip("this Keras has no MultiOptimizer")
    table = {
        "kind": "multi_optimizer",
        "groups": [{"match": "dense.*", "optimizer": {"kind": "adam", "clipnorm": 2.0}}],
        "default": "lion",
        "loss_scale_factor": 4.0,
    }
    spec = ADAPTER.validate_python(table)
    optimizer = build_optimizer(spec, PrecisionSpec())
    assert [type(part).__name__ for part in optimizer.optimizers] == ["Adam", "Lion"]
    assert [part.loss_scale_factor for part in optimizer.optimizers] == [4.0, 4.0]
    assert is_prebuilt(spec)


@pytest.mark.parametrize("loop", ["fit", "gradient_tape", "apply_gradients"])
def test_an_optimizer_can_be_left_unbuilt(loop: str, run: Callable[..., Trace]) -> None:
    """Its first step builds it, and trains alike."""
    driven = loop == "apply_gradients"
    training = {"kind": loop, "gradients": [[1.0] * 5] * 3} if driven else {"kind": loop}
    model = {"kind": "variables"} if driven else {"kind": "mlp", "units": [1]}
    traces = [
        run(
            "state",
            model=model,
            training=training,
            optimizer={"kind": "adam", "prebuilt": prebuilt},
            precision={"policy": "float64"},
        )
        for prebuilt in (True, False)
    ]
    states = [trace.state for trace in traces]
    assert states[0] is not None
    assert states[1] is not None
    assert not states[1].paths("slot")
    for path in states[0].paths("trainable"):
        np.testing.assert_allclose(states[1].final_of(path), states[0].final_of(path), rtol=1e-12)


def test_schedule_free_starts_from_the_weights(run: Callable[..., Trace]) -> None:
    """A kept pipeline begins where its weights are put."""
    if not hasattr(import_keras().optimizers, "ScheduleFreeAdamW"):
        pytest.skip("this Keras has no ScheduleFreeAdamW")
    for initial in ([1.0, 2.0, 3.0, 4.0, 5.0], [0.5, 0.0, -1.0, 2.0, 1.0]):
        trace = run(
            "state",
            model={"kind": "variables", "initial": initial},
            training={"kind": "apply_gradients", "gradients": [[1.0] * 5]},
            optimizer={"kind": "schedule_free_adamw"},
        )
        assert trace.state is not None
        own = [item.path for item in trace.state.variables if item.slot == "momentum"]
        start = np.concatenate([trace.state.initial_of(path) for path in own])
        assert start.tolist() == initial


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
