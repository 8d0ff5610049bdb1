"""The command `harness`: run, check and list scenario files without pytest."""

from harness.cli.main import main

__all__ = ["main"]
