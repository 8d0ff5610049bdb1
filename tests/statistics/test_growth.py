"""Growth of a series: found where there is some, and not where there is none."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.statistics.growth import FALSE_ALARMS, growth

Series = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Series]

SERIES = 1000
"""So many of each kind; each end of the interval has half of the 1 %, so 5 are due at worst."""


def _correlated(share: float) -> Noise:
    def noise(rng: np.random.Generator, count: int) -> Series:
        values = rng.standard_normal(count + 50)
        for index in range(1, len(values)):
            values[index] += share * values[index - 1]
        return values[50:]

    return noise


def _lump(rng: np.random.Generator, count: int) -> Series:
    values = 0.1 * rng.standard_normal(count)
    values[rng.integers(1, count) :] += 10.0
    return values


def _collected(rng: np.random.Generator, count: int) -> Series:
    period = int(rng.integers(3, count // 2))
    return (np.arange(count) + rng.integers(period)) % period + 0.1 * rng.standard_normal(count)


NOISES: dict[str, Noise] = {
    "independent": lambda rng, count: rng.standard_normal(count),
    "heavy tails": lambda rng, count: rng.standard_t(2, count),
    "correlated": _correlated(0.5),
    "much correlated": _correlated(0.9),
    "random walk": lambda rng, count: np.cumsum(rng.standard_normal(count)),
    "random walk in leaps": lambda rng, count: np.cumsum(rng.standard_t(3, count)),
    "one lump": _lump,
    "collected now and then": _collected,
}


@pytest.mark.parametrize("count", [8, 24, 60])
@pytest.mark.parametrize("name", NOISES)
def test_false_alarms_are_as_rare_as_stated(name: str, count: int) -> None:
    """Of a thousand flat series of each kind no more than one per cent are said to grow."""
    rng = np.random.default_rng(20_240_101)
    alarms = 0
    for _ in range(SERIES):
        found = growth(NOISES[name](rng, count))
        alarms += found.beyond(0.0)

    assert alarms <= FALSE_ALARMS * SERIES


@pytest.mark.parametrize("name", ["independent", "correlated", "random walk"])
def test_growth_is_found_in_noise(name: str) -> None:
    """Of 30 values that grow by twice their noise each, nearly every series is caught."""
    rng = np.random.default_rng(7)
    ramp = 2.0 * np.arange(30)

    found = [growth(ramp + NOISES[name](rng, 30)) for _ in range(200)]

    assert sum(item.beyond(0.0) for item in found) >= 196
    assert np.median([item.slope for item in found]) == pytest.approx(2.0, abs=0.1)


def test_an_exact_ramp_is_certain() -> None:
    """Counts have no noise: the interval is a point."""
    assert growth(np.arange(8) * 3.0) == (3.0, 3.0, 3.0)
    assert growth(np.zeros(8)) == (0.0, 0.0, 0.0)
    assert growth(np.arange(8) * 3.0).beyond(2.9)
    assert not growth(np.arange(8) * 3.0).beyond(3.0)


def test_one_step_among_many_is_no_growth() -> None:
    """Neither an early nor a late lump, and not one value that sticks out."""
    for place in range(1, 20):
        values = np.zeros(20)
        values[place:] = 100.0
        assert not growth(values).beyond(0.0)
    assert not growth([0, 0, 0, 900, 0, 0, 0, 0]).beyond(0.0)


def test_the_warm_up_is_left_out() -> None:
    """What is traced and allocated first is no growth."""
    values = [0.0, 500.0, *([600.0] * 8)]

    assert growth(values, warm_up=2) == (0.0, 0.0, 0.0)


def test_long_series_are_blocked() -> None:
    """The slope is that of one value, however many make a block."""
    rng = np.random.default_rng(3)
    values = 0.5 * np.arange(10_000) + rng.standard_normal(10_000)

    found = growth(values)

    assert found.low > 0.49
    assert found.high < 0.51


def test_six_values_are_the_fewest() -> None:
    """Fewer leave room for everything, and so does what is no number."""
    assert growth(range(6)).beyond(0.0)
    for values in (range(5), [1, 2, 3, 4, 5, float("nan")], np.zeros((6, 2))):
        with pytest.raises(ValueError, match="must hold at least 6 finite numbers"):
            growth(values)


def test_a_stricter_level_needs_more_values() -> None:
    """Six values can't carry a level of one in a million."""
    found = growth(range(6), alpha=1e-6)

    assert found.low < 0 < found.high
