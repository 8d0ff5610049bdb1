"""What is trained on, and how the batches reach Keras."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, Strict

from harness.spec.base import (
    AtLeastTwo,
    Count,
    Flag,
    ImportSpec,
    Integer,
    NonNegative,
    Positive,
    PositiveCount,
    Spec,
    UnitInterval,
)

SourceKind = Literal[
    "array",
    "tensor",
    "dataset",
    "dataset_unknown",
    "from_generator",
    "generator",
    "py_dataset",
]


class DataSpec(Spec):
    """What every kind of data has in common: how it is cut into batches and handed over.

    Attributes:
        batch_size: Examples per batch.
        source: ``array`` hands NumPy arrays to Keras, ``tensor`` TensorFlow's, ``dataset`` a
            ``tf.data.Dataset`` of known cardinality, ``dataset_unknown`` the same batches with
            unknown cardinality, ``from_generator`` a dataset around a Python function that starts
            anew with every pass, ``generator`` a Python generator, ``py_dataset`` a
            ``keras.utils.PyDataset``. Dropping the remainder makes the batch size of datasets
            static.
        shuffle: None is Keras' own default for the source: the examples of arrays and the batches
            of a PyDataset are shuffled, others not.
        repeat: 1 is one pass, n is n passes, 0 never ends. Arrays and tensors take 1, a PyDataset
            1 or 0.
        drop_remainder: Leave out a last batch that is not full. Not for arrays and tensors.
        workers: Threads that build batches of a PyDataset; Keras starts them from 2 on.
        max_queue_size: Batches of a PyDataset that its workers may be ahead.
        begin_seconds: How long ``on_epoch_begin`` of a PyDataset takes; it is over at once when a
            batch is built in the meantime, which none should be.
        pass_lengths: Batches of each pass of ``from_generator``, the last number for all later
            ones: a source that yields more, or fewer, from epoch to epoch.
        weighted: Every example has a weight from 0 to 2, in quarters.
        fails_at: The source raises a ValueError when this batch is asked for, counted from 1.
        seed: Seed of the generated examples, apart from the pipeline's own.
    """

    batch_size: PositiveCount = 32
    source: SourceKind = "array"
    shuffle: Flag | None = None
    repeat: Count = 1
    drop_remainder: Flag = False
    workers: Count = 1
    max_queue_size: PositiveCount = 10
    begin_seconds: NonNegative = 0.0
    pass_lengths: Annotated[tuple[PositiveCount, ...], Field(min_length=1)] | None = None
    weighted: Flag = False
    fails_at: PositiveCount | None = None
    seed: Count = 0


class LinearRegressionSpec(DataSpec):
    """Standard normal inputs, targets linear in them plus noise.

    Attributes:
        examples: Number of examples.
        features: Inputs per example.
        targets: Outputs per example.
        noise_std: Standard deviation of the noise, in target units.
        outlier: Added to the target of the very last example, in target units.
    """

    kind: Literal["linear_regression"] = "linear_regression"
    examples: PositiveCount = 64
    features: PositiveCount = 4
    targets: PositiveCount = 1
    noise_std: NonNegative = 0.0
    outlier: NonNegative = 0.0


class LogisticRegressionSpec(DataSpec):
    """Standard normal inputs, labels 0.0 or 1.0 by a linear rule.

    Attributes:
        examples: Number of examples.
        features: Inputs per example.
        noise_std: Noise on the rule's score before the sign is taken.
    """

    kind: Literal["logistic_regression"] = "logistic_regression"
    examples: PositiveCount = 64
    features: PositiveCount = 4
    noise_std: NonNegative = 0.0


class BlobsSpec(DataSpec):
    """Gaussian clusters, one per class; integer labels of shape (examples,).

    Attributes:
        examples: Number of examples.
        features: Inputs per example.
        classes: Number of clusters.
        spread: Standard deviation within a cluster; the centres are standard normal.
        one_hot: Labels of shape (examples, classes) instead.
    """

    kind: Literal["blobs"] = "blobs"
    examples: PositiveCount = 64
    features: PositiveCount = 4
    classes: AtLeastTwo = 3
    spread: NonNegative = 0.5
    one_hot: Flag = False


class SequencesSpec(DataSpec):
    """Standard normal sequences of shape (examples, timesteps, features); target: the mean.

    Attributes:
        examples: Number of sequences.
        timesteps: Length of a sequence.
        features: Inputs per time step.
        scale: Factor on the inputs; large ones make recurrent gradients explode.
    """

    kind: Literal["sequences"] = "sequences"
    examples: PositiveCount = 64
    timesteps: PositiveCount = 8
    features: PositiveCount = 3
    scale: NonNegative = 1.0


class TokensSpec(DataSpec):
    """Integer token ids of shape (examples, length); label 1.0 when token 0 occurs in them.

    Where texts are of different length, 0 is no token: it fills them up, and 1 is looked for.

    Attributes:
        examples: Number of texts.
        length: Tokens of the longest text.
        shortest: Tokens of the shortest text; None makes all as long as the longest.
        padding: Columns of 0 behind the longest text.
        per_token: A label for each token, 1.0 where its id is odd, instead of one for each text;
            weights of samples are then weights of tokens.
        vocabulary: Number of different ids, that of the padding among them.
    """

    kind: Literal["tokens"] = "tokens"
    examples: PositiveCount = 64
    length: PositiveCount = 6
    shortest: PositiveCount | None = None
    padding: Count = 0
    per_token: Flag = False
    vocabulary: AtLeastTwo = 16


class DigitsSpec(DataSpec):
    """The 1797 hand-written digits that scikit-learn ships: 64 inputs in [0, 1], ten classes.

    Attributes:
        examples: Use the first so many of a fixed permutation; None uses all.
        one_hot: Labels of shape (examples, 10) instead of integers.
    """

    kind: Literal["digits"] = "digits"
    examples: PositiveCount | None = None
    one_hot: Flag = False


class DiabetesSpec(DataSpec):
    """The diabetes study that scikit-learn ships: 442 patients, 10 inputs, standardised target.

    Attributes:
        examples: Use the first so many of a fixed permutation; None uses all.
    """

    kind: Literal["diabetes"] = "diabetes"
    examples: PositiveCount | None = None


class PredictionsSpec(DataSpec):
    """Drawn targets with drawn predictions beside them, for losses and metrics without a model.

    A model that is trained on them gets the predictions as its inputs.

    Attributes:
        examples: Number of examples.
        shape: Shape of one prediction; the last axis holds the outputs or classes.
        targets: ``real``, ``positive``, ``binary`` (0 and 1), ``signs`` (-1 and 1), ``one_hot``
            along the last axis, ``soft`` (rows that sum to 1), or class numbers without the last
            axis: ``integer``, and ``column`` with a last axis of one. ``transcript``: numbers from
            1 on, at most half as many as there are steps, filled up with zeros.
        predictions: ``real``, ``positive``, ``unit`` (in [0, 1]), ``simplex`` (rows that sum to
            1), ``logits``, ``sigmoid`` and ``softmax`` of the same logits, ``unit_rows`` (vectors
            of length one) or ``integer`` (class numbers, without the last axis).
        scale: Factor on real and positive predictions and targets.
        grid: Predictions, and real targets, are multiples of this, so that there are ties.
        edges: Some predictions are extreme: exactly 0 or 1, logits of 60, errors of exactly 0.
        weights: ``none``, one per ``sample``, one per ``element`` (all axes but the last), or one
            per ``output`` (all axes); some are 0.
        integral_weights: Weights are whole numbers.
        class_axis: Where the last axis of `shape` is moved to, in targets and predictions alike.
        dtype: Predictions come in this one, their values rounded to it, targets and weights in the
            default float, as from a model under mixed precision; None is the default float.
        agreement: Share of the places where the likeliest class is the true one; elsewhere it is
            the next class, or the first one behind the last. None leaves it to chance, which hits
            or just misses hardly one of many classes.
        void_label: About a quarter of the class numbers are this instead, which may be no class.
        nan_at_void: Predictions at that label are NaN, as where a sensor has seen nothing.
    """

    kind: Literal["predictions"] = "predictions"
    examples: PositiveCount = 20
    shape: Annotated[tuple[PositiveCount, ...], Field(min_length=1, max_length=3)] = (3,)
    targets: Literal[
        "real", "positive", "binary", "signs", "one_hot", "soft", "integer", "column", "transcript"
    ] = "real"
    predictions: Literal[
        "real",
        "positive",
        "unit",
        "simplex",
        "logits",
        "sigmoid",
        "softmax",
        "unit_rows",
        "integer",
    ] = "real"
    scale: Positive = 1.0
    grid: Positive | None = None
    edges: Flag = False
    weights: Literal["none", "sample", "element", "output"] = "none"
    integral_weights: Flag = False
    class_axis: Integer = -1
    dtype: Literal["float16", "bfloat16"] | None = None
    agreement: UnitInterval | None = None
    void_label: Integer | None = None
    nan_at_void: Flag = False


class ImportedDataSpec(DataSpec, ImportSpec):
    """The user's own data: a function that returns ``(x, y)`` or ``(x, y, sample_weight)``."""

    kind: Literal["import"] = "import"


