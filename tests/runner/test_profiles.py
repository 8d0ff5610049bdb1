"""How many examples are drawn, and from which seed."""

from pathlib import Path

import pytest

from harness.errors import HarnessUsageError
from harness.runner.profiles import PROFILES, budget_for, scenario_name
from tests.runner.synthetic import BOUND, scenario_of

SCENARIO = scenario_of(BOUND)


def test_profiles_go_from_cheap_to_dear() -> None:
    """Each profile draws more than the one before."""
    assert [budget_for(SCENARIO, profile, None).examples for profile in PROFILES] == [10, 30, 300]


def test_a_scenario_says_how_many_examples_it_needs() -> None:
    """`examples` replaces the number of the quick profile, the others multiply it."""
    scenario = scenario_of("examples = 4", BOUND)

    assert [budget_for(scenario, profile, None).examples for profile in PROFILES] == [4, 12, 120]


@pytest.mark.parametrize("profile", ["quick", "ci"])
def test_quick_and_ci_start_at_the_same_place_every_time(profile: str) -> None:
    """Their seed comes from the scenario's name: equal every time, other for other scenarios."""
    other = scenario_of(BOUND, path="scenarios/made_up/other.toml")

    assert budget_for(SCENARIO, profile, None) == budget_for(SCENARIO, profile, None)
    assert budget_for(SCENARIO, profile, None).seed != budget_for(other, profile, None).seed


def test_thorough_starts_anew() -> None:
    """The thorough profile takes a seed that nobody has seen."""
    assert len({budget_for(SCENARIO, "thorough", None).seed for _ in range(5)}) > 1


@pytest.mark.parametrize("profile", PROFILES)
def test_a_given_seed_goes_before_the_profile(profile: str) -> None:
    """Whoever names a seed gets it, zero too."""
    assert budget_for(SCENARIO, profile, 0).seed == 0


def test_an_unknown_profile_is_refused() -> None:
    """The message lists the profiles there are."""
    with pytest.raises(HarnessUsageError) as caught:
        budget_for(SCENARIO, "slow", None)

    assert str(caught.value) == "profile must be one of quick, ci, thorough, got 'slow'."


def test_a_name_does_not_depend_on_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From inside the folder of a scenario the same examples are drawn as from outside."""
    folder = tmp_path / "scenarios" / "made_up"
    folder.mkdir(parents=True)
    names, seeds = set(), set()
    for place, path in [
        (tmp_path, "scenarios/made_up/example.toml"),
        (folder, "example.toml"),
        (folder, "../made_up/example.toml"),
    ]:
        monkeypatch.chdir(place)
        scenario = scenario_of(BOUND, path=path)
        names.add(scenario_name(scenario))
        seeds.add(budget_for(scenario, "quick", None).seed)

    assert names == {"made_up/example"}
    assert len(seeds) == 1
