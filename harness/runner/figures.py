"""What the runs of one scenario leave behind for a history: a few numbers, and what was run."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from harness.errors import HarnessUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.trace import Trace

__all__ = ["RunFigures", "ScenarioFigures", "figures_of"]

_DIGITS: Final = 12
_PLAIN: Final = ("final_loss", "steps", "peak_rss_bytes", "wall_seconds")
_LOGGED: Final = ("logs.val_loss", "evaluation.loss")
_ACCURACY: Final = ("accuracy", "acc")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """Figures of one run.

    Attributes:
        pipeline: Canonical JSON of what was run.
        values: The figures that its trace has, by the names of `harness.trace.figure`.
    """

    pipeline: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFigures:
    """Figures of all runs of a scenario, as one number a metric.

    Attributes:
        runs: The runs, in their order.
    """

    runs: tuple[RunFigures, ...]

    @property
    def definition(self) -> str:
        """12 hexadecimal digits that are equal when the same pipelines were run in one order.

        A scenario that is edited, or draws other examples, gives figures of something else.
        """
        digest = hashlib.sha256()
        for run in self.runs:
            digest.update(run.pipeline.encode() + b"\n")
        return digest.hexdigest()[:_DIGITS]

    @property
    def values(self) -> Mapping[str, float]:
        """Steps and seconds of all runs together, the largest memory, the median of the others.

        A figure that is not finite in some runs is the median of those where it is.
        """
        names = dict.fromkeys(name for run in self.runs for name in run.values)
        return {
            name: _TOGETHER.get(name, _middle)(
                [run.values[name] for run in self.runs if name in run.values]
            )
            for name in names
        }


def figures_of(trace: Trace) -> RunFigures:
    """The figures of one run that a history keeps; those that its trace lacks are left out."""
    keys = dict.fromkeys(key for record in trace.epochs for key in record.logs)
    names = [f"logs.{key}" for key in keys] + [
        f"evaluation.{key}" for key in trace.evaluation or {}
    ]
    wanted = [*_PLAIN, *(name for name in names if _is_kept(name))]
    values = {}
    for name in wanted:
        try:
            values[name] = trace.figure(name)
        except HarnessUsageError:
            continue
    return RunFigures(pipeline=trace.pipeline, values=values)


def _is_kept(name: str) -> bool:
    return name in _LOGGED or name.endswith(_ACCURACY)


def _middle(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return median(finite) if finite else math.nan


_TOGETHER: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {
    "steps": math.fsum,
    "wall_seconds": math.fsum,
    "peak_rss_bytes": max,
}
