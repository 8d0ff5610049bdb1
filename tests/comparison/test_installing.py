"""Overlays and virtual environments, built from wheels without any index."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from harness.comparison.commands import EnvironmentBroken
from harness.comparison.installing import install_overlay, install_venv
from harness.comparison.interpreters import current, interpreter_in, look_at
from tests.comparison.wheels import wheel

if TYPE_CHECKING:
    from pathlib import Path

SEEN = "import {name}; print({name}.__version__, {name}.__file__)"


def _run(python: Path, code: str, overlay: Path | None = None) -> str:
    env = {"PYTHONPATH": str(overlay)} if overlay else {}
    done = subprocess.run([python, "-c", code], env=env, capture_output=True, text=True, check=True)
    return done.stdout


def test_an_overlay_has_the_package_and_what_is_missing(index: Path, tmp_path: Path) -> None:
    """What is installed already is not installed again, in whichever version."""
    wheel(index, "keras", "3.0.0", "made-up-tree", "packaging>=999", 'absent; extra == "all"')
    wheel(index, "made-up-tree", "0.1", "made-up-root>=2")
    wheel(index, "made-up-root", "2.1")
    folder = tmp_path / "overlay"
    folder.mkdir()

    install_overlay(folder, ["keras==3.0.0"], look_at(current()))

    packages = {path.name for path in folder.iterdir() if "." not in path.name}
    assert packages == {"keras", "made_up_tree", "made_up_root"}
    assert _run(current(), SEEN.format(name="keras"), folder).startswith(f"3.0.0 {folder}")


def test_an_overlay_that_cannot_be_installed(index: Path, tmp_path: Path) -> None:
    """The installer's own words say why."""
    assert not list(index.iterdir())
    with pytest.raises(EnvironmentBroken) as raised:
        install_overlay(tmp_path, ["keras==9.9"], look_at(current()))
    assert "must install keras==9.9, got status 1:" in str(raised.value)
    assert "No matching distribution found for keras==9.9" in str(raised.value)


def test_a_virtual_environment_differs_in_what_was_asked_for(index: Path, tmp_path: Path) -> None:
    """All else comes from the interpreter at hand, what it requires in the versions there."""
    wheel(index, "made-up", "1.5", "packaging")
    here = look_at(current())
    wheel(index, "packaging", here.versions["packaging"])
    wheel(index, "packaging", "999.0")
    folder = tmp_path / "venv"

    install_venv(folder, ["made-up==1.5"], here)

    python = interpreter_in(folder)
    assert python is not None
    assert _run(python, SEEN.format(name="made_up")).startswith(f"1.5 {folder}")
    assert look_at(python).versions["packaging"] == here.versions["packaging"]
    assert str(folder) not in _run(python, SEEN.format(name="pytest"))


def test_what_is_asked_for_wins_where_versions_do_not_fit(index: Path, tmp_path: Path) -> None:
    """The second attempt holds nothing but Keras."""
    wheel(index, "made-up", "1.5", "packaging>=999")
    wheel(index, "packaging", "999.0")
    folder = tmp_path / "venv"

    install_venv(folder, ["made-up==1.5"], look_at(current()))

    python = interpreter_in(folder)
    assert python is not None
    assert look_at(python).versions["packaging"] == "999.0"


def test_a_moved_environment_still_runs(index: Path, tmp_path: Path) -> None:
    """It is built beside its place and then renamed."""
    wheel(index, "made-up", "1.5")
    install_venv(tmp_path / "part", ["made-up==1.5"], look_at(current()))
    (tmp_path / "part").rename(tmp_path / "venv")

    python = interpreter_in(tmp_path / "venv")
    assert python is not None
    assert _run(python, SEEN.format(name="made_up")).startswith(f"1.5 {tmp_path / 'venv'}")
