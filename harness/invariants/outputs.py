"""Losses of several outputs, and the one number that is made of them."""

from collections.abc import Iterator, Mapping

from harness.invariants.base import NothingToJudge, Reason, View, Violation, invariant
from harness.spec.model import MultiOutputSpec


@invariant(
    "total_is_sum_of_outputs",
    source="keras.Model.compile documentation, argument loss_weights",
)
def total_is_sum_of_outputs(view: View, reason: Reason) -> tuple[Violation, ...]:
    """The reported loss is the sum of the outputs' reported losses, each times its weight.

    Raises:
        NothingToJudge: There is one output, or no log names the losses of several.
    """
    model = view.pipeline.model
    if not isinstance(model, MultiOutputSpec):
        message = f"model must have several outputs for losses to be summed up, got {model.kind}."
        raise NothingToJudge(message)
    weights = view.pipeline.compile.loss_weights or (1.0,) * len(model.heads)
    judged = False
    for prefix, epoch, logs in _logs(view):
        keys = [f"{prefix}{head.name}_loss" for head in model.heads]
        if any(key not in logs for key in keys):
            continue
        judged = True
        expected = sum(weight * logs[key] for weight, key in zip(weights, keys, strict=True))
        mismatch = view.differs(
            logs[f"{prefix}loss"], expected, quantity="logs", where=f"{prefix}loss", epoch=epoch
        )
        if mismatch is not None:
            return (view.numeric(reason, mismatch),)
    if not judged:
        message = "logs must hold the loss of every output to be judged, got none that does."
        raise NothingToJudge(message)
    return ()


def _logs(view: View) -> Iterator[tuple[str, int | None, Mapping[str, float]]]:
    """Yield every report that has a total: of training, of validation, of an evaluation."""
    for record in view.trace.epochs:
        for prefix in ("", "val_"):
            if f"{prefix}loss" in record.logs:
                yield prefix, record.epoch, record.logs
    if view.trace.evaluation is not None:
        yield "", None, view.trace.evaluation
