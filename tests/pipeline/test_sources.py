from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.pipeline.data import build_examples
from harness.pipeline.sources import Source, build_source
from harness.spec.data import LinearRegressionSpec

KINDS = (
    "array",
    "tensor",
    "dataset",
    "dataset_unknown",
    "from_generator",
    "generator",
    "py_dataset",
)


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


@pytest.mark.parametrize(
    "kind", ["dataset", "dataset_unknown", "from_generator", "generator", "py_dataset"]
)
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
    assert set(source_of("tensor").fit_arguments()) == {"x", "y", "batch_size"}
    assert set(source_of("dataset").fit_arguments()) == {"x"}


def test_passes_can_differ_in_length() -> None:
    """A function that starts anew has the lengths in turn, the last one for all later passes."""
    source = source_of("from_generator", pass_lengths=(1, 2))
    assert [sizes(source) for _ in range(3)] == [[4], [4, 4], [4, 4]]
    assert source.batches is None
    assert source.tally.hooks == ["pass", "pass", "pass"]


def test_dropping_makes_the_batch_size_static() -> None:
    """What Keras makes of a static batch size is a matter of its own."""
    for kind in ("dataset_unknown", "from_generator"):
        spec, _ = source_of(kind, drop_remainder=True).data.element_spec
        assert spec.shape.as_list() == [4, 4]
        spec, _ = source_of(kind).data.element_spec
        assert spec.shape.as_list() == [None, 4]


@pytest.mark.parametrize("kind", ["generator", "py_dataset"])
def test_a_source_can_fail(kind: str) -> None:
    """It hands out what comes before, and raises from then on."""
    source = source_of(kind, fails_at=2)
    batches = source.epoch()
    next(batches)
    with pytest.raises(ValueError, match="the source raised on purpose at batch 2"):
        next(batches)
    assert source.tally.batches == 1


def test_an_endless_py_dataset_starts_over() -> None:
    """It has no number of batches, and goes round."""
    data = source_of("py_dataset", repeat=0).data
    assert data.num_batches is None
    np.testing.assert_array_equal(data[0][0], data[3][0])


def test_a_listener_hears_hooks_and_batches() -> None:
    """In order, the end of a slow begin included."""
    source = source_of("py_dataset", begin_seconds=0.001)
    heard: list[tuple[str, dict[str, int]]] = []
    source.tally.listener = lambda name, **detail: heard.append((name, detail))
    source.data.on_epoch_begin()
    source.data[1]
    source.data.on_epoch_end()
    assert heard == [
        ("on_epoch_begin", {}),
        ("epoch_begun", {}),
        ("batch", {"number": 1, "index": 1}),
        ("on_epoch_end", {}),
    ]


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_what_keras_is_to_hold_out_comes_last(kind: str) -> None:
    """All examples in one array, one's own first."""
    source = source_of(kind)
    arguments = source.with_rest(source.examples.cut(slice(2)))
    assert set(arguments) == {"x", "y"}
    wanted = np.concatenate([source.examples.inputs, source.examples.inputs[:2]])
    np.testing.assert_array_equal(np.asarray(arguments["x"]), wanted)


@pytest.mark.parametrize("kind", [*KINDS[2:]])
def test_models_of_several_outputs_get_a_target_for_each(kind: Any) -> None:
    """The targets are nested in the batch, whatever hands it over."""
    spec = LinearRegressionSpec(examples=10, batch_size=4, source=kind, shuffle=False)
    examples = replace(build_examples(spec), factors=(1.0, 1.0))
    source = build_source(kind, examples, spec, seed=3)
    for batch in source.epoch():
        first, second = batch[1]
        assert len(first) == len(batch[0])
        np.testing.assert_array_equal(np.asarray(first), np.asarray(second))
    source.tally.settle()
    assert (source.tally.batches, source.tally.samples) == (3, 10)
