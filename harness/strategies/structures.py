"""Structures of whole pipelines: what is compiled, as a bounded pool of features to combine.

A structure is a tuple of features, a feature a few dotted keys that go together. They are drawn
apart from the values in them, because every one of them costs a compilation.
"""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any, Final, get_args

from harness.spec.assembly import assemble
from harness.spec.optimizer import BuiltinOptimizer, OptimizerSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from harness.spec.vary import Part

    Changes = dict[str, Any]
    Structure = tuple[Changes, ...]
    Maker = Callable[[random.Random], list[Changes]]

__all__ = ["pool", "runnable"]

_SELDOM: Final = 0.3
_OFTEN: Final = 0.5
"""Shares of structures in which something is offered."""

_SETTINGS: Final[dict[str, tuple[Any, ...]]] = {
    "momentum": (0.5, 0.875),
    "nesterov": (True,),
    "beta_1": (0.5, 0.875),
    "beta_2": (0.75, 0.9375),
    "rho": (0.5, 0.875),
    "epsilon": (0.0009765625,),
    "amsgrad": (True,),
    "centered": (True,),
    "initial_accumulator_value": (0.5,),
}
"""Arguments of optimizers, in values that float32 holds exactly."""

_NEWER: Final = frozenset({"muon", "schedule_free_adamw"})
"""Not in the oldest Keras supported: what is drawn must run on each."""

_SCHEDULES: Final[tuple[Changes, ...]] = (
    {"kind": "piecewise_constant_decay", "boundaries": [1, 3], "values": [0.25, 0.125, 0.0625]},
    {"kind": "exponential_decay", "initial_learning_rate": 0.25, "decay_steps": 2,
     "decay_rate": 0.5},
    {"kind": "exponential_decay", "initial_learning_rate": 0.25, "decay_steps": 2,
     "decay_rate": 0.5, "staircase": True},
    {"kind": "inverse_time_decay", "initial_learning_rate": 0.25, "decay_steps": 2,
     "decay_rate": 0.5},
    {"kind": "polynomial_decay", "initial_learning_rate": 0.25, "decay_steps": 3,
     "end_learning_rate": 0.0625, "power": 2.0},
    {"kind": "polynomial_decay", "initial_learning_rate": 0.25, "decay_steps": 2,
     "end_learning_rate": 0.0625, "cycle": True},
    {"kind": "cosine_decay", "initial_learning_rate": 0.25, "decay_steps": 5, "alpha": 0.25},
    {"kind": "cosine_decay", "initial_learning_rate": 0.0625, "decay_steps": 4,
     "warmup_target": 0.25, "warmup_steps": 2},
    {"kind": "cosine_decay_restarts", "initial_learning_rate": 0.25, "first_decay_steps": 2},
)  # fmt: skip

_TASKS: Final[tuple[tuple[Changes, str, int, tuple[Any, ...], tuple[str, ...]], ...]] = (
    ({"kind": "linear_regression", "targets": 1, "noise_std": 0.5}, "linear", 1,
     ("mean_squared_error", "mean_absolute_error", {"kind": "huber", "delta": 0.5}),
     ("mean_squared_error", "mean_absolute_error")),
    ({"kind": "linear_regression", "targets": 2, "noise_std": 0.5}, "tanh", 2,
     ("mean_squared_error", {"kind": "huber", "delta": 0.5}, {"kind": "weighted_mse"}),
     ("mean_squared_error", "mean_absolute_error")),
    ({"kind": "logistic_regression", "noise_std": 0.5}, "sigmoid", 1,
     ("binary_crossentropy", {"kind": "binary_crossentropy", "label_smoothing": 0.25}),
     ("binary_accuracy", "mean_squared_error")),
    ({"kind": "logistic_regression", "noise_std": 0.5}, "linear", 1,
     ({"kind": "binary_crossentropy", "from_logits": True},), ("mean_squared_error",)),
    ({"kind": "blobs", "classes": 3}, "softmax", 3,
     ("sparse_categorical_crossentropy",), ("sparse_categorical_accuracy",)),
    ({"kind": "blobs", "classes": 3}, "linear", 3,
     ({"kind": "sparse_categorical_crossentropy", "from_logits": True},),
     ("sparse_categorical_accuracy",)),
    ({"kind": "blobs", "classes": 3, "one_hot": True}, "softmax", 3,
     ("categorical_crossentropy", {"kind": "categorical_crossentropy", "label_smoothing": 0.25},
      "focal_loss"), ("categorical_accuracy", "mean_squared_error")),
)  # fmt: skip
"""Data, output activation, width, losses and metrics that go together."""


