"""Sources that can't do what is asked of them, and data that don't suit the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.spec.data import DataSpec, ImportedDataSpec, TokensSpec, held_out_of, width_of
from harness.spec.findings import Finding, finding
from harness.spec.model import (
    ConvolutionSpec,
    EmbeddingSpec,
    ImportedModelSpec,
    VariablesSpec,
)
from harness.spec.training import FitSpec, LoopSpec, WhileLoopSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["DATA_CHECKS", "examples_of"]

_BUNDLED = {"digits": 1797, "diabetes": 442}
_READ_BY = {"lstm": "sequences", "attention": "sequences", "embedding": "tokens"}


def source_can_repeat(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Keras reads arrays and PyDatasets once per epoch; only a PyDataset can be endless."""
    data = pipeline.data
    if data.source == "py_dataset" and data.repeat == 0:
        return
    if data.source in ("array", "tensor", "py_dataset") and data.repeat != 1:
        yield finding(
            "data.repeat",
            f"be 1 for the source {data.source}",
            data.repeat,
            "Use a dataset or a generator.",
        )


def source_can_drop(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Keras trains on the last batch of an array even if it is not full."""
    data = pipeline.data
    if data.source in ("array", "tensor") and data.drop_remainder:
        rule, remedy = f"be false for the source {data.source}", "Keras keeps their last batch."
        yield finding("data.drop_remainder", rule, data.drop_remainder, remedy)


def source_can_shuffle(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Generators and PyDatasets decide their own order."""
    shuffled = pipeline.data.shuffle
    if pipeline.data.source in ("generator", "from_generator", "py_dataset") and shuffled:
        rule = f"be false for the source {pipeline.data.source}"
        yield finding("data.shuffle", rule, shuffled, "Use an array or a dataset.")


def passes_have_lengths(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Only a function that starts anew knows which pass it is in, and an epoch is a pass there."""
    data, training = pipeline.data, pipeline.training
    if data.pass_lengths is None:
        return
    lengths = list(data.pass_lengths)
    if data.source != "from_generator" or data.repeat != 1 or data.drop_remainder:
        rule = "be left out but for one pass of the source from_generator"
        yield finding("data.pass_lengths", rule, lengths)
    if not isinstance(training, FitSpec) or training.steps_per_epoch is not None:
        rule = "be left out but for fit without steps_per_epoch"
        yield finding("data.pass_lengths", rule, lengths)
    examples = examples_of(data)
    if examples is not None and max(lengths) * data.batch_size > examples:
        rule = f"hold at most {examples // data.batch_size} full batches of the examples"
        yield finding("data.pass_lengths", rule, lengths)


def only_python_fails(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Arrays cannot raise, and a graph cannot run Python."""
    data = pipeline.data
    if data.fails_at is not None and data.source not in (
        "generator",
        "from_generator",
        "py_dataset",
    ):
        rule = f"be left out for the source {data.source}"
        yield finding("data.fails_at", rule, data.fails_at, "Use a generator or a PyDataset.")


def keras_splits_arrays(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Keras can only cut what it can index, and hands both parts over alike."""
    validation = pipeline.validation
    if validation is None or not validation.by_keras:
        return
    source = pipeline.data.source
    if source not in ("array", "tensor") or validation.source != "array":
        rule = "be false unless data.source is 'array' or 'tensor' and validation.source 'array'"
        yield finding("validation.by_keras", rule, validation.by_keras)
    elif not isinstance(pipeline.training, FitSpec):
        rule = f"be false for the training {pipeline.training.kind}"
        yield finding("validation.by_keras", rule, validation.by_keras)


def training_ends(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Data that never end need a budget of steps."""
    training = pipeline.training
    if pipeline.data.repeat or not isinstance(training, FitSpec | LoopSpec):
        return
    if training.steps_per_epoch is None and getattr(training, "max_steps", None) is None:
        rule = "not be 0 without training.steps_per_epoch"
        yield finding("data.repeat", rule, 0, "The first epoch would never end.")


def while_loop_reads_datasets(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A loop inside a graph can only draw from tf.data."""
    source = pipeline.data.source
    if isinstance(pipeline.training, WhileLoopSpec) and not source.startswith("dataset"):
        yield finding("data.source", "be 'dataset' or 'dataset_unknown' for while_loop", source)


def split_leaves_examples(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Both sides of a split need an example; how many there are is known unless imported."""
    examples = examples_of(pipeline.data)
    if pipeline.validation is None or examples is None:
        return
    held_out = held_out_of(examples, pipeline.validation)
    if held_out in (0, examples):
        rule = f"leave examples on both sides of {examples}"
        yield finding("validation.split", rule, pipeline.validation.split)


def model_reads_data(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Recurrence and attention read sequences, embeddings tokens, the others read vectors."""
    data, model = pipeline.data, pipeline.model
    if isinstance(data, ImportedDataSpec) or isinstance(model, ImportedModelSpec | VariablesSpec):
        return
    wanted = _READ_BY.get(model.kind)
    readers = [kind for kind, read in _READ_BY.items() if read == data.kind]
    if wanted is not None and data.kind != wanted:
        yield finding("data.kind", f"be {wanted!r} for the model {model.kind}", data.kind)
    elif readers and model.kind not in readers:
        names = " or ".join(repr(kind) for kind in readers)
        yield finding("model.kind", f"be {names} for the data {data.kind}", model.kind)


def images_are_vectors(pipeline: PipelineSpec) -> Iterator[Finding]:
    """A vector makes an image when it has as many numbers."""
    model, width = pipeline.model, width_of(pipeline.data)
    if not isinstance(model, ConvolutionSpec) or width is None:
        return
    if math.prod(model.image) != width:
        rule = f"have a product of {width}, the length of the vectors of {pipeline.data.kind}"
        yield finding("model.image", rule, list(model.image))


def vocabulary_covers_tokens(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Every token needs a row of the table."""
    data, model = pipeline.data, pipeline.model
    if not isinstance(data, TokensSpec) or not isinstance(model, EmbeddingSpec):
        return
    if model.vocabulary < data.vocabulary:
        rule = f"be at least data.vocabulary, which is {data.vocabulary}"
        yield finding("model.vocabulary", rule, model.vocabulary)


def padding_is_no_token(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Padding stands behind texts of different length, and each label has an output."""
    data, model = pipeline.data, pipeline.model
    if not isinstance(data, TokensSpec):
        return
    if data.padding and data.shortest is None:
        rule = "be 0 unless data.shortest is given, or 0 were a token"
        yield finding("data.padding", rule, data.padding)
    if data.shortest is not None and data.shortest > data.length:
        rule = f"be at most data.length, which is {data.length}"
        yield finding("data.shortest", rule, data.shortest)
    if isinstance(model, EmbeddingSpec) and model.per_token != data.per_token:
        rule = f"be like data.per_token, which is {str(data.per_token).lower()}"
        yield finding("model.per_token", rule, model.per_token)


def examples_of(data: DataSpec) -> int | None:
    """How many examples there are, or None where only running the user's function can tell."""
    examples: int | None = getattr(data, "examples", None)
    bundled = _BUNDLED.get(getattr(data, "kind", ""))
    if bundled is None:
        return examples
    return bundled if examples is None else min(examples, bundled)


DATA_CHECKS = (
    source_can_repeat,
    source_can_drop,
    source_can_shuffle,
    passes_have_lengths,
    only_python_fails,
    keras_splits_arrays,
    training_ends,
    while_loop_reads_datasets,
    split_leaves_examples,
    model_reads_data,
    images_are_vectors,
    vocabulary_covers_tokens,
    padding_is_no_token,
)
