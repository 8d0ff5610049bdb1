"""A train step written by hand around ``tf.GradientTape``, as the texts write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.backend import import_keras, import_tensorflow

if TYPE_CHECKING:
    from harness.pipeline.observer import Step

__all__ = ["tape_step"]


def tape_step(model: Any, optimizer: Any) -> Step:
    """Forward pass, loss of the compiled model, gradients, update; returns the loss.

    Args:
        model: A compiled model; its loss, penalties included, is what is minimised.
        optimizer: Anything with `scale_loss` and `apply(gradients, variables)`.
    """
    tf = import_tensorflow()
    unpack = import_keras().utils.unpack_x_y_sample_weight

    def step(batch: Any) -> dict[str, Any]:
        inputs, targets, sample_weight = unpack(batch)
        with tf.GradientTape() as tape:
            predictions = model(inputs, training=True)
            loss = model.compute_loss(
                x=inputs, y=targets, y_pred=predictions, sample_weight=sample_weight
            )
            scaled = optimizer.scale_loss(loss)
        weights = model.trainable_variables
        optimizer.apply(tape.gradient(scaled, weights), weights)
        return {"loss": loss}

    return step
