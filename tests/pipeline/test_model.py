from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from harness.errors import PipelineError
from harness.pipeline.model import build_model, build_variables
from harness.pipeline.numerics import numerics
from harness.spec.model import AnyModel, VariablesSpec
from harness.spec.pipeline import PipelineSpec

if TYPE_CHECKING:
    from collections.abc import Callable

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyModel)


def build(shape: tuple[int, ...], *, policy: str = "float32", **table: Any) -> Any:
    """Return the model of a table for examples of `shape`."""
    spec = PipelineSpec.model_validate({"precision": {"policy": policy}})
    with numerics(spec):
        return build_model(ADAPTER.validate_python(table), shape)


BETWEEN: list[Any] = [
    "batch_normalization",
    "layer_normalization",
    {"kind": "group_normalization", "groups": 2},
    "unit_normalization",
    "dropout",
    "gaussian_dropout",
    "alpha_dropout",
    "gaussian_noise",
]


def test_layers_between_stand_behind_every_hidden_layer() -> None:
    """In their order, with their arguments, and not behind the output."""
    model = build((4,), kind="mlp", units=[2, 4, 1], between=BETWEEN)
    kinds = [item if isinstance(item, str) else item["kind"] for item in BETWEEN]
    names = [layer.name for layer in model.layers]
    expected = [
        f"dense_{number}" if place < 0 else f"{kinds[place]}_{number}_{place}"
        for number in (0, 1)
        for place in range(-1, len(kinds))
    ]
    assert names == [*expected, "dense_2"]
    assert model.get_layer("group_normalization_1_2").groups == 2


def test_layers_between_stand_behind_the_table() -> None:
    """A feature drops out at all steps."""
    between = ["spatial_dropout_1d", {"kind": "batch_normalization", "momentum": 0.5}]
    model = build((4,), kind="embedding", between=between)
    names = ["embedding", "spatial_dropout_1d_0", "batch_normalization_1", "mean", "output"]
    assert [layer.name for layer in model.layers] == names
    assert model.get_layer("batch_normalization_1").momentum == 0.5


MODELS: list[tuple[dict[str, Any], tuple[int, ...], list[str]]] = [
    ({"kind": "mlp"}, (4,), ["dense_0/kernel", "dense_0/bias", "dense_1/kernel", "dense_1/bias"]),
    ({"kind": "mlp", "units": [2], "use_bias": False}, (4,), ["dense_0/kernel"]),
    (
        {"kind": "lstm", "units": [3, 2]},
        (5, 3),
        [
            *(
                f"lstm_{i}/lstm_cell/{name}"
                for i in (0, 1)
                for name in ("kernel", "recurrent_kernel", "bias")
            ),
            "output/kernel",
            "output/bias",
        ],
    ),
    (
        {"kind": "convolution", "filters": [2], "batch_norm": True},
        (64,),
        [
            *(f"convolution_0/{name}" for name in ("kernel", "bias")),
            *(
                f"batch_norm_0/{name}"
                for name in ("gamma", "beta", "moving_mean", "moving_variance")
            ),
            *(f"output/{name}" for name in ("kernel", "bias")),
        ],
    ),
    (
        {"kind": "attention"},
        (5, 3),
        [
            *(f"input/{name}" for name in ("kernel", "bias")),
            *(
                f"attention_0/{part}/{name}"
                for part in ("query", "key", "value", "attention_output")
                for name in ("kernel", "bias")
            ),
            *(f"attention_norm_0/{name}" for name in ("gamma", "beta")),
            *(f"{layer}_0/{name}" for layer in ("wide", "narrow") for name in ("kernel", "bias")),
            *(f"dense_norm_0/{name}" for name in ("gamma", "beta")),
            *(f"output/{name}" for name in ("kernel", "bias")),
        ],
    ),
    ({"kind": "embedding"}, (6,), ["embedding/embeddings", "output/kernel", "output/bias"]),
    (
        {"kind": "multi_output"},
        (4,),
        [
            *(f"trunk_0/{name}" for name in ("kernel", "bias")),
            *(f"{head}/{name}" for head in ("first", "second") for name in ("kernel", "bias")),
        ],
    ),
]


@pytest.mark.parametrize(("table", "shape", "paths"), MODELS)
def test_variables_are_named_by_position(
    table: dict[str, Any], shape: tuple[int, ...], paths: list[str]
) -> None:
    """A second model of the same process has the same paths."""
    for _ in "ab":
        model = build(shape, **table)
        found = [variable.path.removeprefix(f"{model.name}/") for variable in model.weights]
        assert found == paths


def test_batch_norm_and_dropout_follow_every_hidden_layer() -> None:
    """The output layer has neither."""
    model = build((4,), kind="mlp", units=[3, 2, 1], batch_norm=True, dropout=0.5)
    assert [layer.name for layer in model.layers] == [
        *("dense_0", "batch_norm_0", "dropout_0"),
        *("dense_1", "batch_norm_1", "dropout_1"),
        "dense_2",
    ]


