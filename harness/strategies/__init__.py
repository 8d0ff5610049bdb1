"""Hypothesis strategies for what scenario files draw."""

from harness.strategies.draws import draws, strategy_for

__all__ = ["draws", "strategy_for"]
