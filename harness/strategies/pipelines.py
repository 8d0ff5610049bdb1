"""Whole pipelines: a structure out of a bounded pool first, then the values in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from harness.spec.assembly import assemble
from harness.spec.canonical import canonical_tables
from harness.spec.paths import MISSING, replaced, value_at
from harness.strategies.structures import pool, runnable
from harness.strategies.values import values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.spec.vary import AnyDraw

__all__ = ["EXAMPLES_PER_STRUCTURE", "pipelines"]

EXAMPLES_PER_STRUCTURE: Final = 12
"""Draws that share a compiled pipeline, on average."""

_KEPT: Final = (False,) + (True,) * 199
"""A feature is hardly ever left out at first, but shrinking tries it without each of them."""


def pipelines(
    draw: AnyDraw, template: Mapping[str, Any], *, seed: int, examples: int
) -> st.SearchStrategy[dict[str, Any]]:
    """Changes by dotted key that make of `template` a pipeline that can run.

    Args:
        draw: Says which parts vary.
        template: The tables of the pipeline.
        seed: Decides on the pool of structures.
        examples: How many will be drawn; that bounds the pool.
    """
    size = max(2, examples // EXAMPLES_PER_STRUCTURE)
    structures = pool(draw.any, template, seed=seed, size=size)
    base, _ = assemble(template, {})
    tables = {} if base is None else canonical_tables(base)

    @st.composite
    def drawn(source: st.DrawFn) -> dict[str, Any]:
        features = source(st.sampled_from(structures))
        kept = tuple(feature for feature in features if source(st.sampled_from(_KEPT)))
        if kept != features:
            # What is left may need what was left out.
            kept = runnable(kept, template, driven="gradients" in draw.any)
        fixed = {key: value for feature in kept for key, value in feature.items()}
        return fixed | source(values(draw.any, _Reader(tables, fixed)))

    return drawn()


class _Reader:
    """Reads what stands under a dotted key once a structure is in its place."""

    def __init__(self, tables: Mapping[str, Any], fixed: Mapping[str, Any]) -> None:
        self._tables = replaced(tables, fixed)

    def __call__(self, key: str) -> Any:
        found = value_at(self._tables, key)
        return None if found is MISSING else found
