"""Which variables a pipeline has, what each is to training, and how they become one flat row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.optimizer import inner_optimizer
from harness.trace import VariableInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.pipeline.pipeline import TrainingPipeline

__all__ = ["describe_state", "describe_trainable", "flatten", "state_variables", "widest"]


def state_variables(pipeline: TrainingPipeline) -> list[Any]:
    """Every variable of the training's state, once.

    A loss-scaling optimizer has a counter and a learning rate that nothing ever uses; they are
    left out, so that ``iterations`` means the ones that count.
    """
    outer = pipeline.optimizer
    unused: set[int] = set()
    if inner_optimizer(outer) is not outer:
        unused = {id(outer._iterations), id(outer._learning_rate)}  # noqa: SLF001 - no public way
    seen: set[int] = set()
    kept = []
    for variable in pipeline.variables:
        if id(variable) not in seen | unused:
            seen.add(id(variable))
            kept.append(variable)
    return kept


def describe_trainable(pipeline: TrainingPipeline) -> tuple[VariableInfo, ...]:
    """The variables that have gradients, in the optimizer's order."""
    return tuple(
        VariableInfo(path=path, shape=_shape(variable), dtype=_dtype(variable), role="trainable")
        for variable, path in zip(
            pipeline.trainable, _unique_paths(pipeline.trainable), strict=True
        )
    )


def describe_state(
    pipeline: TrainingPipeline, variables: Sequence[Any]
) -> tuple[VariableInfo, ...]:
    """What each of `variables` is to training."""
    roles = _Roles(pipeline)
    return tuple(
        roles.describe(variable, path)
        for variable, path in zip(variables, _unique_paths(variables), strict=True)
    )


def flatten(tensors: Sequence[Any]) -> Any:
    """One float64 row of all elements, one tensor after the other; float64 holds them exactly."""
    import tensorflow as tf  # noqa: PLC0415 - only the graph recorders need it

    if not tensors:
        return tf.zeros([0], "float64")
    row = tf.constant([-1])
    parts = [tf.reshape(tf.cast(tensor, "float64"), row) for tensor in tensors]
    return tf.concat(parts, axis=0)


def widest(variables: Sequence[Any]) -> str:
    """The dtype that holds all of `variables`."""
    return "float64" if "float64" in {_dtype(variable) for variable in variables} else "float32"


class _Roles:
    """Looks up roles by identity and slots by the names that optimizers give them."""

    def __init__(self, pipeline: TrainingPipeline) -> None:
        outer = pipeline.optimizer
        inner = inner_optimizer(outer)
        self._trainable = {id(variable) for variable in pipeline.trainable}
        self._by_name = {
            _path(variable).replace("/", "_"): path
            for variable, path in zip(
                pipeline.trainable, _unique_paths(pipeline.trainable), strict=True
            )
        }
        self._by_place = _slots_by_place(inner, pipeline.trainable, list(self._by_name.values()))
        self._by_attribute = {
            id(value): name.strip("_")
            for part in (inner, *getattr(inner, "optimizers", ()))
            for name, value in vars(part).items()
            if hasattr(value, "numpy")
        }
        self._optimizer = {id(variable) for variable in outer.variables}
        self._named = {
            id(getattr(inner, "_iterations", inner.iterations)): "iterations",
            id(getattr(inner, "_learning_rate", None)): "learning_rate",
            id(getattr(outer, "dynamic_scale", None)): "loss_scale",
            id(getattr(outer, "step_counter", None)): "step_counter",
        }

    def describe(self, variable: Any, path: str) -> VariableInfo:
        shape, dtype = _shape(variable), _dtype(variable)
        if id(variable) in self._trainable:
            role, slot_of, slot = "trainable", None, None
        elif id(variable) in self._named:
            role, slot_of, slot = self._named[id(variable)], None, None
        elif id(variable) in self._optimizer:
            slot_of, slot = self._slot(variable)
            role = {"average": "average", "gradient_accumulator": "accumulator"}.get(slot, "slot")
        else:
            seed = "seed_generator_state" in path
            role, slot_of, slot = "seed" if seed else "non_trainable", None, None
        return VariableInfo(
            path=path, shape=shape, dtype=dtype, role=role, slot_of=slot_of, slot=slot
        )

    def _slot(self, variable: Any) -> tuple[str | None, str]:
        """Keras names a slot ``<path of its weight>_<slot>``, slashes turned to underscores.

        Not every version and optimizer does: then the slot's place in the optimizer's list of
        such slots says whose it is, and where it bears the weight's name the list says which slot.
        """
        name = str(variable.name)
        if id(variable) in self._by_attribute:
            return None, self._by_attribute[id(variable)]
        owners = [owner for owner in self._by_name if name.startswith(f"{owner}_")]
        if not owners:
            return self._by_place.get(id(variable), (None, name))
        owner = max(owners, key=len)
        return self._by_name[owner], name.removeprefix(f"{owner}_")


def _slots_by_place(
    optimizer: Any, weights: Sequence[Any], paths: Sequence[str]
) -> dict[int, tuple[str, str]]:
    """Path of the weight, and name of the slot, for what stands in a list of one per weight.

    A slot that only bears its weight's name is called after the list.
    """
    slots: dict[int, tuple[str, str]] = {}
    for attribute, value in vars(optimizer).items():
        if isinstance(value, list) and len(value) == len(paths):
            for slot, weight, path in zip(value, weights, paths, strict=True):
                name = str(getattr(slot, "name", ""))
                own = attribute.strip("_") if name == str(weight.name) else name
                slots[id(slot)] = (path, own)
    return slots


def _path(variable: Any) -> str:
    return str(getattr(variable, "path", variable.name)).removesuffix(":0")


def _unique_paths(variables: Sequence[Any]) -> list[str]:
    counts: dict[str, int] = {}
    paths = []
    for variable in variables:
        path = _path(variable)
        counts[path] = counts.get(path, 0) + 1
        paths.append(path if counts[path] == 1 else f"{path}#{counts[path]}")
    return paths


def _shape(variable: Any) -> tuple[int, ...]:
    return tuple(int(extent) for extent in variable.shape)


def _dtype(variable: Any) -> str:
    return str(getattr(variable.dtype, "name", variable.dtype))
