"""Hypothesis strategies for what scenario files draw."""

from harness.strategies.draws import draws, strategy_for
from harness.strategies.pipelines import EXAMPLES_PER_STRUCTURE
from harness.strategies.repeatable import from_seed_alone

__all__ = ["EXAMPLES_PER_STRUCTURE", "draws", "from_seed_alone", "strategy_for"]
