"""Hypothesis strategies for what scenario files draw."""

from harness.strategies.draws import draws, strategy_for
from harness.strategies.repeatable import from_seed_alone

__all__ = ["draws", "from_seed_alone", "strategy_for"]
