from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from harness.errors import PipelineError
from harness.pipeline.data import Examples, build_examples, hold_out
from harness.spec.data import AnyData, ValidationSpec

if TYPE_CHECKING:
    from collections.abc import Callable

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyData)

KINDS: list[tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]] = [
    ({"kind": "linear_regression", "examples": 7, "features": 3, "targets": 2}, (7, 3), (7, 2)),
    ({"kind": "logistic_regression", "examples": 7, "features": 3}, (7, 3), (7, 1)),
    ({"kind": "blobs", "examples": 7, "features": 3, "classes": 4}, (7, 3), (7,)),
    ({"kind": "blobs", "examples": 7, "classes": 4, "one_hot": True}, (7, 4), (7, 4)),
    ({"kind": "sequences", "examples": 7, "timesteps": 5, "features": 2}, (7, 5, 2), (7, 1)),
    ({"kind": "tokens", "examples": 7, "length": 5}, (7, 5), (7, 1)),
    ({"kind": "digits"}, (1797, 64), (1797,)),
    ({"kind": "digits", "examples": 7, "one_hot": True}, (7, 64), (7, 10)),
    ({"kind": "diabetes"}, (442, 10), (442, 1)),
    ({"kind": "diabetes", "examples": 7}, (7, 10), (7, 1)),
]


def build(**table: Any) -> Examples:
    """Return the examples of a data table."""
    return build_examples(ADAPTER.validate_python(table))


@pytest.mark.parametrize(("table", "inputs", "targets"), KINDS)
def test_every_kind_has_its_shapes_and_is_reproducible(
    table: dict[str, Any], inputs: tuple[int, ...], targets: tuple[int, ...]
) -> None:
    """The same spec gives the same finite numbers, bit for bit."""
    first, second = build(**table), build(**table)
    assert first.inputs.shape == inputs
    assert first.targets.shape == targets
    assert np.isfinite(first.inputs).all()
    assert np.isfinite(first.targets).all()
    assert first.inputs.tobytes() == second.inputs.tobytes()
    assert first.targets.tobytes() == second.targets.tobytes()


def test_another_seed_gives_other_examples() -> None:
    """The data seed is the only source of chance."""
    assert (build(kind="blobs", seed=0).inputs != build(kind="blobs", seed=1).inputs).any()


def test_linear_regression_without_noise_is_linear() -> None:
    """Least squares finds targets exactly, but for the outlier in the last one."""
    data = build(kind="linear_regression", examples=32, outlier=5.0)
    weights, *_ = np.linalg.lstsq(data.inputs[:-1], data.targets[:-1], rcond=None)
    residual = data.targets - data.inputs @ weights
    np.testing.assert_allclose(residual[:-1], 0.0, atol=1e-12)
    np.testing.assert_allclose(residual[-1], 5.0, atol=1e-12)


def test_logistic_regression_labels_are_zero_or_one() -> None:
    """Both classes occur."""
    assert np.unique(build(kind="logistic_regression").targets).tolist() == [0.0, 1.0]


def test_sequences_have_their_mean_as_target() -> None:
    """Scale is a factor on everything."""
    data = build(kind="sequences", scale=10.0)
    np.testing.assert_array_equal(data.targets[:, 0], data.inputs.mean(axis=(1, 2)))
    np.testing.assert_array_equal(data.inputs, 10.0 * build(kind="sequences").inputs)


def test_tokens_are_labelled_by_token_zero() -> None:
    """Ids stay whole numbers."""
    data = build(kind="tokens", vocabulary=4)
    assert data.inputs.dtype == np.int64
    np.testing.assert_array_equal(data.targets[:, 0], (data.inputs == 0).any(axis=1))


def test_shorter_texts_are_filled_up_behind_their_end() -> None:
    """Padding is 0, which is no token, and more of it leaves the texts what they are."""
    spec = {"kind": "tokens", "vocabulary": 4, "length": 5, "shortest": 2}
    data, wider = build(**spec), build(**spec, padding=3)
    lengths = (data.inputs > 0).sum(axis=1)
    assert (lengths.min(), lengths.max()) == (2, 5)
    np.testing.assert_array_equal(data.inputs > 0, np.arange(5) < lengths[:, np.newaxis])
    np.testing.assert_array_equal(wider.inputs, np.pad(data.inputs, ((0, 0), (0, 3))))
    np.testing.assert_array_equal(data.targets[:, 0], (data.inputs == 1).any(axis=1))
    np.testing.assert_array_equal(wider.targets, data.targets)


def test_each_token_has_a_label_and_a_weight() -> None:
    """Weights are those of the texts as they are, and stand beside the padding too."""
    spec = {"kind": "tokens", "length": 5, "shortest": 2, "per_token": True, "weighted": True}
    data, wider = build(**spec), build(**spec, padding=3)
    np.testing.assert_array_equal(data.targets[..., 0], data.inputs % 2)
    assert data.sample_weight is not None
    assert wider.sample_weight is not None
    assert data.sample_weight.shape == data.inputs.shape
    np.testing.assert_array_equal(wider.sample_weight[:, :5], data.sample_weight)
    np.testing.assert_array_equal(wider.sample_weight[:, 5:], 2.0)


def test_transcripts_have_an_alignment() -> None:
    """Even of one label over and over, there is room for a blank between any two; the end is 0."""
    data = build(
        kind="predictions", examples=50, shape=[5, 3], targets="transcript", predictions="logits"
    )

    lengths = np.count_nonzero(data.targets, axis=1)
    assert set(lengths.tolist()) == {0, 1, 2, 3}
    for row, length in zip(data.targets, lengths, strict=True):
        assert row[:length].all()
    assert data.targets.max() == 2


