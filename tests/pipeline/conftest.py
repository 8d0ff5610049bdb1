"""The fixtures of tests that train."""

from tests.training import run, user_module

__all__ = ["run", "user_module"]