AnyData = Annotated[
    LinearRegressionSpec
    | LogisticRegressionSpec
    | BlobsSpec
    | SequencesSpec
    | TokensSpec
    | DigitsSpec
    | DiabetesSpec
    | PredictionsSpec
    | ImportedDataSpec,
    Field(discriminator="kind"),
]


class ValidationSpec(Spec):
    """Which part of the data is held out, and how it is evaluated during training.

    Attributes:
        split: Share of the examples, taken from the end before any shuffling.
        source: How the held-out part reaches Keras.
        by_keras: Keras holds it out itself: ``validation_split`` in place of ``validation_data``.
        batch_size: None is the training batch size.
        validation_steps: Batches per evaluation; None is all.
        validation_freq: Evaluate every so many epochs.
        validation_epochs: Evaluate after the epochs of these numbers instead, counted from 1:
            what Keras takes as a list in ``validation_freq``.
        drop_remainder: Leave out a last batch that is not full, so that all have one static size.
    """

    split: Annotated[float, Strict(), Field(gt=0, lt=1, allow_inf_nan=False)] = 0.25
    source: SourceKind = "array"
    by_keras: Flag = False
    batch_size: PositiveCount | None = None
    validation_steps: PositiveCount | None = None
    validation_freq: PositiveCount = 1
    validation_epochs: Annotated[tuple[PositiveCount, ...], Field(min_length=1)] | None = None
    drop_remainder: Flag = False

    def due_after(self, epoch: int) -> bool:
        """Whether an epoch, counted from 0, is one that ends in an evaluation."""
        if self.validation_epochs is not None:
            return epoch + 1 in self.validation_epochs
        return (epoch + 1) % self.validation_freq == 0


class AfterSpec(Spec):
    """How the examples reach ``evaluate`` and ``predict`` after the loop, in their own order.

    Attributes:
        source: Which way.
        batch_size: None is the training batch size.
        steps: Batches to read; None is all.
        callbacks: They get the callbacks of the training too.
    """

    source: SourceKind = "array"
    batch_size: PositiveCount | None = None
    steps: PositiveCount | None = None
    callbacks: Flag = False


def held_out_of(examples: int, validation: ValidationSpec) -> int:
    """How many of so many examples are held out: rounded down by us, what is kept by Keras."""
    if validation.by_keras:
        return examples - math.floor(examples * (1.0 - validation.split))
    return int(examples * validation.split)


_BUNDLED_WIDTHS = {"digits": 64, "diabetes": 10}


def width_of(data: DataSpec) -> int | None:
    """Numbers in one input vector; None where inputs are no vectors, or only running tells."""
    if isinstance(data, LinearRegressionSpec | LogisticRegressionSpec | BlobsSpec):
        return data.features
    return _BUNDLED_WIDTHS.get(getattr(data, "kind", ""))