def test_a_part_of_a_bundled_set_is_its_beginning() -> None:
    """Scaling looks at the whole set, so even one patient has a finite target."""
    whole, part = build(kind="diabetes"), build(kind="diabetes", examples=1)
    np.testing.assert_array_equal(part.targets, whole.targets[:1])
    np.testing.assert_allclose([whole.targets.mean(), whole.targets.std()], [0.0, 1.0], atol=1e-12)


def test_digits_lie_between_zero_and_one() -> None:
    """Sixteen grey levels become shares, ten classes stay classes."""
    data = build(kind="digits")
    assert (data.inputs.min(), data.inputs.max()) == (0.0, 1.0)
    assert np.unique(data.targets).tolist() == list(range(10))


@pytest.mark.parametrize("kind", ["digits", "diabetes"])
def test_missing_scikit_learn_says_what_to_install(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The optional extra is named."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(PipelineError) as caught:
        build(kind=kind)
    assert str(caught.value) == (
        f"data kind {kind!r} must find scikit-learn, got import of sklearn halted; "
        'None in sys.modules. Install it with `pip install "pytest-training-harness[datasets]"`.'
    )


def test_imported_data_may_have_sample_weights(user_module: Callable[[str], str]) -> None:
    """Three parts are x, y and weights; lists become arrays."""
    name = user_module("def load():\n    return [[1.0], [2.0]], [[0], [1]], [0.5, 2.0]\n")
    data = build(kind="import", **{"import": f"{name}:load"})
    assert data.sample_weight is not None
    assert data.sample_weight.tolist() == [0.5, 2.0]
    assert len(data.arrays()) == 3


BAD = [
    ("[[1.0]],", "must return (x, y) or (x, y, sample_weight), got 1 parts."),
    ("[], []", "x of {} must hold at least one example, got shape (0,)."),
    ("3.0, [1.0]", "x of {} must hold at least one example, got shape ()."),
    ("[[1.0], [2.0]], [1.0]", "y of {} must have 2 rows as x has, got 1."),
    ("[[1.0]], [1.0], [1.0, 2.0]", "sample_weight of {} must have 1 rows as x has, got 2."),
    ("[['a']], [1.0]", "x of {} must be numbers, got dtype <U1."),
    ("[[1j]], [1.0]", "x of {} must be numbers, got dtype complex128."),
    (
        "[[1.0, 2.0], [float('nan'), 1.0], [1.0, float('inf')]], [1.0] * 3",
        (
            "x of {} must be finite, got NaN or infinity in 2 of 3 examples, first in example 1. "
            "Clean the data before training on it."
        ),
    ),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_bad_imported_data_are_refused(
    value: str, message: str, user_module: Callable[[str], str]
) -> None:
    """Each message names the part, the rule and what was found."""
    name = user_module(f"def load():\n    return {value}\n")
    with pytest.raises(PipelineError) as caught:
        build(kind="import", **{"import": f"{name}:load"})
    expected = message.format(f"{name}:load")
    assert str(caught.value) == (expected if "{}" in message else f"{name}:load {expected}")


def test_ragged_imported_data_are_refused(user_module: Callable[[str], str]) -> None:
    """NumPy's own words follow ours."""
    name = user_module("def load():\n    return [[1.0], [1.0, 2.0]], [1.0, 2.0]\n")
    with pytest.raises(PipelineError, match=rf"^x of {name}:load must be an array, got list: "):
        build(kind="import", **{"import": f"{name}:load"})


def test_weights_are_for_all_outputs_or_for_one_each() -> None:
    """One array is for every output; where one does without, that one has ones."""
    weight = np.array([0.5, 2.0])
    examples = Examples(
        inputs=np.zeros((2, 1)), targets=np.ones((2, 1)), sample_weight=weight, factors=(1.0, 1.0)
    )
    assert examples.arrays()[2] is weight
    first, second = replace(examples, unweighted=frozenset({1})).arrays()[2]
    np.testing.assert_array_equal(first, weight)
    np.testing.assert_array_equal(second, [1.0, 1.0])


def test_cast_leaves_whole_numbers_alone() -> None:
    """Labels and tokens keep their dtype."""
    data = build(kind="blobs").cast("float32")
    assert (data.inputs.dtype, data.targets.dtype) == (np.dtype("float32"), np.dtype("int64"))


def test_the_last_share_is_held_out() -> None:
    """Training and validation part are the examples in order, weights included."""
    data = Examples(
        inputs=np.arange(8.0)[:, None], targets=np.arange(8.0), sample_weight=np.arange(8.0)
    )
    kept, held_out = hold_out(data, ValidationSpec(split=0.25))
    assert held_out is not None
    assert kept.targets.tolist() == [0, 1, 2, 3, 4, 5]
    assert held_out.sample_weight is not None
    assert held_out.sample_weight.tolist() == [6, 7]
    assert hold_out(data, None) == (data, None)


def test_an_empty_part_is_refused() -> None:
    """A tenth of four examples is none."""
    with pytest.raises(PipelineError) as caught:
        hold_out(build(kind="blobs", examples=4), ValidationSpec(split=0.1))
    assert str(caught.value) == (
        "validation.split must leave examples on both sides, got 0.1 of 4 examples. "
        "Use more examples or another split."
    )