def test_frozen_layers_are_not_trainable() -> None:
    """Their variables stay in the model."""
    model = build((4,), kind="mlp", frozen=[0])
    assert [variable.path for variable in model.trainable_variables] == [
        "mlp/dense_1/kernel",
        "mlp/dense_1/bias",
    ]
    assert len(model.variables) == 4


def test_the_penalty_is_the_l2_factor_times_the_squares() -> None:
    """Kernels are penalised, biases are not."""
    model = build((4,), kind="mlp", kernel_l2=0.5)
    kernels = [variable.numpy() for variable in model.variables if "kernel" in variable.path]
    expected = sum(0.5 * (kernel**2).sum() for kernel in kernels)
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_the_output_layer_computes_in_float32_under_mixed_precision(policy: str) -> None:
    """Hidden layers compute in the short type, all variables are float32."""
    model = build((4,), policy=policy, kind="mlp")
    assert [layer.compute_dtype for layer in model.layers] == [
        policy.removeprefix("mixed_"),
        "float32",
    ]
    assert {variable.dtype for variable in model.variables} == {"float32"}


def test_recurrent_scale_is_the_gain_of_the_orthogonal_kernel() -> None:
    """A gain of 4 multiplies every singular value."""
    kernel = build((5, 3), kind="lstm", recurrent_scale=4.0).variables[1].numpy()
    np.testing.assert_allclose(np.linalg.svd(kernel, compute_uv=False), 4.0, rtol=1e-5)


def test_bare_variables_have_their_initial_values() -> None:
    """Flattened one after the other; ones where nothing is said."""
    spec = VariablesSpec(shapes=((2,), (1, 2)), initial=(1.0, 2.0, 3.0, 4.0))
    first, second = build_variables(spec, "float64")
    assert (first.numpy().tolist(), second.numpy().tolist()) == ([1.0, 2.0], [[3.0, 4.0]])
    assert (first.dtype, first.path) == ("float64", "variable_0")
    own = build_variables(spec.model_copy(update={"plain": (1,)}), "float64")
    assert [hasattr(variable, "path") for variable in own] == [True, False]
    assert own[1].numpy().tolist() == [[3.0, 4.0]]
    ones = build_variables(VariablesSpec(), "float32")
    assert [variable.numpy().tolist() for variable in ones] == [[1.0] * 2, [1.0] * 3]
    with pytest.raises(TypeError, match="driven with gradients"):
        build_model(spec, (4,))


def test_an_imported_model_is_built_for_the_data(user_module: Callable[[str], str]) -> None:
    """A model without an input shape gets that of the examples."""
    name = user_module(
        "import keras\n\ndef make(units):\n"
        "    return keras.Sequential([keras.layers.Dense(units)])\n"
    )
    model = build((4,), kind="import", arguments={"units": 2}, **{"import": f"{name}:make"})
    assert model.variables[0].shape == (4, 2)


def test_an_import_that_is_no_model_is_refused(user_module: Callable[[str], str]) -> None:
    """The message says what came instead."""
    name = user_module("def make():\n    return 'a model'\n")
    with pytest.raises(PipelineError) as caught:
        build((4,), kind="import", **{"import": f"{name}:make"})
    assert str(caught.value) == f"{name}:make must return an uncompiled keras Model, got type str."


def test_a_subclassed_model_gets_the_variables_of_its_layers(
    user_module: Callable[[str], str],
) -> None:
    """Nobody has to write a build for them."""
    name = user_module(
        "import keras\n"
        "class Own(keras.Model):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.inside = keras.layers.Dense(2)\n"
        "    def call(self, inputs):\n"
        "        return self.inside(inputs)\n"
        "def make():\n"
        "    return Own()\n"
    )
    model = build((4,), kind="import", **{"import": f"{name}:make"})
    assert [variable.shape for variable in model.variables] == [(4, 2), (2,)]


@pytest.mark.parametrize("style", ["sequential", "functional", "subclassed", "copied"])
def test_every_style_has_the_same_variables(style: str) -> None:
    """However the layers are put together, they are the same layers, built at once."""
    model = build((4,), kind="mlp", units=[3, 1], batch_norm=True, style=style)
    assert model.built
    assert [tuple(variable.shape) for variable in model.trainable_variables] == [
        (4, 3), (3,), (3,), (3,), (3, 1), (1,),
    ]  # fmt: skip
    names = [layer.name for layer in model.layers if layer.weights]
    assert names == ["dense_0", "batch_norm_0", "dense_1"]


def test_activity_penalty() -> None:
    """Every layer's outputs are penalised, not only its weights."""
    model = build((4,), kind="mlp", units=[3, 1], activity_l2=0.5)
    model(np.ones((2, 4)))
    assert len(model.losses) == 2
