"""Sources that can't do what is asked of them, and data that don't suit the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.spec.data import DataSpec, ImportedDataSpec, TokensSpec
from harness.spec.findings import Finding, finding
from harness.spec.model import EmbeddingSpec, ImportedModelSpec, VariablesSpec
from harness.spec.training import FitSpec, LoopSpec, WhileLoopSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.spec.pipeline import PipelineSpec

__all__ = ["DATA_CHECKS", "examples_of"]

_BUNDLED = {"digits": 1797, "diabetes": 442}


def source_can_repeat(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Keras reads arrays and PyDatasets once per epoch."""
    data = pipeline.data
    if data.source in ("array", "py_dataset") and data.repeat != 1:
        yield finding(
            "data.repeat",
            f"be 1 for the source {data.source}",
            data.repeat,
            "Use a dataset or a generator.",
        )


def source_can_drop(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Keras trains on the last batch of an array even if it is not full."""
    dropped = pipeline.data.drop_remainder
    if pipeline.data.source == "array" and dropped:
        rule = "be false for the source array"
        yield finding("data.drop_remainder", rule, dropped, "Keras keeps the last batch of arrays.")


def source_can_shuffle(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Generators and PyDatasets decide their own order."""
    shuffled = pipeline.data.shuffle
    if pipeline.data.source in ("generator", "py_dataset") and shuffled:
        rule = f"be false for the source {pipeline.data.source}"
        yield finding("data.shuffle", rule, shuffled, "Use an array or a dataset.")


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
    held_out = int(examples * pipeline.validation.split)
    if held_out in (0, examples):
        rule = f"leave examples on both sides of {examples}"
        yield finding("validation.split", rule, pipeline.validation.split)


def model_reads_data(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Recurrent models read sequences, embeddings read tokens, the others read vectors."""
    data, model = pipeline.data, pipeline.model
    if isinstance(data, ImportedDataSpec) or isinstance(model, ImportedModelSpec | VariablesSpec):
        return
    wanted = {"lstm": "sequences", "embedding": "tokens"}.get(model.kind)
    special = {"sequences": "lstm", "tokens": "embedding"}.get(data.kind)
    if wanted is not None and data.kind != wanted:
        yield finding("data.kind", f"be {wanted!r} for the model {model.kind}", data.kind)
    elif special is not None and model.kind != special:
        yield finding("model.kind", f"be {special!r} for the data {data.kind}", model.kind)


def vocabulary_covers_tokens(pipeline: PipelineSpec) -> Iterator[Finding]:
    """Every token needs a row of the table."""
    data, model = pipeline.data, pipeline.model
    if not isinstance(data, TokensSpec) or not isinstance(model, EmbeddingSpec):
        return
    if model.vocabulary < data.vocabulary:
        rule = f"be at least data.vocabulary, which is {data.vocabulary}"
        yield finding("model.vocabulary", rule, model.vocabulary)


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
    training_ends,
    while_loop_reads_datasets,
    split_leaves_examples,
    model_reads_data,
    vocabulary_covers_tokens,
)
