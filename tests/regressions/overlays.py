"""Keras releases in folders of their own, to be laid over what is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["overlay", "with_overlay"]

_NEEDED_BY_OLD: Final = ("dm-tree", "absl-py", "attrs", "wrapt")
"""Keras 3.0 imports dm-tree; what that imports comes along, since nothing else is resolved."""


def overlay(version: str, cache: Path) -> Path:
    """Return the folder that holds this Keras release, and install it there if it is missing.

    Raises:
        subprocess.CalledProcessError: It cannot be installed; pip has said why.
    """
    folder = cache / f"keras-{version}"
    if folder.exists():
        return folder
    packages = [f"keras=={version}", *(_NEEDED_BY_OLD if version.startswith("3.0.") else ())]
    cache.mkdir(parents=True, exist_ok=True)
    # Installed beside and then renamed, so that an interrupted installation is never used.
    part = tempfile.mkdtemp(dir=cache, prefix=".part-")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", part]
    try:
        subprocess.run([*pip, *packages], check=True)
        os.replace(part, folder)  # noqa: PTH105 - a folder, which Path.replace types as a file
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def with_overlay(folder: Path) -> dict[str, str]:
    """The environment of a process that sees this folder before what is installed."""
    inherited = os.environ.get("PYTHONPATH")
    paths = [str(folder), *([inherited] if inherited else [])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
