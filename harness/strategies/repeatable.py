"""Draws that depend on their seed alone, whatever else the process has imported."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hypothesis.internal.conjecture import providers

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["from_seed_alone"]

_METHOD = "_maybe_draw_constant"


@contextmanager
def from_seed_alone() -> Iterator[None]:
    """A block in which Hypothesis takes no values from the source text of loaded modules.

    Since 6.131 it mixes numbers out of the modules of the project into what it draws, so that one
    seed gives other draws once another test file is collected or edited. There is no setting
    against it. Versions without that method have nothing to switch off.
    """
    provider: Any = providers.HypothesisProvider
    original = getattr(provider, _METHOD, None)
    if original is None:
        yield
        return
    setattr(provider, _METHOD, _no_constant)
    try:
        yield
    finally:
        setattr(provider, _METHOD, original)


def _no_constant(*_arguments: object, **_options: object) -> None:
    """Nothing: the value is drawn."""
