"""Two environments measured in turns, with workers that train nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from harness.comparison import comparing
from harness.comparison.commands import EnvironmentBroken
from harness.comparison.comparing import Comparison, Plan, compare, measure_and_judge
from harness.statistics.verdict import Verdict
from tests.comparison.test_pairs import made_up
from tests.comparison.workers import environment, install

if TYPE_CHECKING:
    from pathlib import Path

PLAN = Plan(margin=0.05, budget_seconds=1.0)


@pytest.fixture(autouse=True)
def _worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch)


def _compare(folder: Path, plan: Plan = PLAN, **variables: str) -> Comparison:
    base = environment(folder, SEED="1")
    return compare(base, environment(folder, **variables), folder / "s.toml", plan)


def _costs(found: Comparison) -> list[float]:
    return [pair.base["step_seconds"] for pair in found.pairs]


@pytest.mark.parametrize(
    ("step", "verdict"),
    [
        ("0.01", Verdict.NO_CHANGE),
        ("0.0106", Verdict.REGRESSION),
        ("0.0094", Verdict.IMPROVEMENT),
    ],
)
def test_the_verdict(step: str, verdict: Verdict, tmp_path: Path) -> None:
    """Of six per cent in either direction, and of none."""
    found = _compare(tmp_path, STEP=step, SEED="2")

    assert found.verdict is verdict
    assert found.reason is None
    assert [result.metric.name for result in found.results] == [
        "step_seconds",
        "compile_seconds",
        "peak_rss_bytes",
    ]
    assert found.results[0].estimate.ratio == pytest.approx(float(step) / 0.01, rel=0.01)
    assert found.versions[0] == {"keras": "3.15.1"}


def test_too_little_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It could not be judged, and how much it would take is said."""
    monkeypatch.setattr(comparing, "ROUNDS", 201)
    found = _compare(tmp_path, Plan(margin=0.05, budget_seconds=0.001))

    assert found.verdict is Verdict.COULD_NOT_JUDGE
    assert len(found.pairs) == 1
    assert found.reason is not None
    assert found.reason.startswith("1 pairs in 0.001 s are too few, 10 are needed at least. Give")


def test_processes_are_started_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every few pairs, so that no one layout decides; the made-up noise then begins anew."""
    monkeypatch.setattr(comparing, "_PAIRS_PER_START", 2)
    found = _compare(tmp_path)

    assert len(found.pairs) > 5
    assert _costs(found)[2:4] == _costs(found)[4:6]


def test_without_forks_every_pair_has_its_own_interpreters(tmp_path: Path) -> None:
    """The noise begins anew with each."""
    base = environment(tmp_path, FRESH="1")
    found = compare(base, base, tmp_path / "s.toml", Plan(margin=0.05, budget_seconds=2.0))

    assert len(found.pairs) > 1
    assert len(set(_costs(found))) == 1


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("MISSING", "MISSING=1 must train the scenario, got: there is no Keras"),
        ("REFUSES", "REFUSES=1 must train the scenario, got: no such layer"),
        ("DIES", "got the end of its process. It said:\n  killed by made-up causes"),
    ],
)
def test_a_worker_that_breaks(variable: str, said: str, tmp_path: Path) -> None:
    """What it said comes out, and no worker is left running."""
    with pytest.raises(EnvironmentBroken) as raised:
        _compare(tmp_path, PLAN, **{variable: "1"})
    assert said in str(raised.value)
    assert psutil.Process().children(recursive=True) == []


def test_a_worker_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its forks, which hold the same pipe."""
    monkeypatch.setattr("harness.comparison.arms._PATIENCE_SECONDS", 2.0)
    with pytest.raises(EnvironmentBroken, match="HANGS=1 must answer, got the end of its process"):
        _compare(tmp_path, PLAN, HANGS="1")
    assert psutil.Process().children(recursive=True) == []


def test_the_order_is_drawn_from_the_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody is always first, and a run can be repeated."""
    orders: list[list[str]] = []
    real = comparing._measure

    def watched(arms: object, steps: int, order: object) -> object:
        class Watched:
            def __getitem__(self, name: str) -> object:
                orders[-1].append(name)
                return arms[name]  # type: ignore[index]

        orders.append([])
        return real(Watched(), steps, order)  # type: ignore[arg-type]

    monkeypatch.setattr(comparing, "_measure", watched)
    runs = []
    for seed in (0, 0, 1):
        orders.clear()
        _compare(tmp_path, Plan(margin=0.05, budget_seconds=0.5, seed=seed))
        runs.append([tuple(order) for order in orders[:4]])

    assert runs[0] == runs[1] != runs[2]
    firsts = {order[0] for run in runs for order in run}
    assert firsts == {"base", "other", "control"}


@pytest.mark.parametrize(("effect", "found"), [(1.0, 0), (1.05, 200), (0.95, 200)])
def test_how_often_a_change_is_called(effect: float, found: int) -> None:
    """In 200 comparisons of what is the same, and of what differs by five per cent.

    The noise is 2.7 % for a pair. At most one in a hundred may be called different when it is not;
    looks on the way take their share of that.
    """
    called = 0
    for seed in range(200):
        pairs = iter(made_up(42, change=effect, noise=0.019, seed=seed))
        _, results, _ = measure_and_judge(
            lambda pairs=pairs: (next(pairs), 1.5), Plan(margin=0.05, budget_seconds=60.0)
        )
        called += results[0].verdict in {Verdict.REGRESSION, Verdict.IMPROVEMENT}
    assert abs(called - found) <= 2


@pytest.mark.parametrize(
    ("most", "each", "steps"), [(100, 1, 15), (10, 1, 10), (100, 4, 12), (100, 32, 32)]
)
def test_rounds_are_cut_to_a_length(most: int, each: int, steps: int, tmp_path: Path) -> None:
    """Whole executions, at most as many steps as the scenario says."""
    with comparing._Arms([environment(tmp_path, SEED="1")] * 3, tmp_path / "s.toml") as arms:
        arms.start()
        plan = Plan(margin=0.05, steps=most, steps_per_execution=each)
        assert comparing._calibrated(arms["base"], plan) in {steps, steps - 1}
