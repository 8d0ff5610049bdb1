from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

import keras
import numpy as np
import pytest
import tensorflow as tf

from harness.errors import MissingBackendError
from harness.pipeline.backend import (
    environment,
    import_keras,
    import_tensorflow,
    installed_versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALL = (
    'Install one with `pip install "pytest-training-harness[cpu]"` (or `[gpu]`), '
    "or put your own build of TensorFlow and Keras 3 into this environment."
)


@pytest.mark.parametrize(
    ("find", "name"), [(import_keras, "keras"), (import_tensorflow, "tensorflow")]
)
def test_a_missing_backend_says_what_to_install(
    find: Callable[[], ModuleType], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole message: what is missing, why, and both ways to get it."""

    def fail(wanted: str) -> NoReturn:
        message = f"No module named {wanted!r}"
        raise ModuleNotFoundError(message)

    monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(MissingBackendError) as caught:
        find()
    assert str(caught.value) == (
        f"{name} must be importable to train anything, got No module named {name!r}. {INSTALL}"
    )


def test_keras_2_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old Keras imports, and is not what the harness drives."""
    old = ModuleType("keras")
    old.__version__ = "2.15.0"  # type: ignore[attr-defined]
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(importlib, "import_module", lambda _: old)
    with pytest.raises(MissingBackendError) as caught:
        import_keras()
    assert str(caught.value) == f"keras must be version 3, got 2.15.0. {INSTALL}"


def test_versions_are_those_of_the_loaded_modules() -> None:
    """A known issue is bound to what runs, not to what the metadata say."""
    versions = installed_versions()
    assert versions["keras"] == keras.__version__
    assert versions["tensorflow"] == tf.__version__
    assert versions["numpy"] == np.__version__
    assert set(versions) == {"keras", "numpy", "python", "tensorflow"}


def test_the_environment_names_machine_and_versions() -> None:
    """Everything two traces must share to be compared bit for bit is filled in."""
    found = environment()
    assert (found.keras, found.backend) == (keras.__version__, "tensorflow")
    assert found.cores >= 1
    assert found.cpu
    assert found.platform
