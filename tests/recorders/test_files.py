from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import keras

from harness.recorders import files

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_checkpoint_that_cannot_be_loaded_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some release saved a whole model under the name of a file of weights."""
    variable = keras.Variable([1.0, 2.0])

    def load_weights(_: str) -> None:
        message = "Layer 'dense_0' expected 2 variables, but received 0 variables"
        raise ValueError(message)

    pipeline: Any = SimpleNamespace(
        model=SimpleNamespace(load_weights=load_weights), optimizer=SimpleNamespace(variables=[])
    )
    monkeypatch.setattr(files, "state_variables", lambda _: [variable])
    path = tmp_path / "best.weights.h5"
    path.write_bytes(b"no file of weights")
    detail = files._checkpoint(path, pipeline, None)
    assert detail == {"architecture": False}
    assert variable.numpy().tolist() == [1.0, 2.0]
