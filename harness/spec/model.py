"""Which model is trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from harness.spec.base import (
    AtLeastTwo,
    Count,
    Finite,
    Flag,
    Fraction,
    ImportSpec,
    NonNegative,
    PositiveCount,
    Real,
    Rule,
    Spec,
    Text,
)
from harness.spec.constraints import AnyRegularizer, Constraint, L2Spec
from harness.spec.layers import AnyLayer
from harness.spec.losses import AnyLoss

Activation = Literal["linear", "relu", "tanh", "sigmoid", "softmax"]
Units = Annotated[tuple[PositiveCount, ...], Field(min_length=1)]


class ModelSpec(Spec):
    """What every built-in model has in common.

    Attributes:
        dtype: Overrides the precision policy for every layer; None follows the policy.
    """

    dtype: Literal["float64", "float32", "float16", "bfloat16"] | None = None


class MLPSpec(ModelSpec):
    """Dense layers, the last one the output.

    Attributes:
        units: Width of each layer.
        activation: Of every layer but the last.
        output_activation: Of the last layer. It computes in float32 under mixed precision.
        use_bias: Whether the layers have a bias.
        batch_norm: Batch normalisation after every hidden layer.
        synchronized: It normalises by the whole batch where replicas share one.
        dropout: Share dropped after every hidden layer.
        between: Further layers after every hidden layer, in this order.
        kernel_initializer: Name of a Keras initializer.
        kernel_l2: Factor of an L2 penalty on every kernel.
        kernel_regularizer: Another penalty on every kernel, instead of that.
        activity_l2: Factor of an L2 penalty on what every layer puts out, per sample.
        kernel_constraint: Keras constraint on every kernel.
        frozen: Indices of the dense layers that are not trained.
        frozen_after_compile: Indices of those that are frozen when the optimizer is built already.
        style: How the same layers are put together: ``sequential``, ``functional``,
            ``subclassed``, or ``copied``, which is sequential and made from its configuration.
    """

    kind: Literal["mlp"] = "mlp"
    units: Units = (8, 1)
    activation: Activation = "relu"
    output_activation: Activation = "linear"
    use_bias: Flag = True
    batch_norm: Flag = False
    synchronized: Flag = False
    dropout: Fraction = 0.0
    between: tuple[AnyLayer, ...] = ()
    kernel_initializer: Text = "glorot_uniform"
    kernel_l2: NonNegative = 0.0
    kernel_regularizer: AnyRegularizer | None = None
    activity_l2: NonNegative = 0.0
    kernel_constraint: Constraint | None = None
    frozen: tuple[Count, ...] = ()
    frozen_after_compile: tuple[Count, ...] = ()
    style: Literal["sequential", "functional", "subclassed", "copied"] = "sequential"

    @property
    def kernel_penalty(self) -> AnyRegularizer | None:
        """The penalty on every kernel, in whichever way it was given."""
        return L2Spec(l2=self.kernel_l2) if self.kernel_l2 else self.kernel_regularizer


class LSTMSpec(ModelSpec):
    """Stacked LSTM layers and a dense output.

    Attributes:
        units: Width of each LSTM layer.
        outputs: Width of the dense output.
        output_activation: Of the dense output.
        recurrent_scale: Factor on the initial recurrent kernels; above 1 gradients explode.
    """

    kind: Literal["lstm"] = "lstm"
    units: Units = (8,)
    outputs: PositiveCount = 1
    output_activation: Activation = "linear"
    recurrent_scale: NonNegative = 1.0


class ConvolutionSpec(ModelSpec):
    """Two-dimensional convolutions over vectors read as images, their mean, a dense output.

    Attributes:
        image: Height, width and channels; their product is the length of the vectors.
        filters: Channels that each convolution puts out.
        kernel_size: Height and width of every kernel.
        strides: Step of every kernel, in both directions.
        activation: Of every convolution.
        batch_norm: Batch normalisation after every convolution.
        outputs: Width of the dense output.
        output_activation: Of the dense output. It computes in float32 under mixed precision.
    """

    kind: Literal["convolution"] = "convolution"
    image: Annotated[tuple[PositiveCount, ...], Field(min_length=3, max_length=3)] = (8, 8, 1)
    filters: Units = (8,)
    kernel_size: PositiveCount = 3
    strides: PositiveCount = 1
    activation: Activation = "relu"
    batch_norm: Flag = False
    outputs: PositiveCount = 1
    output_activation: Activation = "linear"


class AttentionSpec(ModelSpec):
    """Encoder blocks of a transformer over sequences, the mean over the steps, a dense output.

    Each block is self-attention and two dense layers, each with its input added and normalised
    afterwards, as in the original: "Attention Is All You Need", section 3.1, without dropout and
    without positions.

    Attributes:
        blocks: Number of blocks.
        num_heads: Heads of the attention.
        key_dim: Width of a head; the width of the model is that times the heads.
        feed_forward: Width between the two dense layers.
        activation: Between the two dense layers.
        outputs: Width of the dense output.
        output_activation: Of the dense output. It computes in float32 under mixed precision.
    """

    kind: Literal["attention"] = "attention"
    blocks: PositiveCount = 1
    num_heads: PositiveCount = 2
    key_dim: PositiveCount = 8
    feed_forward: PositiveCount = 32
    activation: Activation = "relu"
    outputs: PositiveCount = 1
    output_activation: Activation = "linear"


class EmbeddingSpec(ModelSpec):
    """An embedding, the mean over the tokens, a dense output.

    Attributes:
        vocabulary: Number of rows of the table.
        dimension: Columns of the table.
        mask_zero: Token 0 is padding, which every layer behind the table leaves out.
        recurrent: An LSTM as wide as the table reads the tokens; its last state takes the place
            of the mean.
        per_token: An output for each token, without mean or last state.
        between: Further layers right behind the table, in this order.
        outputs: Width of the dense output.
        output_activation: Of the dense output.
    """

    kind: Literal["embedding"] = "embedding"
    vocabulary: AtLeastTwo = 16
    dimension: PositiveCount = 4
    mask_zero: Flag = False
    recurrent: Flag = False
    per_token: Flag = False
    between: tuple[AnyLayer, ...] = ()
    outputs: PositiveCount = 1
    output_activation: Activation = "sigmoid"


class HeadSpec(Spec):
    """One output of a multi-output model.

    Attributes:
        name: Name of the output, used for its loss and its weight.
        units: Width.
        activation: Activation of the head.
        loss: Its own loss; None is that of the pipeline.
        target_factor: It is trained on so many times the targets.
        trained: It has a loss; an output without one is only predicted.
        weighted: The weights of the examples count for it. Where they don't for one of several,
            Keras is given weights for each output, and for that one ones.
        measured: Metrics are computed for it.
    """

    name: Annotated[
        str,
        Strict(),
        Field(pattern=r"^[a-z][a-z0-9_]*$"),
        Rule("start with a lower-case letter and go on with those, digits and _"),
    ]
    units: PositiveCount = 1
    activation: Activation = "linear"
    loss: AnyLoss | None = None
    target_factor: Finite = 1.0
    trained: Flag = True
    weighted: Flag = True
    measured: Flag = True


class MultiOutputSpec(ModelSpec):
    """A shared dense trunk and several dense heads, trained on the same targets or multiples.

    Attributes:
        units: Widths of the trunk.
        activation: Of the trunk's layers.
        heads: The outputs, in order.
    """

    kind: Literal["multi_output"] = "multi_output"
    units: Units = (8,)
    activation: Activation = "relu"
    heads: Annotated[tuple[HeadSpec, ...], Field(min_length=2)] = (
        HeadSpec(name="first"),
        HeadSpec(name="second"),
    )


class VariablesSpec(ModelSpec):
    """No model at all: bare trainable variables, for pipelines that draw their gradients.

    Attributes:
        shapes: Shape of each variable.
        initial: Initial values of all variables, flattened one after the other; None is ones.
        constraint: Keras constraint on every variable.
        overwritten: Indices of variables whose gradient is their next value, as the scales of
            float8 layers are (``overwrite_with_gradient``).
        plain: Indices of variables that are TensorFlow's own, without a Keras variable around.
    """

    kind: Literal["variables"] = "variables"
    shapes: Annotated[tuple[tuple[PositiveCount, ...], ...], Field(min_length=1)] = ((2,), (3,))
    initial: tuple[Real, ...] | None = None
    constraint: Constraint | None = None
    overwritten: tuple[Count, ...] = ()
    plain: tuple[Count, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of elements of each variable."""
        sizes = []
        for shape in self.shapes:
            size = 1
            for extent in shape:
                size *= extent
            sizes.append(size)
        return tuple(sizes)


class ImportedModelSpec(ImportSpec):
    """The user's own model: a function that returns an uncompiled ``keras.Model``."""

    kind: Literal["import"] = "import"


AnyModel = Annotated[
    MLPSpec
    | LSTMSpec
    | ConvolutionSpec
    | AttentionSpec
    | EmbeddingSpec
    | MultiOutputSpec
    | VariablesSpec
    | ImportedModelSpec,
    Field(discriminator="kind"),
]
