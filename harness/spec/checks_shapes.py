"""Widths and labels: whether the outputs of the model fit what they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from harness.spec.data import (
    AnyData,
    BlobsSpec,
    DiabetesSpec,
    DigitsSpec,
    ImportedDataSpec,
    LinearRegressionSpec,
    LogisticRegressionSpec,
    PredictionsSpec,
    SequencesSpec,
    TokensSpec,
)
from harness.spec.findings import Finding, finding
from harness.spec.layers import GroupNormalizationSpec, ShapedNoiseSpec, SpatialDropoutSpec
from harness.spec.metrics import ImportedMetricSpec
from harness.spec.model import (
    AnyModel,
    AttentionSpec,
    ConvolutionSpec,
    EmbeddingSpec,
    ImportedModelSpec,
    LSTMSpec,
    MLPSpec,
    MultiOutputSpec,
    VariablesSpec,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["SHAPE_CHECKS", "Targets", "targets_of"]

_INTEGER_LABELS = ("sparse_",)
_ONE_HOT_LABELS = ("categorical_", "focal_loss", "top_k_categorical_")
_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What the data ask the model to predict.

    Attributes:
        width: Numbers per example.
        classes: Number of classes; None where the targets are not classes.
        labels: ``integer``, ``one_hot``, ``binary`` (0.0 and 1.0) or ``real``.
    """

    width: int
    classes: int | None
    labels: str


def targets_of(data: AnyData) -> Targets | None:
    """The targets of built-in data; None for the user's own and for drawn predictions."""
    match data:
        case LinearRegressionSpec():
            return Targets(width=data.targets, classes=None, labels="real")
        case SequencesSpec() | DiabetesSpec():
            return Targets(width=1, classes=None, labels="real")
        case LogisticRegressionSpec() | TokensSpec():
            return Targets(width=1, classes=2, labels="binary")
        case BlobsSpec():
            return _classes(data.classes, one_hot=data.one_hot)
        case DigitsSpec():
            return _classes(_DIGITS, one_hot=data.one_hot)
        case ImportedDataSpec() | PredictionsSpec():
            return None
        case _:
            assert_never(data)


def _classes(classes: int, *, one_hot: bool) -> Targets:
    if one_hot:
        return Targets(width=classes, classes=classes, labels="one_hot")
    return Targets(width=1, classes=classes, labels="integer")


def _outputs(model: AnyModel) -> tuple[tuple[str, int], ...]:
    """Key and width of each output; none where they are not known or there is no output."""
    match model:
        case MLPSpec():
            return ((f"model.units.{len(model.units) - 1}", model.units[-1]),)
        case LSTMSpec() | ConvolutionSpec() | AttentionSpec() | EmbeddingSpec():
            return (("model.outputs", model.outputs),)
        case MultiOutputSpec():
            heads = enumerate(model.heads)
            return tuple((f"model.heads.{index}.units", head.units) for index, head in heads)
        case ImportedModelSpec() | VariablesSpec():
            return ()
        case _:
            assert_never(model)


