"""Everything a run reads: the examples, the source of batches, the held-out part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.pipeline.backend import import_keras
from harness.pipeline.data import build_examples, hold_out
from harness.pipeline.sources import build_source
from harness.spec.model import MultiOutputSpec, VariablesSpec

if TYPE_CHECKING:
    from harness.pipeline.data import Examples
    from harness.pipeline.sources import Source
    from harness.spec.data import SourceKind
    from harness.spec.pipeline import PipelineSpec

__all__ = ["Inputs", "build_after", "build_inputs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The data of one run; all None where gradients are given instead.

    Attributes:
        examples: What is trained on.
        source: Hands it over, batch by batch.
        validation: Hands over the held-out part.
    """

    examples: Examples | None = None
    source: Source | None = None
    validation: Source | None = None

    def count_draws(self) -> int | None:
        """Batches that the source has handed out so far; None where nobody counts."""
        if self.source is None or not self.source.counted:
            return None
        self.source.tally.settle()
        return self.source.tally.batches


def build_inputs(spec: PipelineSpec) -> Inputs:
    """Arrays and fresh sources, in the default float of the precision in force.

    Raises:
        PipelineError: The data are missing, empty, not finite, or not what was asked for.
    """
    if isinstance(spec.model, VariablesSpec):
        return Inputs()
    examples = build_examples(spec.data).cast(import_keras().config.floatx())
    if isinstance(spec.model, MultiOutputSpec):
        factors = tuple(head.target_factor for head in spec.model.heads)
        unweighted = (index for index, head in enumerate(spec.model.heads) if not head.weighted)
        examples = replace(examples, factors=factors, unweighted=frozenset(unweighted))
    kept, held_out = hold_out(examples, spec.validation)
    source = build_source(spec.data.source, kept, spec.data, seed=spec.seed)
    if held_out is None or spec.validation is None:
        return Inputs(examples=kept, source=source)
    batch_size = spec.validation.batch_size or spec.data.batch_size
    validation = _one_pass(
        spec.validation.source,
        held_out,
        spec,
        batch_size,
        drop_remainder=spec.validation.drop_remainder,
    )
    return Inputs(examples=kept, source=source, validation=validation)


def build_after(spec: PipelineSpec, examples: Examples) -> Source:
    """A fresh source of all examples in order, for what follows the loop."""
    batch_size = spec.after.batch_size or spec.data.batch_size
    return _one_pass(spec.after.source, examples, spec, batch_size)


def _one_pass(
    kind: SourceKind,
    examples: Examples,
    spec: PipelineSpec,
    batch_size: int,
    *,
    drop_remainder: bool = False,
) -> Source:
    """A source of every example once and in order, the partial last batch included.

    Only where the batches are all full, or the last is dropped on purpose, can the batch size of a
    dataset be static.
    """
    full = spec.data.drop_remainder and len(examples) % batch_size == 0
    layout = spec.data.model_copy(
        update={
            "batch_size": batch_size,
            "repeat": 1,
            "shuffle": False,
            "drop_remainder": drop_remainder or full,
            "pass_lengths": None,
            "fails_at": None,
        }
    )
    return build_source(kind, examples, layout, seed=spec.seed)
