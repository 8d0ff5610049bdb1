"""The preflight plan of a ``fit``, from live Keras objects and the arguments it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from harness.pipeline.backend import import_keras
from harness.pipeline.plan_callbacks import callback_plans
from harness.pipeline.plan_rates import rate_plan
from harness.pipeline.plan_sources import source_plan, validation_plan
from harness.preflight import CompilePlan, OptimizerPlan, Plan, RatePlan
from harness.preflight.counting import total_steps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.preflight.plan import Direction

__all__ = ["FIT_ARGUMENTS", "plan_of_fit"]

FIT_ARGUMENTS: Final[Mapping[str, Any]] = {
    "x": None,
    "y": None,
    "sample_weight": None,
    "batch_size": None,
    "epochs": 1,
    "callbacks": None,
    "validation_split": 0.0,
    "validation_data": None,
    "shuffle": True,
    "class_weight": None,
    "initial_epoch": 0,
    "steps_per_epoch": None,
    "validation_steps": None,
    "validation_batch_size": None,
    "validation_freq": 1,
}
"""Arguments of ``fit`` that a plan is made from, with their defaults."""

_CLIPPINGS: Final = ("clipnorm", "global_clipnorm", "clipvalue")
_OWN_LOGS: Final = ("train_step", "test_step", "get_metrics_result", "compute_metrics")


def plan_of_fit(model: Any, arguments: Mapping[str, Any], *, split_done: bool = False) -> Plan:
    """What ``model.fit(**arguments)`` is about to do; nothing is read, built or changed.

    Args:
        model: Compiled.
        arguments: By the names of ``fit``; what is missing has its default.
        split_done: `validation_split` has been carried out already: x, y and validation_data are
            what came of it.
    """
    given: dict[str, Any] = {**FIT_ARGUMENTS, **arguments}
    frequency, weights = given["validation_freq"], given["class_weight"]
    optimizer = getattr(model, "optimizer", None)
    plan = Plan(
        epochs=given["epochs"],
        initial_epoch=given["initial_epoch"],
        steps_per_epoch=given["steps_per_epoch"] or None,
        source=source_plan(model, given, split_done=split_done),
        validation=validation_plan(model, given),
        validation_steps=given["validation_steps"] or None,
        validation_freq=frequency if isinstance(frequency, int) else tuple(frequency),
        class_weight=_classes(weights),
        compile=_compile_plan(model),
        callbacks=callback_plans(given["callbacks"]),
    )
    return _with_optimizer(plan, optimizer)


def _classes(weights: Any) -> tuple[int, ...] | None:
    if not isinstance(weights, dict) or not all(isinstance(key, int) for key in weights):
        return None
    return tuple(weights)


def _with_optimizer(plan: Plan, optimizer: Any) -> Plan:
    """A schedule of the user's own is looked at up to where the training ends."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner is None or hasattr(inner, "optimizers"):
        # A MultiOptimizer has one rate per group; none speaks for all.
        return replace(plan, optimizer=OptimizerPlan(rate=RatePlan(), steps_done=None))
    done = _steps_done(inner)
    total = total_steps(plan)
    last = None if total is None or done is None else done + total
    factor = getattr(inner, "loss_scale_factor", None)
    return replace(
        plan,
        optimizer=OptimizerPlan(
            rate=rate_plan(getattr(inner, "_learning_rate", None), last),
            clippings=tuple(name for name in _CLIPPINGS if getattr(inner, name, None)),
            accumulation=getattr(inner, "gradient_accumulation_steps", None) or 1,
            loss_scale="dynamic" if inner is not optimizer else "static" if factor else None,
            steps_done=done,
        ),
    )


def _steps_done(optimizer: Any) -> int | None:
    """What schedules count: every step, each micro-batch included."""
    counter = getattr(optimizer, "_iterations", None)
    return None if counter is None else int(counter)


def _compile_plan(model: Any) -> CompilePlan:
    layers = _layers(model)
    policy = getattr(model, "dtype_policy", None)
    config = getattr(getattr(model, "_compile_config", None), "config", {})
    return CompilePlan(
        policy=getattr(policy, "name", None),
        jit_compile=config.get("jit_compile") is True,
        run_eagerly=bool(getattr(model, "run_eagerly", False)),
        steps_per_execution=int(getattr(model, "steps_per_execution", 1) or 1),
        not_jittable=tuple(
            layer.name for layer in layers if not getattr(layer, "supports_jit", True)
        ),
        batch_norm=any(type(layer).__name__ == "BatchNormalization" for layer in layers),
        directions=_directions(model),
    )


def _layers(model: Any) -> list[Any]:
    flatten = getattr(model, "_flatten_layers", None)
    return [] if flatten is None else list(flatten(include_self=False))


def _directions(model: Any) -> Mapping[str, Direction | None] | None:
    """The keys that the logs will have; None where only the training can tell."""
    # The model itself may be watched through its attributes; its class tells what the user wrote.
    for name in _OWN_LOGS:
        method = getattr(type(model), name, None)
        if method is not None and not method.__module__.startswith("keras."):
            return None
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is not None and not compiled.built:
        return _directions_to_be(model)
    try:
        keys = list(model.get_metrics_result())
    except Exception:  # noqa: BLE001 - somebody's metric may fail on no data; then nobody knows
        return None
    found = {metric.name: _direction(metric) for metric in getattr(compiled, "metrics", ())}
    return {**{key: found.get(key) for key in keys}, "loss": "down"}


def _directions_to_be(model: Any) -> Mapping[str, Direction | None] | None:
    """The same before Keras has built the metrics of a model with one output."""
    outputs = getattr(model, "outputs", None)
    if outputs is None or len(outputs) != 1:
        return None
    config = getattr(getattr(model, "_compile_config", None), "config", {})
    metrics: list[Any] = []
    for name in ("metrics", "weighted_metrics"):
        listed = config.get(name) or []
        if not isinstance(listed, list | tuple) or any(
            isinstance(metric, list | tuple | dict) for metric in listed
        ):
            return None
        metrics += listed
    named = {_metric_name(metric): metric for metric in metrics}
    if None in named or getattr(model, "_metrics", None):
        return None
    return {
        **{str(name): _direction_to_be(metric) for name, metric in named.items()},
        "loss": "down",
    }


def _metric_name(metric: Any) -> str | None:
    if isinstance(metric, str):
        return metric
    return getattr(metric, "name", None) or getattr(metric, "__name__", None)


def _direction_to_be(metric: Any) -> Direction | None:
    known = metric
    if isinstance(metric, str):
        if metric.lower() in ("accuracy", "acc"):
            return "up"
        try:
            known = import_keras().metrics.get(metric)
        except ValueError:
            return None
    module = getattr(known, "__module__", None) or ""
    # Keras wraps functions into metrics, and takes its own losses for something to minimise.
    return "down" if module.startswith("keras.src.losses") else _direction(known)


def _direction(metric: Any) -> Direction | None:
    direction: Any = getattr(metric, "_direction", None)
    return "up" if direction == "up" else None if direction is None else "down"
