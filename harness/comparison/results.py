"""What training arrives at in two environments: curves over seeds, and the first step apart."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from harness.comparison.children import ask, check_versions, shown_path
from harness.comparison.commands import EnvironmentBroken
from harness.errors import HarnessUsageError
from harness.statistics.equivalence import Equivalence, judge_equivalence, margin_from_repeats
from harness.statistics.verdict import Verdict
from harness.trace import compare_traces, read_trace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from harness.comparison.preparing import Prepared
    from harness.trace import Mismatch, Trace

__all__ = ["FEWEST_SEEDS", "Curve", "Parting", "ResultComparison", "compare_results"]

FEWEST_SEEDS: Final = 5
"""Below this a difference between seeds cannot be told from one between environments."""

ALPHA: Final = 0.05
"""Probability of calling equal results different, all curves of a scenario together."""

_TRAIN: Final = "harness.comparison.training"
_PARTS: Final = ("steps", "samples", "learning_rates", "iterations", "losses", "gradient_norms")
_HIGHER: Final = re.compile(r"acc|auc|precision|recall|f1|fbeta|iou|r2|similarity|top_k")
_LOWER: Final = re.compile(r"loss|error|divergence|crossentropy|mse|mae|mape|perplexity")

Curves = dict[str, "NDArray[np.float64]"]
"""A row a seed, a column an epoch, by the name of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One logged figure over all epochs.

    Attributes:
        name: As Keras logs it.
        final: Its mean over seeds after the last epoch, in either environment.
        equivalence: What the seeds say.
    """

    name: str
    final: tuple[float, float]
    equivalence: Equivalence


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """How two runs of the first seed went apart.

    Attributes:
        steps: Steps that both runs have.
        first: The first place at which they differ in any bit; None where they do not.
        largest: Largest relative difference of a step's loss; None where no losses are recorded.
    """

    steps: int
    first: Mismatch | None
    largest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultComparison:
    """What came out of comparing the results of one scenario.

    Attributes:
        curves: One for each logged figure whose better direction is known.
        parting: The first seed, step by step.
        seeds: Trainings in each environment.
        epochs: Epochs of the shortest training in each environment.
        versions: What each environment had loaded.
        stops: Why training ended where that differs, as seed, base, other.
    """

    curves: tuple[Curve, ...]
    parting: Parting
    seeds: int
    epochs: tuple[int, int]
    versions: tuple[Mapping[str, str], Mapping[str, str]]
    stops: tuple[tuple[int, str, str], ...]

    @property
    def verdict(self) -> Verdict:
        """A regression of anything first, then what could not be judged."""
        verdicts = {curve.equivalence.verdict for curve in self.curves}
        for verdict in (Verdict.REGRESSION, Verdict.COULD_NOT_JUDGE, Verdict.IMPROVEMENT):
            if verdict in verdicts:
                return verdict
        return Verdict.NO_CHANGE if verdicts else Verdict.COULD_NOT_JUDGE


def compare_results(
    base: Prepared,
    other: Prepared,
    scenario: Path,
    *,
    seeds: int,
    margin: float | None,
    first_seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> ResultComparison:
    """Train a scenario from the same seeds in two environments, and compare.

    Args:
        base: What the other is compared with.
        other: What is judged.
        scenario: Its file; what varies in it stays at its first sample.
        seeds: Trainings in each environment.
        margin: Largest difference that does not matter, as a share of the base: of a loss at that
            epoch, of a score at its best epoch. None takes the standard deviation between the
            base's seeds.
        first_seed: The others follow.
        tell: Takes a line of progress.

    Raises:
        HarnessUsageError: There are too few seeds.
        EnvironmentBroken: An environment cannot train it.
    """
    if seeds < FEWEST_SEEDS:
        message = f"--seeds must be at least {FEWEST_SEEDS}, got {seeds}. 16 is usual."
        raise HarnessUsageError(message)
    numbers = range(first_seed, first_seed + seeds)
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        answers, traces = [], []
        for letter, prepared in zip("AB", (base, other), strict=True):
            tell(f"{seeds} trainings in {letter}, {prepared.name}")
            file = Path(folder) / f"{letter}.npz"
            answers.append(_trained(prepared, scenario, list(numbers), file))
            traces.append(read_trace(file))
    runs = [answer["runs"] for answer in answers]
    sides = [_curves(found) for found in runs]
    names = [name for name in sides[0] if name in sides[1] and _direction(name) is not None]
    return ResultComparison(
        curves=tuple(_curve(name, sides, margin, ALPHA / len(names)) for name in names),
        parting=parting(*traces),
        seeds=seeds,
        epochs=(_epochs(runs[0]), _epochs(runs[1])),
        versions=(answers[0]["versions"], answers[1]["versions"]),
        stops=tuple(
            (first["seed"], first["stop"], second["stop"])
            for first, second in zip(*runs, strict=True)
            if first["stop"] != second["stop"]
        ),
    )


def parting(base: Trace, other: Trace) -> Parting:
    """Where two traces of the same pipeline and seed go apart, bit for bit."""
    both = base.steps.recorded & other.steps.recorded
    columns = {"losses": "loss", "learning_rates": "learning_rate"}
    columns |= {"gradient_norms": "gradient_norm", "iterations": "iterations_after"}
    columns |= {"samples": "sample_ids"}
    parts = [name for name in _PARTS if name == "steps" or columns[name] in both]
    found = compare_traces(other, base, quantities=[*parts, "logs", "stop"])
    steps = min(len(base.steps), len(other.steps))
    largest = None
    if "loss" in both and steps:
        first, second = (trace.steps.column("loss")[:steps] for trace in (base, other))
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.abs(second - first) / np.abs(first)
        largest = float(np.max(np.where(second == first, 0.0, shares)))
    return Parting(steps=steps, first=found[0] if found else None, largest=largest)


def _trained(
    prepared: Prepared, scenario: Path, seeds: Sequence[int], trace: Path
) -> dict[str, Any]:
    request = {"scenario": shown_path(prepared, scenario), "seeds": seeds, "trace": str(trace)}
    answer = ask(prepared, _TRAIN, request, None)
    if "error" in answer:
        message = f"{prepared.name} must train the scenario, got: {answer['error']}"
        raise EnvironmentBroken(message)
    check_versions(prepared, answer["versions"])
    return answer


def _epochs(runs: Sequence[Mapping[str, Any]]) -> int:
    return min((len(curve) for run in runs for curve in run["curves"].values()), default=0)


def _curves(runs: Sequence[Mapping[str, Any]]) -> Curves:
    """Curves that every run has, cut to the shortest of them."""
    epochs = _epochs(runs)
    names = [name for name in runs[0]["curves"] if all(name in run["curves"] for run in runs)]
    if not epochs:
        return {}
    return {
        name: np.array([run["curves"][name][:epochs] for run in runs], np.float64) for name in names
    }


def _curve(name: str, sides: Sequence[Curves], margin: float | None, alpha: float) -> Curve:
    epochs = min(side[name].shape[1] for side in sides)
    base, other = (side[name][:, :epochs] for side in sides)
    finite = base[np.isfinite(base).all(axis=1)]
    if len(finite) < FEWEST_SEEDS:
        margins = np.zeros(epochs)
    elif margin is None:
        margins = margin_from_repeats(finite)
    else:
        # A loss falls by orders of magnitude; a score starts at nothing, and its scale is its best.
        mean = np.abs(finite.mean(axis=0))
        margins = margin * (mean if _direction(name) == -1 else np.full(epochs, mean.max()))
    return Curve(
        name=name,
        final=(float(base[:, -1].mean()), float(other[:, -1].mean())),
        equivalence=judge_equivalence(
            base, other, margins, higher_is_better=_direction(name) == 1, alpha=alpha
        ),
    )


def _direction(name: str) -> int | None:
    """1 where more is better, -1 where less is, None where nobody can tell from the name."""
    if _LOWER.search(name):
        return -1
    return 1 if _HIGHER.search(name) else None
