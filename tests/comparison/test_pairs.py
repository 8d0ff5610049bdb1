"""Rounds to the costs of a pair, pairs to verdicts; each verdict is shown coming out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparison.pairs import (
    ALPHA,
    METRICS,
    MetricResult,
    Pair,
    fewest_pairs,
    judge_pairs,
    last_look,
    metrics_of,
    plan_stages,
    round_costs,
)
from harness.statistics.stages import Stages
from harness.statistics.verdict import Verdict

ARMS = ("base", "other", "control")
COSTS = st.floats(1e-4, 1e3)


def made_up(
    count: int, *, change: float = 1.0, bias: float = 1.0, noise: float = 0.02, seed: int = 0
) -> list[Pair]:
    """Pairs with noise, in which the other side costs `change` and the control `bias` times."""
    rng = np.random.default_rng(seed)

    def figures(factor: float) -> dict[str, float]:
        scatter = np.exp(rng.normal(0.0, noise, 2))
        return {
            "step_seconds": 0.01 * factor * scatter[0],
            "compile_seconds": 0.5 * scatter[1],
            "peak_rss_bytes": 3e8,
        }

    return [
        Pair(base=figures(1.0), other=figures(change), control=figures(bias)) for _ in range(count)
    ]


def _judged(pairs: list[Pair], margin: float = 0.05) -> dict[str, MetricResult]:
    stages = last_look(len(pairs), 3)
    assert stages is not None
    results, settled = judge_pairs(pairs, stages, margin)
    assert settled
    return {result.metric.name: result for result in results}


@given(
    st.lists(st.tuples(COSTS, COSTS, COSTS), min_size=1, max_size=7).filter(lambda r: len(r) % 2)
)
def test_swapping_two_arms_inverts_their_ratio(rounds: list[tuple[float, float, float]]) -> None:
    """Neither side is favoured by how a pair is summed up."""
    forth = round_costs([dict(zip(ARMS, found, strict=True)) for found in rounds], ARMS)
    swapped = [{"other": a, "base": b, "control": c} for a, b, c in rounds]
    back = round_costs(swapped, ARMS)

    assert forth["base"] == pytest.approx(np.median([found[0] for found in rounds]))
    assert forth["other"] / forth["base"] == pytest.approx(back["base"] / back["other"])


def test_a_neighbour_in_one_round_does_not_spoil_the_pair() -> None:
    """Nor does a machine that slows down for all arms alike."""
    rounds = [dict.fromkeys(ARMS, 1.0 + place) for place in range(5)]
    rounds[2]["other"] = 100.0

    assert round_costs(rounds, ARMS) == pytest.approx(dict.fromkeys(ARMS, 3.0))


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (1.0, Verdict.NO_CHANGE),
        (1.1, Verdict.REGRESSION),
        (0.9, Verdict.IMPROVEMENT),
        (1.04, Verdict.REGRESSION),
        (1.01, Verdict.NO_CHANGE),
    ],
)
def test_the_verdict_on_a_step(change: float, verdict: Verdict) -> None:
    """A slower step is a regression, a faster one is not; half a per cent bothers nobody."""
    found = _judged(made_up(24, change=change))

    assert found["step_seconds"].verdict is verdict
    assert found["peak_rss_bytes"].verdict is Verdict.NO_CHANGE
    assert found["step_seconds"].estimate.confidence == pytest.approx(1 - ALPHA / 3)


def test_a_control_that_differs_from_itself_judges_nothing() -> None:
    """Whatever the other side seems to cost."""
    found = _judged(made_up(24, change=1.2, bias=1.2))["step_seconds"]

    assert found.verdict is Verdict.COULD_NOT_JUDGE
    assert found.control.ratio == pytest.approx(1.2, rel=0.02)


def test_noise_that_hides_the_margin_is_admitted() -> None:
    """And what could have been seen is larger than the margin."""
    found = _judged(made_up(14, noise=0.3))["step_seconds"]

    assert found.verdict is Verdict.COULD_NOT_JUDGE
    assert found.estimate.detectable > 0.05


def test_compiling_has_a_wider_margin() -> None:
    """It happens once a process."""
    found = _judged(made_up(14), margin=0.03)
    assert found["compile_seconds"].estimate.margin == pytest.approx(0.15)
    assert found["peak_rss_bytes"].estimate.margin == 0.03


def test_looks_are_planned_from_time_alone() -> None:
    """Many pairs are looked at on the way, few only at the end, too few not at all."""
    stages = plan_stages(40, 3)
    assert stages is not None
    assert stages.pairs == (20, 28, 34, 40)
    assert stages.alpha == pytest.approx(ALPHA / 3)
    assert plan_stages(23, 3) is None
    many = plan_stages(10_000, 3)
    assert many is not None
    assert many.pairs[-1] == 48
    assert fewest_pairs(3) == 10
    assert last_look(9, 3) is None


def test_a_last_look_has_what_the_others_left() -> None:
    """Where time runs out between two looks, and before the first."""
    planned = plan_stages(40, 3)
    assert planned is not None

    before = last_look(19, 3, planned)
    assert before is not None
    assert before.alpha == pytest.approx(ALPHA / 3)
    between = last_look(30, 3, planned)
    assert between is not None
    assert between.alpha == pytest.approx(ALPHA / 3 * (1 - (28 / 40) ** 2))
    assert last_look(40, 3, planned) is None


def test_a_run_ends_when_the_step_is_settled() -> None:
    """And goes on where it is not."""
    stages = plan_stages(40, 3)
    assert stages is not None

    _, settled = judge_pairs(made_up(20), stages, 0.05)
    assert settled
    _, settled = judge_pairs(made_up(20, noise=0.3), stages, 0.05)
    assert not settled


def test_only_what_every_process_tells_is_compared() -> None:
    """A processor has no device memory."""
    pairs = made_up(2)
    assert [metric.name for metric in metrics_of(pairs)] == [
        "step_seconds",
        "compile_seconds",
        "peak_rss_bytes",
    ]
    with_gpu: list[dict[str, Any]] = [
        {**side, "peak_device_bytes": 1.0}
        for side in (pairs[0].base, pairs[0].other, pairs[0].control)
    ]
    sides = dict(zip(ARMS, with_gpu, strict=True))
    assert metrics_of([Pair(**sides)]) == METRICS
    assert metrics_of([Pair(**sides), pairs[1]]) == METRICS[:3]


def test_json_has_no_infinity() -> None:
    """What has no bound is null."""
    results, _ = judge_pairs(made_up(5), Stages(pairs=(20,), alpha=ALPHA), 0.05)
    plain = results[0].to_json()

    assert plain["high"] is None
    assert plain["detectable"] is None
    assert plain["verdict"] == "could not judge"
    assert math.isfinite(plain["ratio"])
