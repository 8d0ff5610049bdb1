"""The environment of a measurement: coarse, stable, and complete about what matters."""

import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.history import surroundings as module
from harness.history.measurement import EnvironmentKey
from harness.history.surroundings import SETTINGS, surroundings


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings, no graphics, nothing remembered."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "_NVIDIA", Path("/nowhere"))
    monkeypatch.setattr("shutil.which", lambda _: None)
    module._graphics.cache_clear()


def test_what_matters_is_there_and_nothing_else() -> None:
    """No host name, no kernel, no free memory: they change often and explain little."""
    values = surroundings().values

    assert values.keys() <= {
        "system",
        "machine",
        "cpu",
        "cores",
        "python",
        "keras",
        "numpy",
        "tensorflow",
    }
    assert values["python"] == ".".join(platform.python_version().split(".")[:2])
    assert int(values["cores"]) >= 1
    assert values["cpu"]


def test_another_process_has_the_same_fingerprint() -> None:
    """Whether it has imported NumPy or not."""
    code = "from harness.history.surroundings import surroundings; print(surroundings().to_json())"
    texts = {
        subprocess.run(
            [sys.executable, "-c", start + code], capture_output=True, text=True, check=True
        ).stdout
        for start in ("", "import numpy; ")
    }

    assert len(texts) == 1


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_makes_another_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Threads, precision flags, compilation."""
    before = surroundings()
    monkeypatch.setenv(name, "1")

    assert ("", "1") in [pair[1:] for pair in before.differences(surroundings())]
    assert surroundings().fingerprint != before.fingerprint


def test_a_loaded_module_speaks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """An overlay on the path may be another release than the one that is installed."""
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(__version__="9.9"))

    assert surroundings().values["keras"] == "9.9"


def test_only_the_backend_in_use_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that lies about unused changes nothing."""
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(__version__="9.9"))
    assert "jax" not in surroundings().values

    monkeypatch.setenv("KERAS_BACKEND", "jax")
    values = surroundings().values
    assert values["jax"] == "9.9"
    assert "tensorflow" not in values


def test_graphics_as_the_driver_tells_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models with their number, and the driver's version."""
    for number, name in enumerate(["NVIDIA H200", "NVIDIA H200", "NVIDIA A10"]):
        folder = tmp_path / "gpus" / str(number)
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t {name}\nIRQ: 1\n")
    (tmp_path / "gpus" / "3").mkdir()
    (tmp_path / "gpus" / "3" / "information").write_text("IRQ: 1\n")
    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar\nGCC version: 12.2.0\n"
    )
    monkeypatch.setattr(module, "_NVIDIA", tmp_path)

    assert module._graphics() == ("NVIDIA A10, 2 x NVIDIA H200, unknown", "550.54.15")
    assert surroundings().values["gpu"] == "NVIDIA A10, 2 x NVIDIA H200, unknown"
    assert surroundings().values["driver"] == "550.54.15"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'NVIDIA H200, 550.1'; echo 'NVIDIA H200, 550.1'", ("2 x NVIDIA H200", "550.1")),
        ("exit 9", ("", "")),
        ("echo nothing", ("", "")),
    ],
)
def test_graphics_as_the_program_tells_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: tuple[str, str]
) -> None:
    """Where the driver's files are not to be seen."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda _: str(program))

    assert module._graphics() == expected


def test_differences_are_named_with_both_values() -> None:
    """An empty text where one has none."""
    one = EnvironmentKey(values={"a": "1", "b": "2"})
    other = EnvironmentKey(values={"b": "3", "c": "4"})

    assert one.differences(other) == (("a", "1", ""), ("b", "2", "3"), ("c", "", "4"))
    assert one.differences(one) == ()
    assert len({one, EnvironmentKey(values={"b": "2", "a": "1"}), other}) == 2
