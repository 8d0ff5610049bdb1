"""Keras releases in folders of their own, to be laid over what is installed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.comparison.cache import Cache
from harness.comparison.installing import install_overlay
from harness.comparison.interpreters import current, look_at

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["overlay", "with_overlay"]


def overlay(version: str, cache: Path) -> Path:
    """Return the folder that holds this Keras release, and install it there if it is missing.

    Raises:
        EnvironmentBroken: It cannot be installed; the installer's own words are in the message.
    """
    return Cache(cache).built(
        f"keras-{version}",
        lambda part: install_overlay(part, [f"keras=={version}"], look_at(current())),
    )


def with_overlay(folder: Path) -> dict[str, str]:
    """The environment of a process that sees this folder before what is installed."""
    inherited = os.environ.get("PYTHONPATH")
    paths = [str(folder), *([inherited] if inherited else [])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
