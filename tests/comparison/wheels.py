"""Wheels written by hand, so that environments are built without any index."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest


def wheel(
    folder: Path,
    name: str,
    version: str,
    *requires: str,
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write a wheel of one module that knows its version, or of these files."""
    folder.mkdir(parents=True, exist_ok=True)
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    content = {
        **(files or {f"{module}/__init__.py": f"__version__ = {version!r}\n"}),
        f"{about}/METADATA": "\n".join(metadata) + "\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*content, f"{about}/RECORD"))
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in {**content, f"{about}/RECORD": record}.items():
            archive.writestr(file, text)
    return path


def only_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip look nowhere else, and take it although uv may be there."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setattr("harness.comparison.installing.shutil.which", lambda _: None)
