"""The loop around `train_on_batch` hands on what Keras says, and asks for no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.pipeline.on_batch import Means, OnBatch
from harness.spec.pipeline import PipelineSpec


class Model:
    """Says how large each batch was, and keeps what it was given."""

    def __init__(self) -> None:
        """Nobody has called yet."""
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def train_on_batch(self, x: Any, y: Any, **given: Any) -> dict[str, Any]:
        """Report the size as loss."""
        self.calls.append(("train", given))
        return {"loss": np.float32(len(x)), "accuracy": y.sum()}

    def test_on_batch(self, *batch: Any, **given: Any) -> dict[str, Any]:
        """Report ten times the size as loss."""
        self.calls.append(("test", given))
        return {"loss": 10.0 * len(batch[0])}


def loop(model: Model, **tables: Any) -> OnBatch:
    """Return the loop of a specification, with nine examples held out."""
    training = {"kind": "train_on_batch", **tables.pop("training", {})}
    spec = PipelineSpec.model_validate({"training": training, **tables})
    held_out: Any = SimpleNamespace(epoch=lambda: iter([batch(4), batch(4), batch(1)]))
    assert spec.training.kind == "train_on_batch"
    return OnBatch(model, spec.training, spec, held_out)


def batch(size: int) -> tuple[Any, Any]:
    """Return inputs of 0 and targets of 1."""
    return np.zeros((size, 2)), np.ones((size, 1))


def test_an_epoch_is_the_mean_over_its_examples() -> None:
    """A batch weighs its size, and what was not added counts in nothing."""
    on_batch, means = loop(Model()), Means()
    assert means.values() == {}
    on_batch.step(batch(9))
    for size in (4, 4, 2):
        means.add(on_batch.step(batch(size)), size)
    assert means.values() == {"loss": 3.6, "accuracy": 3.6}
    assert means.batches == 3


def test_keras_is_told_about_classes_only_where_there_are_any() -> None:
    """It refuses class weights beside sample weights, and None is none."""
    plain, weighted = Model(), Model()
    loop(plain).step(batch(2))
    loop(weighted, training={"class_weight": [0.5, 2.0]}).step(batch(2))
    assert plain.calls == [("train", {"return_dict": True})]
    assert weighted.calls == [("train", {"class_weight": {0: 0.5, 1: 2.0}, "return_dict": True})]


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ({}, [33 / 9 * 10, 33 / 9 * 10]),
        ({"validation_steps": 1}, [40.0, 40.0]),
        ({"validation_freq": 2}, [None, 33 / 9 * 10]),
        ({"validation_epochs": [2]}, [None, 33 / 9 * 10]),
    ],
    ids=["whole", "first batch", "every second epoch", "the second epoch"],
)
def test_the_held_out_part_is_tested_when_it_is_due(
    validation: dict[str, Any], expected: list[float | None]
) -> None:
    """As many batches as fit would read, at the end of the epochs in which it would."""
    on_batch = loop(Model(), validation={"split": 0.5, **validation})
    for epoch, value in enumerate(expected):
        assert on_batch.validate(epoch).get("val_loss") == (
            None if value is None else pytest.approx(value)
        )
