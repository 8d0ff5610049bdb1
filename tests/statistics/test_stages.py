"""Several looks at one comparison: alarms stay where they were promised, and faults show."""

import numpy as np
import pytest

from harness.statistics.signed_rank import centres
from harness.statistics.stages import Stages
from harness.statistics.verdict import FigureError, Verdict

STAGES = Stages()


def alarms(levels: list[float], pairs: tuple[int, ...], *, spread: float = 1.0) -> float:
    """Share of A/A runs whose interval leaves out zero at any look.

    `spread` narrows the intervals about their centres, as a variance computed wrongly would.
    """
    values = np.random.default_rng(5).standard_t(3, (4000, pairs[-1]))
    ever = np.zeros(len(values), bool)
    for level, count in zip(levels, pairs, strict=True):
        centre = centres(values[:, :count], alpha=level)
        low = centre.estimate + (centre.low - centre.estimate) * spread
        high = centre.estimate + (centre.high - centre.estimate) * spread
        ever |= (low > 0) | (high < 0)
    return float(np.mean(ever))


def test_levels_add_up() -> None:
    """What the looks spend is what was promised, and each can be reached."""
    levels = [STAGES.level(stage) for stage in range(len(STAGES.pairs))]
    assert sum(levels) == pytest.approx(0.01, rel=1e-12)
    for level, pairs in zip(levels, STAGES.pairs, strict=True):
        assert level >= 2.0 / 2**pairs


def test_alarms_stay_below_alpha_over_all_looks() -> None:
    """With a tenth of alarms promised, under heavy tails; the levels' sum is an upper bound."""
    stages = Stages(alpha=0.1)
    levels = [stages.level(stage) for stage in range(len(stages.pairs))]
    rate = alarms(levels, stages.pairs)
    assert 0.05 < rate <= 0.1


@pytest.mark.parametrize(
    ("fault", "levels", "spread"),
    [
        ("no correction for looks", [0.1] * 5, 1.0),
        ("one side's tail taken for both", [2 * Stages(alpha=0.1).level(k) for k in range(5)], 1.0),
        ("variance a third too small", [Stages(alpha=0.1).level(k) for k in range(5)], 0.82),
    ],
)
def test_faults_raise_the_alarms(fault: str, levels: list[float], spread: float) -> None:
    """The simulation above would notice each of them."""
    assert alarms(levels, STAGES.pairs, spread=spread) > 0.1, fault


def costs(effect: float, seed: int = 0, pairs: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Both sides with a coefficient of variation of 2.7 %."""
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(0, 0.027, pairs)), (1 + effect) * np.exp(rng.normal(0, 0.027, pairs))


def test_a_large_change_ends_the_run_at_the_first_look() -> None:
    """Ten per cent need twelve pairs; the stated confidence is that of all looks together."""
    base, other = costs(0.1)
    look = STAGES.look(base[:12], other[:12])
    assert look.verdict is Verdict.REGRESSION
    assert look.finished
    assert look.control is None
    assert (look.estimate.pairs, look.estimate.confidence) == (12, 0.99)
    assert STAGES.look(base[:12], other[:12], higher_is_better=True).verdict is Verdict.IMPROVEMENT


def test_pairs_between_two_stages_wait() -> None:
    """Fourteen pairs are judged as twelve, so that no look is taken that was not paid for."""
    base, other = costs(0.03)
    assert (
        STAGES.look(base[:14], other[:14]).estimate == STAGES.look(base[:12], other[:12]).estimate
    )


def test_before_the_first_stage_nothing_is_said() -> None:
    """Eleven pairs are too few even for a change that could be excluded."""
    base, other = costs(1.0)
    look = STAGES.look(base[:11], other[:11])
    assert (look.verdict, look.finished) == (Verdict.COULD_NOT_JUDGE, False)
    assert look.estimate.pairs == 11


def test_the_last_stage_ends_without_a_verdict() -> None:
    """With noise of 30 % and 32 pairs nothing can be said of five per cent."""
    rng = np.random.default_rng(2)
    base, other = np.exp(rng.normal(0, 0.3, (2, 32)))
    look = STAGES.look(base, other)
    assert (look.verdict, look.finished) == (Verdict.COULD_NOT_JUDGE, True)
    assert look.estimate.detectable > 0.2


def test_a_control_is_judged_by_the_same_looks() -> None:
    """A base that differs from itself voids the run; one that does not leaves it alone."""
    base, other = costs(0.1)
    again = costs(0.0, seed=4)[1]
    good = STAGES.look(base, other, control=(base, again))
    assert good.verdict is Verdict.REGRESSION
    assert good.control is not None
    assert good.control.pairs == 32
    bad = STAGES.look(base, other, control=(base, again * 1.1))
    assert bad.verdict is Verdict.COULD_NOT_JUDGE


@pytest.mark.parametrize("pairs", [(), (0, 12), (12, 12), (20, 12)])
def test_refuses_stages_that_do_not_increase(pairs: tuple[int, ...]) -> None:
    """Stages are numbers of pairs in all, not of new ones."""
    with pytest.raises(FigureError, match="must be positive and increase, got"):
        Stages(pairs=pairs)


def test_refuses_stages_that_can_find_nothing() -> None:
    """The message says how many pairs it takes."""
    with pytest.raises(FigureError, match=r"at least 9 pairs .* with 1\.00% false alarms, got 6\."):
        Stages(pairs=(4, 6))
    with pytest.raises(FigureError, match=r"alpha must lie in \(0, 1\), got 0\. 0\.01 is one"):
        Stages(alpha=0)
