"""The names that scenario files may use mean something in the layers above `spec`."""

from typing import get_args

from harness.invariants.base import registered
from harness.plugin import options
from harness.preflight import rules
from harness.runner.profiles import PROFILES
from harness.spec.names import (
    FIGURE_FAMILIES,
    FIGURES,
    InvariantName,
    PreflightName,
    Quantity,
    StopName,
)
from harness.trace import QUANTITIES, StopReason, figures


def test_every_invariant_name_is_registered() -> None:
    """A file can ask for exactly the checks that exist."""
    assert sorted(get_args(InvariantName)) == sorted(registered())


def test_every_rule_can_be_expected() -> None:
    """A file can expect exactly the rules there are about plans."""
    assert sorted(get_args(PreflightName)) == sorted(rule.name for rule in rules())


def test_every_quantity_can_be_compared() -> None:
    """A relation can name exactly the quantities that `compare_traces` knows."""
    assert sorted(get_args(Quantity)) == sorted(QUANTITIES)


def test_every_stop_reason_can_be_expected() -> None:
    """A file can expect exactly the stop reasons there are."""
    assert sorted(get_args(StopName)) == sorted(StopReason)


def test_every_figure_can_be_bounded() -> None:
    """A bound can name exactly the figures that a trace has."""
    assert sorted(FIGURES) == sorted(figures._PLAIN)
    assert sorted(FIGURE_FAMILIES) == sorted([*figures._FAMILIES, "evaluation"])


def test_the_plugin_offers_every_profile() -> None:
    """The plugin repeats the names because its options may import nothing of the runner."""
    assert options._PROFILES == PROFILES
