"""Drives the real optimizer with given gradients: no model, no data, a few milliseconds a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras, import_tensorflow

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.pipeline.observer import Step
    from harness.spec.training import PrecisionSpec

__all__ = ["gradient_step", "hand_over", "successor_of"]


def gradient_step(
    variables: list[Any],
    optimizer: Any,
    precision: PrecisionSpec,
    *,
    sparse: Collection[int] = (),
    repeated_ids: bool = True,
    overwritten: Collection[int] = (),
) -> Step:
    """A step that takes ``{"row": ..., "missing": ...}`` instead of a batch.

    The row is flat; of the variables whose index is in ``missing``, plain Python numbers, the
    optimizer gets None. A loss scale multiplies the row first, in the precision that a backward
    pass would compute in: under mixed_float16 what does not fit into float16 becomes infinite or
    zero, as in training.

    Args:
        variables: What is updated; the row holds their elements one after the other.
        optimizer: Built for these variables.
        precision: Says in which dtype gradients are computed.
        sparse: Indices of the variables whose gradient is handed over as slices.
        repeated_ids: The slices hold each row in two parts.
        overwritten: Indices of the variables whose part of the row is their next value: no
            gradient of the loss, and so never scaled.
    """
    keras = import_keras()
    ops = keras.ops
    dtype = variables[0].dtype
    compute = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}.get(
        precision.policy, dtype
    )

    def step(given: Any) -> dict[str, Any]:
        scaled = given["row"] * ops.cast(
            optimizer.scale_loss(ops.ones((), "float32")), given["row"].dtype
        )
        scaled = ops.cast(ops.cast(scaled, compute), dtype)
        gradients, start = [], 0
        for index, variable in enumerate(variables):
            size = 1
            for extent in variable.shape:
                size *= extent
            row = given["row"] if index in overwritten else scaled
            dense = ops.reshape(row[start : start + size], variable.shape)
            gradient = _slices(dense, repeated_ids) if index in sparse else dense
            gradients.append(None if index in given["missing"] else gradient)
            start += size
        optimizer.apply(gradients, variables)
        return {}

    return step


def _slices(dense: Any, repeated: bool) -> Any:  # noqa: FBT001 - of one caller
    """The gradient as slices, without its rows of zeros.

    The two parts of a row are twice the row and minus the row. Both are exact and neither is the
    gradient: whoever takes the last, or squares, clips or measures before adding up, gets
    something else.
    """
    tf = import_tensorflow()
    inner = list(range(1, dense.shape.rank))
    held = tf.where(tf.reduce_any(tf.not_equal(dense, tf.zeros_like(dense)), axis=inner))[:, 0]
    rows = tf.gather(dense, held)
    return tf.IndexedSlices(
        values=tf.concat([2 * rows, -rows], axis=0) if repeated else rows,
        indices=tf.concat([held, held], axis=0) if repeated else held,
        dense_shape=tf.constant(dense.shape.as_list(), "int64"),
    )


def successor_of(optimizer: Any) -> Any:
    """An unbuilt optimizer of the same configuration, made as loading a saved model makes it."""
    optimizers = import_keras().optimizers
    return optimizers.deserialize(optimizers.serialize(optimizer))


def hand_over(saved: Any, fresh: Any) -> None:
    """Give a fresh optimizer what another one saves of itself.

    Raises:
        ValueError: The two do not have the same variables, so that nothing could be loaded.
    """
    store: dict[str, Any] = {}
    saved.save_own_variables(store)
    layouts = [[_layout(variable) for variable in each.variables] for each in (saved, fresh)]
    if layouts[0] != layouts[1]:
        message = (
            f"an optimizer of the same configuration must have the variables {layouts[0]}, "
            f"got {layouts[1]}."
        )
        raise ValueError(message)
    fresh.load_own_variables(store)


def _layout(variable: Any) -> tuple[str, tuple[int, ...], str]:
    return str(variable.name), tuple(variable.shape), str(variable.dtype)
