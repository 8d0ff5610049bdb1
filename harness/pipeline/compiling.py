"""Losses, their weights and metrics in the form in which `model.compile` is to get them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.pipeline.losses import build_loss
from harness.pipeline.metrics import build_metric
from harness.spec.model import MultiOutputSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.spec.model import HeadSpec
    from harness.spec.pipeline import PipelineSpec

__all__ = ["compile_arguments", "other_arguments"]


def compile_arguments(spec: PipelineSpec) -> dict[str, Any]:
    """Loss, loss_weights, metrics and weighted_metrics.

    Alone for a single output; for several a list in their order, or a dictionary by their names.
    """
    weights = spec.compile.loss_weights
    heads = _heads(spec)
    if len(heads) < 2:  # noqa: PLR2004 - several
        return {
            "loss": build_loss(spec.loss),
            "loss_weights": None if weights is None else list(weights),
            "metrics": _metrics(spec, weighted=False) or None,
            "weighted_metrics": _metrics(spec, weighted=True) or None,
        }
    given = {
        "loss": [build_loss(head.loss or spec.loss) if head.trained else None for head in heads],
        "loss_weights": None if weights is None else list(weights),
        "metrics": _metrics_of_each(spec, heads, weighted=False),
        "weighted_metrics": _metrics_of_each(spec, heads, weighted=True),
    }
    if not spec.compile.by_name:
        return given
    names = [head.name for head in heads]
    tables = {
        name: None if values is None else dict(zip(names, values, strict=True))
        for name, values in given.items()
    }
    for name in ("metrics", "weighted_metrics"):
        # What is None in a list is left out of a dictionary.
        named = tables[name] or {}
        tables[name] = {head: own for head, own in named.items() if own is not None} or None
    # In an order of their own, which is neither that of the outputs nor that of the losses.
    turned = tables["loss_weights"]
    if turned is not None:
        tables["loss_weights"] = dict(reversed(turned.items()))
    return tables


def other_arguments(spec: PipelineSpec) -> dict[str, Any]:
    """Those of a model for which nothing of `spec` holds but the number of its outputs."""
    count = len(_heads(spec)) or 1
    losses, metrics = ["mean_absolute_percentage_error"] * count, [["cosine_similarity"]] * count
    return {
        "optimizer": "adadelta",
        "loss": losses if count > 1 else losses[0],
        "metrics": metrics if count > 1 else metrics[0],
    }


def _heads(spec: PipelineSpec) -> tuple[HeadSpec, ...]:
    return spec.model.heads if isinstance(spec.model, MultiOutputSpec) else ()


def _metrics_of_each(
    spec: PipelineSpec, heads: Sequence[HeadSpec], *, weighted: bool
) -> list[Any] | None:
    """None where there are none: before 3.9 an empty list lacks an entry for each output."""
    lists = [_metrics(spec, weighted=weighted) if head.measured else None for head in heads]
    return lists if any(lists) else None


def _metrics(spec: PipelineSpec, *, weighted: bool) -> list[Any]:
    return [build_metric(metric) for metric in spec.metrics if metric.weighted is weighted]
