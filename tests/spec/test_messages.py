"""pydantic's errors in our words, where no scenario file can bring them about."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from harness.errors import Problem
from harness.spec.base import Spec
from harness.spec.findings import Finding, dotted, finding, known_names, nearest, shown
from harness.spec.messages import findings_of


class Dated(Spec):
    """A table with a type that no spec has."""

    day: date


def test_other_types_keep_the_words_of_pydantic() -> None:
    """An error without a translation is still reported at its place."""
    with pytest.raises(ValidationError) as caught:
        Dated.model_validate({"day": "soon"})

    (found,) = findings_of(caught.value, Dated)

    assert found.place == ("day",)
    assert found.rule.startswith("be valid (Input should be a valid date")
    assert found.got == "'soon'"


def test_problem_of_a_finding() -> None:
    """A finding becomes a problem with a path, a line and a quoted dotted key."""
    found = finding("seed", "be >= 0", -1, "Use 0.").inside("vary", "a.b", "")

    assert found.problem(path="x.toml", line=3) == Problem(
        "x.toml", 3, 'vary."a.b"."".seed', "be >= 0", "-1", "Use 0."
    )
    assert Finding(place=("a",), rule="be given").problem().path == ""


def test_values_are_shown_on_one_line() -> None:
    """Long ones are cut, line breaks escaped, and what cannot be shown is described."""
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]

    assert shown("x" * 100) == "'" + "x" * 56 + "..."
    assert shown("a\nb") == "'a\\nb'"
    assert shown(10**5000) == "something too large to show"
    assert shown(nested) == "something too large to show"
    assert dotted(("a\nb", "c-1")) == '"a\\nb".c-1'


def test_nearest_name() -> None:
    """The most alike name is offered, or none, and all of them where asked for."""
    assert nearest("epoch", ["epochs", "steps"]) == "Did you mean 'epochs'?"
    assert nearest("quux", ["epochs", "steps"]) is None
    assert known_names("quux", ["b", "a", "b"]) == "Known: a, b."
