"""Draws depend on their seed alone."""

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from harness.strategies import from_seed_alone


def drawn() -> list[float]:
    """Return what one seed draws."""
    values: list[float] = []

    @seed(5)
    @settings(
        max_examples=100,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.floats(0, 400))
    def collect(value: float) -> None:
        values.append(value)

    with from_seed_alone():
        collect()
    return values


def test_loaded_modules_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers in the source text of a module of the project are not drawn."""
    before = drawn()
    (tmp_path / "project_of_numbers.py").write_text("X = [0.375, 1.73, 150.5, 222.5, 333.25]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    __import__("project_of_numbers")
    try:
        assert drawn() == before
    finally:
        del sys.modules["project_of_numbers"]


def test_hypothesis_is_as_it_was_afterwards() -> None:
    """Other tests of the session are not touched, even after an error."""
    provider: Any = providers.HypothesisProvider
    original = provider._maybe_draw_constant

    with pytest.raises(KeyError), from_seed_alone():
        raise KeyError

    assert provider._maybe_draw_constant is original


def test_older_versions_have_nothing_to_switch_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without that method the block does nothing."""
    monkeypatch.delattr(providers.HypothesisProvider, "_maybe_draw_constant")

    with from_seed_alone():
        assert not hasattr(providers.HypothesisProvider, "_maybe_draw_constant")
