"""Results of two environments, with children that answer without training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.comparison import results
from harness.comparison.commands import EnvironmentBroken
from harness.comparison.report_results import results_document, results_text
from harness.comparison.results import ResultComparison, compare_results
from harness.errors import HarnessUsageError
from harness.statistics.verdict import Verdict
from harness.trace import StepTable, write_trace
from tests.comparison.workers import environment
from tests.runner.synthetic import made_up_trace, scenario_of

if TYPE_CHECKING:
    from pathlib import Path

BOUND = """
[[expect]]
kind = "bound"
figure = "final_loss"
at_most = 10.0
because = "never judged here"
"""
SEEDS = 12


def _curve(seed: int, *, level: float = 1.0, epochs: int = 4) -> list[float]:
    """A loss that falls, with a scatter of a hundredth from seed to seed."""
    scatter = np.random.default_rng(seed).normal(0.0, 0.01)
    return [level * (1.0 / (epoch + 1) + scatter) for epoch in range(epochs)]


class Children:
    """Answers for each environment by its name."""

    def __init__(self, **levels: float) -> None:
        """Remember what each loses, relative to A."""
        self.levels = levels
        self.epochs = dict.fromkeys(levels, 4)
        self.losses: dict[str, list[float]] = {name: [3.0, 2.0, 1.0] for name in levels}
        self.error: str | None = None
        self.names: tuple[str, ...] = ("loss", "val_accuracy", "lr")

    def __call__(self, prepared: Any, _module: str, request: Any, _timeout: Any) -> Any:
        """Answer like `harness.comparison.training`."""
        if self.error is not None:
            return {"error": self.error}
        name = prepared.variables["WHO"]
        losses = np.array(self.losses[name])
        trace = made_up_trace(scenario_of(BOUND).base, 1.0)
        steps = StepTable(epoch=np.zeros(3, int), batch=np.arange(3), loss=losses)
        write_trace(type(trace)(**{**_fields(trace), "steps": steps}), request["trace"])
        runs = []
        for seed in request["seeds"]:
            loss = _curve(seed, level=self.levels[name], epochs=self.epochs[name])
            curves = {"loss": loss, "val_accuracy": [1 - x for x in loss], "lr": loss}
            kept = {key: curves[key] for key in self.names}
            runs.append({"seed": seed, "curves": kept, "steps": 3, "stop": "completed"})
        if name == "B" and "stops" in self.levels:
            runs[2]["stop"] = "early_stopping"
        return {"versions": {"keras": "3.15.1"}, "runs": runs}


def _fields(trace: Any) -> dict[str, Any]:
    return {name: getattr(trace, name) for name in trace.__dataclass_fields__}


def _compare(
    folder: Path, monkeypatch: pytest.MonkeyPatch, children: Children, **options: Any
) -> ResultComparison:
    monkeypatch.setattr(results, "ask", children)
    sides = (environment(folder, WHO="A"), environment(folder, WHO="B"))
    plan = {"seeds": SEEDS, "margin": None, **options}
    return compare_results(*sides, folder / "s.toml", **plan)


def test_equal_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last bit; logs whose better direction nobody knows are left out."""
    found = _compare(tmp_path, monkeypatch, Children(A=1.0, B=1.0))

    assert found.verdict is Verdict.NO_CHANGE
    assert [curve.name for curve in found.curves] == ["loss", "val_accuracy"]
    assert (found.parting.first, found.parting.steps, found.parting.largest) == (None, 3, 0.0)
    text = results_text(found, scenario_of(BOUND), "A", "B")
    assert "  step by step   the same to the last bit over 3 steps\n" in text
    assert "  loss           no change: B-A +0 [+0, +0] after the last epoch, A is 0.2" in text


@pytest.mark.parametrize(
    ("level", "verdict"), [(1.3, Verdict.REGRESSION), (0.7, Verdict.IMPROVEMENT)]
)
def test_results_that_differ(
    level: float, verdict: Verdict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A higher loss is worse, and so is a lower accuracy."""
    found = _compare(tmp_path, monkeypatch, Children(A=1.0, B=level))

    assert {curve.equivalence.verdict for curve in found.curves} == {verdict}
    assert found.verdict is verdict
    assert verdict.exit_status == (1 if level > 1 else 0)


def test_a_margin_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a share of the base's curve."""
    found = _compare(tmp_path, monkeypatch, Children(A=1.0, B=1.05), margin=0.2)

    assert found.verdict is Verdict.NO_CHANGE
    assert found.curves[0].equivalence.final.margin == pytest.approx(0.2 * found.curves[0].final[0])


def test_the_first_step_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named, with how far the losses go apart."""
    children = Children(A=1.0, B=1.0)
    children.losses["B"] = [3.0, 2.5, 1.0]
    found = _compare(tmp_path, monkeypatch, children)

    assert found.parting.largest == pytest.approx(0.25)
    text = results_text(found, scenario_of(BOUND), "A", "B")
    assert (
        "  step by step   B first differs from A at step 1 (epoch 0): loss is 2.5, expected 2, "
        "allowed ±0 (1 of 3 values differ)\n"
        "                 losses differ by 2.5e-01 at most, relative to A\n"
    ) in text
    document = results_document(found)
    assert document["first_difference_step"] == 1
    assert document["verdict"] == "no change"


def test_trainings_of_another_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What both have is compared, and the rest is told."""
    children = Children(A=1.0, B=1.0, stops=1.0)
    children.epochs["B"] = 3
    found = _compare(tmp_path, monkeypatch, children)

    text = results_text(found, scenario_of(BOUND), "A", "B")
    assert "  the shortest training has 4 epochs in A and 3 in B\n" in text
    assert "  seed 2 ends by completed in A and by early_stopping in B\n" in text


def test_nothing_to_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it could not be judged."""
    children = Children(A=1.0, B=1.0)
    children.names = ("lr",)
    found = _compare(tmp_path, monkeypatch, children)

    assert found.verdict is Verdict.COULD_NOT_JUDGE
    text = results_text(found, scenario_of(BOUND), "A", "B")
    assert "  could not judge: no epoch logs a loss or a metric of known direction\n" in text


def test_what_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too few seeds, or an environment that cannot train."""
    with pytest.raises(HarnessUsageError, match="--seeds must be at least 5, got 4"):
        _compare(tmp_path, monkeypatch, Children(A=1.0, B=1.0), seeds=4)
    children = Children(A=1.0, B=1.0)
    children.error = "no such layer"
    with pytest.raises(EnvironmentBroken, match="WHO=A must train the scenario, got: no such"):
        _compare(tmp_path, monkeypatch, children)
