from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.pipeline.data import build_examples
from harness.pipeline.sources import Source, build_source
from harness.spec.data import LinearRegressionSpec

KINDS = ("array", "dataset", "dataset_unknown", "generator", "py_dataset")


def source_of(kind: Any, **table: Any) -> Source:
    """Return a source of ten examples in batches of four."""
    spec = LinearRegressionSpec(examples=10, batch_size=4, source=kind, **table)
    return build_source(kind, build_examples(spec), spec, seed=3)


def sizes(source: Source) -> list[int]:
    """Return the batch sizes of one epoch."""
    return [len(batch[0]) for batch in source.epoch()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_hands_over_all_examples_in_order(kind: str) -> None:
    """Unshuffled, the batches put together are the examples; the last one is partial."""
    source = source_of(kind, shuffle=False)
    batches = [np.asarray(batch[0]) for batch in source.epoch()]
    assert [len(batch) for batch in batches] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate(batches), source.examples.inputs)
    assert source.batches == 3
    source.tally.settle()
    expected = (3, 10) if source.counted else (0, 0)
    assert (source.tally.batches, source.tally.samples) == expected


@pytest.mark.parametrize("kind", ["dataset", "dataset_unknown", "generator", "py_dataset"])
def test_a_batch_that_is_not_full_can_be_left_out(kind: str) -> None:
    """It is neither handed out nor counted."""
    source = source_of(kind, drop_remainder=True)
    assert sizes(source) == [4, 4]
    source.tally.settle()
    assert (source.batches, source.tally.batches, source.tally.samples) == (2, 2, 8)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("dataset", [4, 4, 4, 4, 4]), ("generator", [4, 4, 2, 4, 4, 2])],
)
def test_repeated_sources_end_after_their_passes(kind: str, expected: list[int]) -> None:
    """tf.data repeats examples and cuts afterwards; a generator repeats batches."""
    source = source_of(kind, repeat=2)
    assert sizes(source) == expected
    assert source.batches == len(expected)


@pytest.mark.parametrize("kind", ["dataset", "generator"])
def test_repeat_zero_never_ends(kind: str) -> None:
    """Nobody can say how many batches there are."""
    source = source_of(kind, repeat=0)
    batches = source.epoch()
    assert len([next(batches) for _ in range(20)]) == 20
    assert source.batches is None


def test_cardinality_is_known_or_not() -> None:
    """The two dataset kinds differ in nothing else."""
    assert int(source_of("dataset").data.cardinality()) == 3
    assert int(source_of("dataset_unknown").data.cardinality()) == -2


@pytest.mark.parametrize("kind", ["array", "dataset", "dataset_unknown"])
def test_shuffling_is_a_new_permutation_each_epoch(kind: str) -> None:
    """Nothing is lost or doubled, and two epochs differ."""
    source = source_of(kind, shuffle=True)
    epochs = [np.concatenate([np.asarray(batch[0]) for batch in source.epoch()]) for _ in "ab"]
    for epoch in epochs:
        assert sorted(map(tuple, epoch)) == sorted(map(tuple, source.examples.inputs))
    assert (epochs[0] != epochs[1]).any()


def test_a_generator_goes_on_where_it_was_left() -> None:
    """Leaving an epoch early must not close what the next one reads."""
    source = source_of("generator")
    first = source.epoch()
    next(first)
    del first
    assert sizes(source) == [4, 2]
    assert sizes(source) == []
    assert source.tally.hooks == ["exhausted"]


def test_hooks_of_a_py_dataset_are_noted() -> None:
    """They tell whether Keras calls them once per epoch."""
    source = source_of("py_dataset")
    source.data.on_epoch_begin()
    source.data.on_epoch_end()
    assert source.tally.hooks == ["on_epoch_begin", "on_epoch_end"]


def test_arrays_go_to_fit_as_they_are() -> None:
    """Everything else brings its own batches."""
    assert set(source_of("array").fit_arguments()) == {"x", "y", "batch_size"}
    assert set(source_of("dataset").fit_arguments()) == {"x"}
