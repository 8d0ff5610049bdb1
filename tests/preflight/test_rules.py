"""Each rule finds what it says, and nothing else does."""

import pytest

from harness.preflight import check, rules

from .breaks import CASES

RULES = [rule.name for rule in rules()]


def test_every_rule_has_a_case() -> None:
    """A rule that nothing breaks can't fail."""
    assert sorted(CASES) == sorted(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_broken_rule_is_found(name: str) -> None:
    """The whole line is what a person reads, and it is the only one."""
    found = check(CASES[name].breaks)

    assert [str(item) for item in found] == [CASES[name].says]


@pytest.mark.parametrize(
    ("name", "index"), [(name, index) for name in RULES for index in range(len(CASES[name].keeps))]
)
def test_a_kept_rule_finds_nothing(name: str, index: int) -> None:
    """A plan that differs in the one thing that matters is left in peace by this rule."""
    found = check(CASES[name].keeps[index])

    assert [str(item) for item in found if item.rule == name] == []
