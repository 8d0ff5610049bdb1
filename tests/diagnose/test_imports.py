"""The observer waits until a module is really imported."""

import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

from harness.diagnosis.observing.imports import call_after_import


def test_looking_for_a_module_is_not_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow looks whether there is a Keras before anybody imports one."""
    (tmp_path / "looked_for.py").write_text("DONE = True")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    called: list[bool] = []
    call_after_import({"looked_for": lambda: called.append(sys.modules["looked_for"].DONE)})

    assert importlib.util.find_spec("looked_for") is not None
    assert called == []
    importlib.import_module("looked_for")
    assert called == [True]
    importlib.reload(sys.modules["looked_for"])
    assert called == [True]
