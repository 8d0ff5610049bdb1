"""Which keys there are: a walk over the annotations, whatever the models look like."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Tag

from harness.spec.base import Spec
from harness.spec.callbacks import CSVLoggerSpec, LeakSpec
from harness.spec.fields import Slot, keys_of, lookup, slot_of, walk
from harness.spec.pipeline import PipelineSpec


@pytest.mark.parametrize(
    "key",
    [
        "seed",
        "optimizer",
        "optimizer.kind",
        "optimizer.amsgrad",
        "optimizer.learning_rate.decay_steps",
        "optimizer.arguments.anything.at.all",
        "callbacks.0.patience",
        "callbacks.17.script.3",
        "model.shapes.0.1",
        "model.import",
        "data.one_hot",
    ],
)
def test_lookup_finds(key: str) -> None:
    """A key of any variant of a pipeline is one."""
    assert lookup(PipelineSpec, key) == (True, ())


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("sead", "seed"),
        ("optimizer.learning_rat", "learning_rate"),
        ("model.import_", "import"),
        ("compile.x.y", "run_eagerly"),
    ],
)
def test_lookup_offers(key: str, options: str) -> None:
    """Where a key fails, the keys that exist there are named."""
    found, names = lookup(PipelineSpec, key)

    assert not found
    assert options in names


@pytest.mark.parametrize("key", ["seed.x", "callbacks.first", "model.units.0.x", "callbacks.0.x.y"])
def test_lookup_ends(key: str) -> None:
    """Numbers have no keys and lists have numbers."""
    assert not lookup(PipelineSpec, key)[0]


def test_walk_leaves_tags_out() -> None:
    """The place is the one a person writes, though pydantic's location holds tags and names."""
    location = ("optimizer", "sgd", "learning_rate", "schedule", "cosine_decay", "decay_steps")

    places = [place for place, _ in walk(PipelineSpec, location)]

    assert places[-1] == ("optimizer", "learning_rate", "decay_steps")
    assert places[0] == ()


def test_walk_goes_on_past_unknown_keys() -> None:
    """Past a key that does not exist there is no slot, but still a place."""
    assert [step for step, slot in walk(PipelineSpec, ("foo", "bar")) if slot is None] == [
        ("foo",),
        ("foo", "bar"),
    ]


def test_tag_that_is_a_key_too() -> None:
    """``import`` is the tag of a variant and a key of it."""
    steps = list(walk(PipelineSpec, ("model", "import", "import")))

    assert steps[-1][0] == ("model", "import")


def test_keys_of_scalars_are_none() -> None:
    """Only tables have keys; a union has those of all its variants."""
    assert keys_of(Slot(int)) == ()
    assert set(keys_of(slot_of(CSVLoggerSpec | LeakSpec))) == {
        "kind",
        "filename",
        "separator",
        "append",
        "bytes_per_epoch",
    }


def test_tags_of_plain_tables() -> None:
    """A union is tagged by marks or by the kind of its tables; other kinds have no tag."""

    class Loose(Spec):
        kind: str = "loose"

    class Marked(Spec):
        text: str

    union = Loose | Annotated[Marked, "a note", Tag("marked")]

    assert list(slot_of(union).variants) == ["marked"]
    assert Slot(Any).child("anything") == Slot(Any)