def outputs_fit_targets(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Too wide or too narrow an output fails, or worse, is broadcast without a word."""
    targets = targets_of(pipeline.data)
    loss = pipeline.loss.kind
    if targets is None or loss == "import":
        return
    scores = loss.startswith(_INTEGER_LABELS)
    for key, width in _outputs(pipeline.model):
        if scores and targets.classes is not None and width < targets.classes:
            rule = f"be at least the number of classes, which is {targets.classes}"
            yield finding(key, rule, width)
        elif not scores and width != targets.width:
            yield finding(
                key, f"be {targets.width}, the width of the targets of {pipeline.data.kind}", width
            )


def loss_fits_labels(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Class losses need labels in the form they read."""
    targets = targets_of(pipeline.data)
    if targets is not None and not isinstance(pipeline.model, VariablesSpec):
        yield from _labels("loss.kind", pipeline.loss.kind, targets)


def metrics_fit_labels(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Class metrics need labels in the form they read."""
    targets = targets_of(pipeline.data)
    if targets is None or isinstance(pipeline.model, VariablesSpec):
        return
    for index, metric in enumerate(pipeline.metrics):
        if not isinstance(metric, ImportedMetricSpec):
            yield from _labels(f"metrics.{index}.kind", metric.kind, targets)


def _labels(key: str, kind: str, targets: Targets) -> Iterator[Finding]:
    if kind.startswith(_INTEGER_LABELS) and targets.labels != "integer":
        remedy = "Use blobs or digits with one_hot = false."
        yield finding(key, f"fit {targets.labels} targets", kind, remedy)
    elif kind.startswith(_ONE_HOT_LABELS) and targets.labels != "one_hot":
        remedy = "Use blobs or digits with one_hot = true."
        yield finding(key, f"fit {targets.labels} targets", kind, remedy)
    elif kind == "binary_crossentropy" and targets.labels == "integer" and targets.classes != 2:  # noqa: PLR2004 - binary
        yield finding(key, f"fit {targets.classes} classes", kind, "Use a sparse categorical one.")


def frozen_layers_exist(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A layer that is frozen must be there."""
    model = pipeline.model
    if not isinstance(model, MLPSpec):
        return
    for key in ("frozen", "frozen_after_compile"):
        for position, layer in enumerate(getattr(model, key)):
            if layer >= len(model.units):
                rule = f"be the index of a layer, less than {len(model.units)}"
                yield finding(f"model.{key}.{position}", rule, layer)


def synchronized_what_normalises(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Without batch normalisation there is nothing that replicas could do together."""
    model = pipeline.model
    if isinstance(model, MLPSpec) and model.synchronized and not model.batch_norm:
        yield finding("model.synchronized", "be false without batch_norm", model.synchronized)


def one_weight_per_output(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Each output has one loss weight."""
    weights, outputs = pipeline.compile.loss_weights, _outputs(pipeline.model)
    if weights is not None and outputs and len(weights) != len(outputs):
        rule = f"hold one item per output, which is {len(outputs)}"
        yield finding("compile.loss_weights", rule, list(weights))


def one_weight_per_class(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Class weights need classes, one each, and a single output."""
    weights = getattr(pipeline.training, "class_weight", None)
    targets = targets_of(pipeline.data)
    if weights is None:
        return
    if isinstance(pipeline.model, MultiOutputSpec):
        remedy = "Keras takes class weights for one output only."
        yield finding("training.class_weight", "be left out", list(weights), remedy)
    elif targets is not None and len(weights) != (targets.classes or 0):
        rule = "be left out where targets are no classes"
        if targets.classes is not None:
            rule = f"hold one item per class, which is {targets.classes}"
        yield finding("training.class_weight", rule, list(weights))


def omitted_classes_have_a_weight(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Only a class weight that stands there can be kept from Keras, and not every one."""
    omitted = getattr(pipeline.training, "class_weight_omits", ())
    weights = getattr(pipeline.training, "class_weight", None) or ()
    if not omitted:
        return
    if not set(omitted) < set(range(len(weights))):
        rule = f"leave out some of the {len(weights)} class weights, not all"
        yield finding("training.class_weight_omits", rule, list(omitted))


def head_names_differ(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Outputs are told apart by their names."""
    if not isinstance(pipeline.model, MultiOutputSpec):
        return
    names = [head.name for head in pipeline.model.heads]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield finding(f"model.heads.{index}.name", "be unique", name)


def layers_between_fit(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Groups share a width out evenly, and noise has the axes of its input: texts have steps."""
    model = pipeline.model
    if isinstance(model, MLPSpec):
        widths: tuple[int, ...] = model.units[:-1]
    elif isinstance(model, EmbeddingSpec):
        widths = (model.dimension,)
    else:
        return
    for position, layer in enumerate(model.between):
        key = f"model.between.{position}"
        if isinstance(layer, GroupNormalizationSpec):
            for width in widths:
                if width % layer.groups:
                    yield finding(f"{key}.groups", f"divide the width {width}", layer.groups)
        elif isinstance(layer, SpatialDropoutSpec) and isinstance(model, MLPSpec):
            rule = "be another layer for the model mlp, which reads no sequences"
            yield finding(f"{key}.kind", rule, layer.kind)
        elif isinstance(layer, ShapedNoiseSpec) and layer.noise_shape is not None:
            axes = 2 if isinstance(model, MLPSpec) else 3
            if len(layer.noise_shape) != axes:
                rule = f"hold one extent per axis, which are {axes}"
                yield finding(f"{key}.noise_shape", rule, list(layer.noise_shape))


def one_head_is_trained(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Without any loss there is nothing to train on."""
    model = pipeline.model
    if isinstance(model, MultiOutputSpec) and not any(head.trained for head in model.heads):
        yield finding("model.heads.0.trained", "be true for one head at least", False)  # noqa: FBT003


def weights_for_outputs(pipeline: PipelineSpec) -> Iterator[Finding]:
    """An output can only do without weights where the examples have some."""
    if not isinstance(pipeline.model, MultiOutputSpec) or pipeline.data.weighted:
        return
    for index, head in enumerate(pipeline.model.heads):
        if not head.weighted:
            rule = "be true where data.weighted gives the examples no weights"
            yield finding(f"model.heads.{index}.weighted", rule, head.weighted)


def names_need_outputs(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Only losses of several outputs are handed over by names: elsewhere it would do nothing."""
    if pipeline.compile.by_name and not isinstance(pipeline.model, MultiOutputSpec):
        rule = f"be false for the model {pipeline.model.kind}"
        remedy = "Only multi_output has outputs with names."
        yield finding("compile.by_name", rule, pipeline.compile.by_name, remedy)


SHAPE_CHECKS = (
    outputs_fit_targets,
    loss_fits_labels,
    metrics_fit_labels,
    frozen_layers_exist,
    synchronized_what_normalises,
    one_weight_per_output,
    one_weight_per_class,
    omitted_classes_have_a_weight,
    head_names_differ,
    layers_between_fit,
    one_head_is_trained,
    weights_for_outputs,
    names_need_outputs,
)