def pool(
    parts: Collection[Part], template: Mapping[str, Any], *, seed: int, size: int
) -> tuple[Structure, ...]:
    """At most `size` structures that can run, the ones with the fewest features first.

    Args:
        parts: What of the pipeline varies.
        template: The tables of the pipeline around them.
        seed: The same seed gives the same structures.
        size: How many.
    """
    chance = random.Random(seed)  # noqa: S311 - draws, no secrets
    driven = "gradients" in parts
    found: dict[str, Structure] = {"[]": ()}
    for _ in range(20 * size):
        if len(found) >= size:
            break
        share = chance.choice((0.3, 0.6, 0.9))
        features = [
            feature
            for part, make in _PARTS.items()
            if part in parts
            for feature in make(chance)
            if chance.random() < share
        ]
        structure = runnable(features, template, driven=driven)
        found[repr(structure)] = structure
    return tuple(sorted(found.values(), key=len))


def runnable(
    features: Sequence[Changes], template: Mapping[str, Any], *, driven: bool
) -> Structure:
    """The features that go with those before them.

    Args:
        features: Each a few changes by dotted key.
        template: The tables of the pipeline around them.
        driven: Gradients are drawn too, as many as the variables need.
    """
    kept: list[Changes] = []
    for feature in features:
        changes = {key: value for part in (*kept, feature) for key, value in part.items()}
        if driven and "model.shapes" in changes:
            size = sum(math.prod(shape) for shape in changes["model.shapes"])
            changes |= {"model.initial": None, "training.gradients": [[0.0] * size]}
        if not assemble(template, changes)[1]:
            kept.append(feature)
    return tuple(kept)


def _optimizer(chance: random.Random) -> list[Changes]:
    kinds = [kind for kind in get_args(BuiltinOptimizer) if _name_of(kind) not in _NEWER]
    kind = chance.choice(kinds)
    name = _name_of(kind)
    features: list[Changes] = [{"optimizer.kind": name}]
    features += [
        {f"optimizer.{key}": chance.choice(_SETTINGS[key])}
        for key in kind.model_fields
        if key in _SETTINGS and key not in OptimizerSpec.model_fields
    ]
    clipping = chance.choice(("clipnorm", "clipvalue", "global_clipnorm"))
    decay: Changes = {"optimizer.weight_decay": chance.choice((0.125, 0.5))}
    if chance.random() < _SELDOM:
        decay["optimizer.exclude_from_weight_decay"] = ["bias", "variable_1"]
    average = {"optimizer.use_ema": True, "optimizer.ema_momentum": chance.choice((0.5, 0.875))}
    scale = chance.choice(
        (
            {"optimizer.loss_scale_factor": 4.0},
            {"precision.loss_scale": {"initial_scale": 4.0, "dynamic_growth_steps": 2}},
        )
    )
    features += [
        {f"optimizer.{clipping}": chance.choice((0.25, 1.0))},
        {"optimizer.gradient_accumulation_steps": chance.choice((2, 3))},
        decay,
        average,
        {"optimizer.ema_overwrite_frequency": chance.choice((1, 2, 3))},
        scale,
    ]
    if chance.random() < _OFTEN:
        features.append({"optimizer.learning_rate": chance.choice(_SCHEDULES)})
    return features


def _name_of(kind: type[OptimizerSpec]) -> str:
    name: str = kind.model_fields["kind"].default
    return name


def _gradients(chance: random.Random) -> list[Changes]:
    return [{"model.shapes": chance.choice(([[1]], [[2], [3]], [[2, 2], [1]]))}]


def _task(chance: random.Random) -> list[Changes]:
    data, activation, width, losses, metrics = chance.choice(_TASKS)
    changes: Changes = {f"data.{key}": value for key, value in data.items()}
    units = chance.choice(([width], [3, width], [4, 2, width]))
    changes |= {
        "model.units": units,
        "model.output_activation": activation,
        "loss": chance.choice(losses),
    }
    measured = [metric for metric in metrics if chance.random() < _OFTEN]
    changes["metrics"] = measured
    # Something must be left to train.
    return [changes, {"model.frozen": [0]}] if len(units) > 1 else [changes]


def _model(chance: random.Random) -> list[Changes]:
    return [
        {"model.activation": chance.choice(("relu", "sigmoid", "tanh"))},
        {"model.use_bias": False},
        {"model.kernel_l2": 0.0625},
    ]


def _data(chance: random.Random) -> list[Changes]:
    return [
        {"data.batch_size": chance.choice((1, 4, 7))},
        {"data.source": chance.choice(("array", "dataset_unknown", "generator", "py_dataset"))},
    ]


def _compile(chance: random.Random) -> list[Changes]:
    features: list[Changes] = [{"compile.steps_per_execution": chance.choice((2, 3))}]
    if chance.random() < _SELDOM:
        features.append({"compile.run_eagerly": True})
    return features


def _training(chance: random.Random) -> list[Changes]:
    loop = chance.choice(("fit", "fit", "train_on_batch", "gradient_tape"))
    return [] if loop == "fit" else [{"training.kind": loop}]


_PARTS: Final[dict[str, Maker]] = {
    "optimizer": _optimizer,
    "gradients": _gradients,
    "task": _task,
    "model": _model,
    "data": _data,
    "compile": _compile,
    "training": _training,
}
"""What each part may bring in; the others have values only."""
